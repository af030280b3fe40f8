"""发药 in the browser: who paid and waits, one sheet with its packs scanned, the second pair of eyes, what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid5

import msgspec
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.approval import second_person
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.desk import rules as desk_rules
from app.facility.clinic.dispensing import handing, queries, returning, rules, substituting, treating
from app.facility.clinic.dispensing.errors import CodeNotFor
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.actions import SEVERITIES, TOLD_BY
from app.facility.clinic.patients.views import said
from app.facility.clinic.review import rules as review_rules
from app.facility.clinic.terms import usage
from app.facility.clinic.terms.dictionaries import HANDLINGS
from app.facility.stock import rulebook

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.core.tenancy import Desk
    from app.facility.clinic.dispensing.queries import Paper

blueprint = Blueprint("clinic_dispensing", __name__, url_prefix="/clinic/dispensing")
STAFF = ("pharmacist", "nurse")
LOOKERS = ("pharmacist", "nurse", "doctor", "owner", "clerk")
ROOM = "clinic_dispensing.show"
PAGES = ("clinic_dispensing.", "clinic_treatments.", "clinic_substitutions.")
MOST_CODES = 500


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_room(app, ROOM, "package-export", "发药", STAFF, 9, PAGES, kind="clinic")
    shell.add_page(app, ROOM, ROOM, "发药", LOOKERS, 10)


@blueprint.get("")
@needs(*LOOKERS)
def show() -> ResponseReturnValue:
    """The queue, with whoever paid first open."""
    return _page(None)


@blueprint.get("/sheets/<uuid:sheet_id>")
@needs(*LOOKERS)
def show_sheet(sheet_id: UUID) -> ResponseReturnValue:
    """One paid sheet beside the queue."""
    return _page(sheet_id)


@blueprint.post("/sheets/<uuid:sheet_id>/scans")
@needs(*STAFF)
def scan(sheet_id: UUID) -> ResponseReturnValue:
    """Take a scanned pack to the line it belongs to, or open it for one that goes by units; answer with the lines as they stand (without a scan: with what happened too)."""
    desk = signin.here()
    paper, codes, code = queries.get_sheet(desk, sheet_id), _codes(), forms.text("scan", 60)
    if not code:
        told = _lines(desk, paper, codes)
        return "".join(
            render_template(f"facility/clinic/dispensing/{part}.html", **told) for part in ("_lines", "_steps")
        )
    row = queries.get_packs(desk, [code]).get(code)
    pack = msgspec.convert(row._asdict(), rules.Scanned) if row else None
    units = next(
        (line for line in paper.goods if pack and line.product_id == pack.product_id and line.needs_opening), None
    )
    if units is not None:
        handing.open_pack(desk, uuid5(sheet_id, code), sheet_id, units.line_no, code)
        paper = queries.get_sheet(desk, sheet_id)
    else:
        codes.setdefault(_line_for(paper, codes, code, pack).line_no, []).append(code)
    return render_template("facility/clinic/dispensing/_lines.html", **_lines(desk, paper, codes) | {"last": code})


def _line_for(paper: Paper, codes: dict[int, list[str]], code: str, pack: rules.Scanned | None) -> rules.Line:
    if any(code in known for known in codes.values()):
        raise CodeNotFor(tail=code[-6:], why=_("已经扫过了"))
    mine = [line for line in paper.goods if pack and line.product_id == pack.product_id]
    if pack is None or not mine:
        handing.check_code(pack, code, next(iter(paper.goods)))
    line = next(
        (one for one in mine if not one.is_loose and (len(codes.get(one.line_no, [])) + 1) * one.pack_size <= one.left),
        None,
    )
    if line is None:
        raise CodeNotFor(tail=code[-6:], why=_("多了：这张处方的这种药已经够了"))
    handing.check_code(pack, code, line)
    return line


@blueprint.post("/sheets/<uuid:sheet_id>/handings")
@needs(*STAFF)
def hand_over(sheet_id: UUID) -> ResponseReturnValue:
    """Hand over what was put together and checked (发药)."""
    desk = signin.here()
    try:
        takes = _takes(queries.get_sheet(desk, sheet_id))
        number = handing.hand_over(desk, forms.document(), sheet_id, takes, _other())
    except Refusal as refused:
        return _page(sheet_id, refused)
    flash(_("%(number)s 已发药", number=number), "ok")
    return redirect(url_for(".show_sheet", sheet_id=sheet_id), 303)


def _takes(paper: Paper) -> list[rules.Take]:
    """What was typed: packs or units of each line, herbs whole; and the packs that were scanned."""
    codes, takes = _codes(), []
    for number, typed in zip(request.form.getlist("line"), request.form.getlist("quantity"), strict=False):
        line = paper.lines.get(forms.number(number) or 0)
        if line is None:
            continue
        many = forms.number(typed.strip() or "0")
        if many is None or many > 10**6:
            raise WrongInput(what=line.name, why=_("数量要写整数"))
        quantity = many if line.described["rx_class"] == "HERB" else many * line.pack_size
        why, note = _why(line.line_no)
        takes.append(rules.Take(line.line_no, quantity, tuple(codes.get(line.line_no, [])), why, note))
    return takes


def _why(line_no: int) -> tuple[str, str]:
    """Why the scanned packs go although others expire sooner: the reason chosen for a line, and words."""
    return forms.text(f"why_{line_no}", 20), forms.text(f"why_note_{line_no}", rules.MOST_LOT_NOTE)


def _codes() -> dict[int, list[str]]:
    """Packs scanned so far, by line: each field says line:code."""
    found: dict[int, list[str]] = {}
    for typed in request.form.getlist("code")[:MOST_CODES]:
        line, _sep, code = typed.replace("\x00", "").partition(":")
        number = forms.number(line)
        if number and 0 < len(code) <= 60:
            found.setdefault(number, []).append(code)
    return found


def _other(*roles: str) -> tuple[int, str]:
    """Who checks, by their own number and password; one of the two is a pharmacist."""
    roles = roles or (("pharmacist", "nurse", "doctor", "owner") if signin.me().has("pharmacist") else ("pharmacist",))
    name = forms.text("checker", 60)
    return second_person(name, request.form.get("checker_password", ""), *roles), name


@blueprint.post("/sheets/<uuid:sheet_id>/packs")
@needs(*STAFF)
def open_pack(sheet_id: UUID) -> ResponseReturnValue:
    """Open a pack for a line that goes by units."""
    try:
        line = forms.needed("opens", _("药品"))
        handing.open_pack(signin.here(), forms.document("opening"), sheet_id, line, forms.text("scan", 60))
    except Refusal as refused:
        return _page(sheet_id, refused)
    return redirect(url_for(".show_sheet", sheet_id=sheet_id), 303)


@blueprint.post("/sheets/<uuid:sheet_id>/pauses")
@needs(*STAFF)
def pause(sheet_id: UUID) -> ResponseReturnValue:
    """Stop a sheet with a reason, or go on."""
    try:
        reason = forms.text("reason", rules.MOST_NOTE)
        if not reason and forms.text("act", 10) != "resume":
            raise WrongInput(what=_("暂停"), why=_("要写原因"))
        handing.pause(signin.here(), forms.document(), sheet_id, reason)
    except Refusal as refused:
        return _page(sheet_id, refused)
    return redirect(url_for(".show_sheet", sheet_id=sheet_id), 303)


@blueprint.post("/sheets/<uuid:sheet_id>/tests")
@needs("nurse", "pharmacist", "doctor")
def note_test(sheet_id: UUID) -> ResponseReturnValue:
    """Note the result of a skin test, seen by two."""
    try:
        other, _name = _other("nurse", "pharmacist", "doctor")
        line = forms.needed("order_line", _("药品"))
        treating.note_skin_test(signin.here(), forms.document(), sheet_id, line, forms.text("result", 10), other, forms.text("note", rules.MOST_NOTE))  # fmt: skip
    except Refusal as refused:
        return _page(sheet_id, refused, testing=True)
    return redirect(url_for(".show_sheet", sheet_id=sheet_id), 303)


@blueprint.route("/sheets/<uuid:sheet_id>/returns", methods=["GET", "POST"])
@needs(*STAFF)
def take_back(sheet_id: UUID) -> ResponseReturnValue:
    """Take back what was handed over, into quarantine."""
    desk = signin.here()
    paper = queries.get_sheet(desk, sheet_id)
    if request.method == "GET":
        return _return_form(paper)
    try:
        number = returning.take_back(desk, forms.document(), sheet_id, _backs(paper), forms.text("reason", 30), forms.text("note", rules.MOST_NOTE), _other())  # fmt: skip
    except Refusal as refused:
        return _return_form(paper, refused)
    flash(_("%(number)s 已退药，药在待处理区。请收费处退费。", number=number), "ok")
    return redirect(url_for(".show_sheet", sheet_id=sheet_id), 303)


def _backs(paper: Paper) -> list[returning.Back]:
    """Quantities by the place of the line in the list, codes typed or scanned beside it."""
    backs = []
    for row, typed, codes in zip(
        paper.given, request.form.getlist("quantity"), request.form.getlist("codes"), strict=False
    ):
        many = forms.number(typed.strip() or "0")
        if many is None or many > 10**6:
            raise WrongInput(what=row.described["name"], why=_("数量要写整数"))
        size = 1 if row.split else row.described["pack_size"]
        found = tuple(dict.fromkeys(codes.replace("\x00", "").replace("，", " ").replace(",", " ").split()))[
            :MOST_CODES
        ]
        backs.append(returning.Back(row.dispensing_id, row.line_no, many * size, found if many else ()))
    return backs


def _return_form(paper: Paper, refused: Refusal | None = None) -> ResponseReturnValue:
    page = render_template(
        "facility/clinic/dispensing/return.html", paper=paper, reasons=rules.RETURNS, form=request.form, error=refused.message if refused else "",
        typed=request.form.getlist("quantity"), scanned=request.form.getlist("codes"), kinds=said(desk_rules.KINDS),
    )  # fmt: skip
    return page, refused.status if refused else 200


# ---- prints --------------------------------------------------------------------------------------------------------


@blueprint.get("/sheets/<uuid:sheet_id>/labels")
@needs(*STAFF)
def show_labels(sheet_id: UUID) -> ResponseReturnValue:
    """A label for each drug of the sheet: for whom, which drug, how to take it (用法标签)."""
    return render_template("facility/clinic/dispensing/labels.html", **_printed(sheet_id))


@blueprint.get("/sheets/<uuid:sheet_id>/note")
@needs(*STAFF)
def show_note(sheet_id: UUID) -> ResponseReturnValue:
    """What was handed over, with lots and signatures (发药单)."""
    return render_template("facility/clinic/dispensing/note.html", **_printed(sheet_id))


def _printed(sheet_id: UUID) -> dict[str, Any]:
    paper = queries.get_sheet(signin.here(), sheet_id)
    person = patients.unseal(queries.get_sealed(sheet_id))
    age = age_of(paper.head.born_on, clock.business_date(paper.head.signed_at))
    return {"paper": paper, "person": person, "age": age, "now": clock.now(), **words_shown()}


# ---- the page ------------------------------------------------------------------------------------------------------


def _page(order_id: UUID | None, refused: Refusal | None = None, *, testing: bool = False) -> ResponseReturnValue:
    desk, which = signin.here(), "done" if forms.arg("list", 10) == "done" else "waiting"
    read = queries.list_handed if which == "done" else queries.list_to_hand
    queue = forms.page(lambda after: read(desk.facility_id, after), queries.place_of, queries.PAGE)
    order_id = order_id or (queue.rows[0].id if queue.rows else None)
    paper = queries.get_sheet(desk, order_id) if order_id else None
    parts = _lines(desk, paper, _codes()) if paper else {}
    page = render_template(
        "facility/clinic/dispensing/dispensing.html", rows=queue.rows, which=which, after=queue.after, following=queue.following,
        error=refused.message if refused else "", may=signin.me().has(*STAFF), may_test=signin.me().has("nurse", "pharmacist", "doctor"), checker="" if testing else forms.text("checker", 60),
        testing=request.form if testing else None,
        **words_shown() | parts | {"paper": paper},
    )  # fmt: skip
    return page, refused.status if refused else 200


def _lines(desk: Desk, paper: Paper, codes: dict[int, list[str]]) -> dict[str, Any]:
    """The lines with the packs scanned for them, each pack with its lot."""
    lots = {pick.lot_id: pick for line in paper.lines.values() for pick in line.picks}
    packs = queries.get_packs(desk, [code for known in codes.values() for code in known]) if codes else {}
    quantities = dict(zip(request.form.getlist("line"), request.form.getlist("quantity"), strict=False))
    scanned = {code: msgspec.convert(row._asdict(), rules.Scanned) for code, row in packs.items()}
    passed = {
        line: pick for line, known in codes.items() if line in paper.lines
        and (pick := rules.passes_over(paper.lines[line], [scanned[one] for one in known if one in scanned], clock.business_date()))
    }  # fmt: skip
    return {
        "paper": paper,
        "passed": passed,
        "may_swap": signin.me().has(*STAFF),
        "whys": {line: _why(line) for line in passed},
        "codes": codes,
        "packs": packs,
        "lots": lots,
        "quantities": quantities,
        "last": "",
        **words_shown(),
    }


def words_shown() -> dict[str, Any]:
    return {
        "kinds": said(desk_rules.KINDS), "tags": said(desk_rules.TAGS), "sexes": said(patient_rules.SEXES), "states": review_rules.STATES, "usage": usage.usage,
        "decoction": usage.decoction, "handlings": HANDLINGS, "zones": said(rulebook.ZONE_WORDS), "tests": rules.TESTS, "severities": said(SEVERITIES), "told_by": said(TOLD_BY),
        "returns": rules.RETURNS, "lot_reasons": rules.LOT_REASONS, "swap_reasons": rules.SWAP_REASONS, "answers": rules.ANSWERS, "may_change": substituting.may_change, "age_of": age_of, "today": clock.business_date(),
    }  # fmt: skip
