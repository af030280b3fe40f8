"""What screens and other rooms may read of stock. Row-level security picks the tenant; the facility is always named."""

from __future__ import annotations

import unicodedata
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
    approval_number as approval, rx_class as rx, pack_size, trace_required
from product where tenant_id = %(tenant)s and id = any(%(ids)s) and state = 'active'
"""


def receiving_facts(hot: Hot, desk: Desk, product_ids: Sequence[int]) -> dict[int, Any]:
    """What a receipt must know of its products, inside a hot transaction."""
    return {row.id: row for row in hot.run(RECEIVING_FACTS, {**desk.keys, "ids": list(set(product_ids))})}


def list_stock(facility_id: int, search: str = "", only: str = "", after: tuple[str, int] | None = None) -> list[Any]:
    """List products in stock by pinyin, 50 a page: on hand, free, soonest expiry, whether something of it is near or past it.

    `search` is a part of a name, its initials, a code, a barcode, or the beginning of a lot number. `only` narrows to near (within the product's warning days), past (expired or held). `after` is the last row's (pinyin, id).
    """
    rows = run(
        """
        select p.id, p.generic_name, p.trade_name, p.spec, p.maker, p.pack_unit, p.base_unit, p.pack_size, p.pinyin, p.expiry_warning_days, b.*
        from product p join lateral (
            select sum(on_hand)::bigint as on_hand, coalesce(sum(on_hand - reserved) filter (where usable), 0)::bigint as free, min(b.expires_on) as expires_on,
                bool_or(b.expires_on between :today and :today + p.expiry_warning_days) as near, bool_or(b.expires_on < :today) as past,
                bool_or(hold is not null) as held
            from (select b.*, l.hold, b.zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT') and b.expires_on >= :today and l.hold is null as usable
                  from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
                  where b.tenant_id = p.tenant_id and b.facility_id = :facility and b.product_id = p.id and b.on_hand > 0) b
        ) b on b.on_hand > 0
        where (:search = '' or p.search like '%' || :search || '%' or exists (
                select from lot l where l.tenant_id = p.tenant_id and l.facility_id = :facility and l.product_id = p.id and lower(l.lot_number) like :search || '%'))
            and (:only <> 'near' or b.near)
            and (:only <> 'past' or b.past or b.held)
            and (p.pinyin, p.id) > (:after_pinyin, :after_id)
        order by p.pinyin, p.id limit :page
        """,
        facility=facility_id, search=_escaped(search), only=only, today=clock.business_date(),
        after_pinyin=after[0].replace("\x00", "") if after else "", after_id=after[1] if after else 0, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def counts(facility_id: int) -> Any:
    """How many products are in stock here, near their end, past it or held; and what they are worth at cost (fen)."""
    return run(
        """
        select count(distinct b.product_id) as products,
            count(distinct b.product_id) filter (where b.expires_on between :today and :today + p.expiry_warning_days) as near,
            count(distinct b.product_id) filter (where b.expires_on < :today or l.hold is not null) as past,
            coalesce(round(sum(b.on_hand::numeric / p.pack_size * coalesce(l.cost_price, 0) * 100)), 0)::bigint as worth_fen
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
        where b.facility_id = :facility and b.on_hand > 0
        """,
        facility=facility_id,
        today=clock.business_date(),
    ).one()


def lots_of(facility_id: int, product_id: int) -> list[Any]:
    """The lots of a product on the shelf, soonest to expire first, with how many of their codes are still here."""
    rows = run(
        """
        select l.id, l.lot_number, l.expires_on, l.produced_on, l.hold, b.zone, b.on_hand, b.reserved, (
            select count(*) from trace_code t where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.zone = b.zone
                and t.state in ('IN_STOCK', 'RESERVED', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'IN_TRANSIT')
        ) as codes
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        where b.facility_id = :facility and b.product_id = :product and b.on_hand > 0
        order by b.expires_on, b.lot_id, b.zone limit 200
        """,
        facility=facility_id,
        product=product_id,
    )
    return list(rows)


def list_movements(facility_id: int, product_id: int, before: int | None = None) -> list[Any]:
    """The ledger of a product at this facility, newest first, 50 a page; `before` is the last row's id."""
    rows = run(
        """
        select m.id, m.kind, m.quantity, m.balance, m.moved_at, m.document_id, m.zone, l.lot_number, s.name as staff,
            coalesce(r.number, v.receipt, f.receipt, '') as number
        from stock_movement m join lot l on l.tenant_id = m.tenant_id and l.id = m.lot_id
        left join staff s on s.tenant_id = m.tenant_id and s.id = m.staff_id
        left join stock_receipt r on r.tenant_id = m.tenant_id and r.id = m.document_id
        left join sale v on v.tenant_id = m.tenant_id and v.id = m.document_id
        left join refund f on f.tenant_id = m.tenant_id and f.id = m.document_id
        where m.facility_id = :facility and m.product_id = :product and m.id < :before
        order by m.id desc limit :page
        """,
        facility=facility_id,
        product=product_id,
        before=before or 2**62,
        page=PAGE + 1,
    )
    return list(rows)


def list_receipts(facility_id: int, before: tuple[datetime, UUID] | None = None) -> list[Any]:
    """Receipts of this facility, newest first, 50 a page."""
    at, last = before or (clock.now(), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    rows = run(
        """
        select r.id, r.number, r.received_at, r.supplier, s.name as staff,
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


def code_life(code: str) -> tuple[Any, list[Any]]:
    """What this tenant knows of one trace code and everything that happened to it. Raises NotFound."""
    head = run(
        """
        select t.code, t.state, t.remaining, t.reserved, l.lot_number, l.expires_on, l.hold, p.id as product_id, p.generic_name, p.spec, p.maker,
            p.pack_size, p.pack_unit, p.base_unit, f.name as facility
        from trace_code t join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
        join product p on p.tenant_id = t.tenant_id and p.id = t.product_id
        join facility f on f.tenant_id = t.tenant_id and f.id = t.facility_id
        where t.code = :code
        """,
        code=code,
    ).one_or_none()
    if head is None:
        raise NotFound
    events = run(
        """
        select e.kind, e.quantity, e.at, e.document_id, s.name as staff, coalesce(r.number, v.receipt, f.receipt, '') as number
        from trace_event e left join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
        left join stock_receipt r on r.tenant_id = e.tenant_id and r.id = e.document_id
        left join sale v on v.tenant_id = e.tenant_id and v.id = e.document_id
        left join refund f on f.tenant_id = e.tenant_id and f.id = e.document_id
        where e.code = :code order by e.id limit 200
        """,
        code=code,
    )
    return head, list(events)


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


def _escaped(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.replace("\x00", "")).lower().strip()
    return plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
