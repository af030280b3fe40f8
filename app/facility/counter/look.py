"""What stands on a station right now, read in one round trip: shift, baskets, what waits, the last sale, who is on duty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.facility.counter import baskets
from app.facility.db import transaction
from app.facility.organizations import queries as organizations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.tenancy import Desk

SHIFT = "select id, opened_at from shift where tenant_id = %(tenant)s and facility_id = %(facility)s and station = %(station)s and closed_at is null"
OPEN = "select id, version, state, content::text as content from basket where tenant_id = %(tenant)s and station = %(station)s and state = 'open'"
HELD = """
select id, changed_at, content::text as content from basket
where tenant_id = %(tenant)s and facility_id = %(facility)s and state = 'held' order by changed_at desc limit 20
"""
STUCK = """
select s.id, s.receipt, s.asked_at as at, s.total_fen, i.shown ->> 'masked_name' as who
from sale s join basket b on b.tenant_id = s.tenant_id and b.id = s.id and b.state = 'closed'
left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
where s.tenant_id = %(tenant)s and s.station = %(station)s and s.state = 'asked' order by s.asked_at limit 20
"""
UNKNOWN = """
select b.id, b.version, b.state, b.content::text as content, s.receipt, s.asked_at, a.tries, a.deadline_at, a.next_at, a.given_up_at, a.state as attempt
from sale s join basket b on b.tenant_id = s.tenant_id and b.id = s.id and b.state = 'asked'
join insurance_attempt a on a.tenant_id = s.tenant_id and a.document_id = s.id and a.state in ('asked', 'recovering')
where s.tenant_id = %(tenant)s and s.station = %(station)s and s.state = 'asked' order by s.asked_at desc limit 1
"""
LAST = """
select id, receipt, settled_at as at, total_fen, cash_fen, tendered from sale
where tenant_id = %(tenant)s and facility_id = %(facility)s and station = %(station)s and state = 'settled' order by asked_at desc limit 1
"""


@dataclass(frozen=True)
class Look:
    """One look at a station."""

    shift: Any | None
    opened: baskets.Opened | None
    unknown: Any | None
    held: Sequence[Any]
    stuck: Sequence[Any]
    last: Any | None
    pharmacist: Any | None


def look(desk: Desk) -> Look:
    """Look at a station. An unknown outcome stands before an open basket: the till is locked until it is known."""
    keys = {**desk.keys, "station": desk.station}
    asked = [(statement, keys) for statement in (SHIFT, OPEN, UNKNOWN, HELD, STUCK, LAST)]
    asked.append((organizations.ON_DUTY, organizations.on_duty_params(desk.facility_id)))
    with transaction(settings=desk.settings) as hot:
        shift, opened, unknown, held, stuck, last, present = hot.run_all(asked, last=True)
    stands = unknown or opened
    return Look(
        shift=_first(shift), opened=baskets.opened(stands[0]) if stands else None, unknown=_first(unknown), held=held, stuck=stuck, last=_first(last), pharmacist=_first(present),
    )  # fmt: skip


def _first(rows: Sequence[Any]) -> Any | None:
    return rows[0] if rows else None
