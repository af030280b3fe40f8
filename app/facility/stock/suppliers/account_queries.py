"""What screens may read of what we owe: balances, one supplier's account, invoices and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import run
from app.facility.stock.suppliers.queries import escaped

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

PAGE = 50
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
MOST_OPEN = 200


def list_balances(
    search: str = "", *, owing: bool = True, after: tuple[str, int] | None = None, most: int = PAGE
) -> list[Any]:
    """What we owe, by supplier, by pinyin, with the invoices that wait; `owing` leaves out the balances of nothing."""
    pinyin, last = after or ("", 0)
    rows = run(
        """
        select s.id, s.code, s.name, s.state, s.pinyin, a.balance_fen, a.changed_at, i.to_match, i.to_pay_fen
        from supplier s join supplier_account a on a.tenant_id = s.tenant_id and a.supplier_id = s.id
        cross join lateral (
            select count(*) filter (where i.state = 'noted') as to_match, coalesce(sum(i.amount_fen) filter (where i.state = 'matched'), 0)::bigint as to_pay_fen
            from purchase_invoice i where i.tenant_id = s.tenant_id and i.supplier_id = s.id and i.state in ('noted', 'matched') limit 1
        ) i
        where (:search = '' or s.search like '%' || :search || '%') and (not :owing or a.balance_fen <> 0) and (s.pinyin, s.id) > (:pinyin, :last)
        order by s.pinyin, s.id limit :most
        """,
        search=escaped(search), owing=owing, pinyin=pinyin.replace("\x00", ""), last=last, most=most + 1,
    )  # fmt: skip
    return list(rows)


def totals() -> Any:
    """What we owe altogether, what was paid ahead, and what the invoices to match and to pay come to."""
    return run(
        """
        select coalesce(sum(balance_fen) filter (where balance_fen > 0), 0)::bigint as owed_fen, coalesce(-sum(balance_fen) filter (where balance_fen < 0), 0)::bigint as ahead_fen,
            (select count(*) from purchase_invoice where state = 'noted') as to_match,
            (select coalesce(sum(amount_fen), 0)::bigint from purchase_invoice where state = 'matched') as to_pay_fen
        from supplier_account
        """
    ).one()


def list_entries(supplier_id: int, before: int | None = None, most: int = PAGE) -> list[Any]:
    """A supplier's account, newest line first, 50 a page; `before` is the last row's id."""
    rows = run(
        """
        select e.id, e.kind, e.amount_fen, e.balance_fen, e.document_id, coalesce(nullif(e.number, ''), k.number, '') as number, e.reason, e.at, e.booked_on, f.name as staff, p.name as approver,
            m.invoice_id, i.number as invoice
        from supplier_entry e join staff f on f.tenant_id = e.tenant_id and f.id = e.staff_id
        left join staff p on p.tenant_id = e.tenant_id and p.id = e.approver_id
        left join purchase_invoice_receipt m on m.tenant_id = e.tenant_id and m.entry_id = e.id and m.ended_at is null
        left join purchase_invoice i on i.tenant_id = m.tenant_id and i.id = m.invoice_id
        left join stock_document k on k.tenant_id = e.tenant_id and k.id = e.document_id and e.kind = 'return'
        where e.supplier_id = :supplier and e.id < :before order by e.id desc limit :most
        """,
        supplier=supplier_id, before=before or 2**62, most=most + 1,
    )  # fmt: skip
    return list(rows)


def open_entries(supplier_id: int) -> list[Any]:
    """Receipts and returns for which no invoice stands, newest first, at most 200."""
    rows = run(
        """
        select e.id, e.kind, e.document_id, coalesce(nullif(e.number, ''), k.number, '') as number, e.amount_fen, e.booked_on from supplier_entry e
        left join stock_document k on k.tenant_id = e.tenant_id and k.id = e.document_id and e.kind = 'return'
        where e.supplier_id = :supplier and e.kind in ('receipt', 'return')
            and not exists (select from purchase_invoice_receipt m where m.tenant_id = e.tenant_id and m.entry_id = e.id and m.ended_at is null)
        order by e.id desc limit :most
        """,
        supplier=supplier_id,
        most=MOST_OPEN,
    )
    return list(rows)


INVOICES = """
select i.*, s.name as supplier_name, f.name as staff, m.name as matcher, v.name as voider, p.made_on as paid_on
from purchase_invoice i join supplier s on s.tenant_id = i.tenant_id and s.id = i.supplier_id
join staff f on f.tenant_id = i.tenant_id and f.id = i.staff_id
left join staff m on m.tenant_id = i.tenant_id and m.id = i.matched_by
left join staff v on v.tenant_id = i.tenant_id and v.id = i.voided_by
left join supplier_payment p on p.tenant_id = i.tenant_id and p.id = i.payment_id
"""


def list_invoices(
    states: tuple[str, ...], supplier_id: int | None = None, before: tuple[datetime, str] | None = None
) -> list[Any]:
    """Invoices in these states, newest first, 50 a page; of one supplier, or of all."""
    at, last = before or (clock.now(), LAST)
    rows = run(
        f"""
        {INVOICES} where i.state = any(cast(:states as text[])) and (cast(:supplier as bigint) is null or i.supplier_id = :supplier)
            and (i.entered_at, i.id) < (:at, cast(:last as uuid))
        order by i.entered_at desc, i.id desc limit :page
        """,
        states=list(states), supplier=supplier_id, at=at, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def get_invoice(invoice_id: UUID) -> tuple[Any, list[Any]]:
    """One invoice and the receipts and returns it stands for. Raises NotFound."""
    head = run(f"{INVOICES} where i.id = :id", id=invoice_id).one_or_none()
    if head is None:
        raise NotFound
    rows = run(
        """
        select e.id, e.kind, e.document_id, e.number, e.amount_fen, e.booked_on from purchase_invoice_receipt m
        join supplier_entry e on e.tenant_id = m.tenant_id and e.id = m.entry_id
        where m.invoice_id = :id and m.ended_at is null order by e.id limit :most
        """,
        id=invoice_id,
        most=MOST_OPEN,
    )
    return head, list(rows)


def invoices_to_pay(supplier_id: int) -> list[Any]:
    """Matched invoices of a supplier that wait for money, oldest first, at most 200."""
    rows = run(
        "select id, number, issued_on, amount_fen, red from purchase_invoice where supplier_id = :supplier and state = 'matched' order by issued_on, id limit :most",
        supplier=supplier_id,
        most=MOST_OPEN,
    )
    return list(rows)
