"""The passport of a code (追溯码档案): what this organization knows of one pack, from the shelf to the customer and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST_EVENTS = 200
MOST_DRAWN = 7  # More stops than fit side by side stand one under the other.

HEAD = """
select t.code, t.state, t.zone, t.remaining, t.reserved, t.lot_id, l.lot_number, l.produced_on, l.expires_on, l.hold, l.hold_reason, p.id as product_id, p.generic_name, p.trade_name,
    p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit, p.barcode, p.national_code, p.expiry_warning_days, f.name as facility, f.id as facility_id, coalesce(s.shelf, '') as shelf
from trace_code t join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
join product p on p.tenant_id = t.tenant_id and p.id = t.product_id
join facility f on f.tenant_id = t.tenant_id and f.id = t.facility_id
left join product_shelf s on s.tenant_id = t.tenant_id and s.facility_id = t.facility_id and s.product_id = t.product_id
where t.code = :code
"""
EVENTS = """
select e.id, e.kind, e.quantity, e.at, coalesce(k.transfer_id, h.order_id, b.order_id, e.document_id) as document_id, e.facility_id, fa.name as facility, s.name as staff, coalesce(r.number, v.receipt, f.receipt, d.number, t.number, c.number, z.number, h.number, b.number, '') as number,
    coalesce(d.act, case when h.id is not null then 'dispense' when b.id is not null then 'take_back' end) as act, coalesce(r.supplier, '') as supplier, coalesce(d.reason, '') as reason, v.setl_id is not null as insured
from trace_event e join facility fa on fa.tenant_id = e.tenant_id and fa.id = e.facility_id
left join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
left join stock_receipt r on r.tenant_id = e.tenant_id and r.id = e.document_id
left join sale v on v.tenant_id = e.tenant_id and v.id = e.document_id
left join refund f on f.tenant_id = e.tenant_id and f.id = e.document_id
left join stock_document d on d.tenant_id = e.tenant_id and d.id = e.document_id
left join transfer_claim k on k.tenant_id = e.tenant_id and k.id = e.document_id
left join transfer t on t.tenant_id = e.tenant_id and t.id = coalesce(k.transfer_id, e.document_id)
left join stock_count c on c.tenant_id = e.tenant_id and c.id = e.document_id
left join recall z on z.tenant_id = e.tenant_id and z.id = e.document_id
left join dispensing h on h.tenant_id = e.tenant_id and h.id = e.document_id
left join dispensing_return b on b.tenant_id = e.tenant_id and b.id = e.document_id
where e.code = :code order by e.id limit :most
"""


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of the life line: an event, and how long until the next. `bad`: it cannot follow from what stood before."""

    row: Any
    seconds_to_next: int | None
    bad: bool = False


def get_code(code: str) -> tuple[Any, list[Any]]:
    """What this organization knows of one code, and everything that happened to it. Raises NotFound."""
    head = run(HEAD, code=code).one_or_none()
    if head is None:
        raise NotFound
    return head, list(run(EVENTS, code=code, most=MOST_EVENTS))


def is_known(code: str) -> bool:
    """Say whether this organization ever had the code on its books."""
    return run("select 1 from trace_code where code = :code", code=code).one_or_none() is not None


def draw(events: Sequence[Any], pack_size: int) -> list[Stop]:
    """Put the events on a line, and mark a sale of more than the pack still held."""
    left, stops = 0, []
    for event, after in zip(events, [*events[1:], None], strict=True):
        before, left = left, _left(left, event, pack_size)
        bad = event.kind in {"SA", "MX"} and abs(event.quantity) > before
        stops.append(Stop(event, _seconds(event.at, after.at) if after else None, bad))
    return stops


def _left(left: int, event: Any, pack_size: int) -> int:
    """What the pack holds after an event: nothing after it went out whole, all of it when it came."""
    if event.kind in {"PI", "AD", "TI", "CI"}:
        return abs(int(event.quantity)) or pack_size
    if event.kind in {"SA", "MX"}:
        return max(left - abs(int(event.quantity)), 0)
    if event.kind == "SR":
        return left + abs(int(event.quantity))
    return left


def _seconds(first: datetime, second: datetime) -> int:
    return max(0, int((second - first).total_seconds()))
