"""The pages of what we owe: balances, one account, invoices matched to what came, payments and corrections. The owner's."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin, workbook
from app.core.approval import second_person
from app.core.errors import NotFound, Refusal
from app.core.signin import needs
from app.facility.stock.suppliers import account_queries, forms, invoice_check, payables, queries, rules
from app.facility.stock.suppliers.payables import InvoiceDraft, PaymentDraft
from app.facility.stock.suppliers.views import JUDGES, ROOM, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_payables", __name__, url_prefix="/stock/payables")
blueprint.before_request(forms.real_ids)
OWNER = ("owner",)
PAGE = account_queries.PAGE
FILTERS = {"open": ("noted", "matched"), "noted": ("noted",), "matched": ("matched",), "paid": ("paid",), "void": ("void",)}  # fmt: skip


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "purchase_payables.list_balances", "应付", OWNER, 50)


# ---- balances and accounts -------------------------------------------------------------------------------------------


@blueprint.get("")
@needs(*OWNER)
def list_balances() -> ResponseReturnValue:
    """What we owe each supplier, and altogether."""
    owing = forms.arg("all") != "1"
    after = forms.after_name(forms.arg("after", 240))
    if forms.arg("as") == "xlsx":
        return _balances_file(forms.arg("q"), owing=owing)
    rows = account_queries.list_balances(forms.arg("q"), owing=owing, after=after)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render_template(
        "facility/stock/suppliers/balances.html", rows=rows[:PAGE], totals=account_queries.totals(), q=forms.arg("q"), owing=owing, after=forms.arg("after", 240),
        following=f"{last.pinyin}~{last.id}" if last else None,
    )  # fmt: skip


def _balances_file(search: str, *, owing: bool) -> ResponseReturnValue:
    rows = account_queries.list_balances(search, owing=owing, most=workbook.MOST_ROWS)
    heads = (_("编码"), _("供应商"), _("应付余额 元"), _("待核对发票 张"), _("待付款 元"), _("最近变动"))
    values = ((r.code, r.name, yuan(r.balance_fen), r.to_match, yuan(r.to_pay_fen), r.changed_at) for r in rows)
    return workbook.send(_("应付余额"), heads, values)


def yuan(amount_fen: int) -> Decimal:
    """Fen as an exact number of yuan, for a sheet."""
    return Decimal(amount_fen).scaleb(-2)


@blueprint.get("/<int:supplier_id>")
@needs(*OWNER)
def show_account(supplier_id: int) -> ResponseReturnValue:
    """One supplier's account, newest line first."""
    supplier = queries.get_supplier(supplier_id)
    if forms.arg("as") == "xlsx":
        return _account_file(supplier)
    rows = account_queries.list_entries(supplier_id, forms.number(forms.arg("before", 20)))
    return render_template(
        "facility/stock/suppliers/account.html", supplier=supplier, rows=rows[:PAGE], following=rows[PAGE - 1].id if len(rows) > PAGE else None,
        before=forms.arg("before", 20), kinds=said(rules.ENTRY_KINDS), error="", form={},
    )  # fmt: skip


def _account_file(supplier: Any) -> ResponseReturnValue:
    rows = account_queries.list_entries(supplier.id, most=workbook.MOST_ROWS)
    kinds = said(rules.ENTRY_KINDS)
    heads = (
        _("日期"),
        _("类别"),
        _("单号"),
        _("金额 元"),
        _("余额 元"),
        _("发票"),
        _("说明"),
        _("经手人"),
        _("复核人"),
    )
    values = ((r.booked_on, kinds[r.kind], r.number, yuan(r.amount_fen), yuan(r.balance_fen), r.invoice, r.reason, r.staff, r.approver) for r in rows)  # fmt: skip
    return workbook.send(_("往来明细"), heads, values)


@blueprint.post("/<int:supplier_id>/adjustments")
@needs(*OWNER)
def adjust_account(supplier_id: int) -> ResponseReturnValue:
    """Correct a balance by hand; another person confirms with their password."""
    supplier = queries.get_supplier(supplier_id)
    try:
        amount_fen = forms.amount("amount", _("调整金额"))
        sign = -1 if request.form.get("direction") == "less" else 1
        reason, document = forms.text("reason", 200), forms.document()
        payables.adjust_account(signin.here(), document, supplier_id, sign * amount_fen, reason, _second())
    except Refusal as refused:
        rows = account_queries.list_entries(supplier_id)
        return render_template(
            "facility/stock/suppliers/account.html", supplier=supplier, rows=rows[:PAGE], following=None, before="", kinds=said(rules.ENTRY_KINDS), error=refused.message,
            form=request.form,
        ), refused.status  # fmt: skip
    return redirect(url_for(".show_account", supplier_id=supplier_id), 303)


def _second() -> int:
    return second_person(request.form.get("approver", ""), request.form.get("approver_password", ""), *JUDGES)


@blueprint.route("/<int:supplier_id>/payments/new", methods=["GET", "POST"])
@needs(*OWNER)
def pay_supplier(supplier_id: int) -> ResponseReturnValue:
    """Book a payment, for matched invoices or on account."""
    supplier = queries.get_supplier(supplier_id)
    if request.method == "GET":
        return _payment_form(supplier, {})
    try:
        draft = PaymentDraft(
            supplier_id, forms.amount("amount", _("付款金额")), forms.day("made_on", _("付款日期")), forms.text("method", 10), forms.text("reference", 60),
            forms.text("note", 200), tuple(forms.ids("invoice")),
        )  # fmt: skip
        payables.pay_supplier(signin.here(), forms.document(), draft)
    except Refusal as refused:
        return _payment_form(supplier, request.form, refused)
    return redirect(url_for(".show_account", supplier_id=supplier_id), 303)


def _payment_form(supplier: Any, typed: Mapping[str, str], refused: Refusal | None = None) -> ResponseReturnValue:
    page = render_template(
        "facility/stock/suppliers/payment_form.html", supplier=supplier, form=typed, ticked=request.values.getlist("invoice"), today=clock.business_date(),
        invoices=account_queries.invoices_to_pay(supplier.id), methods=said(rules.METHODS), error=refused.message if refused else "",
    )  # fmt: skip
    return page, refused.status if refused else 200


# ---- invoices --------------------------------------------------------------------------------------------------------


@blueprint.get("/invoices")
@needs(*OWNER)
def list_invoices() -> ResponseReturnValue:
    """Invoices, newest first: to match, to pay, paid."""
    chosen = forms.arg("state") if forms.arg("state") in FILTERS else "open"
    supplier_id = forms.number(forms.arg("supplier", 20))
    rows = account_queries.list_invoices(FILTERS[chosen], supplier_id, forms.before_moment(forms.arg("before", 90)))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render_template(
        "facility/stock/suppliers/invoices.html", rows=rows[:PAGE], chosen=chosen, supplier_id=supplier_id, states=said(rules.INVOICE_STATES), checks=said(invoice_check.RESULTS),
        following=f"{last.entered_at.isoformat()}_{last.id}" if last else None, before=forms.arg("before", 90),
    )  # fmt: skip


@blueprint.route("/invoices/new", methods=["GET", "POST"])
@needs(*OWNER)
def new_invoice() -> ResponseReturnValue:
    """Note a supplier's invoice."""
    typed = request.form if request.method == "POST" else request.args
    supplier_id = forms.number(typed.get("supplier", ""))
    if request.method == "GET" or supplier_id is None:
        return _invoice_form(supplier_id, {})
    try:
        document = forms.document()
        draft = InvoiceDraft(
            supplier_id, forms.text("number", 30), forms.day("issued_on", _("开票日期")), forms.amount("amount", _("价税合计")),
            forms.amount("tax", _("税额")) if forms.text("tax", 20) else 0, request.form.get("red") == "1", forms.text("note", 200),
        )  # fmt: skip
        payables.note_invoice(signin.here(), document, draft)
    except NotFound:
        raise
    except Refusal as refused:
        return _invoice_form(supplier_id, request.form, refused)
    return redirect(url_for(".show_invoice", invoice_id=document), 303)


def _invoice_form(
    supplier_id: int | None, typed: Mapping[str, str], refused: Refusal | None = None
) -> ResponseReturnValue:
    supplier = queries.get_supplier(supplier_id) if supplier_id else None
    text = forms.arg("q")
    page = render_template(
        "facility/stock/suppliers/invoice_form.html", supplier=supplier, form=typed, q=text, found=queries.find_suppliers(text, limit=20) if text and not supplier else [],
        error=refused.message if refused else "",
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.get("/invoices/<uuid:invoice_id>")
@needs(*OWNER)
def show_invoice(invoice_id: UUID) -> ResponseReturnValue:
    """One invoice: what it stands for, or which receipts it may stand for."""
    return _invoice_page(invoice_id, {})


def _invoice_page(invoice_id: UUID, typed: Mapping[str, str], refused: Refusal | None = None) -> ResponseReturnValue:
    head, entries = account_queries.get_invoice(invoice_id)
    page = render_template(
        "facility/stock/suppliers/invoice.html", invoice=head, entries=entries, states=said(rules.INVOICE_STATES), kinds=said(rules.ENTRY_KINDS),
        open_entries=account_queries.open_entries(head.supplier_id) if head.state == "noted" else [], checks=said(invoice_check.RESULTS), form=typed,
        ticked=forms.numbers("entry"), error=refused.message if refused else "",
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.post("/invoices/<uuid:invoice_id>/matches")
@needs(*OWNER)
def match_invoice(invoice_id: UUID) -> ResponseReturnValue:
    """Say which receipts the invoice stands for; a difference past the site's limit is confirmed by another person."""
    try:
        approver = _second() if request.form.get("approver", "").strip() else None
        payables.match_invoice(signin.here(), invoice_id, forms.numbers("entry"), forms.text("reason", 200), approver)
    except NotFound:
        raise
    except Refusal as refused:
        return _invoice_page(invoice_id, request.form, refused)
    return redirect(url_for(".show_invoice", invoice_id=invoice_id), 303)


@blueprint.post("/invoices/<uuid:invoice_id>/voids")
@needs(*OWNER)
def void_invoice(invoice_id: UUID) -> ResponseReturnValue:
    """Take an invoice back, with a reason."""
    payables.void_invoice(signin.here(), invoice_id, forms.text("reason", 200))
    return redirect(url_for(".show_invoice", invoice_id=invoice_id), 303)
