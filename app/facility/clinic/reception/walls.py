"""The wall 叫号屏: which screens hang where, and what they show, from memory while nothing changes.

A screen's address is signed by us and names organization, facility and screen; it can be taken back. However many screens ask, a facility
is read at most once a second in each process.
"""

from __future__ import annotations

import hashlib
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer

from app.core import clock, tenancy
from app.core.errors import NotFound, WrongInput
from app.facility.db import db, hot_action, run, transaction

if TYPE_CHECKING:
    from app.core.tenancy import Desk

KEPT_SECONDS = 1.0
STAYS = timedelta(minutes=2)  # Whom a doctor called and took in one step still stands on the wall until they are there.
MOST_SHOWN = 8
MOST_SCREENS = 50
SALT = "wall"

ADD = """
insert into wall_screen (tenant_id, id, facility_id, name, made_by, made_at) values (%(tenant)s, %(id)s, %(facility)s, %(name)s, %(staff)s, %(at)s)
on conflict (tenant_id, id) do nothing
"""
REVOKE = """
update wall_screen set revoked_by = %(staff)s, revoked_at = %(at)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and revoked_at is null returning id
"""
KNOWN = "select 1 as known from wall_screen where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s"
# All that any screen of a facility shows, in one statement: who was called last, how many wait where, which screens may ask.
READ = """
with called as (
    select v.id, v.ticket, v.called_at, v.calls, p.name_shown, d.name as department, r.name as room
    from visit v join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id
    join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
    left join consulting_room r on r.tenant_id = v.tenant_id and r.id = v.room_id
    where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.visit_on = %(today)s
        and (v.state = 'CALLED' or (v.state = 'IN_VISIT' and v.called_at > %(lately)s))
    order by v.called_at desc limit 8
), waiting as (
    select d.name as department, count(*) as many from visit v join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
    where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.visit_on = %(today)s and v.state = 'WAITING' group by d.name order by d.name limit 50
)
select (select name from facility where tenant_id = %(tenant)s and id = %(facility)s) as facility,
    (select coalesce(jsonb_agg(jsonb_build_object('ticket', ticket, 'name', name_shown, 'department', department, 'room', room, 'calls', calls) order by called_at desc), '[]')
        from called) as called,
    (select coalesce(jsonb_agg(jsonb_build_object('department', department, 'many', many) order by department), '[]') from waiting) as waiting,
    (select coalesce(jsonb_agg(id), '[]') from wall_screen where tenant_id = %(tenant)s and facility_id = %(facility)s and revoked_at is null) as screens
"""


class Showing(msgspec.Struct, frozen=True):
    """What the screens of a facility show, and the sign by which a screen knows that nothing changed."""

    facility: str
    called: tuple[dict[str, Any], ...]
    waiting: tuple[dict[str, Any], ...]
    screens: frozenset[str]
    version: str


_locks: dict[tuple[int, int], threading.Lock] = {}
_guard = threading.Lock()


@hot_action
def add_screen(desk: Desk, screen_id: UUID, name: str) -> None:
    """Hang up a screen. Sent again it changes nothing. Raises WrongInput."""
    if not 1 <= len(name.strip()) <= 30:
        raise WrongInput(what="叫号屏", why="名称要有 1 到 30 个字")
    with transaction(settings=desk.settings) as hot:
        hot.run_last(ADD, {**desk.keys, "id": screen_id, "name": name.strip(), "at": clock.now()})
    forget(desk.tenant_id, desk.facility_id)


@hot_action
def revoke_screen(desk: Desk, screen_id: UUID) -> None:
    """Take a screen's address back: it shows nothing from now on. Raises NotFound."""
    keys = {**desk.keys, "id": screen_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run(REVOKE, keys) and not hot.run(KNOWN, keys):
            raise NotFound
    forget(desk.tenant_id, desk.facility_id)


def list_screens(facility_id: int) -> list[Any]:
    """Screens that hang, newest first."""
    return list(
        run(
            f"""
            select w.id, w.name, w.made_at, s.name as staff from wall_screen w join staff s on s.tenant_id = w.tenant_id and s.id = w.made_by
            where w.facility_id = :facility and w.revoked_at is null order by w.made_at desc limit {MOST_SCREENS}
            """,
            facility=facility_id,
        )
    )


def token(secret: str, desk: Desk, screen_id: UUID) -> str:
    """The secret part of a screen's address."""
    signed = URLSafeSerializer(secret, salt=SALT).dumps([desk.tenant_id, desk.facility_id, str(screen_id)])
    return signed if isinstance(signed, str) else signed.decode()


def showing(secret: str, said: str) -> Showing:
    """What the screen of this address shows now. Raises NotFound when it is none of ours or was taken back."""
    try:
        tenant_id, facility_id, screen = URLSafeSerializer(secret, salt=SALT).loads(said)
    except (BadSignature, ValueError) as wrong:
        raise NotFound from wrong
    found = _fresh(int(tenant_id), int(facility_id))
    if str(screen) not in found.screens:
        raise NotFound
    return found


def forget(tenant_id: int, facility_id: int) -> None:
    """Read anew at the next question."""
    _all_kept().pop((tenant_id, facility_id), None)


def _all_kept() -> dict[tuple[int, int], tuple[float, Showing]]:
    return db.kept("walls")


def _fresh(tenant_id: int, facility_id: int) -> Showing:
    key, known = (tenant_id, facility_id), _all_kept()
    kept = known.get(key)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    with _guard:
        lock = _locks.setdefault(key, threading.Lock())
    with lock:  # The others wait for the one that reads.
        kept = known.get(key)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        found = _read(tenant_id, facility_id)
        known[key] = (time.monotonic() + KEPT_SECONDS, found)
        return found


def _read(tenant_id: int, facility_id: int) -> Showing:
    with tenancy.as_tenant(tenant_id), transaction(settings={"app.tenant_id": str(tenant_id)}) as hot:
        keys = {
            "tenant": tenant_id,
            "facility": facility_id,
            "today": clock.business_date(),
            "lately": clock.now() - STAYS,
        }
        row = hot.run_last(READ, keys)[0]
    shown = msgspec.json.encode([row.called, row.waiting])
    return Showing(
        row.facility or "", tuple(row.called), tuple(row.waiting), frozenset(map(str, row.screens)), hashlib.sha256(shown).hexdigest()[:16]
    )  # fmt: skip
