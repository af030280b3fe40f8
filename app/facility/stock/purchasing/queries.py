"""What the purchasing room's screens read. Row-level security picks the tenant; the facility is always named."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.catalog.pinyin import folded
from app.facility.db import run
from app.facility.stock.purchasing import rules
from app.facility.stock.shelf.queries import literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

PAGE = 50
MOST_SUPPLIERS = 500
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

# What lies free, what was sold in thirty days and what is on order, per product; one set-based query.
STANDING = """
with sold as (
    select product_id, -sum(quantity)::bigint as units from stock_movement
    where facility_id = :facility and kind in ('SA', 'MX', 'SR') and moved_at >= :since group by product_id
), here as (
    select b.product_id, sum(b.on_hand - b.reserved)::bigint as units from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
    where b.facility_id = :facility and b.on_hand > 0 and b.expires_on >= :today and l.hold is null and b.zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT', 'RECEIVING')
    group by b.product_id
), coming as (
    select l.product_id, sum(greatest(l.packs - l.received_packs, 0))::bigint as packs
    from purchase_order o join purchase_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
    where o.facility_id = :facility and o.state in ('placed', 'partly') group by l.product_id
)
select p.id, p.generic_name, p.trade_name, p.spec, p.maker, p.pack_unit, p.base_unit, p.pack_size, p.pinyin, coalesce(s.shelf, '') as shelf, s.least, s.most,
    greatest(coalesce(sold.units, 0), 0) as sold, coalesce(here.units, 0) as free, coalesce(coming.packs, 0) * p.pack_size as coming
from product p
left join product_shelf s on s.tenant_id = p.tenant_id and s.product_id = p.id and s.facility_id = :facility
left join sold on sold.product_id = p.id left join here on here.product_id = p.id left join coming on coming.product_id = p.id
where p.state = 'active' and (p.pinyin, p.id) > (:after_pinyin, :after_id) and (:search = '' or p.search like '%' || :search || '%')
"""
LOW = """
    and coalesce(here.units, 0) + coalesce(coming.packs, 0) * p.pack_size
        < greatest(coalesce(s.least, 0), ceil(greatest(coalesce(sold.units, 0), 0) * cast(:lead as numeric) / :window))
"""
# Who brought a product last, and what it cost last: at that delivery, else as the newest lot was written in.
LAST_BOUGHT = """
select p.id as product_id, b.supplier_id, b.supplier, coalesce(b.cost_price, c.cost_price) as cost_price
from unnest(cast(:ids as bigint[])) as p(id)
left join lateral (
    select d.supplier_id, s.name as supplier, l.cost_price
    from delivery_line l join delivery d on d.tenant_id = l.tenant_id and d.id = l.delivery_id
    join supplier s on s.tenant_id = d.tenant_id and s.id = d.supplier_id
    where l.product_id = p.id order by d.accepted_at desc limit 1
) b on true
left join lateral (select l.cost_price from lot l where l.product_id = p.id and l.cost_price is not null order by l.id desc limit 1) c on true
where b.supplier_id is not null or c.cost_price is not null
"""


def list_proposals(
    facility_id: int, search: str = "", *, everything: bool = False, after: tuple[str, int] | None = None
) -> list[Any]:
    """Products running low (or all of them) by pinyin, 50 a page, with stock, sales of thirty days and what is on order."""
    pinyin, last = after or ("", 0)
    rows = run(
        STANDING + ("" if everything else LOW) + " order by p.pinyin, p.id limit :page",
        facility=facility_id, since=clock.now() - timedelta(days=rules.VELOCITY_DAYS), today=clock.business_date(), search=literal(folded(search)),
        after_pinyin=pinyin, after_id=last, page=PAGE + 1, **({} if everything else {"lead": rules.LEAD_DAYS, "window": rules.VELOCITY_DAYS}),
    )  # fmt: skip
    return list(rows)


def last_bought(product_ids: Sequence[int]) -> dict[int, Any]:
    """From whom and at what price each of these products came last; of opening stock only the price is known."""
    if not product_ids:
        return {}
    return {row.product_id: row for row in run(LAST_BOUGHT, ids=list(product_ids)[: PAGE + 1])}


def suppliers_to_buy_from() -> list[Any]:
    """Approved suppliers by pinyin, for choosing."""
    rows = run(
        "select id, name from supplier where state = 'approved' order by pinyin, id limit :most", most=MOST_SUPPLIERS
    )
    return list(rows)


# ---- orders --------------------------------------------------------------------------------------------------------


def list_orders(
    facility_id: int, state: str = "", before: tuple[datetime, str] | None = None, supplier_id: int = 0
) -> list[Any]:
    """Orders of this facility, of one state and supplier or all, newest first, 50 a page."""
    at, last = before or (clock.now() + timedelta(days=1), LAST_ID)
    rows = run(
        """
        select o.id, o.number, o.state, o.made_at, o.placed_at, s.name as supplier, f.name as staff, o.note,
            case when o.state = 'draft' then jsonb_array_length(o.content) else (
                select count(*) from purchase_order_line l where l.tenant_id = o.tenant_id and l.order_id = o.id) end as lines,
            (select coalesce(sum(l.packs), 0) from purchase_order_line l where l.tenant_id = o.tenant_id and l.order_id = o.id) as packs,
            (select coalesce(sum(l.received_packs), 0) from purchase_order_line l where l.tenant_id = o.tenant_id and l.order_id = o.id) as received
        from purchase_order o join supplier s on s.tenant_id = o.tenant_id and s.id = o.supplier_id
        join staff f on f.tenant_id = o.tenant_id and f.id = o.staff_id
        where o.facility_id = :facility and (:state = '' or o.state = :state) and (:supplier = 0 or o.supplier_id = :supplier)
            and (o.made_at, o.id) < (:at, cast(:last as uuid))
        order by o.made_at desc, o.id desc limit :page
        """,
        facility=facility_id, state=state, supplier=supplier_id, at=at, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def get_order(facility_id: int, order_id: UUID) -> tuple[Any, list[Any]]:
    """One order with its lines, those of a draft as they stand in it. Raises NotFound."""
    head = run(
        """
        select o.*, s.name as supplier, f.name as staff, p.name as placer from purchase_order o
        join supplier s on s.tenant_id = o.tenant_id and s.id = o.supplier_id
        join staff f on f.tenant_id = o.tenant_id and f.id = o.staff_id
        left join staff p on p.tenant_id = o.tenant_id and p.id = o.placed_by
        where o.id = :id and o.facility_id = :facility
        """,
        id=order_id, facility=facility_id,
    ).one_or_none()  # fmt: skip
    if head is None:
        raise NotFound
    if head.state == "draft" or (head.state == "cancelled" and head.placed_at is None):
        return head, _draft_lines(head.content)
    return head, list(run(ORDER_LINES, id=order_id, most=rules.MOST_LINES))


ORDER_LINES = """
select l.line_no, l.product_id, l.packs, l.price, l.received_packs, p.code, p.generic_name, p.spec, p.maker, p.pack_unit
from purchase_order_line l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
where l.order_id = :id order by l.line_no limit :most
"""
DRAFT_LINES = """
select l.line_no, l.product as product_id, l.packs, l.price, 0 as received_packs, p.code, p.generic_name, p.spec, p.maker, p.pack_unit
from jsonb_to_recordset(cast(:content as jsonb)) as l(line_no int, product bigint, packs int, price numeric)
cross join lateral (select * from product p where p.id = l.product limit 1) p order by l.line_no limit :most
"""


def _draft_lines(content: list[dict[str, Any]]) -> list[Any]:
    lines = [{**line, "line_no": number} for number, line in enumerate(content, 1)]
    return list(run(DRAFT_LINES, content=json.dumps(lines), most=rules.MOST_LINES))


def deliveries_of(order_id: UUID) -> list[Any]:
    """What came of an order so far, oldest first."""
    rows = run(
        """
        select d.id, d.state, d.made_at, d.accepted_at, d.note_number, r.number, f.name as staff from delivery d
        left join stock_receipt r on r.tenant_id = d.tenant_id and r.id = d.id
        join staff f on f.tenant_id = d.tenant_id and f.id = d.staff_id
        where d.order_id = :order and d.state <> 'abandoned' order by d.made_at, d.id limit 50
        """,
        order=order_id,
    )
    return list(rows)


def draft_for(facility_id: int, supplier_id: int = 0) -> Any:
    """The newest draft of an order, of one supplier where one is named; None where there is none."""
    return run(
        """
        select id, supplier_id from purchase_order where facility_id = :facility and state = 'draft' and (:supplier = 0 or supplier_id = :supplier)
        order by made_at desc, id desc limit 1
        """,
        facility=facility_id, supplier=supplier_id,
    ).one_or_none()  # fmt: skip


def wanted(facility_id: int, product_id: int) -> Any:
    """One product as it stands in the proposals, whatever lies of it here. Raises NotFound."""
    found = run(
        STANDING + " and p.id = :product limit 1", facility=facility_id, since=clock.now() - timedelta(days=rules.VELOCITY_DAYS), today=clock.business_date(),
        search="", after_pinyin="", after_id=0, product=product_id,
    ).one_or_none()  # fmt: skip
    if found is None:
        raise NotFound
    return found


SHELVES = """
select p.id, p.pinyin, p.code, p.generic_name, p.spec, p.maker, p.pack_unit, p.pack_size, coalesce(s.shelf, '') as shelf, s.least, s.most
from product p left join product_shelf s on s.tenant_id = p.tenant_id and s.product_id = p.id and s.facility_id = :facility
where p.state = 'active' order by p.pinyin, p.id limit :most
"""


def list_shelves(facility_id: int, most: int) -> list[Any]:
    """Every product with its place and limits, for the file that goes out."""
    return list(run(SHELVES, facility=facility_id, most=most))


def open_orders(facility_id: int) -> list[Any]:
    """Orders that still expect goods, for choosing what a delivery belongs to."""
    rows = run(
        """
        select o.id, o.number, o.supplier_id, s.name as supplier, o.placed_at from purchase_order o
        join supplier s on s.tenant_id = o.tenant_id and s.id = o.supplier_id
        where o.facility_id = :facility and o.state in ('placed', 'partly') order by o.placed_at desc limit 100
        """,
        facility=facility_id,
    )
    return list(rows)


# ---- deliveries ----------------------------------------------------------------------------------------------------


def list_deliveries(
    facility_id: int, before: tuple[datetime, str] | None = None, state: str = "", supplier_id: int = 0
) -> list[Any]:
    """Deliveries of this facility, newest first, 50 a page; of one state or supplier when asked."""
    at, last = before or (clock.now() + timedelta(days=1), LAST_ID)
    rows = run(
        """
        select d.id, d.state, d.made_at, d.accepted_at, d.note_number, d.supplier_id, s.name as supplier, f.name as staff, o.number as order_number, r.number,
            case when d.state = 'accepted' then (select count(*) from delivery_line l where l.tenant_id = d.tenant_id and l.delivery_id = d.id)
                else jsonb_array_length(d.content -> 'rows') end as lines,
            coalesce(jsonb_array_length(d.record -> 'differences'), 0) as differences
        from delivery d join supplier s on s.tenant_id = d.tenant_id and s.id = d.supplier_id
        join staff f on f.tenant_id = d.tenant_id and f.id = d.staff_id
        left join purchase_order o on o.tenant_id = d.tenant_id and o.id = d.order_id
        left join stock_receipt r on r.tenant_id = d.tenant_id and r.id = d.id
        where d.facility_id = :facility and (d.made_at, d.id) < (:at, cast(:last as uuid)) and (:state = '' or d.state = :state)
            and (:supplier = 0 or d.supplier_id = :supplier)
        order by d.made_at desc, d.id desc limit :page
        """,
        facility=facility_id, at=at, last=last, state=state, supplier=supplier_id, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def get_delivery(facility_id: int, delivery_id: UUID) -> Any:
    """One delivery with its head. Raises NotFound."""
    found = run(
        """
        select d.*, d.content::text as said, s.name as supplier, s.credit_code, f.name as staff, i.name as inspector, w.name as second, o.number as order_number, r.number
        from delivery d join supplier s on s.tenant_id = d.tenant_id and s.id = d.supplier_id
        join staff f on f.tenant_id = d.tenant_id and f.id = d.staff_id
        left join staff i on i.tenant_id = d.tenant_id and i.id = d.inspector_id
        left join staff w on w.tenant_id = d.tenant_id and w.id = d.second_id
        left join purchase_order o on o.tenant_id = d.tenant_id and o.id = d.order_id
        left join stock_receipt r on r.tenant_id = d.tenant_id and r.id = d.id
        where d.id = :id and d.facility_id = :facility
        """,
        id=delivery_id, facility=facility_id,
    ).one_or_none()  # fmt: skip
    if found is None:
        raise NotFound
    return found


def delivery_lines(delivery_id: UUID) -> list[Any]:
    """The lots of an accepted delivery, as they were inspected."""
    rows = run(
        """
        select l.*, p.generic_name, p.spec, p.dosage_form, p.pack_unit, p.pack_size
        from delivery_line l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        where l.delivery_id = :id order by l.line_no limit 500
        """,
        id=delivery_id,
    )
    return list(rows)


def product_facts(product_ids: Sequence[int]) -> dict[int, Any]:
    """What acceptance shows of products for comparison: approval number, maker, storage, special class."""
    rows = run(
        """
        select id, generic_name as name, pack_size, storage, special_class, rx_class as rx, approval_number as approval, maker, spec, pack_unit, trace_required
        from product where id = any(:ids) and state = 'active' order by id limit 500
        """,
        ids=sorted(set(product_ids))[:500],
    )
    return {row.id: row for row in rows}


# ---- files ---------------------------------------------------------------------------------------------------------


def list_imports(facility_id: int) -> list[Any]:
    """The latest files of this facility."""
    rows = run(
        """
        select i.id, i.kind, i.file_name, i.state, i.row_count, i.posted_count, i.created_at, f.name as staff from stock_import i
        join staff f on f.tenant_id = i.tenant_id and f.id = i.staff_id
        where i.facility_id = :facility order by i.created_at desc, i.id desc limit 20
        """,
        facility=facility_id,
    )
    return list(rows)


def get_import(facility_id: int, import_id: UUID) -> Any:
    """One file with the counts of its rows. Raises NotFound."""
    found = run(
        """
        select i.*, (select coalesce(jsonb_object_agg(verdict, n), '{}'::jsonb) from (
            select r.verdict, count(*) as n from stock_import_row r where r.tenant_id = i.tenant_id and r.import_id = i.id group by r.verdict) c) as verdicts
        from stock_import i where i.id = :id and i.facility_id = :facility
        """,
        id=import_id, facility=facility_id,
    ).one_or_none()  # fmt: skip
    if found is None:
        raise NotFound
    return found


def import_rows(import_id: UUID, verdict: str = "", after: int = 0) -> list[Any]:
    """A page of a file's rows, of one verdict or all."""
    rows = run(
        """
        select r.number, r.raw, r.said, r.verdict, r.problem, r.product_id, p.generic_name, p.spec, p.pack_unit from stock_import_row r
        left join product p on p.tenant_id = r.tenant_id and p.id = r.product_id
        where r.import_id = :id and r.number > :after and (:verdict = '' or r.verdict = :verdict) order by r.number limit :page
        """,
        id=import_id, after=after, verdict=verdict, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)
