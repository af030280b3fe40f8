"""The till's pages: shifts, drawer, receipts, and the prescriptions a pharmacist reviews."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.barcodes import qr_svg
from app.core.errors import NotFound, WrongInput
from app.core.money import yuan_to_fen
from app.core.personal import mask_name
from app.core.signin import needs
from app.core.web import show_price
from app.facility.insurance import identify, reading
from app.facility.till import prescriptions, receipts, shifts
from app.facility.till.errors import DifferenceUnexplained, NoOpenShift, PrescriptionIncomplete, PrescriptionKnown
from app.national import codes

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("till", __name__, url_prefix="/till")
SELLERS = ("clerk", "pharmacist", "owner")
CASHIERS = (*SELLERS, "doctor")  # A doctor may take the money at the desk (诊间结算).
STATES = ("pending", "passed", "refused", "used", "void")


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    pages = ("till.list_prescriptions", "till.enter_prescription", "till.review_prescription", "till_outflow.")
    shell.add_room(cast("Flask", state.app), "till.list_prescriptions", "prescription", "处方", SELLERS, 40, pages)


# ---- shifts --------------------------------------------------------------------------------------------------------


@blueprint.post("/shifts")
@needs(*CASHIERS)
def open_shift() -> ResponseReturnValue:
    """Open the shift with what lies in the drawer."""
    shifts.open_shift(signin.here(), _document(), yuan_to_fen(request.form.get("float", ""), _("备用金")))
    return redirect(_afterwards(), 303)


@blueprint.route("/shifts/current/closing", methods=["GET", "POST"])
@needs(*CASHIERS)
def close_shift() -> ResponseReturnValue:
    """Count first, then see the difference, explain it, close."""
    desk = signin.here()
    found = shifts.summary(desk)
    if found is None:
        raise NoOpenShift
    if request.method == "GET":
        return render_template("facility/till/closing.html", **_closing(found, None))
    try:
        counted = yuan_to_fen(request.form.get("counted", ""), _("数得现金"))
    except WrongInput as wrong:
        typed = request.form.get("counted", "")[:20]
        return render_template(
            "facility/till/closing.html", error=wrong.message, typed=typed, **_closing(found, None)
        ), 422
    if request.form.get("confirm") != "1":
        return render_template("facility/till/closing.html", **_closing(found, counted))
    try:
        shifts.close_shift(desk, counted, request.form.get("reason", "").strip()[:200])
        identify.sign_out(desk)
    except DifferenceUnexplained as unexplained:
        return render_template("facility/till/closing.html", error=unexplained.message, **_closing(found, counted)), 422
    return redirect(_afterwards(), 303)


def _afterwards() -> str:
    """The page of ours that was asked for, else where this person sells."""
    then = request.form.get("then", "")
    if re.fullmatch(r"(/[A-Za-z0-9_-]+)+", then):
        return then
    return url_for("counter.show" if signin.me().has(*SELLERS) else "shell.home")


@blueprint.post("/drawer-movements")
@needs(*CASHIERS)
def move_drawer() -> ResponseReturnValue:
    """Put money into the drawer or take it out, with a reason."""
    amount = yuan_to_fen(request.form.get("amount", ""))
    reason = request.form.get("reason", "").strip()[:100]
    if not amount or not reason:
        raise WrongInput(what=_("抽屉进出"), why=_("金额和事由都要填"))
    shifts.move_drawer(signin.here(), _document(), amount if request.form.get("direction") == "in" else -amount, reason)
    return redirect(url_for(".close_shift"), 303)


def _closing(found: Any, counted: int | None) -> dict[str, Any]:
    shift, totals, kinds, moves = found
    words = _tender_words()
    expected = totals.expected_fen
    tenders = [{"label": _("现金（含备用金）"), "expected_fen": expected, "counted_fen": counted}]
    tenders += [
        {"label": words[row.kind], "expected_fen": row.amount_fen, "counted_fen": None}
        for row in kinds
        if row.kind != "cash"
    ]
    return {
        "shift": {"opened_at": shift.opened_at, "terminal": signin.here().terminal, "float_fen": totals.float_fen, "sales": totals.sales, "refunds": totals.refunds},
        "counted_fen": counted,
        "movements": [{"at": row.at, "label": row.reason, "amount_fen": row.amount_fen, "by": mask_name(row.staff)} for row in moves],
        "tenders": tenders, "expected_fen": expected, "difference_fen": (counted or 0) - expected,
    }  # fmt: skip


def _tender_words() -> dict[str, str]:
    return {
        "cash": _("现金"), "bank": _("银行卡"), "wechat": _("微信"), "alipay": _("支付宝"), "fund": _("统筹基金"), "account": _("个人账户"), "mutual": _("共济账户"),
    }  # fmt: skip


# ---- receipts ------------------------------------------------------------------------------------------------------


@blueprint.get("/receipts/<uuid:sale_id>")
@needs(*SELLERS)
def show_receipt(sale_id: UUID) -> ResponseReturnValue:
    """The receipt as it is printed; looking at it is not printing."""
    return _receipt(sale_id, auto=False)


@blueprint.post("/receipts/<uuid:sale_id>/prints")
@needs(*SELLERS)
def print_receipt(sale_id: UUID) -> ResponseReturnValue:
    """Print a receipt: counted, and marked as a reprint from the second on (补打)."""
    size = request.values.get("size", "80")
    receipts.note_print(signin.here(), sale_id, size if size in receipts.SIZES else "80")
    return _receipt(sale_id, auto=True)


@blueprint.get("/receipts/<uuid:sale_id>/center")
@needs(*SELLERS)
def check_with_center(sale_id: UUID) -> ResponseReturnValue:
    """What the center holds of this sale's settlement (5203), beside what we hold."""
    desk = signin.here()
    head, *_rest = receipts.get_sale(desk, sale_id)
    found = reading.read_settlement(desk, head) if head.setl_id else None
    return render_template("facility/till/center_check.html", sale=head, found=found)


def _receipt(sale_id: UUID, *, auto: bool) -> ResponseReturnValue:
    size = request.values.get("size", "80")
    head, lines, tenders, printed = receipts.get_sale(signin.here(), sale_id)
    if head.state != "settled":  # What was not paid has no receipt, and none may be handed out.
        raise NotFound
    shown = _shown_receipt(head, lines, tenders)
    return render_template(
        "facility/till/receipt.html",
        receipt=shown,
        size=size if size in receipts.SIZES else "80",
        auto=auto,
        print_no=printed,
    )


def _shown_receipt(head: Any, lines: list[Any], tenders: list[Any]) -> dict[str, Any]:
    words = _tender_words()
    own = [
        (words[row.kind], row.amount_fen)
        for row in tenders
        if row.kind in {"bank", "wechat", "alipay"} and row.amount_fen > 0
    ]
    received = sum(tender["amount_fen"] for tender in head.tendered if tender["kind"] == "cash")
    proof = bytes(head.stream_hash).hex() if head.stream_hash else ""
    rx = next((line for line in lines if line.rx_number), None)
    return {
        "id": head.id, "kind": "sale", "facility_name": head.facility, "facility_code": head.national_code, "receipt": head.receipt, "original": None, "at": head.settled_at,
        "cashier": f"{mask_name(head.staff)}", "terminal": _("%(n)s 号台", n=head.terminal),
        "person": {"masked_name": head.shown["masked_name"], "type_label": codes.name("psn_type", head.shown["psn_type"]) or ""} if head.shown else None,
        "prescription": _("%(number)s · 审方 %(who)s", number=rx.rx_number, who=mask_name(rx.reviewer_name or "")) if rx else None,
        "lines": [_receipt_line(line) for line in lines], "codes_have": sum(line.codes for line in lines), "codes_need": sum(line.codes for line in lines),
        "total_fen": head.total_fen, "off_fen": sum((line.described.get("discount") or {}).get("off_fen", 0) for line in lines), "invoice": head.invoice, "split": _receipt_split(head.money) if head.money else None, "tenders": own,
        "received_fen": received, "change_fen": max(0, received - (head.cash_fen or 0)) if received else None,
        "fund_used_fen": (head.shown or {}).get("fund_used_fen", 0) + (head.money or {}).get("pooled_fen", 0),
        "proof_number": head.stream_number or 0, "proof_hash": f"{proof[:4]} {proof[4:8]}", "qr": qr_svg(f"SUNMED:{head.national_code}:{head.receipt}:{head.stream_number or 0}:{proof[:16]}", margin=0),
    }  # fmt: skip


def _receipt_line(line: Any) -> dict[str, Any]:
    about = line.described
    size = 1 if line.split else about["pack_size"]
    share = (
        f" {float(about['selfpay_share']) * 100:g}%"
        if about.get("selfpay_share") and about.get("insurance_class") == "B"
        else ""
    )
    return {
        "product_name": about["name"], "spec": about["spec"], "maker": about["maker"], "lot_no": "、".join(lot["lot_number"] for lot in line.lots or []),
        "unit_price": show_price(line.price), "quantity": line.quantity // size, "unit_name": about["unit"],
        "class_label": {"A": _("甲"), "B": _("乙"), "C": _("丙")}.get(about.get("insurance_class", ""), "") + share if line.rx_number else _("自选"),
        "amount_fen": line.amount_fen, "list_price": show_price(Decimal(said["list_price"])) if (said := about.get("discount")) else "",
        "off_fen": said["off_fen"] if said else 0, "near": about.get("near", ""),
    }  # fmt: skip


def _receipt_split(money: dict[str, Any]) -> dict[str, Any]:
    return {
        "full": money["full_fen"], "pre": money["pre_fen"], "over": money["over_fen"], "in_scope": money["in_scope_fen"], "deductible": money["deductible_fen"],
        "fund": money["pooled_fen"], "other_funds": money["other_funds_fen"], "account": money["account_fen"], "mutual": money["mutual_fen"], "cash": money["cash_fen"],
        "ratio": f"{float(money.get('ratio') or 0) * 100:g}%", "policy_name": (money.get("policy") or {}).get("name", ""), "balance_after_fen": money["balance_after_fen"],
    }  # fmt: skip


# ---- prescriptions -------------------------------------------------------------------------------------------------


@blueprint.get("/prescriptions")
@needs(*SELLERS)
def list_prescriptions() -> ResponseReturnValue:
    """The queue of prescriptions: to review, passed, refused, used."""
    desk = signin.here()
    state = request.args.get("state", "pending")
    state = state if state in STATES else "pending"
    rows = prescriptions.list_prescriptions(desk.facility_id, state, _before(request.args.get("before", "")))
    more = len(rows) > prescriptions.PAGE
    rows = rows[: prescriptions.PAGE]
    following = f"{rows[-1].entered_at.isoformat()}_{rows[-1].id}" if more else None
    may_review = signin.me().has("pharmacist")
    return render_template(
        "facility/till/prescriptions.html",
        rows=rows,
        state=state,
        following=following,
        may_review=may_review,
        my_id=desk.staff_id,
    )


@blueprint.route("/prescriptions/new", methods=["GET", "POST"])
@needs(*SELLERS)
def enter_prescription() -> ResponseReturnValue:
    """Enter a paper prescription and send it to review."""
    form = request.form
    if request.method == "GET":
        return render_template(
            "facility/till/prescription_new.html", form={}, lines=[], error="", today=clock.business_date()
        )
    try:
        paper = prescriptions.Paper(
            form.get("number", ""), form.get("patient", ""), form.get("doctor", ""), form.get("institution", ""), _day(form.get("issued_on", "")),
            form.get("diagnosis", "")[:200], form.get("patient_certno", "").strip().upper()[:18],
        )  # fmt: skip
        prescriptions.enter_prescription(signin.here(), _document(), paper, _wanted())
    except (PrescriptionIncomplete, PrescriptionKnown, WrongInput) as incomplete:
        return render_template(
            "facility/till/prescription_new.html",
            form=form,
            lines=_typed_lines(),
            error=incomplete.message,
            today=clock.business_date(),
        ), incomplete.status
    return redirect(url_for(".list_prescriptions"), 303)


@blueprint.post("/prescriptions/<uuid:prescription_id>/review")
@needs("pharmacist")
def review_prescription(prescription_id: UUID) -> ResponseReturnValue:
    """Pass or refuse a prescription."""
    me = signin.me()
    passed = request.form.get("result") == "pass"
    prescriptions.review_prescription(
        signin.here(), prescription_id, me.masked_name, passed=passed, note=request.form.get("note", "")[:500]
    )
    return redirect(url_for(".list_prescriptions"), 303)


def _wanted() -> list[prescriptions.Wanted]:
    found = []
    for line in _typed_lines():
        typed = line["product"] + line["packs"]
        whole = typed.isascii() and line["product"].isdigit() and line["packs"].isdigit()
        if not whole or len(line["product"]) > 17 or len(line["packs"]) > 4:
            raise PrescriptionIncomplete(why=_("药品或数量没有选对"))
        found.append(prescriptions.Wanted(int(line["product"]), int(line["packs"]), line["dosage"]))
    return found


def _typed_lines() -> list[dict[str, str]]:
    form = request.form
    names = form.getlist("product"), form.getlist("product_name"), form.getlist("packs"), form.getlist("dosage")
    rows = zip(*names, strict=False)
    return [
        {"product": row[0].strip(), "name": row[1], "packs": row[2].strip(), "dosage": row[3]}
        for row in rows
        if row[0].strip()
    ][:20]


def _document() -> UUID:
    try:
        return UUID(request.form.get("document", ""))
    except ValueError as wrong:
        raise WrongInput(what=_("单据"), why=_("页面不完整，请刷新后重填")) from wrong


def _day(text: str) -> date:
    """A day typed as 2026-11-22, 20261122 or 1122 (this year)."""
    digits = re.sub(r"\D", "", text)
    if len(digits) == 4:
        digits = f"{clock.business_date().year}{digits}"
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError as wrong:
        raise WrongInput(what=_("日期"), why=_("请写成 2026-11-22 或 1122")) from wrong


def _before(text: str) -> Any:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, str(UUID(last))) if moment.tzinfo else None
    except ValueError:
        return None
