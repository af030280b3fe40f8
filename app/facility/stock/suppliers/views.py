"""The pages of suppliers: the list, one supplier with papers and approvals, and its file being written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.organizations import parameters
from app.facility.stock.suppliers import (
    account_queries,
    actions,
    approval_queries,
    approvals,
    forms,
    paper_queries,
    queries,
    rules,
)
from app.facility.stock.suppliers.actions import SupplierDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_suppliers", __name__, url_prefix="/stock/suppliers")
blueprint.before_request(forms.real_ids)
STAFF = ("clerk", "pharmacist", "owner")
JUDGES = ("pharmacist", "owner")
ROOM = "purchase_orders.list_orders"
FIELDS = ("name", "credit_code", "code", "scope", "address", "contact", "phone", "bank", "account", "note")


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "purchase_suppliers.list_suppliers", "供应商", STAFF, 30)


def said(table: Mapping[str, str]) -> dict[str, str]:
    """Words of a table in the reader's language."""
    return {code: _(word) for code, word in table.items()}


@blueprint.get("")
@needs(*STAFF)
def list_suppliers() -> ResponseReturnValue:
    """Suppliers by name: state, soonest paper, what we owe."""
    today, steps = clock.business_date(), parameters.here().steps_of("licence_warning_days")
    state, due = forms.arg("state"), forms.arg("due") == "1"
    state = state if state in rules.STATES else ""
    until = today + timedelta(days=steps[0]) if due else None
    rows = queries.list_suppliers(forms.arg("q"), state, until, forms.after_name(forms.arg("after", 240)))
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    return render_template(
        "facility/stock/suppliers/suppliers.html", rows=rows[: queries.PAGE], q=forms.arg("q"), state=state, due=due, today=today, steps=steps,
        following=f"{last.pinyin}~{last.id}" if last else None, after=forms.arg("after", 240), states=said(rules.STATES),
    )  # fmt: skip


@blueprint.get("/<int:supplier_id>")
@needs(*STAFF)
def show_supplier(supplier_id: int) -> ResponseReturnValue:
    """One supplier: what stands against buying, the file, papers, approvals, and for the owner the account."""
    today, owner = clock.business_date(), signin.me().has("owner")
    supplier = queries.get_supplier(supplier_id)
    papers = paper_queries.list_of_owner("supplier", supplier_id)
    current = [rules.Paper(p.kind, p.number, p.valid_from, p.valid_until) for p in papers if p.ended_at is None]
    return render_template(
        "facility/stock/suppliers/supplier.html", supplier=supplier, papers=papers, today=today, steps=parameters.here().steps_of("licence_warning_days"),
        problems=rules.together(rules.paper_problems(supplier.name, current, supplier.scope_codes, today)).shown, approvals=approval_queries.history_of(supplier_id=supplier_id),
        entries=account_queries.list_entries(supplier_id, most=6) if owner else [], states=said(rules.STATES), scopes=said(rules.SCOPES),
        kinds=said(rules.kinds_of("supplier")), entry_kinds=said(rules.ENTRY_KINDS), may_judge=signin.me().has(*JUDGES), may_see_money=owner,
        due=supplier.state == "approved" and supplier.review_due_on < today,
    )  # fmt: skip


@blueprint.route("/new", methods=["GET", "POST"])
@needs(*STAFF)
def new_supplier() -> ResponseReturnValue:
    """Open a supplier's file."""
    if request.method == "GET":
        return _form(None, {})
    try:
        supplier_id = actions.add_supplier(signin.here(), forms.document(), _draft())
    except Refusal as refused:
        return _form(None, request.form, refused)
    return redirect(url_for(".show_supplier", supplier_id=supplier_id), 303)


@blueprint.route("/<int:supplier_id>/edit", methods=["GET", "POST"])
@needs(*STAFF)
def edit_supplier(supplier_id: int) -> ResponseReturnValue:
    """Change a supplier's file; what had been approved then waits anew."""
    supplier = queries.get_supplier(supplier_id)
    if request.method == "GET":
        return _form(supplier, {})
    try:
        version = forms.number(forms.text("version", 9))
        if version is None:
            raise WrongInput(what=_("供应商"), why=_("页面不完整，请刷新后重填"))
        actions.change_supplier(signin.here(), supplier_id, version, _draft())
    except Refusal as refused:
        return _form(supplier, request.form, refused)
    return redirect(url_for(".show_supplier", supplier_id=supplier_id), 303)


def _form(supplier: Any, typed: Mapping[str, str], refused: Refusal | None = None) -> ResponseReturnValue:
    shown = {name: typed.get(name, "") for name in FIELDS}
    ticked = forms.codes("scope_codes", rules.SCOPES)
    if supplier and not typed:
        shown |= {name: getattr(supplier, name) for name in ("name", "credit_code", "code", "scope", "address", "note")}
        ticked = tuple(supplier.scope_codes)
    page = render_template(
        "facility/stock/suppliers/supplier_form.html", supplier=supplier, form=shown, ticked=ticked, scopes=said(rules.SCOPES),
        error=refused.message if refused else "", document=typed.get("document", ""), version=typed.get("version") or (supplier.version if supplier else ""),
    )  # fmt: skip
    return page, refused.status if refused else 200


def _draft() -> SupplierDraft:
    values = {name: forms.text(name) for name in FIELDS}
    return SupplierDraft(**values, scope_codes=forms.codes("scope_codes", rules.SCOPES))


@blueprint.post("/<int:supplier_id>/approvals")
@needs(*STAFF)
def ask_approval(supplier_id: int) -> ResponseReturnValue:
    """Send a supplier for first approval, or for its yearly re-check."""
    approvals.ask_supplier(signin.here(), forms.document(), supplier_id, forms.text("note", 200))
    return redirect(url_for(".show_supplier", supplier_id=supplier_id), 303)


@blueprint.post("/<int:supplier_id>/suspensions")
@needs(*JUDGES)
def suspend_supplier(supplier_id: int) -> ResponseReturnValue:
    """Stop buying from a supplier, with a reason."""
    actions.suspend_supplier(signin.here(), supplier_id, forms.text("reason", 200))
    return redirect(url_for(".show_supplier", supplier_id=supplier_id), 303)


@blueprint.post("/<int:supplier_id>/resumptions")
@needs(*JUDGES)
def resume_supplier(supplier_id: int) -> ResponseReturnValue:
    """Take a suspended supplier back; it waits for approval."""
    actions.resume_supplier(signin.here(), supplier_id)
    return redirect(url_for(".show_supplier", supplier_id=supplier_id), 303)
