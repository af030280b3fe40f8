"""Temperature and humidity (温湿度): places with their limits, two readings a day, and what was done about one outside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import DocumentChanged, NotFound
from app.facility.db import hot_action, run, transaction
from app.facility.stock.keeping.errors import AlreadyDecided, PlaceNotTaken, ReadingNotTaken

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50
MOST_PLACES = 50
MOST_A_MONTH = 500
NOON = 12
COLDEST, HOTTEST = -500, 700  # Tenths of a degree that a thermometer of a shop can show.


@dataclass(frozen=True, slots=True)
class Limits:
    """Between what a place must stay, in tenths of a degree and percent; None where there is no such limit."""

    low_tenths: int | None
    high_tenths: int
    humid_low: int | None
    humid_high: int | None


# The Pharmacopoeia's storage words and the humidity of the supply practice (DOMAIN 3.3); a place may have stricter ones.
DEFAULTS = {
    "normal": Limits(100, 300, 35, 75),
    "cool": Limits(None, 200, 35, 75),
    "cold": Limits(20, 80, 35, 75),
}

ADD_PLACE = """
insert into climate_place (tenant_id, facility_id, name, kind, low_tenths, high_tenths, humid_low, humid_high, staff_id, changed_at)
select %(tenant)s, %(facility)s, %(name)s, %(kind)s, %(low_tenths)s::int, %(high_tenths)s::int, %(humid_low)s::int, %(humid_high)s::int, %(staff)s, %(at)s
where (select count(*) from climate_place where tenant_id = %(tenant)s and facility_id = %(facility)s) < 50
on conflict do nothing returning id
"""
CHANGE_PLACE = """
update climate_place set low_tenths = %(low_tenths)s::int, high_tenths = %(high_tenths)s::int, humid_low = %(humid_low)s::int, humid_high = %(humid_high)s::int,
    state = %(state)s, staff_id = %(staff)s, changed_at = %(at)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(place)s returning id
"""
PLACE = """
select id, name, kind, low_tenths, high_tenths, humid_low, humid_high, state from climate_place
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(place)s
"""
READ = """
insert into climate_reading (tenant_id, id, facility_id, place_id, temperature_tenths, humidity, low_tenths, high_tenths, humid_low, humid_high,
    outside, half, staff_id, read_at, read_on)
values (%(tenant)s, %(reading)s, %(facility)s, %(place)s, %(tenths)s::int, %(humidity)s::int, %(low_tenths)s::int, %(high_tenths)s::int,
    %(humid_low)s::int, %(humid_high)s::int, %(outside)s, %(half)s, %(staff)s, %(at)s, %(today)s)
on conflict (tenant_id, id) do nothing returning id
"""
KNOWN = """
select place_id, temperature_tenths, humidity, outside from climate_reading
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(reading)s
"""
SIGN = """
insert into climate_action (tenant_id, reading_id, action, staff_id, signed_by, signed_at)
values (%(tenant)s, %(reading)s, %(action)s, %(staff)s, %(signer)s, %(at)s) on conflict do nothing returning reading_id
"""
SIGNED = "select action, signed_by from climate_action where tenant_id = %(tenant)s and reading_id = %(reading)s"


@hot_action
def add_place(desk: Desk, name: str, kind: str, limits: Limits | None = None) -> int:
    """Name a place where temperature is read; its limits are those of its kind unless others are given. Raises PlaceNotTaken."""
    name = name.strip()
    if not 1 <= len(name) <= 40 or "\x00" in name:
        raise PlaceNotTaken(why="名字要有 1 到 40 个字")
    if kind not in DEFAULTS:
        raise PlaceNotTaken(why="请选择常温、阴凉或冷藏")
    limits = limits or DEFAULTS[kind]
    _check_limits(limits)
    with transaction(settings=desk.settings) as hot:
        made = hot.run(ADD_PLACE, {**desk.keys, "name": name, "kind": kind, "at": clock.now(), **_as_dict(limits)})
        if not made:
            raise PlaceNotTaken(why="已经有同名的测温点，或超过 50 个")
        return int(made[0].id)


@hot_action
def change_place(desk: Desk, place_id: int, limits: Limits, *, closed: bool = False) -> None:
    """Give a place other limits, or close it. Readings keep the limits they were judged by. Raises PlaceNotTaken, NotFound."""
    _check_limits(limits)
    keys = {**desk.keys, "place": place_id, "state": "closed" if closed else "open", "at": clock.now(), **_as_dict(limits)}  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if not hot.run(CHANGE_PLACE, keys):
            raise NotFound


@hot_action
def read_climate(desk: Desk, reading: UUID, place_id: int, tenths: int, humidity: int | None = None) -> bool:
    """Write a reading down; answers whether it is outside the limits and asks for an action. Sent again it changes nothing.

    Raises ReadingNotTaken, NotFound, DocumentChanged.
    """
    if not COLDEST <= tenths <= HOTTEST:
        raise ReadingNotTaken(why="温度不像真的，请核对温度计（−50 到 70 ℃）")
    if humidity is not None and not 0 <= humidity <= 100:
        raise ReadingNotTaken(why="湿度要在 0 到 100 之间")
    with transaction(settings=desk.settings) as hot:
        keys = {**desk.keys, "reading": reading, "place": place_id}
        found = hot.run(PLACE, keys)
        if not found:
            raise NotFound
        place = found[0]
        if place.state != "open":
            raise ReadingNotTaken(why="这个测温点已停用")
        if humidity is None and place.humid_high is not None:
            raise ReadingNotTaken(why="这个测温点要填湿度")
        at = clock.now()
        limits = Limits(place.low_tenths, place.high_tenths, place.humid_low, place.humid_high)
        outside = is_outside(limits, tenths, humidity)
        values = {"tenths": tenths, "humidity": humidity, "outside": outside, "half": half_of(at), "at": at, "today": clock.business_date(at)}  # fmt: skip
        if hot.run(READ, {**keys, **values, **_as_dict(limits)}):
            return outside
        known = hot.run(KNOWN, keys)
    if not known or tuple(known[0])[:3] != (place_id, tenths, humidity):
        raise DocumentChanged
    return bool(known[0].outside)


@hot_action
def sign_action(desk: Desk, reading: UUID, action: str, signer: int) -> None:
    """Say what was done about a reading outside the limits; the pharmacist or owner signs. Written once.

    Raises ReadingNotTaken, AlreadyDecided (signed before), NotFound.
    """
    action = action.strip()
    if not 1 <= len(action) <= 200:
        raise ReadingNotTaken(why="请写明采取了什么措施，最多 200 字")
    keys = {**desk.keys, "reading": reading, "action": action, "signer": signer, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        known = hot.run(KNOWN, keys)
        if not known or not known[0].outside:
            raise NotFound
        if not hot.run(SIGN, keys) and tuple(hot.run(SIGNED, keys)[0]) != (action, signer):
            raise AlreadyDecided(number="")


def is_outside(limits: Limits, tenths: int, humidity: int | None) -> bool:
    """Say whether a reading lies outside its place's limits."""
    cold = limits.low_tenths is not None and tenths < limits.low_tenths
    dry = humidity is not None and limits.humid_low is not None and humidity < limits.humid_low
    wet = humidity is not None and limits.humid_high is not None and humidity > limits.humid_high
    return cold or tenths > limits.high_tenths or dry or wet


def half_of(at: datetime) -> str:
    """The half of the day a reading counts for."""
    return "am" if clock.local(at).hour < NOON else "pm"


def tenths_of(text: str) -> int:
    """Tenths of a degree as a person types them: 23.5, -2, 8. Raises ReadingNotTaken."""
    plain = text.strip().replace("．", ".").replace("−", "-")
    if not re.fullmatch(r"-?\d{1,4}(\.\d)?", plain, re.ASCII):
        raise ReadingNotTaken(why="温度请填一位小数以内的数字，如 23.5")
    value = int(Decimal(plain) * 10)
    if not COLDEST <= value <= HOTTEST:
        raise ReadingNotTaken(why="温度不像真的，请核对温度计（−50 到 70 ℃）")
    return value


def _check_limits(limits: Limits) -> None:
    low, high = limits.low_tenths, limits.high_tenths
    if not COLDEST <= high <= HOTTEST or (low is not None and not COLDEST <= low < high):
        raise PlaceNotTaken(why="温度上限要高于下限，都在 −50 到 70 ℃ 之间")
    dry, wet = limits.humid_low, limits.humid_high
    if any(value is not None and not 0 <= value <= 100 for value in (dry, wet)) or (dry is not None and wet is not None and dry >= wet):  # fmt: skip
        raise PlaceNotTaken(why="湿度上限要高于下限，都在 0 到 100 之间")


def _as_dict(limits: Limits) -> dict[str, int | None]:
    return {name: getattr(limits, name) for name in ("low_tenths", "high_tenths", "humid_low", "humid_high")}


# ---- what the screens read -------------------------------------------------------------------------------------------


def list_places(facility_id: int, day: date) -> list[Any]:
    """The places of a facility with the last reading of each half of a day."""
    rows = run(
        """
        select p.*, a.temperature_tenths as am_tenths, a.humidity as am_humidity, a.outside as am_outside, a.read_at as am_at,
            b.temperature_tenths as pm_tenths, b.humidity as pm_humidity, b.outside as pm_outside, b.read_at as pm_at
        from climate_place p
        left join lateral (select r.* from climate_reading r where r.tenant_id = p.tenant_id and r.place_id = p.id and r.read_on = :day and r.half = 'am'
            order by r.read_at desc limit 1) a on true
        left join lateral (select r.* from climate_reading r where r.tenant_id = p.tenant_id and r.place_id = p.id and r.read_on = :day and r.half = 'pm'
            order by r.read_at desc limit 1) b on true
        where p.facility_id = :facility order by p.state desc, p.id limit :most
        """,
        facility=facility_id,
        day=day,
        most=MOST_PLACES,
    )
    return list(rows)


def get_place(facility_id: int, place_id: int) -> Any:
    """One place. Raises NotFound."""
    found = run(
        "select * from climate_place where facility_id = :facility and id = :place",
        facility=facility_id,
        place=place_id,
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def readings_of(place_id: int, month: date) -> list[Any]:
    """All readings of a place in a month, in their order, with what was done about those outside the limits."""
    following = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
    rows = run(
        """
        select r.*, s.name as staff, a.action, a.signed_at, w.name as signer from climate_reading r
        join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
        left join climate_action a on a.tenant_id = r.tenant_id and a.reading_id = r.id
        left join staff w on w.tenant_id = a.tenant_id and w.id = a.signed_by
        where r.place_id = :place and r.read_on >= :first and r.read_on < :following order by r.read_on, r.read_at limit :most
        """,
        place=place_id, first=month.replace(day=1), following=following, most=MOST_A_MONTH,
    )  # fmt: skip
    return list(rows)


def list_unsigned(facility_id: int) -> list[Any]:
    """Readings outside their limits about which nothing was written yet, newest first."""
    rows = run(
        """
        select r.id, r.temperature_tenths, r.humidity, r.low_tenths, r.high_tenths, r.humid_low, r.humid_high, r.read_at, p.name, s.name as staff
        from climate_reading r join climate_place p on p.tenant_id = r.tenant_id and p.id = r.place_id
        join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
        where r.facility_id = :facility and r.outside and not exists (
            select from climate_action a where a.tenant_id = r.tenant_id and a.reading_id = r.id)
        order by r.read_at desc limit :page
        """,
        facility=facility_id,
        page=PAGE,
    )
    return list(rows)
