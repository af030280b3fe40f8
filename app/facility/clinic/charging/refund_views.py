"""Money goes back: which lines, how much to each payer, who agrees, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import signin
from app.core.approval import second_person
from app.core.errors import Outage, Refusal, WrongInput
from app.core.personal import mask_name
from app.core.signin import needs
from app.core.web import show_price
from app.facility.clinic import forms
from app.facility.clinic.charging import queries, refunds, rules, screens
from app.facility.clinic.charging.refund_plans import Back, refundable, size_of, unit_of
from app.facility.clinic.charging.views import CASHIERS, said_words

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from app.facility.till.tenders import Tender

blueprint = Blueprint("clinic_bill_refunds", __name__, url_prefix="/clinic/charging")


@blueprint.get("/bills/<uuid:bill_id>/refunds/new")
@needs(*CASHIERS)
def new(bill_id: UUID) -> ResponseReturnValue:
    """Choose what of a bill goes back (F6)."""
    return _form(bill_id)


@blueprint.post("/bills/<uuid:bill_id>/refunds/preview")
@needs(*CASHIERS)
def preview(bill_id: UUID) -> ResponseReturnValue:
    """What each would get back; nothing is changed by it (F8)."""
    net = refunds.net_of(signin.here(), forms.document(), bill_id, _back())
    return render_template("facility/counter/_refund_net.html", net=_net(net), for_patient=True)


@blueprint.post("/bills/<uuid:bill_id>/refunds")
@needs(*CASHIERS)
def make(bill_id: UUID) -> ResponseReturnValue:
    """Give it back (F9)."""
    desk, document, form = signin.here(), forms.document(), request.form
    try:
        approver = None
        if form.get("approver", "").strip():
            approver = second_person(form["approver"][:60], form.get("approver_password", ""), "owner", "pharmacist")
        refunds.refund_bill(desk, document, bill_id, forms.text("reason", 40), _back(), approver)
    except Refusal as refused:
        if refused.status == 404:
            raise
        return _form(bill_id, refused.message, refused.status)
    except Outage:
        return _form(bill_id, _("医保中心现在没有回答，还没有退费。请稍候再试。"), 503)
    return redirect(url_for(".show", bill_refund_id=document), 303)


@blueprint.get("/refunds/<uuid:bill_refund_id>")
@needs(*CASHIERS)
def show(bill_refund_id: UUID) -> ResponseReturnValue:
    """A refund and where it stands; asks by itself while the center has not said yet."""
    refund, lines, tenders = queries.get_refund(signin.here(), bill_refund_id)
    return render_template(
        "facility/clinic/charging/refunded.html", refund=refund, lines=[gone_part(line) for line in lines], reason=rules.REASONS[refund.reason].shown,
        tenders=[(screens.means_words()[row.kind], row.amount_fen, row.kind) for row in tenders], approver=mask_name(refund.approver) if refund.approver else "",
        self_paid=refund.reversed_setl_id and not refund.new_setl_id and not refund.whole,
    )  # fmt: skip


# ---- parts ---------------------------------------------------------------------------------------------------------


def _form(bill_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    bill, about, rows = queries.look_at_refundable(signin.here(), bill_id)
    page = render_template(
        "facility/clinic/charging/refund.html", bill=screens.bill_part(bill, about), lines=[_line(row) for row in rows], reasons=list(said_words(rules.REASONS).items()),
        error=error, chosen=forms.text("reason", 40), document=request.form.get("document", "")[:36], typed=request.form,
    )  # fmt: skip
    return page, status


def _line(row: Any) -> dict[str, Any]:
    size = size_of(row)
    about = row.described
    return {
        "line_no": row.line_no, "sheet": row.sheet, "name": about["name"], "spec": about["spec"], "unit": unit_of(row), "price": show_price(row.price),
        "quantity": row.quantity // size, "handed": (row.handed_over - row.came_back) // size, "refunded": row.refunded // size, "left": refundable(row) // size,
        "amount_fen": row.amount_fen, "service": about["rx_class"] == "SERVICE",
    }  # fmt: skip


def gone_part(line: Any) -> dict[str, Any]:
    """One line that went back, as page and print show it."""
    sold = _Sold(line)
    return {
        "line_no": line.line_no, "name": line.described["name"], "spec": line.described["spec"], "unit": unit_of(sold), "units": line.quantity // size_of(sold),
        "amount_fen": line.amount_fen,
    }  # fmt: skip


class _Sold:
    """A line as it was sold, to count what went back of it in the same units."""

    def __init__(self, line: Any) -> None:
        self.described, self.split, self.quantity = line.described, line.split, line.whole_quantity


def _net(net: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, int] = {}
    for change in net["changes"]:
        one: Tender = change
        changes[one.kind] = changes.get(one.kind, 0) - one.amount_fen
    words = screens.means_words()
    text = _("医保单部分退费：先整单撤销，再按原政策重新结算留下的部分。") if net["resettled"] else ""
    return {
        "total_fen": net["refund_fen"], "fund_fen": changes.get("fund", 0), "account_fen": changes.get("account", 0), "mutual_fen": changes.get("mutual", 0),
        "cash_fen": changes.get("cash", 0), "tenders": [(words[kind], changes[kind]) for kind in ("wechat", "alipay", "bank") if changes.get(kind)],
        "needs_second": bool(net["needs"]), "text": text,
    }  # fmt: skip


def _back() -> list[Back]:
    found = []
    for name, value in request.form.items():
        prefix, dash, number = name.partition("-")
        if prefix == "quantity" and dash and number.isascii() and number.isdigit() and value.strip() not in {"", "0"}:
            found.append(Back(int(number[:6]), _units(value)))
    return found


def _units(text: str) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 9):
        raise WrongInput(what=_("退费数量"), why=_("请填整数"))
    return int(plain)
