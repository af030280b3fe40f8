"""The stock room's first page: what lies on the shelf, seen by product, lot, place or code, with one product open beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.signin import needs
from app.core.web import per_language
from app.facility.organizations import parameters
from app.facility.stock.shelf import actions, blind, exports, ledger, lot_queries, papers, queries, rules
from app.facility.stock.shelf.rules import Look
from app.facility.stock.views import STAFF
from app.facility.stock.views import blueprint as stock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.facility.stock.shelf.blind import Veil

blueprint = Blueprint("stock_shelf", __name__, url_prefix="/stock")
LATEST = 8  # Rows of the ledger beside a product.


@blueprint.record_once
def _announce(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_page(app, "stock.show", "stock.show", "库存", STAFF, 10)
    shell.add_page(app, "stock.show", "stock_shelf.list_movements", "流水", STAFF, 15)
    shell.add_page(app, "stock.show", "stock_shelf.show_turnover", "周转", STAFF, 17)


@blueprint.app_template_global()
@per_language
def stock_words() -> dict[str, dict[str, str]]:
    """The stock room's vocabulary in the language of the page."""
    kinds = {
        "zone": rules.ZONES,
        "kind": rules.KINDS,
        "code": rules.CODE_STATES,
        "view": rules.VIEWS,
        "order": rules.ORDERS,
        "act": rules.ACTS,
    }
    return {name: {key: _(word) for key, word in words.items()} for name, words in kinds.items()}


@blueprint.app_template_global()
def page_there(endpoint: str, **values: Any) -> str:
    """The address of a page of another room where that room stands; nothing where it does not."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""


@blueprint.app_template_global()
def paper_page(number: str, document_id: UUID) -> str:
    """The address of a paper by its number; nothing for a paper without a page."""
    known = papers.page_of(number, document_id)
    return page_there(known[0], **known[1]) if known else ""


blueprint.app_template_global("days_of_supply")(rules.days_of_supply)


@stock.get("")
@needs(*STAFF)
def show() -> ResponseReturnValue:
    """What lies on the shelf; one product may stand open beside the list with its lots and ledger."""
    desk, look, urgent = signin.here(), Look.of(request.args), parameters.here().days("urgent_days")
    counts = queries.counts(desk.facility_id, urgent, look.zone)
    veil = blind.veil(is_open=counts.blind)
    look = veil.within(look)
    rows, following = _rows(desk.facility_id, look, urgent)
    opened = number(request.args.get("product", ""))
    return render_template(
        "facility/stock/shelf/stock.html", look=look, rows=exports.veiled(rows[: rules.PAGE], look, veil), following=following, today=clock.business_date(), urgent_days=urgent,
        counts=counts, side=_side(desk.facility_id, opened, veil) if opened else None, veiled=bool(veil.products),
    )  # fmt: skip


def _open(rows: Sequence[Any]) -> bool:
    """Whether rows of the ledger say that something is being counted blind; where there are none there is nothing to hide."""
    return bool(rows) and rows[0].blind


def _rows(facility_id: int, look: Look, urgent: int) -> tuple[list[Any], str]:
    """A page of the view asked for, and where the next begins."""
    if look.view == "lots":
        rows = lot_queries.list_lots(facility_id, look, urgent)
        return rows, lot_queries.after_lots(rows)
    if look.view == "places":
        rows = lot_queries.list_places(facility_id, look)
        return rows, lot_queries.after_places(rows)
    if look.view == "codes":
        rows = lot_queries.list_codes(facility_id, look)
        return rows, lot_queries.after_codes(rows)
    rows = queries.list_shelf(facility_id, look, urgent)
    return rows, queries.following(rows)


def _side(facility_id: int, product_id: int, veil: Veil) -> dict[str, Any]:
    card, hidden = lot_queries.get_product(facility_id, product_id), product_id in veil.products
    movements = ledger.list_movements(facility_id, ledger.Span.of_product(product_id, ""), LATEST)[:LATEST]
    lots = lot_queries.lots_of(facility_id, product_id)
    return {"card": card, "lots": [blind.bare(lot) for lot in lots] if hidden else lots, "movements": veil.over(movements, "product_id"), "hidden": hidden}  # fmt: skip


@blueprint.get("/export")
@needs(*STAFF)
def export_shelf() -> ResponseReturnValue:
    """What is seen, as an Excel file."""
    veil = blind.veil()
    look = veil.within(Look.of(request.args))
    return exports.shelf(signin.here().facility_id, look, parameters.here().days("urgent_days"), veil)


@blueprint.post("/products/<int:product_id>/places")
@needs("owner", "clerk", "pharmacist")
def place_product(product_id: int) -> ResponseReturnValue:
    """Say on which shelf a product lies and between which limits it is kept."""
    form = request.form
    card = lot_queries.get_product(signin.here().facility_id, product_id)
    least, most = (
        actions.packs(form.get(name, ""), what) for name, what in (("least", _("下限")), ("most", _("上限")))
    )
    place = actions.Place(product_id, form.get("shelf", ""), _units(least, card), _units(most, card))
    actions.place_products(signin.here(), [place])
    flash(_("货位和上下限已保存。"), "ok")
    kept: dict[str, Any] = Look.of(request.args).kept()
    return redirect(url_for("stock.show", product=product_id, **kept), 303)


def _units(packs: int | None, card: Any) -> int | None:
    return None if packs is None else packs * int(card.pack_size)


# ---- the ledger ------------------------------------------------------------------------------------------------------


@stock.get("/products/<int:product_id>/movements")
@needs(*STAFF)
def show_movements(product_id: int) -> ResponseReturnValue:
    """The whole ledger of a product, newest first."""
    desk = signin.here()
    card = lot_queries.get_product(desk.facility_id, product_id)
    rows = ledger.list_movements(desk.facility_id, ledger.Span.of_product(product_id, request.args.get("before", "")))
    return render_template(
        "facility/stock/shelf/product_movements.html",
        card=card,
        rows=blind.veil(is_open=_open(rows)).over(rows[: rules.PAGE], "product_id"),
        following=ledger.after(rows),
    )


@blueprint.get("/movements")
@needs(*STAFF)
def list_movements() -> ResponseReturnValue:
    """The ledger of the whole facility, newest first."""
    desk, span = signin.here(), ledger.Span.of(request.args)
    rows = ledger.list_movements(desk.facility_id, span)
    return render_template(
        "facility/stock/shelf/movements.html", span=span, rows=blind.veil(is_open=_open(rows)).over(rows[: rules.PAGE], "product_id"), following=ledger.after(rows), staff=ledger.list_staff(),
        product=lot_queries.get_product(desk.facility_id, span.product_id) if span.product_id else None, today=clock.business_date(),
    )  # fmt: skip


@blueprint.get("/movements/export")
@needs(*STAFF)
def export_movements() -> ResponseReturnValue:
    """The ledger of the days asked for, as an Excel file."""
    return exports.movements(signin.here().facility_id, ledger.Span.of(request.args), blind.veil())


@blueprint.get("/turnover")
@needs(*STAFF)
def show_turnover() -> ResponseReturnValue:
    """How each product turned over in the last 30 or 90 days."""
    veil = blind.veil()
    days, order, text = _turnover_asked(veil)
    after = request.args.get("after", "")[:60]
    rows = ledger.turnover(signin.here().facility_id, days, order, text, after)
    return render_template(
        "facility/stock/shelf/turnover.html", rows=veil.over(rows[: rules.PAGE]), veiled=bool(rows and veil.products), days=days, order=order, q=text, after=after, following=queries.following(rows)
    )  # fmt: skip


@blueprint.get("/turnover/export")
@needs(*STAFF)
def export_turnover() -> ResponseReturnValue:
    """Turnover as it is seen, as an Excel file."""
    veil = blind.veil()
    return exports.turnover(signin.here().facility_id, *_turnover_asked(veil), veil)


def _turnover_asked(veil: Veil) -> tuple[int, str, str]:
    args = request.args
    days = number(args.get("days", "")) or rules.TURNOVER_DAYS[0]
    order = args.get("order", "")
    text = args.get("q", "").replace("\x00", "")[: rules.MOST_TYPED].strip()
    return (
        days if days in rules.TURNOVER_DAYS else rules.TURNOVER_DAYS[0],
        veil.unless_telling(order if order in ledger.TURNOVER_ORDERS else "slow", "gone"),
        text,
    )


def number(text: str) -> int:
    """The number of a row out of an address; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
