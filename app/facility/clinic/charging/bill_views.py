"""One bill at the cashier: who pays, the split, the settlement, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import signin
from app.core.approval import second_person
from app.core.errors import DocumentChanged, NotFound, Outage, Refusal
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.charging import bills, queries, screens, settling
from app.facility.clinic.charging.views import CASHIERS, preview_or_say
from app.facility.insurance import identify, machine
from app.facility.till.typed import tenders_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_bills", __name__, url_prefix="/clinic/charging/bills")


@blueprint.get("/<uuid:bill_id>")
@needs(*CASHIERS)
def show(bill_id: UUID) -> ResponseReturnValue:
    """A bill and where it stands; asks by itself while the center has not said yet."""
    return _page(bill_id)


@blueprint.post("/<uuid:bill_id>/card")
@needs(*CASHIERS)
def read_card(bill_id: UUID) -> ResponseReturnValue:
    """Read the patient's card (again): insurance pays, and the split is asked for."""

    def act() -> None:
        desk, form = signin.here(), request.form
        queries.look_at_bill(desk, bill_id)
        how = form.get("how", "typed") if form.get("how") in {"typed", "card", "ecert"} else "typed"
        buyer = form.get("buyer", "self") if form.get("buyer") in {"self", "agent", "guardian"} else "self"
        agent = {
            "name": form.get("agent_name", ""), "certno": form.get("agent_certno", ""), "relation": form.get("agent_relation", "")[:20],
            "phone": "".join(form.get("agent_phone", "")[:40].split()).replace("-", ""), "reason": buyer,
        }  # fmt: skip
        read = identify.identify(desk, uuid4(), form.get("text", "")[:200], how, buyer, agent)
        bills.pay_by(desk, bill_id, read)
        preview_or_say(bill_id)

    return _done(bill_id, act)


@blueprint.post("/<uuid:bill_id>/payer")
@needs(*CASHIERS)
def choose_payer(bill_id: UUID) -> ResponseReturnValue:
    """The patient pays alone, or insurance by the card the visit was registered with."""

    def act() -> None:
        desk = signin.here()
        bill, *_rest = queries.look_at_bill(desk, bill_id)
        insured = forms.text("paid", 10) == "insured"
        bills.pay_by(desk, bill_id, bill.visit_identification if insured else None)
        if insured and bill.visit_identification:
            preview_or_say(bill_id)

    return _done(bill_id, act)


@blueprint.post("/<uuid:bill_id>/person")
@needs(*CASHIERS)
def decide_person(bill_id: UUID) -> ResponseReturnValue:
    """Say that person and credential match, that it goes on for a reason, or that insurance stops here."""

    def act() -> None:
        desk, form = signin.here(), request.form
        bill, *_rest = queries.look_at_bill(desk, bill_id)
        row = identify.get(desk, bill.identification_id) if bill.paid == "insured" else None
        if row is None:
            raise NotFound
        if form.get("decision") == "blocked":
            identify.block(desk, row.id, form.get("reason_code", "")[:40] or "blocked")
            bills.pay_by(desk, bill_id, None)
            flash(_("已停止医保结算并记录；可改为自费。"), "stop")
            return
        if identify.band_of(desk, row.identity) == "hold":
            second_person(form.get("approver", "")[:60], form.get("approver_password", ""), "owner", "pharmacist")
        identify.confirm_match(desk, row.id, form.get("reason_code", "")[:40] or "document_seen")

    return _done(bill_id, act)


@blueprint.post("/<uuid:bill_id>/preview")
@needs(*CASHIERS)
def preview(bill_id: UUID) -> ResponseReturnValue:
    """Ask the center who would pay what (F8)."""
    return _done(bill_id, lambda: bills.preview_bill(signin.here(), bill_id, account=forms.text("account", 2) != "0"))


@blueprint.post("/<uuid:bill_id>/settlement")
@needs(*CASHIERS)
def settle(bill_id: UUID) -> ResponseReturnValue:
    """Settle (F9): once, however often it is pressed, and whoever presses."""

    def act() -> str:
        tenders, version = tenders_of(request.form.get("tenders", "[]")), forms.number(forms.text("version", 9)) or 0
        consent = forms.text("consent", 2) == "1"
        return settling.settle_bill(signin.here(), bill_id, version, tenders, consent=consent).kind

    return _done(bill_id, act)


@blueprint.post("/<uuid:bill_id>/surrender")
@needs(*CASHIERS)
def give_up(bill_id: UUID) -> ResponseReturnValue:
    """Give a settlement up whose outcome is unknown: whatever the center did is taken back, then the bill is open again."""
    desk = signin.here()
    if settling.find_outcome(desk, bill_id).kind == "unknown":
        machine.give_up(desk.tenant_id, bill_id)
    return redirect(url_for(".show", bill_id=bill_id), 303)


@blueprint.post("/<uuid:bill_id>/cancellation")
@needs(*CASHIERS)
def cancel(bill_id: UUID) -> ResponseReturnValue:
    """Cancel an open bill: its sheets are free again."""
    desk = signin.here()
    bill, *_rest = queries.look_at_bill(desk, bill_id)
    try:
        bills.cancel_bill(desk, bill_id, forms.number(forms.text("version", 9)) or 0)
    except Refusal as refused:
        return _refused(bill_id, refused)
    flash(_("收费单 %(number)s 已取消，单子可以重新收费，医师也可以修改。", number=bill.number), "info")
    return redirect(url_for("clinic_charging.show_visit", visit_id=bill.visit_id), 303)


# ---- parts ---------------------------------------------------------------------------------------------------------


def _done(bill_id: UUID, act: Callable[[], object]) -> ResponseReturnValue:
    """Do it and show the bill; what is refused is said above the newest state of the bill."""
    try:
        ended = act()
    except DocumentChanged:
        return _page(bill_id, _("这张单刚在另一台收了。页面已换成最新的，请核对，不要再收一次。"), 409)
    except Outage:
        return _page(bill_id, _("医保中心现在没有回答，什么都没有改变。请稍候再试，或与患者商量改自费。"), 503)
    except Refusal as refused:
        return _refused(bill_id, refused)
    return redirect(url_for(".show", bill_id=bill_id, paid=1 if ended == "settled" else None), 303)


def _refused(bill_id: UUID, refused: Refusal) -> ResponseReturnValue:
    if refused.status == 404:
        raise refused
    return _page(bill_id, refused.message, refused.status)


def _page(bill_id: UUID, error: str = "", status: int = 200) -> tuple[str, int]:
    page: dict[str, Any] = screens.bill_page(signin.here(), bill_id)
    fresh = request.method == "GET" and bool(forms.arg("paid", 1)) and page["bill"]["state"] == "settled"
    return render_template("facility/clinic/charging/bill.html", error=error, just_settled=fresh, **page), status
