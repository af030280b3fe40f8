"""Shifts and drawers: open with a float, move money with a reason, close with a count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.money import fen_to_yuan
from app.facility.db import hot_action, transaction
from app.facility.stock.events import as_facts
from app.facility.till.errors import DifferenceUnexplained, NoOpenShift, SalesPending, ShiftOpenAlready

if TYPE_CHECKING:
    from app.core.tenancy import Desk

OPEN = """
insert into shift (tenant_id, id, facility_id, station, staff_id, opened_at, opened_on, float_fen)
values (%(tenant)s, %(id)s, %(facility)s, %(station)s, %(staff)s, %(at)s, %(today)s, %(float_fen)s)
on conflict (tenant_id, id) do nothing
"""
CURRENT = """
select id, opened_at, float_fen, staff_id from shift
where tenant_id = %(tenant)s and facility_id = %(facility)s and station = %(station)s and closed_at is null for update
"""
MOVE = """
insert into drawer_movement (tenant_id, id, shift_id, amount_fen, reason, staff_id, at)
values (%(tenant)s, %(id)s, %(shift)s, %(amount_fen)s, %(reason)s, %(staff)s, %(at)s) on conflict do nothing
"""
# The sum of postings, and nothing else, is what the drawer should hold.
TOTALS = """
select s.float_fen,
    coalesce((select sum(amount_fen) from drawer_movement d where d.tenant_id = s.tenant_id and d.shift_id = s.id), 0)::bigint as moved_fen,
    coalesce((select sum(amount_fen) from tender t where t.tenant_id = s.tenant_id and t.shift_id = s.id and t.kind = 'cash' and t.amount_fen > 0), 0)::bigint as cash_in_fen,
    coalesce((select sum(amount_fen) from tender t where t.tenant_id = s.tenant_id and t.shift_id = s.id and t.kind = 'cash' and t.amount_fen < 0), 0)::bigint as cash_out_fen,
    (select count(*) from sale v where v.tenant_id = s.tenant_id and v.shift_id = s.id and v.state = 'settled')
        + (select count(*) from bill v where v.tenant_id = s.tenant_id and v.shift_id = s.id and v.state in ('settled', 'refunded')) as sales,
    (select count(*) from refund v where v.tenant_id = s.tenant_id and v.shift_id = s.id and v.state = 'refunded')
        + (select count(*) from bill_refund v where v.tenant_id = s.tenant_id and v.shift_id = s.id and v.state = 'refunded') as refunds,
    (select count(*) from sale v where v.tenant_id = s.tenant_id and v.station = s.station and v.state = 'asked')
        + (select count(*) from refund v where v.tenant_id = s.tenant_id and v.station = s.station and v.state in ('asked', 'reversed_unsettled'))
        + (select count(*) from bill v where v.tenant_id = s.tenant_id and v.station = s.station and v.state = 'asked')
        + (select count(*) from bill_refund v where v.tenant_id = s.tenant_id and v.station = s.station and v.state in ('asked', 'reversed')) as pending
from shift s where s.tenant_id = %(tenant)s and s.id = %(shift)s
"""
BY_KIND = """
select kind, sum(amount_fen)::bigint as amount_fen, count(distinct document_id) as documents from tender
where tenant_id = %(tenant)s and shift_id = %(shift)s group by kind order by kind
"""
MOVEMENTS = """
select d.amount_fen, d.reason, d.at, s.name as staff from drawer_movement d join staff s on s.tenant_id = d.tenant_id and s.id = d.staff_id
where d.tenant_id = %(tenant)s and d.shift_id = %(shift)s order by d.at limit 200
"""
CLOSE = """
update shift set closed_at = %(at)s, closed_by = %(staff)s, counted_fen = %(counted_fen)s, expected_fen = %(expected_fen)s, difference_reason = %(reason)s
where tenant_id = %(tenant)s and id = %(shift)s and closed_at is null returning opened_at
"""
APPEND = "select number from append_facts(%(tenant)s, %(facility)s, %(facts)s::jsonb)"


class Totals(msgspec.Struct, frozen=True):
    """What a shift has taken so far, in fen."""

    float_fen: int
    moved_fen: int
    cash_in_fen: int
    cash_out_fen: int
    sales: int
    refunds: int
    pending: int

    @property
    def expected_fen(self) -> int:
        return self.float_fen + self.moved_fen + self.cash_in_fen + self.cash_out_fen


@hot_action
def open_shift(desk: Desk, shift_id: UUID, float_fen: int) -> UUID:
    """Open the shift of this station with what lies in its drawer (开班). Raises ShiftOpenAlready."""
    keys = {
        **desk.keys,
        "id": shift_id,
        "station": desk.station,
        "at": clock.now(),
        "today": clock.business_date(),
        "float_fen": float_fen,
    }
    try:
        with transaction(settings=desk.settings) as hot:
            hot.run_last(OPEN, keys)
    except pg.UniqueViolation as open_already:
        current = find_current(desk)
        since = f"{clock.local(current.opened_at):%H:%M}" if current else ""
        raise ShiftOpenAlready(since=since) from open_already
    return shift_id


def find_current(desk: Desk) -> Any | None:
    """The open shift of this station, or None."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(CURRENT.replace(" for update", ""), {**desk.keys, "station": desk.station})
    return rows[0] if rows else None


@hot_action
def move_drawer(desk: Desk, movement_id: UUID, amount_fen: int, reason: str) -> None:
    """Put money into the drawer or take it out (negative), with a reason. Raises NoOpenShift."""
    with transaction(settings=desk.settings) as hot:
        shift = hot.run(CURRENT, {**desk.keys, "station": desk.station})
        if not shift:
            raise NoOpenShift
        hot.run_last(
            MOVE,
            {
                **desk.keys,
                "id": movement_id,
                "shift": shift[0].id,
                "amount_fen": amount_fen,
                "reason": reason,
                "at": clock.now(),
            },
        )


def summary(desk: Desk) -> tuple[Any, Totals, list[Any], list[Any]] | None:
    """The open shift, its totals, its tenders by kind and its drawer movements; None when no shift is open."""
    with transaction(settings=desk.settings) as hot:
        shift = hot.run(CURRENT, {**desk.keys, "station": desk.station})
        if not shift:
            return None
        keys = {**desk.keys, "shift": shift[0].id}
        totals, kinds, moves = hot.run_all([(TOTALS, keys), (BY_KIND, keys), (MOVEMENTS, keys)])
    return shift[0], Totals(**totals[0]._asdict()), list(kinds), list(moves)


@hot_action
def close_shift(desk: Desk, counted_fen: int, reason: str = "") -> UUID:
    """Close the shift: counted cash against the sum of postings (交班); the center is told the difference.

    Raises NoOpenShift, SalesPending while an outcome is unknown, DifferenceUnexplained.
    """
    at = clock.now()
    with transaction(settings=desk.settings) as hot:
        shift = hot.run(CURRENT, {**desk.keys, "station": desk.station})
        if not shift:
            raise NoOpenShift
        keys = {**desk.keys, "shift": shift[0].id, "at": at}
        totals = Totals(**hot.run(TOTALS, keys)[0]._asdict())
        _check_close(totals, counted_fen, reason)
        hot.run(
            CLOSE, {**keys, "counted_fen": counted_fen, "expected_fen": totals.expected_fen, "reason": reason or None}
        )
        body = {
            "document": str(shift[0].id), "at": at.isoformat(), "operator": desk.operator, "terminal": desk.terminal, "opened_at": shift[0].opened_at.isoformat(),
            "counted_fen": counted_fen, "expected_fen": totals.expected_fen, "difference_fen": counted_fen - totals.expected_fen, "reason": reason,
        }  # fmt: skip
        hot.run_last(APPEND, {**keys, "facts": as_facts("shift.closed", body)})
    return UUID(str(shift[0].id))


def _check_close(totals: Totals, counted_fen: int, reason: str) -> None:
    if totals.pending:
        raise SalesPending(count=totals.pending)
    difference = counted_fen - totals.expected_fen
    if difference and not reason.strip():
        raise DifferenceUnexplained(
            counted=fen_to_yuan(counted_fen),
            expected=fen_to_yuan(totals.expected_fen),
            difference=fen_to_yuan(difference),
        )
