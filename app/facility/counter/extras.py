"""The counter's layers beside the sale itself: who buys a controlled drug, and a lowered price."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from app.core import signin
from app.core.approval import second_person
from app.core.errors import WrongInput
from app.core.signin import needs
from app.facility.counter import discounts, screens, specials

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("counter_extras", __name__, url_prefix="/counter")
SELLERS = ("clerk", "pharmacist", "owner")
FULL_WIDTH = str.maketrans("０１２３４５６７８９．％", "0123456789.%")


@blueprint.post("/baskets/<uuid:basket_id>/buyer")
@needs(*SELLERS)
def name_buyer(basket_id: UUID) -> ResponseReturnValue:
    """Register who buys an ephedrine compound (Alt+S)."""
    desk, form = signin.here(), request.form
    specials.name_buyer(desk, basket_id, form.get("buyer_name", "")[:200], form.get("buyer_certno", "")[:40])
    return render_template("facility/counter/_sale.html", **screens.sale_parts(desk, basket_id))


@blueprint.post("/baskets/<uuid:basket_id>/discount")
@needs(*SELLERS)
def give_discount(basket_id: UUID) -> ResponseReturnValue:
    """Lower one line's price or the whole bill's (Alt+Z); an empty figure takes the discount back."""
    desk, form = signin.here(), request.form
    line_no = None if form.get("scope") == "bill" else _line_no(form.get("line", ""))
    if not form.get("value", "").strip():
        discounts.take_discount_back(desk, basket_id, line_no)
    else:
        approver = (
            second_person(form["approver"], form.get("approver_password", ""), "owner", "pharmacist")
            if form.get("approver", "").strip()
            else None
        )
        how = "price" if form.get("how") == "price" else "percent"
        discounts.give_discount(
            desk, basket_id, line_no, how, _figure(form["value"]), form.get("reason", "")[:200], approver
        )
    return render_template("facility/counter/_sale.html", **screens.sale_parts(desk, basket_id))


def _line_no(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise WrongInput(what=_("行"), why=_("先选中要优惠的一行"))
    return int(text)


def _figure(text: str) -> Decimal:
    plain = text.strip().translate(FULL_WIDTH).removesuffix("%").strip()
    try:
        value = Decimal(plain) if len(plain) <= 16 else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise WrongInput(what=_("优惠"), why=_("请写成 5 或 11.80 这样的数字"))
    return value
