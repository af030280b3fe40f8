"""Display checks (养护): what is due, and what a look at the goods found. A check is written once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import DocumentChanged
from app.facility.db import hot_action, run, transaction
from app.facility.organizations import parameters
from app.facility.stock.keeping.errors import CheckNotTaken

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50
ZONES = ("SALEABLE", "COLD", "CONTROLLED", "SPLIT")

# Writes a check of what lies at a place now; no row comes back when nothing lies there. The same id again: its first row.
WRITE = """
with place as (
    select b.lot_id, b.zone, b.on_hand from lot_balance b
    where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.lot_id = %(lot)s and b.zone = %(zone)s and b.on_hand > 0
)
insert into keeping_check (tenant_id, id, facility_id, lot_id, zone, quantity, focus, result, finding, staff_id, checked_at, checked_on)
select %(tenant)s, %(check)s, %(facility)s, lot_id, zone, on_hand, %(focus)s, %(result)s, %(finding)s, %(staff)s, %(at)s, %(today)s from place
on conflict (tenant_id, id) do nothing returning id
"""
KNOWN = "select lot_id, zone, result, finding from keeping_check where tenant_id = %(tenant)s and id = %(check)s"

# One row a lot and zone on display, with why it is in focus and when it was looked at last.
DUE = """
select * from (
    select b.lot_id, b.zone, b.on_hand, l.lot_number, b.expires_on, l.hold, p.id as product_id, p.generic_name, p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit,
        p.expiry_warning_days, k.checked_on, k.result, coalesce(k.checked_on, (m.moved_at at time zone 'Asia/Shanghai')::date) as since,
        (m.moved_at at time zone 'Asia/Shanghai')::date as stands_since,
        case when b.zone = 'SPLIT' and p.rx_class <> 'HERB' then 'split' when b.expires_on <= :today + p.expiry_warning_days then 'near'
            when b.zone = 'COLD' or p.storage = 'COLD' then 'cold' when p.rx_class = 'HERB' then 'herb'
            when m.moved_at < :long then 'long' else '' end as focus
    from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
    join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
    left join lateral (
        select checked_on, result from keeping_check k where k.tenant_id = b.tenant_id and k.lot_id = b.lot_id and k.zone = b.zone
        order by k.checked_at desc limit 1) k on true
    left join lateral (
        select moved_at from stock_movement m where m.tenant_id = b.tenant_id and m.lot_id = b.lot_id order by m.id limit 1) m on true
    where b.facility_id = :facility and b.on_hand > 0 and b.zone = any(:zones) and (:lot = 0 or b.lot_id = :lot)
) d
"""


@hot_action
def check_goods(
    desk: Desk, check: UUID, lot_id: int, zone: str, result: str, finding: str = "", focus: str = ""
) -> None:
    """Write down that somebody looked at the goods of a lot, and what they saw (养护检查). Sent again it changes nothing.

    Raises CheckNotTaken (nothing lies there, or a doubt without a finding), DocumentChanged.
    """
    finding = finding.strip()[:200]
    if result not in {"ok", "doubtful"}:
        raise CheckNotTaken(why="请选择正常或可疑")
    if result == "doubtful" and not finding:
        raise CheckNotTaken(why="可疑时要写看到了什么")
    keys = {
        **desk.keys, "check": check, "lot": lot_id, "zone": zone, "result": result, "finding": finding, "focus": focus[:10],
        "at": clock.now(), "today": clock.business_date(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if hot.run(WRITE, keys):
            return
        known = hot.run(KNOWN, keys)
    if not known:
        raise CheckNotTaken(why="这个批号在这里已经没有货")
    if tuple(known[0]) != (lot_id, zone, result, finding):
        raise DocumentChanged


def list_due(
    facility_id: int, only: str = "due", after: tuple[Any, int, str] | None = None, *, page: int = PAGE
) -> list[Any]:
    """Goods on display in the order of their expiry, 50 a page: those due for a check, those in focus, or all."""
    said = parameters.here()
    day, lot, zone = after or (date.min, 0, "")
    rows = run(
        f"""{DUE}
        where (:only = 'all' or (:only = 'focus' and focus <> '')
                or (:only = 'due' and since <= :today - cast(case when focus = '' then :days else :focus_days end as int)))
            and (expires_on, lot_id, zone) > (:day, :after_lot, :after_zone)
        order by expires_on, lot_id, zone limit :page
        """,
        **_about(facility_id, 0), only=only, days=said.days("check_days"), focus_days=said.days("focus_check_days"), day=day, after_lot=lot,
        after_zone=zone, page=page + 1,
    )  # fmt: skip
    return list(rows)


def count_due(facility_id: int) -> int:
    """How many lots and zones are due for a check."""
    said = parameters.here()
    return int(
        run(
            f"select count(*) from ({DUE}) c where since <= :today - cast(case when focus = '' then :days else :focus_days end as int)",
            **_about(facility_id, 0), days=said.days("check_days"), focus_days=said.days("focus_check_days"),
        ).scalar_one()
    )  # fmt: skip


def find_place(facility_id: int, lot_id: int, zone: str) -> Any | None:
    """One lot in one zone as the check list shows it; None when nothing lies there."""
    rows = run(f"{DUE} where zone = :zone limit 1", **_about(facility_id, lot_id), zone=zone)
    return rows.one_or_none()


def _about(facility_id: int, lot_id: int) -> dict[str, Any]:
    today = clock.business_date()
    return {
        "facility": facility_id, "lot": lot_id, "zones": list(ZONES), "today": today,
        "long": clock.now() - timedelta(days=parameters.here().days("display_days")),
    }  # fmt: skip


def list_checks(
    facility_id: int, result: str = "", lot_id: int = 0, before: tuple[datetime, str] | None = None
) -> list[Any]:
    """Checks that were made, newest first, 50 a page; of one lot when asked."""
    at, last = before or (clock.now(), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    rows = run(
        """
        select k.id, k.lot_id, k.zone, k.quantity as on_hand, k.focus, k.result, k.finding, k.checked_at, s.name as staff, l.lot_number, l.expires_on, l.product_id,
            p.generic_name, p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit
        from keeping_check k join staff s on s.tenant_id = k.tenant_id and s.id = k.staff_id
        join lot l on l.tenant_id = k.tenant_id and l.id = k.lot_id join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        where k.facility_id = :facility and (k.checked_at, k.id) < (:at, cast(:last as uuid)) and (:result = '' or k.result = :result)
            and (:lot = 0 or k.lot_id = :lot)
        order by k.checked_at desc, k.id desc limit :page
        """,
        facility=facility_id, result=result, lot=lot_id, at=at, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)
