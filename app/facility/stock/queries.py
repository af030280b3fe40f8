"""What screens and other rooms may read of stock. Row-level security picks the tenant; the facility is always named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

PAGE = 50

RECEIVING_FACTS = """
select id, code, coalesce(national_code, '') as national, coalesce(barcode, '') as barcode, generic_name as name, spec, maker,
    approval_number as approval, rx_class as rx, pack_size, trace_required, storage
from product where tenant_id = %(tenant)s and id = any(%(ids)s) and state = 'active'
"""


def receiving_facts(hot: Hot, desk: Desk, product_ids: Sequence[int]) -> dict[int, Any]:
    """What a receipt must know of its products, inside a hot transaction."""
    return {row.id: row for row in hot.run(RECEIVING_FACTS, {**desk.keys, "ids": list(set(product_ids))})}


def list_receipts(facility_id: int, before: tuple[datetime, UUID] | None = None) -> list[Any]:
    """Receipts of this facility, newest first, 50 a page."""
    at, last = before or (clock.now(), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    rows = run(
        """
        select r.id, r.number, r.received_at, r.supplier, r.kind, r.delivery_id, s.name as staff,
            (select count(*) from stock_receipt_line l where l.tenant_id = r.tenant_id and l.receipt_id = r.id) as lines,
            (select coalesce(sum(code_count), 0) from stock_receipt_line l where l.tenant_id = r.tenant_id and l.receipt_id = r.id) as codes
        from stock_receipt r join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
        where r.facility_id = :facility and (r.received_at, r.id) < (:at, cast(:last as uuid))
        order by r.received_at desc, r.id desc limit :page
        """,
        facility=facility_id, at=at, last=str(last), page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def get_receipt(facility_id: int, receipt_id: UUID) -> tuple[Any, list[Any]]:
    """One receipt with its lines. Raises NotFound."""
    head = run(
        "select r.*, s.name as staff from stock_receipt r join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id where r.id = :id and r.facility_id = :facility",
        id=receipt_id, facility=facility_id,
    ).one_or_none()  # fmt: skip
    if head is None:
        raise NotFound
    lines = run(
        """
        select n.line_no, n.zone, n.quantity, n.cost_price, n.code_count, l.lot_number, l.expires_on, l.produced_on,
            p.generic_name, p.spec, p.maker, p.pack_size, p.pack_unit
        from stock_receipt_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
        join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        where n.receipt_id = :id order by n.line_no limit 500
        """,
        id=receipt_id,
    )
    return head, list(lines)


def find_code(facility_id: int, code: str) -> Any | None:
    """A scanned trace code on this facility's books: its product, lot and state; None when it was never received here."""
    return run(
        """
        select t.code, t.state, t.product_id, t.lot_id, t.remaining, t.reserved, l.lot_number, l.expires_on, l.hold
        from trace_code t join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
        where t.code = :code and t.facility_id = :facility
        """,
        code=code,
        facility=facility_id,
    ).one_or_none()


def sellable_lots(facility_id: int, product_id: int, *, split: bool, today: date | None = None) -> list[Any]:
    """Lots a clerk may sell of a product, soonest to expire first, with what is free of each."""
    rows = run(
        """
        select l.id, l.lot_number, l.expires_on, b.zone, b.on_hand - b.reserved as free
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        where b.facility_id = :facility and b.product_id = :product and b.on_hand > b.reserved and b.expires_on >= :today and l.hold is null
            and (case when :split then b.zone = 'SPLIT' else b.zone in ('SALEABLE', 'COLD', 'CONTROLLED') end)
        order by b.expires_on, l.id limit 50
        """,
        facility=facility_id,
        product=product_id,
        split=split,
        today=today or clock.business_date(),
    )
    return list(rows)


def free_to_sell(facility_id: int, product_ids: Sequence[int]) -> dict[int, Any]:
    """What a clerk may sell of each of these products in whole packs: `free` in base units and the soonest expiry."""
    if not product_ids:
        return {}
    rows = run(
        """
        select b.product_id, sum(b.on_hand - b.reserved) as free, min(b.expires_on) as expires_on
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id and l.hold is null
        where b.facility_id = :facility and b.product_id = any(:ids) and b.on_hand > b.reserved and b.expires_on >= :today
            and b.zone in ('SALEABLE', 'COLD', 'CONTROLLED')
        group by b.product_id
        """,
        facility=facility_id,
        ids=list(product_ids),
        today=clock.business_date(),
    )
    return {row.product_id: row for row in rows}
