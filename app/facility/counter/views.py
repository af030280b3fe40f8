"""The counter's pages and parts. Each view parses, calls one act or query, and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import shell, signin
from app.core.approval import second_person
from app.core.errors import NotFound, WrongInput
from app.core.signin import needs
from app.core.web import is_htmx, show_price
from app.facility.catalog import queries as catalog
from app.facility.counter import baskets, held_baskets, queries, refunds, screens, settling
from app.facility.counter.refund_plans import Back
from app.facility.insurance import identify, machine
from app.facility.stock import queries as stock
from app.facility.stock.shelf import blind
from app.facility.till import prescriptions
from app.facility.till.typed import tenders_of

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("counter", __name__, url_prefix="/counter")
SELLERS = ("clerk", "pharmacist", "owner")


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    pages = ("counter.", "till.close_shift", "till.move_drawer")
    shell.add_room(cast("Flask", state.app), "counter.show", "cash-register", "收银", SELLERS, 10, pages)
    state.app.context_processor(lambda: {} if is_htmx() else screens.surroundings())


@blueprint.get("")
@needs(*SELLERS)
def show() -> ResponseReturnValue:
    """The whole counter; resumes this station's open basket."""
    return render_template("facility/counter/counter.html", **screens.counter_page(signin.here()))


@blueprint.get("/products")
@needs(*SELLERS)
def products() -> ResponseReturnValue:
    """Products that fit what is being typed."""
    text = request.args.get("q", "").strip()
    found = catalog.find_products(text, limit=8) if text else []
    return render_template(
        "facility/counter/_choices.html",
        q=text,
        products=[_choice(card) for card in _with_stock(found)],
        more=len(found) == 8,
    )


@blueprint.post("/baskets/<uuid:basket_id>/entries")
@needs(*SELLERS)
def enter(basket_id: UUID) -> ResponseReturnValue:
    """Take a scan, a typed text, or a product picked from the list."""
    text, kind = request.form.get("text", ""), request.form.get("kind", "typed")
    if kind == "picked":
        text = f"#{text}"
    choices = baskets.enter(signin.here(), basket_id, text, kind)
    if choices:
        return render_template(
            "facility/counter/_choices.html",
            q=text.strip(),
            products=[_choice(card) for card in _with_stock(choices)],
            swap=True,
            more=len(choices) > 8,
        )
    return _sale(basket_id)


@blueprint.get("/baskets/<uuid:basket_id>/lines/<int:line_no>")
@needs(*SELLERS)
def show_line(basket_id: UUID, line_no: int) -> ResponseReturnValue:
    """One line with the lots it may come from (F3)."""
    desk = signin.here()
    line = baskets.get_basket(desk, basket_id).content.line(line_no)
    if line is None:
        raise NotFound
    unit, size = (line.about.base_unit, 1) if line.split else (line.about.pack_unit, line.about.pack_size)
    veiled = line.about.product_id in blind.veil().products
    lots = [
        {"id": lot.id, "lot_no": lot.lot_number, "expires_on": lot.expires_on, "stock_text": _("盘点中") if veiled else f"{lot.free // size} {unit}", "sellable": lot.free >= size,
         "chosen": lot.id == line.lot_id or (line.lot_id is None and lot.lot_number == line.lot_number), "why": _("不足一盒")}
        for lot in stock.sellable_lots(desk.facility_id, line.about.product_id, split=line.split)
    ]  # fmt: skip
    return render_template(
        "facility/counter/_line.html", line=screens.line_part(line), lots=lots, can_split=line.about.split_allowed and not line.rx,
        split_unit_name=line.about.base_unit, pack_unit_name=line.about.pack_unit,
    )  # fmt: skip


@blueprint.post("/baskets/<uuid:basket_id>/lines/<int:line_no>")
@needs(*SELLERS)
def change_line(basket_id: UUID, line_no: int) -> ResponseReturnValue:
    """Change quantity, lot, or whole against single units; or take the line out."""
    desk, form = signin.here(), request.form
    line = baskets.get_basket(desk, basket_id).content.line(line_no)
    quantity = _number(form.get("quantity"), _("数量")) if form.get("quantity") else None
    # A number that was left as it stood spoke of packs where single units are wanted now, or the other way round.
    wanted = quantity if line and quantity is not None and quantity != line.sale_units else 1
    if line and form.get("split") == "1" and not line.split:
        baskets.split_line(desk, basket_id, line_no, wanted)
    elif line and line.split and form.get("split") == "0":
        baskets.make_whole(desk, basket_id, line_no, wanted)
    else:
        lot = _number(form.get("lot"), _("批号")) if form.get("lot") else None
        baskets.change_line(desk, basket_id, line_no, quantity=quantity, delete=form.get("delete") == "1", lot_id=lot)
    return _sale(basket_id)


@blueprint.post("/baskets/<uuid:basket_id>/person")
@needs(*SELLERS)
def set_person(basket_id: UUID) -> ResponseReturnValue:
    """Read a credential (F2) and put its holder into the basket."""
    desk, form = signin.here(), request.form
    how = form.get("how", "typed") if form.get("how") in {"typed", "card", "ecert"} else "typed"
    buyer = form.get("buyer", "self") if form.get("buyer") in {"self", "agent", "guardian"} else "self"
    agent = {
        "name": form.get("agent_name", ""),
        "certno": form.get("agent_certno", ""),
        "relation": form.get("agent_relation", "")[:20],
        "phone": "".join(form.get("agent_phone", "")[:40].split()).replace("-", ""),
        "reason": buyer,
    }
    read = identify.identify(desk, uuid4(), form.get("text", "")[:200], how, buyer, agent)
    baskets.set_person(desk, basket_id, read)
    return _sale(basket_id)


@blueprint.post("/baskets/<uuid:basket_id>/person/removal")
@needs(*SELLERS)
def remove_person(basket_id: UUID) -> ResponseReturnValue:
    """Sell without insurance after all."""
    baskets.set_person(signin.here(), basket_id, None)
    return _sale(basket_id)


@blueprint.post("/baskets/<uuid:basket_id>/person/decision")
@needs(*SELLERS)
def decide_person(basket_id: UUID) -> ResponseReturnValue:
    """Say that person and credential match, that the sale goes on for a reason, or that it stops."""
    desk, form = signin.here(), request.form
    basket = baskets.get_basket(desk, basket_id).content
    row = identify.get(desk, basket.identification) if basket.identification else None
    if row is None:
        raise NotFound
    if form.get("decision") == "blocked":
        identify.block(desk, row.id, form.get("reason_code", "")[:40] or "blocked")
        baskets.set_person(desk, basket_id, None)
        return _sale(basket_id, said={"kind": "stop", "text": _("已停止医保结算并记录；可改为自费。")})
    if row.identity.get("band") == "hold":
        second_person(form.get("approver", ""), form.get("approver_password", ""), "owner", "pharmacist")
    identify.confirm_match(desk, row.id, form.get("reason_code", "")[:40] or "document_seen")
    return _sale(basket_id)


@blueprint.post("/baskets/<uuid:basket_id>/preview")
@needs(*SELLERS)
def preview(basket_id: UUID) -> ResponseReturnValue:
    """Ask the center who would pay what (F8)."""
    baskets.preview(signin.here(), basket_id)
    return _sale(basket_id)


@blueprint.post("/baskets/<uuid:basket_id>/settlement")
@needs(*SELLERS)
def settle(basket_id: UUID) -> ResponseReturnValue:
    """Settle (F9): once, however often it is pressed."""
    form = request.form
    outcome = settling.settle_basket(
        signin.here(),
        basket_id,
        _number(form.get("version"), _("版本")),
        tenders_of(form.get("tenders", "[]")),
        seen=bool(form.get("expected")),
    )
    if request.accept_mimetypes.best == "application/json":
        return {"kind": outcome.kind, "receipt": outcome.receipt, "message": outcome.message}
    return _after(outcome)


@blueprint.get("/sales/<uuid:sale_id>/outcome")
@needs(*SELLERS)
def outcome(sale_id: UUID) -> ResponseReturnValue:
    """What became of a sale; asked every two seconds while it is unknown."""
    desk = signin.here()
    found = settling.find_outcome_or_none(desk, sale_id)
    if found is None:  # The request never arrived: the basket is as it was.
        said = {"kind": "warn", "text": _("这一单没有送到，没有结算，也没有扣款。药都还在，可再按 F9 结算。")}
        return render_template("facility/counter/_refused.html", said=said, **screens.counter_page(desk))
    return _after(found)


@blueprint.post("/baskets/<uuid:basket_id>/hold")
@needs(*SELLERS)
def hold(basket_id: UUID) -> ResponseReturnValue:
    """Put the basket aside; while its outcome is unknown, let it be checked in the background (F4)."""
    desk = signin.here()
    held_baskets.put_aside(desk, basket_id)
    return _whole(desk)


@blueprint.post("/baskets/<uuid:basket_id>/resumption")
@needs(*SELLERS)
def resume(basket_id: UUID) -> ResponseReturnValue:
    """Take a held basket back."""
    desk = signin.here()
    held_baskets.resume(desk, basket_id)
    return _whole(desk)


@blueprint.post("/sales/<uuid:sale_id>/surrender")
@needs(*SELLERS)
def give_up(sale_id: UUID) -> ResponseReturnValue:
    """Give a settlement up whose outcome is unknown: whatever the center did is taken back, then the basket is free."""
    desk = signin.here()
    settling.find_outcome(desk, sale_id)
    machine.give_up(desk.tenant_id, sale_id)
    return _whole(desk)


@blueprint.get("/prescriptions")
@needs(*SELLERS)
def list_prescriptions() -> ResponseReturnValue:
    """Prescriptions that may be taken into the basket, and those that wait for review."""
    desk = signin.here()
    rows = [
        (row, "passed", _("审方通过 %(who)s", who=row.reviewer_name or ""))
        for row in prescriptions.ready_to_take(desk.facility_id)
    ]
    waiting = prescriptions.list_prescriptions(desk.facility_id, "pending")[:20]
    rows += [(row, "waiting", _("等药师审方")) for row in waiting]
    shown = [
        {"id": row.id, "number": row.number, "patient_masked": row.patient_shown, "doctor": row.prescriber, "institution": row.institution, "issued_on": row.issued_on, "count": row.count,
         "state": state, "state_text": text}
        for row, state, text in rows
    ]  # fmt: skip
    return render_template(
        "facility/counter/_prescriptions.html", prescriptions=shown, number=request.args.get("number", "")[:50]
    )


@blueprint.post("/baskets/<uuid:basket_id>/prescription")
@needs(*SELLERS)
def take_prescription(basket_id: UUID) -> ResponseReturnValue:
    """Put a reviewed prescription's drugs into the basket."""
    try:
        chosen = UUID(request.form.get("prescription", ""))
    except ValueError as wrong:
        raise NotFound from wrong
    baskets.add_prescription(signin.here(), basket_id, chosen)
    return _sale(basket_id)


# ---- refunds -------------------------------------------------------------------------------------------------------


@blueprint.get("/refunds/new")
@needs(*SELLERS)
def new_refund() -> ResponseReturnValue:
    """Find the sale by its receipt and choose what comes back (F6)."""
    desk, asked = signin.here(), request.args.get("receipt", "").strip()[:60]
    sale = queries.find_refundable(desk, asked) if asked else None
    recent = [] if asked else queries.recent_sales(desk)
    return render_template(
        "facility/counter/refund.html", sale=sale, q=asked, reasons=queries.refund_reasons(), found=recent, net=None
    )


@blueprint.post("/sales/<uuid:sale_id>/refunds/preview")
@needs(*SELLERS)
def preview_refund(sale_id: UUID) -> ResponseReturnValue:
    """What each payer would get back; nothing is sent that changes anything."""
    net = refunds.net_of(signin.here(), sale_id, _back(), request.form.get("reason", ""))
    words = _("医保单部分退货：先整单撤销，再按原政策重新结算留下的部分。") if net["estimated"] else ""
    shown = {**net, "total_fen": net["refund_fen"], "tenders": [], "needs_second": bool(net["approval"]), "text": words}
    return render_template("facility/counter/_refund_net.html", net=shown)


@blueprint.post("/sales/<uuid:sale_id>/refunds")
@needs(*SELLERS)
def refund(sale_id: UUID) -> ResponseReturnValue:
    """Give money back by original line."""
    form = request.form
    try:
        document = UUID(form.get("document", ""))
    except ValueError as wrong:
        raise WrongInput(what=_("退货单"), why=_("页面不完整，请刷新后重填")) from wrong
    approver = (
        second_person(form["approver"], form.get("approver_password", ""), "owner", "pharmacist")
        if form.get("approver")
        else None
    )
    ended = refunds.refund_sale(signin.here(), document, sale_id, _back(), form.get("reason", ""), approver)
    return redirect(url_for(".show_refund", refund_id=document, state=ended.kind), 303)


@blueprint.get("/refunds/<uuid:refund_id>")
@needs(*SELLERS)
def show_refund(refund_id: UUID) -> ResponseReturnValue:
    """A refund and where it stands."""
    return render_template("facility/counter/refunded.html", refund=queries.get_refund(signin.here(), refund_id))


# ---- parts ---------------------------------------------------------------------------------------------------------


def _sale(basket_id: UUID, **more: Any) -> str:
    return render_template("facility/counter/_sale.html", **screens.sale_parts(signin.here(), basket_id, **more))


def _whole(desk: Any) -> str:
    return render_template("facility/counter/_counter.html", swap=True, **screens.counter_page(desk))


def _after(found: settling.Outcome) -> ResponseReturnValue:
    desk = signin.here()
    if found.kind == "settled":
        page = screens.counter_page(desk)
        if page["last_sale"] is None or page["last_sale"]["id"] != found.sale_id:
            page["last_sale"] = queries.sale_as_last(desk, found.sale_id)
        return render_template("facility/counter/_settled.html", **page)
    if found.kind == "refused":
        said = {
            "kind": "stop",
            "text": _(
                "医保中心没有受理：%(why)s。没有扣款，可更正后再结算，或改自费。", why=found.message.rstrip("。")
            ),
        }
        return render_template("facility/counter/_refused.html", said=said, **screens.counter_page(desk))
    return _whole(desk)


def _back() -> list[Back]:
    found = []
    for name, value in request.form.items():
        prefix, dash, number = name.partition("-")
        if prefix == "quantity" and dash and number.isascii() and number.isdigit() and value.strip() not in {"", "0"}:
            line = int(number[:9])
            found.append(Back(line, _number(value, _("退货数量")), request.form.get(f"goods-{line}", "kept")))
    return found


def _number(text: str | None, what: str) -> int:
    plain = (text or "").strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 9):
        raise WrongInput(what=what, why=_("请填整数"))
    return int(plain)


def _with_stock(cards: list[catalog.ProductCard]) -> list[tuple[catalog.ProductCard, Any, bool]]:
    """Products with what is free of them, and whether they are being counted blind: sold all the same, but nobody reads how many there are."""
    held, veiled = stock.free_to_sell(signin.here().facility_id, [card.id for card in cards]), blind.veil().products
    return [(card, held.get(card.id), card.id in veiled) for card in cards]


def _choice(found: tuple[catalog.ProductCard, Any, bool]) -> dict[str, Any]:
    card, held, veiled = found
    packs = int(held.free) // card.pack_size if held else 0
    priced = card.pack_price is not None
    return {
        "id": card.id, "name": card.name, "spec": card.spec, "maker": card.maker,
        "class_label": screens.class_label(baskets.class_of(card), str(card.selfpay_share or ""), card.rx_class),
        "price": show_price(card.pack_price) if priced else "—", "unit_name": card.pack_unit, "stock_text": _("盘点中") if veiled else f"{packs} {card.pack_unit}",
        "expires_on": held.expires_on if held else None, "sellable": bool(packs and priced), "why": _("无库存") if priced else _("没有售价"),
    }  # fmt: skip
