"""The pages of stock papers (库存单据): the queue, the list, one paper with its print, and the screen that makes any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import barcodes, clock, shell, signin
from app.core.approval import second_person
from app.core.errors import NotFound, Refusal
from app.core.signin import needs
from app.core.web import per_language
from app.facility.catalog import queries as catalog
from app.facility.stock.keeping import actions, drawers, forms, queries, rules
from app.facility.stock.keeping.rules import CORRECT, Correction, Paper
from app.facility.stock.rulebook import ACTS, HOUSE, STAFF
from app.facility.stock.shelf import blind
from app.facility.stock.suppliers.queries import find_suppliers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock_papers", __name__, url_prefix="/stock/papers")
STATES = ("asked", "posted", "refused", "withdrawn")


@blueprint.record_once
def _announce(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_papers.list_papers", "单据", STAFF, 40)


@blueprint.app_template_global()
@per_language
def keeping_words() -> dict[str, dict[str, str]]:
    """The words of acts and what is corrected, in the language of the page."""
    return {
        "act": {code: _(word) for code, word in rules.WORDS.items()},
        "what": {code: _(word) for code, word in rules.CORRECTED.items()},
    }


@blueprint.app_template_global()
def translated(text: str) -> str:
    """A text that stands among the data, such as a reason, in the language of the page."""
    return _(text) if text else ""


@blueprint.app_template_global()
def choices_of(values: Sequence[str], shown: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Values of a choice with what the page shows for them: the words given, else their own in the page's language."""
    return [(value, shown.get(value, value) if shown is not None else _(value)) for value in values]


@blueprint.get("")
@needs(*STAFF)
def list_papers() -> ResponseReturnValue:
    """Papers, newest first, those waiting first asked for; one stands open beside the list."""
    args, here = request.args, signin.here()
    state = args.get("state", "") if args.get("state") in STATES else ""
    act = args.get("act", "") if args.get("act") in rules.WORDS else ""
    number = args.get("q", "").strip().upper().replace("\x00", "")[:30]
    rows = queries.list_papers(here.facility_id, state, act, number, forms.moment_of(args.get("before", "")))
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    rows = rows[: queries.PAGE]
    opened = next((row for row in rows if str(row.id) == args.get("open")), rows[0] if rows else None)
    return render_template(
        "facility/stock/keeping/papers.html", rows=rows, state=state, act=act, q=number, opened=opened, waiting=queries.count_waiting(here.facility_id),
        lines=queries.get_paper(here.facility_id, opened.id)[1] if opened else [], may_decide=_may_decide(opened), fields=rules.FIELDS,
        following=f"{last.asked_at.isoformat()}_{last.id}" if last else None, today=clock.business_date(),
    )  # fmt: skip


def _may_decide(paper: Any) -> bool:
    who = signin.me()
    return (
        bool(paper)
        and paper.state == "asked"
        and paper.staff_id != who.staff_id
        and who.has(*rules.deciders(paper.act))
    )


@blueprint.get("/<uuid:document_id>")
@needs(*STAFF)
def show_paper(document_id: UUID) -> ResponseReturnValue:
    """One paper as a record to print (A4), its number as a barcode."""
    head, lines = queries.get_paper(signin.here().facility_id, document_id)
    lot = queries.get_lot(signin.here().facility_id, int(head.record["lot"])) if head.act == CORRECT else None
    return render_template(
        "facility/stock/keeping/paper.html", head=head, lines=lines, lot=lot, fields=rules.FIELDS.get(head.act, ()),
        barcode=barcodes.code128_svg(head.number),
    )  # fmt: skip


@blueprint.get("/new")
@needs(*STAFF)
def new_paper() -> ResponseReturnValue:
    """Choose the act, then fill its paper in; other pages send the goods along."""
    act = request.args.get("act", "")
    if act not in rules.OFFERED:
        return render_template("facility/stock/keeping/choose.html", acts=(*rules.OFFERED, CORRECT), hints=rules.HINTS)
    places = [place for text in request.args.getlist("place")[: rules.MOST_LINES] if (place := forms.place_of(text))]
    lines = [_whole_place(place, row) for place, row in _places(places).items()]
    return _form(act, lines, {"reason": request.args.get("reason", "")[:200]})


def _places(places: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Any]:
    """What lies at these places, as whoever asks may read it."""
    known = queries.places_at(signin.here().facility_id, places)
    return dict(zip(known, blind.veil().over(known.values(), "product_id"), strict=True))


def _whole_place(place: tuple[int, str], row: Any) -> forms.Typed:
    """A line with all that may be moved of a place; how much that is, is typed where goods are being counted blind."""
    if row.free is None:
        return forms.Typed(place)
    return forms.Typed(place, str(row.free // row.pack_size or ""), str(row.free % row.pack_size or ""))


@blueprint.post("")
@needs(*STAFF)
def make_paper() -> ResponseReturnValue:
    """Make a paper: it posts, or waits for the second person, or posts with that person at the same screen."""
    form = request.form
    act, typed = form.get("act", ""), forms.typed_lines(form.to_dict(flat=False))
    if act not in rules.OFFERED:
        raise NotFound
    try:
        document = forms.document_of(form.get("document", ""))
        paper = _paper(act, typed)
        answer = actions.ask_document(signin.here(), document, paper, _second(act))
    except Refusal as refused:
        return _form(act, typed, form.to_dict(), refused.message), refused.status
    _say(answer)
    return redirect(url_for(".list_papers", open=document), 303)


def _paper(act: str, typed: list[forms.Typed]) -> Paper:
    form, zones = request.form, rules.targets(act)
    to_zone = (form.get("to_zone", "") if len(zones) > 1 else zones[0]) if zones else ""
    known = queries.places_at(signin.here().facility_id, [line.place for line in typed])
    lines = tuple(forms.line_of(number, line, known, to_zone) for number, line in enumerate(typed, 1))
    record = {each.name: form.get(f"field-{each.name}", "").strip().replace("\x00", "")[:300] for each in rules.FIELDS[act]}  # fmt: skip
    if witness := record.get("witness"):
        record["witness"] = queries.witness_named(witness, signin.me().staff_id)
    return Paper(act, lines, form.get("reason", ""), form.get("note", "").strip().replace("\x00", "")[:300], record)


def _second(act: str) -> int | None:
    name = request.form.get("approver", "")
    if not name.strip() or not rules.needs_second(act):
        return None
    return second_person(name, request.form.get("approver_password", ""), *rules.deciders(act))


def _say(answer: actions.Answer) -> None:
    words = {
        "posted": _("%(number)s 已过账。", number=answer.number),
        "asked": _("%(number)s 已提交，等另一位有权限的同事复核。", number=answer.number),
        "refused": _("%(number)s 已退回，没有过账。", number=answer.number),
        "withdrawn": _("%(number)s 已撤回。", number=answer.number),
    }
    flash(words[answer.state], "ok" if answer.state == "posted" else "info")


def _form(act: str, typed: list[forms.Typed], form: dict[str, str], error: str = "") -> str:
    here, known = signin.here(), _places([line.place for line in typed])
    return render_template(
        "facility/stock/keeping/paper_new.html", act=act, lines=[(line, known[line.place]) for line in typed if line.place in known], form=form, error=error,
        reasons=rules.REASONS[act], other=rules.OTHER, fields=rules.FIELDS[act], zones=rules.targets(act), second=ACTS[act].second, hint=rules.HINTS[act],
        drawers=queries.list_drawers(here.facility_id) if act in {"fill_drawer", "drawer_loss"} else [], today=clock.business_date(),
        suppliers=_suppliers(typed) if act == "return_out" else [],
    )  # fmt: skip


def _suppliers(typed: list[forms.Typed]) -> list[str]:
    """Who may be chosen for a return: first who brought these goods."""
    brought = queries.brought_by([line.place[0] for line in typed]) if typed else []
    return list(dict.fromkeys([*brought, *(row.name for row in find_suppliers("", 50))]))


@blueprint.get("/places")
@needs(*STAFF)
def find_places() -> ResponseReturnValue:
    """Lots and zones that fit what was scanned or typed, for the act being filled in."""
    here, text = signin.here(), request.args.get("q", "").strip().replace("\x00", "")[:100]
    act = request.args.get("act", "")
    zones = ACTS[act].leaves if act in rules.OFFERED else HOUSE
    code = queries.code_at(here.facility_id, text) if text else None
    if code:
        rows = [row for row in queries.places_at(here.facility_id, [(code.lot_id, code.zone)]).values() if row.zone in zones]  # fmt: skip
    else:
        found = catalog.find_products(text, limit=8) if text else []
        rows = queries.places_of(here.facility_id, [product.id for product in found], zones)
        rows = rows or (queries.places_of_lot(here.facility_id, text, zones) if text else [])
    return render_template(
        "facility/stock/keeping/_places.html",
        rows=blind.veil().over(rows, "product_id"),
        q=text,
        code=text if code else "",
        today=clock.business_date(),
    )


@blueprint.get("/lines")
@needs(*STAFF)
def show_line() -> ResponseReturnValue:
    """One empty line for a place that was chosen; a scanned pack comes with its code and what is left in it."""
    here = signin.here()
    place = forms.place_of(request.args.get("place", ""))
    known = _places([place] if place else [])
    if place is None or place not in known:
        raise NotFound
    code = queries.code_at(here.facility_id, request.args.get("code", "")) if request.args.get("code") else None
    row = known[place]
    units = code.remaining if code else 0
    line = forms.Typed(place, str(units // row.pack_size or ""), str(units % row.pack_size or ""), (code.code,) if code else ())  # fmt: skip
    brought = queries.brought_by([place[0]]) if request.args.get("act") == "return_out" else []
    return render_template("facility/stock/keeping/_line.html", line=line, row=row, number="", today=clock.business_date(), brought=brought)  # fmt: skip


@blueprint.post("/<uuid:document_id>/decision")
@needs(*STAFF)
def decide_paper(document_id: UUID) -> ResponseReturnValue:
    """The second person confirms a paper, or refuses it with a reason."""
    here = signin.here()
    head, _lines = queries.get_paper(here.facility_id, document_id)
    if not signin.me().has(*rules.deciders(head.act)):
        raise NotFound
    yes = request.form.get("result") == "yes"
    note = request.form.get("note", "").replace("\x00", "")
    _say(actions.decide_document(here, document_id, yes=yes, note=note))
    return redirect(url_for(".list_papers", open=document_id), 303)


@blueprint.post("/<uuid:document_id>/withdrawal")
@needs(*STAFF)
def withdraw_paper(document_id: UUID) -> ResponseReturnValue:
    """Who asked takes the paper back."""
    _say(actions.withdraw_document(signin.here(), document_id))
    return redirect(url_for(".list_papers", open=document_id), 303)


# ---- corrections -----------------------------------------------------------------------------------------------------


@blueprint.get("/corrections/new")
@needs(*STAFF)
def new_correction() -> ResponseReturnValue:
    """Find the lot that was written wrongly, then say what is right."""
    lot_id = forms.number_of(request.args.get("lot", ""))
    if lot_id:
        return _correction_form(lot_id, {})
    text = request.args.get("q", "").strip().replace("\x00", "")[:100]
    here = signin.here()
    code = queries.code_at(here.facility_id, text) if text else None
    if code:
        return redirect(url_for(".new_correction", lot=code.lot_id), 303)
    found = catalog.find_products(text, limit=8) if text else []
    lots = [(product, lot) for product in found for lot in queries.lots_of_product(here.facility_id, product.id)][:50]
    return render_template("facility/stock/keeping/correction_find.html", q=text, lots=lots, today=clock.business_date())  # fmt: skip


@blueprint.post("/corrections/<int:lot_id>")
@needs(*STAFF)
def correct_lot(lot_id: int) -> ResponseReturnValue:
    """Correct a lot: reversing rows, with before and after."""
    form, here = request.form, signin.here()
    lot = queries.get_lot(here.facility_id, lot_id)
    try:
        wanted = Correction(
            lot_id, form.get("what", ""), _after(form.get("what", ""), lot.pack_size), form.get("reason", ""), form.get("note", "").strip().replace("\x00", "")[:300],
            form.get("zone", "") if form.get("what") == "quantity" else "", forms.codes_of(form.get("codes", "")) if form.get("what") == "quantity" else (),
        )  # fmt: skip
        answer = actions.ask_correction(here, forms.document_of(form.get("document", "")), wanted, _second(CORRECT))
    except Refusal as refused:
        return _correction_form(lot_id, form.to_dict(), refused.message), refused.status
    _say(answer)
    return redirect(url_for(".list_papers", open=form.get("document", "")), 303)


def _after(what: str, pack_size: int) -> str:
    form = request.form
    if what == "quantity":
        units = forms.whole(form.get("packs", "") or "0") * pack_size + forms.whole(form.get("units", "") or "0")
        return str(units)
    return form.get(f"after-{what}", "").replace("\x00", "")[:60]


def _correction_form(lot_id: int, form: dict[str, str], error: str = "") -> str:
    here = signin.here()
    lot = queries.get_lot(here.facility_id, lot_id)
    goods: dict[str, int | None] = {**queries.goods_of(here.facility_id, lot_id)}
    if goods and lot.product_id in blind.veil().products:
        goods = dict.fromkeys(goods)
    return render_template(
        "facility/stock/keeping/correction_new.html", lot=lot, goods=goods, form=form, error=error,
        reasons=rules.REASONS[CORRECT], other=rules.OTHER, corrected=rules.CORRECTED, today=clock.business_date(), zones=HOUSE,
    )  # fmt: skip


# ---- herb drawers ----------------------------------------------------------------------------------------------------


@blueprint.route("/drawers", methods=["GET", "POST"])
@needs(*STAFF)
def list_drawers() -> ResponseReturnValue:
    """The cabinet: which herb and which lot stands in which drawer, and when it was cleaned."""
    here, error = signin.here(), ""
    if request.method == "POST":
        try:
            drawers.add_drawer(here, request.form.get("name", ""))
            return redirect(url_for(".list_drawers"), 303)
        except Refusal as refused:
            error = refused.message
    rows = queries.list_drawers(here.facility_id, request.args.get("after", "")[:40])
    following = rows[queries.PAGE - 1].name if len(rows) > queries.PAGE else None
    page = render_template("facility/stock/keeping/drawers.html", rows=rows[: queries.PAGE], following=following, error=error, today=clock.business_date())  # fmt: skip
    return page, 422 if error else 200
