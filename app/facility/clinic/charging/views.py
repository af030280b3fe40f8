"""收费: who has something to pay, the sheets of a visit, the list of bills. What is looked for travels by POST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.errors import NotFound, Outage, Refusal, Words, words
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.charging import bills, queries, rules
from app.facility.clinic.desk.rules import KINDS
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.views import said
from app.facility.clinic.review import actions as review
from app.facility.clinic.review import rules as review_rules
from app.facility.stock.suppliers.forms import before_moment
from app.facility.till import shifts
from app.national import codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_charging", __name__, url_prefix="/clinic/charging")
CASHIERS = ("clerk", "owner", "doctor")
ROOM = "clinic_charging.show"
PAGES = ("clinic_charging.", "clinic_packages.", "clinic_bills.", "clinic_bill_refunds.", "clinic_bill_prints.")
BY_PHARMACIST = {
    "SIGNED": words("等药师审方"),
    "RETURNED": words("审方退回，等医师修改"),
    "REFUSED": words("审方不通过"),
}
PAID = {"CHARGED": words("已收费"), "DISPENSING": words("已收费，正在发药"), "DONE": words("已完成")}


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_room(app, ROOM, "wallet", "收费", CASHIERS, 8, PAGES, kind="clinic")
    shell.add_page(app, ROOM, ROOM, "待收费", CASHIERS, 10)
    shell.add_page(app, ROOM, "clinic_charging.list_bills", "收费单", CASHIERS, 20)


# ---- who has something to pay --------------------------------------------------------------------------------------


@blueprint.route("", methods=["GET", "POST"])
@needs(*CASHIERS)
def show() -> ResponseReturnValue:
    """Visits of today with something to pay, or older ones; or those that fit a number, a ticket or a patient."""
    desk, typed = signin.here(), forms.text("q", 60)
    shift = shifts.find_current(desk)
    common = {"q": typed, "shift": shift, "today": clock.business_date(), "sexes": said(patient_rules.SEXES), "age_of": age_of, "terminal": desk.terminal}  # fmt: skip
    if request.method == "POST" and typed:
        found = queries.find_visits(desk.facility_id, typed)
        if len(found) == 1 and found[0].sheets:
            return redirect(url_for(".show_visit", visit_id=found[0].id), 303)
        return render_template("facility/clinic/charging/charging.html", rows=found, looked=True, which="", following=None, after="", **common)  # fmt: skip
    after, which = forms.arg("after", 90), "older" if forms.arg("list", 10) == "older" else "today"
    rows = queries.list_waiting(desk.facility_id, which, before_moment(after))
    following = None
    if len(rows) > queries.PAGE:
        rows = rows[: queries.PAGE]
        following = f"{rows[-1].since.isoformat()}_{rows[-1].id}"
    return render_template("facility/clinic/charging/charging.html", rows=rows, looked=False, which=which, following=following, after=after, **common)  # fmt: skip


# ---- the sheets of a visit -----------------------------------------------------------------------------------------


@blueprint.get("/visits/<uuid:visit_id>")
@needs(*CASHIERS)
def show_visit(visit_id: UUID) -> ResponseReturnValue:
    """The visit's sheets; those that can be paid are ticked. The doctor's desk leads here (诊间结算)."""
    return _visit(visit_id)


@blueprint.post("/visits/<uuid:visit_id>/bills")
@needs(*CASHIERS)
def open_bill(visit_id: UUID) -> ResponseReturnValue:
    """Put the ticked sheets on a bill; an insured one is previewed in the same step."""
    desk, bill_id, insured = signin.here(), forms.document(), forms.text("paid", 10) == "insured"
    try:
        bills.open_bill(desk, bill_id, visit_id, _ticked(), insured=insured, packages=_packages())
    except Refusal as refused:
        if refused.status == 404:
            raise
        return _visit(visit_id, refused)
    if insured:
        preview_or_say(bill_id)
    return redirect(url_for("clinic_bills.show", bill_id=bill_id), 303)


@blueprint.post("/visits/<uuid:visit_id>/sheets/<uuid:sheet_id>/emergencies")
@needs("doctor", "owner")
def let_through(visit_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    """Let the sheet of an emergency be charged before a pharmacist saw it, where the person waits to pay (急诊先行)."""
    desk = signin.here()
    if sheet_id not in {row.id for row in queries.list_sheets(desk.facility_id, visit_id)}:
        raise NotFound
    try:
        number = review.let_through(desk, forms.document(), sheet_id, forms.text("note", review_rules.MOST_NOTE))
    except Refusal as refused:
        return _visit(visit_id, refused)
    flash(_("%(number)s：%(result)s", number=number, result=review_rules.RESULTS["EMERGENCY"].shown), "ok")
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


def preview_or_say(bill_id: UUID) -> None:
    """Ask the center for the split; what speaks against it is said on the next page, the bill stays as it is."""
    try:
        bills.preview_bill(signin.here(), bill_id)
    except Refusal as refused:
        flash(refused.message, "warn")
    except Outage:
        flash(_("医保中心现在没有回答。稍后按 F8 再算，或与患者商量改自费；没有收款。"), "warn")


def _ticked() -> list[UUID]:
    found = [forms.uuid_or_none(typed) for typed in request.form.getlist("sheet")[:50]]
    return [one for one in found if one is not None]


def _packages() -> list[int]:
    found = [forms.number(typed) for typed in request.form.getlist("package")[:20]]
    return sorted({one for one in found if one is not None})


def _visit(visit_id: UUID, refused: Refusal | None = None) -> ResponseReturnValue:
    desk = signin.here()
    visit = queries.get_visit(desk.facility_id, visit_id)
    today = clock.business_date()
    page = render_template(
        "facility/clinic/charging/visit.html", visit=visit, sheets=[sheet_part(row, today) for row in queries.list_sheets(desk.facility_id, visit_id)],
        bills=queries.bills_of(desk.facility_id, visit_id), states=said_words(rules.STATES), insured=bool(visit.mdtrt_id and visit.identification_id),
        insurance=codes.name("insutype", visit.insutype or ""), sexes=said(patient_rules.SEXES), age=age_of(visit.born_on, today),
        may_let=signin.me().has("doctor", "owner"), packages=queries.list_fitting(desk.facility_id, visit_id), error=refused.message if refused else "", ticked=request.form.getlist("sheet") if refused else None,
    )  # fmt: skip
    return page, refused.status if refused else 200


def sheet_part(row: Any, today: Any) -> dict[str, Any]:
    """A sheet as the cashier sees it: what it is, and whether it can be paid now or why not."""
    why = ""
    if row.bill_id and row.state == "PASSED":
        why = _("在收费单 %(bill)s 上", bill=row.bill)
    elif row.state in BY_PHARMACIST:
        why = BY_PHARMACIST[row.state].shown
    elif row.state in PAID:
        why = PAID[row.state].shown
    elif row.state == "OUT":
        why = _("已外配，患者到药店取药")
    elif row.valid_until < today:
        why = _("已过有效期，请医师重新开具")
    names = _("、").join(row.names[:4]) + (" …" if len(row.names) > 4 else "")
    return {
        "id": str(row.id), "number": row.number, "kind": _(KINDS[row.kind]), "tag": row.tag, "doctor": row.doctor, "signed_at": row.signed_at, "count": row.lines,
        "total_fen": row.total_fen, "self_paid_fen": row.self_paid_fen, "names": names, "why": why, "bill_id": row.bill_id, "doses": row.doses,
        "paid": row.state in PAID, "urgent": row.state == "SIGNED" and row.tag == "emergency",
    }  # fmt: skip


def said_words(table: Mapping[str, Words]) -> dict[str, str]:
    """Words of a table of sentences in the reader's language."""
    return {code: word.shown for code, word in table.items()}


# ---- bills ---------------------------------------------------------------------------------------------------------


@blueprint.get("/bills")
@needs(*CASHIERS)
def list_bills() -> ResponseReturnValue:
    """The facility's bills: open, paid, or taken back; the newest first."""
    desk, before = signin.here(), forms.arg("before", 90)
    which = forms.arg("list", 10)
    which = which if which in queries.LISTS else "open"
    rows: Sequence[Any] = queries.list_bills(desk.facility_id, which, before_moment(before))
    following = None
    if len(rows) > queries.PAGE:
        rows = rows[: queries.PAGE]
        following = f"{rows[-1].opened_at.isoformat()}_{rows[-1].id}"
    return render_template(
        "facility/clinic/charging/bills.html", rows=rows, which=which, names={"open": _("待收、核对中"), "settled": _("已收费"), "back": _("已退、已取消")},
        states=said_words(rules.STATES), following=following, before=before,
    )  # fmt: skip
