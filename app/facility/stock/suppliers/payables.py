"""What we owe 应付: invoices noted and matched to what came, payments, and corrections with a second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from psycopg import errors as pg

from app.core import clock, trail
from app.core.errors import DocumentChanged, NotFound, words
from app.core.money import fen_to_yuan
from app.facility.db import hot_action, transaction
from app.facility.organizations import parameters
from app.facility.stock.suppliers import invoice_check, queries, rules, statements
from app.facility.stock.suppliers.actions import AUDIT, digest_of, note_owed
from app.facility.stock.suppliers.errors import (
    InvoiceIncomplete,
    InvoiceKnown,
    InvoiceNotOpen,
    MatchIncomplete,
    PaymentIncomplete,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

MOST_FEN = 10**12
MOST_MATCHED = 200
YEARS_BACK = timedelta(days=5 * 366)


@dataclass(frozen=True)
class InvoiceDraft:
    """An invoice as it is typed; a red one (红字发票) gives money back and its amounts are positive here."""

    supplier_id: int
    number: str
    issued_on: date
    amount_fen: int
    tax_fen: int = 0
    red: bool = False
    note: str = ""


@dataclass(frozen=True)
class PaymentDraft:
    """Money paid to a supplier; with invoices it pays exactly their sum."""

    supplier_id: int
    amount_fen: int
    made_on: date
    method: str = "bank"
    reference: str = ""
    note: str = ""
    invoice_ids: tuple[UUID, ...] = ()


# ---- invoices --------------------------------------------------------------------------------------------------------


def note_invoice(desk: Desk, invoice_id: UUID, draft: InvoiceDraft) -> None:
    """Note a supplier's invoice (登记进项发票), after asking whoever verifies invoices. The same one again changes nothing.

    Raises InvoiceIncomplete, InvoiceKnown, NotFound, DocumentChanged.
    """
    draft = _checked_invoice(draft)
    sign = -1 if draft.red else 1
    seller = queries.get_supplier(draft.supplier_id).credit_code
    facts = invoice_check.Facts(draft.number, draft.issued_on, sign * draft.amount_fen, sign * draft.tax_fen, seller)
    provider, result = invoice_check.check(facts)
    _keep_invoice(desk, invoice_id, draft, provider, result)


@hot_action
def _keep_invoice(desk: Desk, invoice_id: UUID, draft: InvoiceDraft, provider: str, result: str) -> None:
    digest, sign = digest_of(draft), -1 if draft.red else 1
    keys = {**desk.keys, "invoice": invoice_id, "supplier": draft.supplier_id}
    values = {
        **keys, "digest": digest, "number": draft.number, "issued_on": draft.issued_on, "amount": sign * draft.amount_fen, "tax": sign * draft.tax_fen,
        "red": draft.red, "note": draft.note, "provider": provider, "result": result, "at": clock.now(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_INVOICE, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return
        try:
            if not hot.run(statements.INSERT_INVOICE, values):
                raise NotFound
        except pg.UniqueViolation as twin:
            if twin.diag.constraint_name == "purchase_invoice_pkey":
                raise pg.SerializationFailure from twin
            raise InvoiceKnown(number=draft.number) from twin
        hot.run_last(AUDIT, trail.row("invoice.note", f"invoice:{invoice_id}", number=draft.number))


def _checked_invoice(draft: InvoiceDraft) -> InvoiceDraft:
    number, note, today = draft.number.strip().upper(), draft.note.replace("\x00", "").strip(), clock.business_date()
    if not (4 <= len(number) <= 30 and number.isascii() and number.replace("-", "").isalnum()):
        raise InvoiceIncomplete(why="发票号码应为 4 到 30 位数字或字母")
    if not 0 < draft.amount_fen <= MOST_FEN:
        raise InvoiceIncomplete(why="价税合计要大于零")
    if not 0 <= draft.tax_fen <= draft.amount_fen:
        raise InvoiceIncomplete(why="税额不能小于零，也不能超过价税合计")
    if not today - YEARS_BACK <= draft.issued_on <= today:
        raise InvoiceIncomplete(why="开票日期应在最近五年之内，不能在今天之后")
    if len(note) > 200:
        raise InvoiceIncomplete(why="备注最多 200 字")
    return InvoiceDraft(draft.supplier_id, number, draft.issued_on, draft.amount_fen, draft.tax_fen, draft.red, note)


@hot_action
def match_invoice(
    desk: Desk, invoice_id: UUID, entry_ids: Sequence[int], reason: str = "", approver_id: int | None = None
) -> int:
    """Say which receipts and returns an invoice stands for (票货核对); returns the difference in fen.

    A difference needs a reason and becomes a line of the account, so that we owe what the invoice says; past what the site
    takes for rounding (尾差) it needs a second person. Raises MatchIncomplete, InvoiceNotOpen, NotFound.
    """
    ids, reason = sorted(set(entry_ids)), reason.strip()[:200]
    if not 1 <= len(ids) <= MOST_MATCHED:
        raise MatchIncomplete(why=words("请选 1 到 {most} 张入库或退货单", most=MOST_MATCHED))
    at = clock.now()
    limit = parameters.of(desk.tenant_id).fen("invoice_difference_fen", at)
    with transaction(settings=desk.settings) as hot:
        invoice = _locked(hot, desk, invoice_id, "noted")
        keys = {**desk.keys, "invoice": invoice_id, "supplier": invoice.supplier_id, "entries": ids, "at": at}
        difference = int(invoice.amount_fen) - _taken(hot, keys, len(ids))
        _explained(desk, difference, reason, approver_id, limit)
        hot.run(statements.MATCH_INVOICE, {**keys, "difference": difference})
        if difference:
            note_owed(
                hot, desk, invoice.supplier_id, invoice_id, "difference", difference, at, invoice.number,
                reason=reason, approver_id=approver_id if approver_id != desk.staff_id else None,
            )  # fmt: skip
        hot.run_last(AUDIT, trail.row("invoice.match", f"invoice:{invoice_id}", difference_fen=difference))
        return difference


def _taken(hot: Hot, keys: dict[str, Any], wanted: int) -> int:
    try:
        taken = hot.run(statements.TAKE_ENTRIES, keys)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # Another invoice took one of them this moment.
    if len(taken) != wanted:
        raise MatchIncomplete(why="所选单据里有的已对应别的发票，或不是这家供应商的")
    return sum(int(row.amount_fen) for row in taken)


def _explained(desk: Desk, difference: int, reason: str, approver_id: int | None, limit: int) -> None:
    if difference and not reason:
        raise MatchIncomplete(why=words("票货相差 {amount} 元，要写原因", amount=fen_to_yuan(difference)))
    if abs(difference) > limit and approver_id in {None, desk.staff_id}:
        facts = {"amount": fen_to_yuan(difference), "limit": fen_to_yuan(limit)}
        raise MatchIncomplete(why=words("票货相差 {amount} 元，超过 {limit} 元要另一位同事复核", **facts))


@hot_action
def void_invoice(desk: Desk, invoice_id: UUID, reason: str) -> None:
    """Take an invoice back (作废): its receipts wait for another one, its difference is reversed. A paid one stays.

    Raises InvoiceIncomplete without a reason, InvoiceNotOpen, NotFound.
    """
    reason = reason.strip()[:200]
    if not reason:
        raise InvoiceIncomplete(why="作废要写原因")
    at = clock.now()
    with transaction(settings=desk.settings) as hot:
        invoice = _locked(hot, desk, invoice_id, "noted", "matched")
        keys = {**desk.keys, "invoice": invoice_id, "at": at}
        hot.run(statements.END_MATCH, keys)
        hot.run(statements.VOID_INVOICE, {**keys, "reason": reason})
        if back := int(invoice.difference_fen or 0):
            note_owed(
                hot, desk, invoice.supplier_id, invoice_id, "difference", -back, at, invoice.number, reason=reason
            )
        hot.run_last(AUDIT, trail.row("invoice.void", f"invoice:{invoice_id}", number=invoice.number))


def _locked(hot: Hot, desk: Desk, invoice_id: UUID, *states: str) -> Any:
    found = hot.run(statements.LOCK_INVOICE, {**desk.keys, "invoice": invoice_id})
    if not found:
        raise NotFound
    if found[0].state not in states:
        raise InvoiceNotOpen(number=found[0].number, what=rules.INVOICE_STATES[found[0].state])
    return found[0]


# ---- money -----------------------------------------------------------------------------------------------------------


@hot_action
def pay_supplier(desk: Desk, payment_id: UUID, draft: PaymentDraft) -> None:
    """Book money paid to a supplier (付款登记), for matched invoices or on account. The same payment again changes nothing.

    Raises PaymentIncomplete, NotFound, DocumentChanged.
    """
    draft = _checked_payment(draft)
    digest, at = digest_of(draft), clock.now()
    keys = {**desk.keys, "payment": payment_id, "supplier": draft.supplier_id, "invoices": list(draft.invoice_ids)}
    values = {
        **keys, "digest": digest, "amount": draft.amount_fen, "made_on": draft.made_on, "method": draft.method, "reference": draft.reference, "note": draft.note,
        "at": at,
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        waiting = hot.run(statements.INVOICES_TO_PAY, keys) if draft.invoice_ids else []
        # Asked behind the lock: a second press has waited for the first.
        if known := hot.run(statements.KNOWN_PAYMENT, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return
        if draft.invoice_ids:
            _covers(draft, waiting)
        _insert_payment(hot, values)
        if draft.invoice_ids:
            hot.run(statements.PAY_INVOICES, keys)
        number = draft.reference
        note_owed(hot, desk, draft.supplier_id, payment_id, "payment", -draft.amount_fen, at, number)
        hot.run_last(AUDIT, trail.row("supplier.pay", f"supplier:{draft.supplier_id}", invoices=len(draft.invoice_ids)))


def _insert_payment(hot: Hot, values: dict[str, Any]) -> None:
    try:
        hot.run(statements.INSERT_PAYMENT, values)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin
    except pg.ForeignKeyViolation as nobody:
        raise NotFound from nobody


def _covers(draft: PaymentDraft, invoices: Sequence[Any]) -> None:
    if len(invoices) != len(draft.invoice_ids):
        raise PaymentIncomplete(why="所选发票里有的还没有核对完，或已经付过")
    total = sum(int(row.amount_fen) for row in invoices)
    if total != draft.amount_fen:
        raise PaymentIncomplete(
            why=words("所选发票合计 {total} 元，与付款金额不符。付一部分的请不选发票", total=fen_to_yuan(total))
        )


def _checked_payment(draft: PaymentDraft) -> PaymentDraft:
    today, texts = clock.business_date(), [t.replace("\x00", "").strip() for t in (draft.reference, draft.note)]
    if not 0 < draft.amount_fen <= MOST_FEN:
        raise PaymentIncomplete(why="付款金额要大于零")
    if draft.method not in rules.METHODS:
        raise PaymentIncomplete(why="没有选付款方式")
    if not today - YEARS_BACK <= draft.made_on <= today:
        raise PaymentIncomplete(why="付款日期应在最近五年之内，不能在今天之后")
    if len(texts[0]) > 60 or len(texts[1]) > 200:
        raise PaymentIncomplete(why="凭证号最多 60 字，备注最多 200 字")
    ids = tuple(sorted(set(draft.invoice_ids)))
    return PaymentDraft(draft.supplier_id, draft.amount_fen, draft.made_on, draft.method, texts[0], texts[1], ids)


@hot_action
def adjust_account(
    desk: Desk, document_id: UUID, supplier_id: int, amount_fen: int, reason: str, approver_id: int | None
) -> None:
    """Correct what we owe a supplier by hand (往来调整), with a reason and a second person. The same one again changes nothing.

    Opening balances of an old system come in this way too. Raises PaymentIncomplete, NotFound, DocumentChanged.
    """
    reason = reason.strip()[:200]
    if not reason or not 0 < abs(amount_fen) <= MOST_FEN:
        raise PaymentIncomplete(why="调整要有金额和原因")
    if approver_id in {None, desk.staff_id}:
        raise PaymentIncomplete(why="调整要另一位同事复核")
    keys = {**desk.keys, "document": document_id, "kind": "adjustment"}
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_ENTRY, keys):
            if (known[0].supplier_id, known[0].amount_fen, known[0].reason) != (supplier_id, amount_fen, reason):
                raise DocumentChanged
            return
        note_owed(
            hot, desk, supplier_id, document_id, "adjustment", amount_fen, clock.now(), "",
            reason=reason, approver_id=approver_id,
        )  # fmt: skip
        hot.run_last(AUDIT, trail.row("supplier.adjust", f"supplier:{supplier_id}", amount_fen=amount_fen))
