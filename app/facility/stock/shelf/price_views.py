"""The pages of price changes: the papers, and one form on which lines are gathered, looked at and confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.approval import NotApproved, second_person
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.catalog.rules import number_text, price_of
from app.facility.stock.shelf import price_files, price_queries, price_rules, prices, rules
from app.facility.stock.shelf.errors import PriceChangeNeedsOwner
from app.facility.stock.shelf.price_rules import NewPrice
from app.facility.stock.shelf.views import blueprint
from app.facility.stock.views import STAFF

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

MOST_CHOICES = 12


@blueprint.record_once
def _announce_prices(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_shelf.list_price_changes", "调价", STAFF, 85)


@blueprint.get("/prices")
@needs(*STAFF)
def list_price_changes() -> ResponseReturnValue:
    """The price changes of the organization, newest first."""
    rows = price_queries.list_changes(_before(request.args.get("before", "")))
    last = rows[rules.PAGE - 1] if len(rows) > rules.PAGE else None
    return render_template(
        "facility/stock/shelf/price_changes.html", rows=rows[: rules.PAGE], now=clock.now(),
        following=f"{last.made_at.isoformat()}~{last.id}" if last else None,
    )  # fmt: skip


@blueprint.get("/prices/<uuid:change_id>")
@needs(*STAFF)
def show_price_change(change_id: UUID) -> ResponseReturnValue:
    """One price change with before and after."""
    head, lines = price_queries.get_change(change_id)
    return render_template("facility/stock/shelf/price_change.html", head=head, lines=lines, now=clock.now())


@blueprint.route("/prices/new", methods=["GET", "POST"])
@needs("owner", "clerk", "pharmacist")
def new_price_change() -> ResponseReturnValue:
    """Gather products, by hand, by percentage or from a file; look at what would change; confirm."""
    if request.method == "GET":
        return _form(_kept([(key, None, None, None) for key in _ids(request.args.getlist("product"))]))
    lines = _typed()
    try:
        if request.form.get("step") == "confirm":
            return _confirm(lines)
        return _gather(lines)
    except Refusal as refused:
        return _form(_kept(lines), refused.message, status=refused.status)


# ---- gathering -------------------------------------------------------------------------------------------------------

Line = tuple[int, str | None, str | None, str | None]  # Product, new price, new split price, the price seen; as typed.


def _gather(lines: list[Line]) -> ResponseReturnValue:
    step, form = request.form.get("step", ""), request.form
    if drop := _number(form.get("drop", "")):
        return _form(_kept([line for line in lines if line[0] != drop]))
    if pick := _number(form.get("pick", "")):
        return _form(_kept([*lines, (pick, None, None, None)]))
    if step == "percent":
        return _by_percent(lines)
    if step == "file":
        return _from_file(lines)
    text = form.get("q", "").strip()[: rules.MOST_TYPED]
    found = catalog.find_products(text, limit=MOST_CHOICES) if text else []
    if len(found) == 1:
        return _form(_kept([*lines, (found[0].id, None, None, None)]))
    return _form(_kept(lines), choices=found, q=text, nothing=bool(text) and not found)


def _by_percent(lines: list[Line]) -> ResponseReturnValue:
    """The lines gathered, or all products the text finds, raised or lowered together."""
    percent = price_rules.percent_of(request.form.get("percent", ""))
    step = price_rules.STEPS.get(request.form.get("round", ""), price_rules.STEPS["0.1"])
    text = request.form.get("among", "").strip()[: rules.MOST_TYPED]
    if percent is None:
        raise WrongInput(what=_("调整比例"), why=_("请写成 5 或 -3.5 这样的百分数"))
    if not lines and not text:
        raise WrongInput(what=_("调整范围"), why=_("先加商品，或写品名、厂家中的字来选一批"))
    facility = signin.here().facility_id
    cards = (
        price_queries.priced_like(facility, text)
        if text
        else price_queries.priced(facility, [line[0] for line in lines])
    )
    if len(cards) > price_rules.MOST_LINES:
        raise WrongInput(what=_("调整范围"), why=_("超过 500 个商品，请写得更具体，分几次调"))
    raised: list[Line] = [
        (card.id, number_text(price_rules.changed(card.pack_price, percent, step)), _split(card, percent), number_text(card.pack_price))
        for card in cards if card.pack_price is not None
    ]  # fmt: skip
    others = [line for line in lines if line[0] not in {one[0] for one in raised}]
    return _form(_kept([*others, *raised]))


def _split(card: Any, percent: Any) -> str | None:
    if card.split_price is None:
        return None
    return number_text(price_rules.changed(card.split_price, percent, price_rules.STEPS["0.01"]))


def _from_file(lines: list[Line]) -> ResponseReturnValue:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise WrongInput(what=_("调价文件"), why=_("没有选择文件"))
    read = price_files.read_prices(upload.filename, upload.read())
    if read.problems:  # All or nothing: a file with a wrong row changes no price.
        return _form(
            _kept(lines), _("文件里有看不懂的行，一行也没有取用。请改好再传。"), problems=read.problems, status=422
        )
    taken: list[Line] = [
        (product, number_text(price), number_text(split) if split is not None else None, None)
        for product, (price, split) in read.prices.items()
    ]
    return _form(_kept([*[line for line in lines if line[0] not in read.prices], *taken]))


def _confirm(lines: list[Line]) -> ResponseReturnValue:
    desk, form = signin.here(), request.form
    try:
        document = UUID(form.get("document", ""))
    except ValueError:
        raise WrongInput(what=_("调价单"), why=_("页面不完整，请刷新后重填")) from None
    wanted = [_new(line) for line in lines]
    approver = None if signin.me().has("owner") else _owner_beside()
    number = prices.change_prices(
        desk,
        document,
        wanted,
        form.get("reason", ""),
        _moment(form.get("from_on", ""), form.get("from_time", "")),
        approver,
    )
    flash(_("调价单 %(number)s 已记下。要换的价签在「标签」里。", number=number), "ok")
    return redirect(url_for(".show_price_change", change_id=document), 303)


def _owner_beside() -> int:
    if not request.form.get("approver", "").strip():
        raise PriceChangeNeedsOwner
    try:
        return second_person(request.form["approver"], request.form.get("approver_password", ""), "owner")
    except NotApproved as refused:
        raise refused from None


def _new(line: Line) -> NewPrice:
    product, pack, split, seen = line
    pack = pack or (seen if split else "")  # Only the price of a single unit changes.
    price, split_price = price_of(pack or ""), price_of(split) if split else None
    if price is None or (split and split_price is None):
        raise WrongInput(what=_("新价"), why=_("请写成 12.50 这样的数，不小于 0。"))
    return NewPrice(product, price, split_price, price_of(seen) if seen else None)


# ---- the form --------------------------------------------------------------------------------------------------------


def _form(rows: list[dict[str, Any]], error: str = "", *, choices: Any = (), q: str = "", nothing: bool = False, problems: Any = (), status: int = 200) -> ResponseReturnValue:  # fmt: skip
    page = render_template(
        "facility/stock/shelf/price_new.html", rows=rows, form=request.form, error=error, choices=choices, q=q, nothing=nothing, problems=problems,
        alone=signin.me().has("owner"), document=_document(), steps=price_rules.STEPS,
    )  # fmt: skip
    return page, status


def _document() -> str:
    """The paper's id: what the page carries, or a new one for a new page."""
    try:
        return str(UUID(request.form.get("document", "")))
    except ValueError:
        return str(uuid4())


def _kept(lines: list[Line]) -> list[dict[str, Any]]:
    """The lines as the form shows them: each product with its price in force, what was typed, and what is odd about it."""
    unique = {line[0]: line for line in lines}
    if len(unique) > price_rules.MOST_LINES:
        raise WrongInput(what=_("商品"), why=_("一次最多调 500 个商品，请分几次"))
    cards = {card.id: card for card in price_queries.priced(signin.here().facility_id, unique)} if unique else {}
    return [_row(cards[key], line) for key, line in unique.items() if key in cards]


def _row(card: Any, line: Line) -> dict[str, Any]:
    _key, pack, split, seen = line
    price = price_of(pack) if pack else None
    split_now = number_text(card.split_price) if card.split_price is not None else ""
    return {
        "card": card, "pack": pack if pack is not None else "", "split": split if split is not None else split_now, "seen": seen or (number_text(card.pack_price) if card.pack_price is not None else ""),
        "difference": price - card.pack_price if price is not None and card.pack_price is not None else None,
        "above": bool(price is not None and card.ceiling_price is not None and price > card.ceiling_price),
        "below": bool(price is not None and card.cost_price is not None and price < card.cost_price),
    }  # fmt: skip


def _typed() -> list[Line]:
    form = request.form
    columns = [form.getlist(name) for name in ("product", "pack", "split", "seen")]
    lines = [
        (_number(key), pack.strip()[:20], split.strip()[:20], seen.strip()[:20]) for key, pack, split, seen in zip(*columns, strict=False)
    ]  # fmt: skip
    return [line for line in lines if line[0]][: price_rules.MOST_LINES + 1]


def _ids(texts: list[str]) -> list[int]:
    return [key for text in texts[: price_rules.MOST_LINES] if (key := _number(text))]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _moment(day: str, hour: str) -> datetime | None:
    """The moment from which the prices hold; none is now."""
    if not day.strip():
        return None
    try:
        return datetime.strptime(f"{day.strip()} {hour.strip() or '00:00'}", "%Y-%m-%d %H:%M").replace(
            tzinfo=clock.CHINA
        )
    except ValueError:
        raise WrongInput(what=_("生效时间"), why=_("请写成 2026-12-31 和 08:00")) from None


def _before(text: str) -> tuple[datetime, UUID] | None:
    at, _sep, last = text.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(last)) if moment.tzinfo else None
    except ValueError:
        return None
