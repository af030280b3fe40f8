"""The pages of purchase orders: the list, one being written, one that was placed, its print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _

from app.core import barcodes, shell, signin
from app.core.errors import Refusal
from app.core.signin import needs
from app.facility.stock.purchasing import gate, order_forms, orders, queries, rules
from app.facility.stock.purchasing.order_forms import Page
from app.facility.stock.suppliers import forms

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_orders", __name__, url_prefix="/stock/orders")
blueprint.before_request(forms.real_ids)
STAFF = ("clerk", "pharmacist", "owner")
ROOM = "purchase_orders.list_orders"
PAGE = queries.PAGE


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_room(app, ROOM, "truck-delivery", "采购", STAFF, 30, pages=("purchase_",))
    shell.add_page(app, ROOM, ROOM, "采购单", STAFF, 10)


def states() -> dict[str, str]:
    """The states of an order in the reader's language."""
    return {code: _(word) for code, word in rules.ORDER_STATES.items()}


@blueprint.get("")
@needs(*STAFF)
def list_orders() -> ResponseReturnValue:
    """Orders, newest first, of one state or supplier."""
    state, supplier = forms.arg("state"), forms.number(forms.arg("supplier", 18)) or 0
    state = state if state in rules.ORDER_STATES else ""
    rows = queries.list_orders(signin.here().facility_id, state, forms.before_moment(forms.arg("before", 90)), supplier)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render_template(
        "facility/stock/purchasing/orders.html", rows=rows[:PAGE], state=state, supplier=supplier, states=states(), suppliers=queries.suppliers_to_buy_from(),
        following=f"{last.made_at.isoformat()}_{last.id}" if last else None, before=forms.arg("before", 90),
    )  # fmt: skip


# ---- writing one -----------------------------------------------------------------------------------------------------


@blueprint.get("/new")
@needs(*STAFF)
def new_order() -> ResponseReturnValue:
    """An empty order; with a product, the draft it best goes on, or a new one for whoever brought it last."""
    product_id = forms.number(forms.arg("product", 18))
    if not product_id:
        return _form(Page())
    facility_id = signin.here().facility_id
    product, last = queries.wanted(facility_id, product_id), queries.last_bought([product_id]).get(product_id)
    supplier = (last.supplier_id or 0) if last else 0
    draft = None if forms.arg("apart") else queries.draft_for(facility_id, supplier)
    page = order_forms.page_of(*queries.get_order(facility_id, draft.id)) if draft else Page(supplier=supplier)
    if product_id not in page.products:
        page.lines = (*page.lines, _added(product, last))
    return _form(page, added=product)


def _added(product: Any, last: Any) -> dict[str, Any]:
    packs = rules.proposed_packs(product.free + product.coming, product.least, product.most, product.sold, product.pack_size)  # fmt: skip
    price = order_forms.shown(last.cost_price) if last else ""
    return {"product": product.id, "product_name": order_forms.name_of(product), "packs": packs or 1, "price": price}


def _form(page: Page, refused: Refusal | None = None, added: Any = None) -> ResponseReturnValue:
    suppliers = queries.suppliers_to_buy_from()
    if not page.id and not refused and len(suppliers) == 1:
        page.supplier = suppliers[0].id
    standing = gate.look(signin.here(), page.supplier, page.products) if page.supplier and page.lines else gate.Standing()  # fmt: skip
    answer = render_template(
        "facility/stock/purchasing/order_form.html", page=page, error=refused.message if refused else "", added=added, standing=standing,
        suppliers=suppliers, total_fen=order_forms.page_fen(page),
    )  # fmt: skip
    return answer, refused.status if refused else 200


@blueprint.get("/prices")
@needs(*STAFF)
def last_price() -> ResponseReturnValue:
    """What a product cost last and how many packs are proposed, for the line that was just added."""
    product_id = forms.number(forms.arg("product", 18)) or 0
    added = _added(queries.wanted(signin.here().facility_id, product_id), queries.last_bought([product_id]).get(product_id))  # fmt: skip
    return {"price": added["price"], "packs": str(added["packs"])}


@blueprint.post("")
@needs(*STAFF)
def save_order() -> ResponseReturnValue:
    """Keep what was written; with F9 also place it. What is refused is said where it stands, and nothing typed is lost."""
    desk, order_id = signin.here(), forms.document()
    page = order_forms.typed_page(order_id)
    try:
        page.version = orders.save_order(desk, order_id, page.supplier, order_forms.read_lines(page), page.note, page.version)  # fmt: skip
        if forms.text("then", 10) == "place":
            number = orders.place_order(desk, order_id, page.version)
            flash(_("采购单 %(number)s 已下达。", number=number), "ok")
        else:
            flash(_("草稿已保存。"), "ok")
    except Refusal as refused:
        return _form(page, refused)
    return redirect(url_for(".show_order", order_id=order_id), 303)


# ---- one order -------------------------------------------------------------------------------------------------------


@blueprint.get("/<uuid:order_id>")
@needs(*STAFF)
def show_order(order_id: UUID) -> ResponseReturnValue:
    """A draft to go on writing, or an order with what came of it."""
    head, lines = queries.get_order(signin.here().facility_id, order_id)
    if head.state == "draft":
        return _form(order_forms.page_of(head, lines))
    return _order_page(head, lines)


def _order_page(head: Any, lines: list[Any], refused: Refusal | None = None) -> ResponseReturnValue:
    answer = render_template(
        "facility/stock/purchasing/order.html", head=head, lines=lines, states=states(), total_fen=order_forms.total_fen(lines), amount=order_forms.total_fen,
        deliveries=queries.deliveries_of(head.id), error=refused.message if refused else "",
    )  # fmt: skip
    return answer, refused.status if refused else 200


@blueprint.post("/<uuid:order_id>/closings")
@needs(*STAFF)
def close_order(order_id: UUID) -> ResponseReturnValue:
    """Expect nothing more of an order: cancelled before anything came, afterwards the rest is given up."""
    try:
        state = orders.close_order(signin.here(), order_id, forms.text("reason", 200))
    except Refusal as refused:
        head, lines = queries.get_order(signin.here().facility_id, order_id)
        return _order_page(head, lines, refused)
    flash(_("采购单已取消。") if state == "cancelled" else _("没有到的不再等，采购单已结束。"), "ok")
    return redirect(url_for(".show_order", order_id=order_id), 303)


@blueprint.get("/<uuid:order_id>/print")
@needs(*STAFF)
def print_order(order_id: UUID) -> ResponseReturnValue:
    """The order on A4 (采购订单), its number as Code 128 and QR, for the supplier and for whoever unpacks."""
    head, lines = queries.get_order(signin.here().facility_id, order_id)
    return render_template(
        "facility/stock/purchasing/order_print.html", head=head, lines=lines, total_fen=order_forms.total_fen(lines), amount=order_forms.total_fen, size="a4",
        code128_svg=barcodes.code128_svg, qr_svg=barcodes.qr_svg,
    )  # fmt: skip
