"""The page of what should be bought (补货建议), and places and limits: in the rows themselves, or by Excel."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import shell, signin, workbook
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.stock.purchasing import order_forms, orders, queries, rules, shelves
from app.facility.stock.purchasing.order_views import ROOM, STAFF
from app.facility.stock.shelf import blind
from app.facility.stock.suppliers import forms

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_proposals", __name__, url_prefix="/stock/proposals")
PAGE = queries.PAGE


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "purchase_proposals.list_proposals", "补货建议", STAFF, 5)


@blueprint.get("")
@needs(*STAFF)
def list_proposals() -> ResponseReturnValue:
    """Products that run low, or all of them, with what to order and the limits to change in their rows."""
    return _page()


def _page(refused: Refusal | None = None) -> ResponseReturnValue:
    everything, after = request.values.get("all") == "1", request.values.get("after", "")[:240].replace("\x00", "")
    q = request.values.get("q", "").replace("\x00", "").strip()[:60]
    rows = queries.list_proposals(signin.here().facility_id, q, everything=everything, after=forms.after_name(after))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    shown = blind.veil().over(rows[:PAGE])
    bought = queries.last_bought([row.id for row in shown])
    usual = Counter(each.supplier_id for each in bought.values() if each.supplier_id).most_common(1)
    suppliers = queries.suppliers_to_buy_from()
    answer = render_template(
        "facility/stock/purchasing/proposals.html", rows=[_row(row, bought.get(row.id)) for row in shown], everything=everything, q=q, after=after,
        following=f"{last.pinyin}~{last.id}" if last else None, suppliers=suppliers, usual=usual[0][0] if usual else suppliers[0].id if len(suppliers) == 1 else 0,
        error=refused.message if refused else "", typed=_typed() if refused else {}, form=request.form, days=rules.VELOCITY_DAYS,
    )  # fmt: skip
    return answer, refused.status if refused else 200


def _row(row: Any, last: Any) -> dict[str, Any]:
    """A product with what is proposed: packs, days it lasts, who brought it last."""
    size, free = int(row.pack_size), None if row.free is None else int(row.free)
    packs = rules.proposed_packs(free + int(row.coming), row.least, row.most, int(row.sold), size) if free is not None else 0  # fmt: skip
    days = rules.days_of_supply(free, int(row.sold)) if free is not None else None
    return {
        "product": row, "packs": packs or "", "days": days, "last": last, "free": free,
        "coming": int(row.coming) // size, "least": "" if row.least is None else row.least // size, "most": "" if row.most is None else row.most // size,
        "price": order_forms.shown(last.cost_price) if last else "", "out": free is not None and free <= 0, "short": None not in (free, row.least) and free < row.least,
    }  # fmt: skip


def _typed() -> dict[str, dict[str, str]]:
    """What was typed into the rows, by product, so that a refusal loses nothing."""
    names = ("id", "packs", "shelf", "least", "most")
    columns = (request.form.getlist(name) for name in names)
    ticked = set(request.form.getlist("tick"))
    rows = [dict(zip(names, (cell[:40] for cell in row), strict=True)) for row in zip(*columns, strict=False)][:200]
    return {row["id"]: row | {"tick": "1" if row["id"] in ticked else ""} for row in rows}


@blueprint.post("/orders")
@needs(*STAFF)
def order_ticked() -> ResponseReturnValue:
    """Make one order of what is ticked; limits that were changed on the way are kept too."""
    desk, order_id = signin.here(), forms.document()
    try:
        lines = order_forms.ticked_lines()
        if changed := order_forms.changed_shelves():
            shelves.set_shelves(desk, changed)
        orders.save_order(desk, order_id, forms.number(forms.text("supplier", 18)) or 0, lines)
    except Refusal as refused:
        return _page(refused)
    return redirect(url_for("purchase_orders.show_order", order_id=order_id), 303)


@blueprint.post("/shelves")
@needs(*STAFF)
def set_shelves() -> ResponseReturnValue:
    """Keep the places and limits that were typed into the rows."""
    try:
        changed = order_forms.changed_shelves()
        count = shelves.set_shelves(signin.here(), changed) if changed else 0
    except Refusal as refused:
        return _page(refused)
    flash(_("已保存 %(n)s 个商品的货位和上下限。", n=count) if count else _("没有改动。"), "ok")
    return redirect(_here(), 303)


def _here() -> str:
    values = {name: forms.text(name, 240) or None for name in ("q", "all", "after")}
    return url_for(".list_proposals", **cast("dict[str, Any]", values))


@blueprint.get("/shelves/file")
@needs(*STAFF)
def export_shelves() -> ResponseReturnValue:
    """Places and limits of every product as an Excel file, to be changed there and read in again."""
    heads = [_("商品编码"), _("品名"), _("规格"), _("生产企业"), _("单位"), _("货位"), _("下限"), _("上限")]
    rows = (
        (row.code, row.generic_name, row.spec, row.maker, row.pack_unit, row.shelf, _whole(row.least, row), _whole(row.most, row))
        for row in queries.list_shelves(signin.here().facility_id, shelves.MOST_ROWS)
    )  # fmt: skip
    return workbook.send(_("货位和上下限"), heads, rows, most=shelves.MOST_ROWS)


def _whole(units: int | None, row: Any) -> int | str:
    return "" if units is None else int(units) // int(row.pack_size)


@blueprint.post("/shelves/files")
@needs(*STAFF)
def import_shelves() -> ResponseReturnValue:
    """Read such a file in: all of it, or none."""
    upload = request.files.get("file")
    try:
        if upload is None or not upload.filename:
            raise WrongInput(what=_("货位和上下限"), why=_("没有选择文件"))
        count = shelves.import_file(signin.here(), upload.filename, upload.read())
    except Refusal as refused:
        return _page(refused)
    flash(_("已保存 %(n)s 个商品的货位和上下限。", n=count), "ok")
    return redirect(url_for(".list_proposals", all="1"), 303)
