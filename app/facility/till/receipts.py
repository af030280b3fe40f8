"""What stands on a receipt, and how often it was printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import transaction

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.tenancy import Desk

SIZES = ("80", "58", "a5")

SALE = """
select s.id, s.receipt, s.state, s.paid, s.settled_at, s.total_fen, s.cash_fen, s.money, s.tendered, s.setl_id, s.mdtrt_id, s.terminal, s.stream_number, s.stream_hash,
    st.name as staff, st.number as staff_number, f.name as facility, f.national_code, i.shown, i.sealed, i.sign_no, b.content ->> 'label' as label,
    (select v.state from sale_invoice v where v.tenant_id = s.tenant_id and v.sale_id = s.id order by v.id desc limit 1) as invoice
from sale s join staff st on st.tenant_id = s.tenant_id and st.id = s.staff_id
join facility f on f.tenant_id = s.tenant_id and f.id = s.facility_id
left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
left join basket b on b.tenant_id = s.tenant_id and b.id = s.id
where s.tenant_id = %(tenant)s and s.id = %(sale)s and s.facility_id = %(facility)s
"""
LINES = """
select n.line_no, n.product_id, n.quantity, n.split, n.price, n.amount_fen, n.described, p.lots, c.codes, r.number as rx_number, r.prescriber, r.reviewer_name,
    coalesce(back.quantity, 0)::bigint as refunded
from sale_line n
left join lateral (
    select jsonb_agg(jsonb_build_object('lot_id', p.lot_id, 'lot_number', l.lot_number, 'expires_on', l.expires_on, 'quantity', p.quantity, 'zone', p.zone) order by l.expires_on) as lots
    from sale_pick p join lot l on l.tenant_id = p.tenant_id and l.id = p.lot_id
    where p.tenant_id = n.tenant_id and p.sale_id = n.sale_id and p.line_no = n.line_no) p on true
left join lateral (
    select count(*) as codes from sale_code c where c.tenant_id = n.tenant_id and c.sale_id = n.sale_id and c.line_no = n.line_no) c on true
left join lateral (
    select sum(b.quantity) as quantity from refund_line b join refund h on h.tenant_id = b.tenant_id and h.id = b.refund_id and h.state = 'refunded'
    where b.tenant_id = n.tenant_id and b.sale_id = n.sale_id and b.line_no = n.line_no) back on true
left join prescription r on r.tenant_id = n.tenant_id and r.id = n.prescription_id
where n.tenant_id = %(tenant)s and n.sale_id = %(sale)s order by n.line_no limit 100
"""
TENDERS = "select kind, amount_fen from tender where tenant_id = %(tenant)s and document_id = %(sale)s order by id"
PRINTED = "select count(*) as count from receipt_print where tenant_id = %(tenant)s and document_id = %(sale)s"
PRINT = """
insert into receipt_print (tenant_id, document_id, staff_id, size, at)
select tenant_id, id, %(staff)s, %(size)s, %(at)s from sale where tenant_id = %(tenant)s and id = %(sale)s and facility_id = %(facility)s and state = 'settled'
"""


def get_sale(desk: Desk, sale_id: UUID) -> tuple[Any, list[Any], list[Any], int]:
    """A sale of this facility, its lines, its tenders, and how often it was printed. Raises NotFound."""
    keys = {**desk.keys, "sale": sale_id}
    with transaction(settings=desk.settings) as hot:
        head, lines, tenders, printed = hot.run_all(
            [(SALE, keys), (LINES, keys), (TENDERS, keys), (PRINTED, keys)], last=True
        )
    if not head:
        raise NotFound
    return head[0], list(lines), list(tenders), int(printed[0].count)


def note_print(desk: Desk, sale_id: UUID, size: str) -> None:
    """Count a print; from the second on it is marked as a reprint (补打)."""
    with transaction(settings=desk.settings) as hot:
        hot.run_last(PRINT, {**desk.keys, "sale": sale_id, "size": size, "at": clock.now()})
