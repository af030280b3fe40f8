"""What the screens of stock papers read. Row-level security picks the tenant; the facility is always named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound, words
from app.facility.db import run
from app.facility.stock.keeping.errors import PaperNotTaken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

PAGE = 50
MOST_CHOICES = 12
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

ROWS = """
select d.id, d.act, d.number, d.state, d.reason, d.note, d.record, d.staff_id, d.asked_at, d.decided_by, d.decided_at, d.decision_note,
    s.name as staff, s.number as staff_number, w.name as second, w.number as second_number, g.lines, coalesce(g.first, c.name) as first
from stock_document d join staff s on s.tenant_id = d.tenant_id and s.id = d.staff_id
left join staff w on w.tenant_id = d.tenant_id and w.id = d.decided_by
left join lateral (
    select count(*) as lines, min(p.generic_name || ' ' || l.lot_number) as first
    from stock_document_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
    join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
    where n.tenant_id = d.tenant_id and n.document_id = d.id) g on true
left join lateral (
    select p.generic_name || ' ' || l.lot_number as name from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
    where l.tenant_id = d.tenant_id and l.id = (d.record ->> 'lot')::bigint) c on true
"""


def list_papers(
    facility_id: int, state: str = "", act: str = "", number: str = "", before: tuple[datetime, str] | None = None
) -> list[Any]:
    """Stock papers of this facility, newest first, 50 a page, by state, act or number."""
    at, last = before or (clock.now(), LAST_ID)
    rows = run(
        f"""{ROWS}
        where d.facility_id = :facility and (d.asked_at, d.id) < (:at, cast(:last as uuid))
            and (:state = '' or d.state = :state) and (:act = '' or d.act = :act) and (:number = '' or d.number = :number)
        order by d.asked_at desc, d.id desc limit :page
        """,
        facility=facility_id, state=state, act=act, number=number, at=at, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def count_waiting(facility_id: int) -> int:
    """How many papers wait for a second person."""
    statement = "select count(*) from stock_document where facility_id = :facility and state = 'asked'"
    return int(run(statement, facility=facility_id).scalar_one())


def get_paper(facility_id: int, document_id: UUID) -> tuple[Any, list[Any]]:
    """One paper with its lines, each with its codes. Raises NotFound."""
    head = run(
        f"{ROWS} where d.facility_id = :facility and d.id = cast(:id as uuid)",
        facility=facility_id, id=str(document_id),
    ).one_or_none()  # fmt: skip
    if head is None:
        raise NotFound
    lines = run(
        """
        select n.line_no, n.from_zone, n.to_zone, n.quantity, n.lot_id, l.lot_number, l.produced_on, l.expires_on, p.id as product_id, p.generic_name, p.spec,
            p.dosage_form, p.maker, p.approval_number, p.pack_size, p.pack_unit, p.base_unit,
            (select array_agg(c.code order by c.code) from stock_document_code c
             where c.tenant_id = n.tenant_id and c.document_id = n.document_id and c.line_no = n.line_no) as codes
        from stock_document_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
        join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        where n.document_id = cast(:id as uuid) order by n.line_no limit 200
        """,
        id=str(document_id),
    )
    return head, list(lines)


PLACES = """
select b.lot_id, b.zone, b.on_hand - b.reserved as free, b.on_hand, l.lot_number, l.expires_on, l.hold, p.id as product_id, p.generic_name, p.spec,
    p.maker, p.pack_size, p.pack_unit, p.base_unit, p.expiry_warning_days, l.cost_price, coalesce(c.coded, 0) as coded
from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
left join lateral (
    select count(*) as coded from trace_code t where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.zone = b.zone
        and t.state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE')) c on true
"""


def places_of(facility_id: int, product_ids: Sequence[int], zones: Sequence[str]) -> list[Any]:
    """Where goods of these products lie, in these zones: one row a lot and zone, soonest to expire first."""
    if not product_ids:
        return []
    rows = run(
        f"""{PLACES}
        where b.facility_id = :facility and b.product_id = any(:products) and b.zone = any(:zones) and b.on_hand > 0
        order by p.pinyin, b.expires_on, b.lot_id, b.zone limit :most
        """,
        facility=facility_id, products=list(product_ids), zones=list(zones), most=MOST_CHOICES,
    )  # fmt: skip
    return list(rows)


def places_of_lot(facility_id: int, number: str, zones: Sequence[str]) -> list[Any]:
    """Where lots lie whose number begins so, in these zones, soonest to expire first."""
    typed = number.upper()
    rows = run(
        f"""{PLACES}
        where b.facility_id = :facility and b.zone = any(:zones) and b.on_hand > 0 and b.lot_id in (
            select id from lot where facility_id = :facility and (lot_number collate "C" between :typed and :typed_end or lot_number collate "C" between :upper and :upper_end)
            limit :most)
        order by b.expires_on, b.lot_id, b.zone limit :most
        """,
        facility=facility_id, zones=list(zones), most=MOST_CHOICES, typed=number, typed_end=f"{number}\U0010ffff", upper=typed, upper_end=f"{typed}\U0010ffff",
    )  # fmt: skip
    return list(rows)


def places_at(facility_id: int, places: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Any]:
    """What lies at these places (lot, zone) now; a place that is empty or not here is left out."""
    if not places:
        return {}
    rows = run(
        f"""{PLACES}
        where b.facility_id = :facility and b.lot_id = any(:lots) and b.on_hand > 0 limit 1000
        """,
        facility=facility_id, lots=sorted({lot for lot, _zone in places}),
    )  # fmt: skip
    wanted = set(places)
    return {(row.lot_id, row.zone): row for row in rows if (row.lot_id, row.zone) in wanted}


def brought_by(lot_ids: Sequence[int]) -> list[str]:
    """The suppliers on file whose receipts brought these lots."""
    rows = run(
        """
        select distinct s.name from stock_movement m join stock_receipt r on r.tenant_id = m.tenant_id and r.id = m.document_id
        join supplier s on s.tenant_id = r.tenant_id and s.id = r.supplier_id
        where m.lot_id = any(:lots) and m.kind = 'PI' order by s.name limit 20
        """,
        lots=list(lot_ids),
    )
    return [row.name for row in rows]


def code_at(facility_id: int, code: str) -> Any | None:
    """Where a scanned code's pack lies in this facility, and what is left in it; None when it is not here."""
    return run(
        """
        select t.code, t.lot_id, t.zone, t.remaining, t.state from trace_code t
        where t.code = :code and t.facility_id = :facility and t.state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'LOST')
        """,
        code=code.replace("\x00", "")[:100],
        facility=facility_id,
    ).one_or_none()


def lots_of_product(facility_id: int, product_id: int) -> list[Any]:
    """The lots of a product that ever were here, newest first, for a correction."""
    rows = run(
        """
        select l.id, l.lot_number, l.expires_on, l.produced_on, l.cost_price, l.hold from lot l
        where l.facility_id = :facility and l.product_id = :product order by l.id desc limit 100
        """,
        facility=facility_id,
        product=product_id,
    )
    return list(rows)


def get_lot(facility_id: int, lot_id: int) -> Any:
    """One lot with its product. Raises NotFound."""
    found = run(
        """
        select l.*, p.generic_name, p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit from lot l
        join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        where l.facility_id = :facility and l.id = :lot
        """,
        facility=facility_id,
        lot=lot_id,
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def goods_of(facility_id: int, lot_id: int) -> dict[str, int]:
    """How many base units of a lot lie in which zone."""
    statement = "select zone, on_hand from lot_balance where facility_id = :facility and lot_id = :lot and on_hand > 0 and zone <> 'TRANSIT' limit 20"
    return {row.zone: row.on_hand for row in run(statement, facility=facility_id, lot=lot_id)}


def list_changes(facility_id: int, before: int | None = None) -> list[Any]:
    """What was corrected on lots, newest first, 50 a page; `before` is the last row's id."""
    rows = run(
        """
        select c.id, c.what, c.before, c.after, c.reason, c.document_id, c.changed_at, l.lot_number, p.generic_name, p.spec, s.name as staff,
            w.name as second, d.number
        from lot_change c join lot l on l.tenant_id = c.tenant_id and l.id = c.lot_id
        join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        left join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
        left join staff w on w.tenant_id = c.tenant_id and w.id = c.second_id
        left join stock_document d on d.tenant_id = c.tenant_id and d.id = c.document_id
        where c.facility_id = :facility and c.id < :before order by c.id desc limit :page
        """,
        facility=facility_id,
        before=before or 2**62,
        page=PAGE + 1,
    )
    return list(rows)


def list_drawers(facility_id: int, after: str = "") -> list[Any]:
    """The drawers of the cabinet by name, 50 a page, each with what stands in it and how much of that lot is left."""
    rows = run(
        """
        select d.name, d.product_id, d.lot_id, d.cleaned_on, d.changed_at, p.generic_name, p.spec, p.base_unit, p.pack_unit, p.pack_size, l.lot_number, l.expires_on,
            b.on_hand, s.name as staff
        from herb_drawer d join staff s on s.tenant_id = d.tenant_id and s.id = d.staff_id
        left join product p on p.tenant_id = d.tenant_id and p.id = d.product_id
        left join lot l on l.tenant_id = d.tenant_id and l.id = d.lot_id
        left join lot_balance b on b.tenant_id = d.tenant_id and b.lot_id = d.lot_id and b.zone = 'SPLIT'
        where d.facility_id = :facility and d.name > :after order by d.name limit :page
        """,
        facility=facility_id,
        after=after.replace("\x00", ""),
        page=PAGE + 1,
    )
    return list(rows)


def witness_named(typed: str, operator: int) -> str:
    """Number and name of a colleague who is meant by a number, so that the record says who it was; anything else as typed.

    Raises PaperNotTaken when the operator names themself: whoever destroys cannot be the one who saw it done.
    """
    found = run("select id, number || ' ' || name as said from staff where number = :typed", typed=typed).first()
    if found and found.id == operator:
        raise PaperNotTaken(problems=words("「见证人」不能是操作人自己，请填在场的另一位。"))
    return str(found.said) if found else typed
