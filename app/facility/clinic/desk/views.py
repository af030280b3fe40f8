"""The doctor's desk in the browser: the queue, the visit being written, pickers, answers to reminders, the signature."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import msgspec
from flask import (
    Blueprint,
    Response,
    after_this_request,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.errors import NotFound, Outage, WrongInput
from app.core.personal import mask_name
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.clinic import forms as typed
from app.facility.clinic import visits
from app.facility.clinic.desk import (
    answers,
    beside,
    checking,
    estimating,
    forms,
    formulas,
    history,
    limits,
    queries,
    reminders,
    rules,
    signing,
    supplies,
    wire,
)
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.reception import queue as reception
from app.facility.clinic.reception.errors import NobodyWaits
from app.facility.clinic.terms import queries as terms
from app.facility.clinic.terms.dictionaries import DECOCTIONS, FREQUENCIES, HANDLINGS, ROUTES, UNITS
from app.facility.db import transaction
from app.facility.insurance import worker
from app.facility.organizations import parameters
from app.facility.stock import queries as stock

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState

    from app.core.tenancy import Desk
    from app.facility.clinic.desk.rules import Content

blueprint = Blueprint("clinic_desk", __name__, url_prefix="/clinic/desk")
STAFF = ("doctor",)
MOST_FOUND = 12
OPEN = ("IN_VISIT", "SIGNED")
ADDS = ("WESTERN", "HERB", "INFUSION", "TREATMENT", "TEST")
SHEET_STATES = {
    "SIGNED": "待审方", "PASSED": "待收费", "RETURNED": "已退回", "REFUSED": "已拒绝", "CHARGED": "已收费", "DISPENSING": "发药中", "DONE": "已完成",
    "OUT": "已外配",
}  # fmt: skip


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_room(app, "clinic_desk.show", "stethoscope", "医生站", STAFF, 6, kind="clinic")
    worker.also(app, checking.tell_kept_back)


@blueprint.get("")
@needs(*STAFF)
def show() -> ResponseReturnValue:
    """Today's people, nobody chosen yet."""
    desk = signin.here()
    return render_template("facility/clinic/desk/desk.html", visit=None, **_queue(desk))


@blueprint.post("/next")
@needs(*STAFF)
def take_next() -> ResponseReturnValue:
    """Take whoever is called, else whoever is next (叫下一位); with nobody waiting, stay."""
    try:
        visit_id = reception.take_next(signin.here())
    except NobodyWaits:
        flash(gettext("现在没有人在候诊。"), "info")
        return redirect(url_for(".show"), 303)
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


@blueprint.post("/visits/<uuid:visit_id>/beginning")
@needs(*STAFF)
def take(visit_id: UUID) -> ResponseReturnValue:
    """Take this patient (接诊)."""
    return _take(signin.here(), visit_id)


@blueprint.post("/visits/<uuid:visit_id>/passing")
@needs(*STAFF)
def pass_by(visit_id: UUID) -> ResponseReturnValue:
    """Nobody came (过号): back to those who are called again, as long as nothing is written."""
    visits.step(signin.here(), visit_id, "passed")
    return redirect(url_for(".show"), 303)


def _take(desk: Desk, visit_id: UUID) -> ResponseReturnValue:
    visits.step(desk, visit_id, "began", doctor=desk.staff_id)
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


@blueprint.post("/visits/<uuid:visit_id>/reopening")
@needs(*STAFF)
def reopen(visit_id: UUID) -> ResponseReturnValue:
    """Open a signed visit again to change it; signing makes a new version."""
    visits.step(signin.here(), visit_id, "reopened")
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


@blueprint.get("/visits/<uuid:visit_id>")
@needs(*STAFF)
def show_visit(visit_id: UUID) -> ResponseReturnValue:
    """One visit on the desk: as it is being written, or as it was signed."""
    desk = signin.here()
    visit = queries.get_visit(desk.facility_id, visit_id)
    with transaction(settings=desk.settings) as hot:
        version, content = signing.read_draft(hot, desk, visit_id)
        allergies = patients.allergies(hot, desk, visit.patient_id)
    if content == rules.Content() and not version and visit.visit_service_id:
        content = rules.begin(visit_id, visit.visit_service_id, visit.fee_units)
    return render_template(
        "facility/clinic/desk/desk.html", visit=visit, version=version, allergies=allergies, before=queries.list_before(visit.patient_id, visit_id),
        sheets=queries.list_sheets(visit_id) if visit.version else [], parts=beside.parts(current_app, desk, visit.patient_id), order_states=SHEET_STATES, charge=_charge(visit), mask=mask_name,
        estimate=None if visit.mdtrt_id or visit.state != "IN_VISIT" else estimating.Estimate(why=estimating.SELF_PAID),
        referral=_above(f"/clinic/referrals/visits/{visit.id}/state") if visit.version else "",
        age=age_of(visit.born_on, clock.business_date()), severities=patients.SEVERITIES, told_by=patients.TOLD_BY, **_queue(desk) | _paper(desk, visit_id, content),
    )  # fmt: skip


def _charge(visit: Any) -> str:
    """The address where this visit is paid, once something was signed."""
    return _above(f"/clinic/charging/visits/{visit.id}") if visit.version else ""


def _above(path: str) -> str:
    """The address of a page of a room above the desk; empty where that page is not there."""
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return ""
    return request.script_root + path


@blueprint.post("/visits/<uuid:visit_id>/draft")
@needs(*STAFF)
def keep(visit_id: UUID) -> ResponseReturnValue:
    """Keep what is written, with one thing added or taken off; answer with how it stands."""
    desk = signin.here()
    queries.get_visit(desk.facility_id, visit_id)
    written = _changed(desk, _read())
    content, left_out = _with_formula(desk, visit_id, written)
    version = signing.keep_draft(desk, visit_id, _number(request.form.get("version", "")), content)
    if content.record != written.record:  # The fields of the record stand outside the draft's part.
        return Response(status=204, headers={"HX-Refresh": "true"})
    return _drafted(desk, visit_id, version, content, left_out="、".join(left_out))


@blueprint.post("/visits/<uuid:visit_id>/checks")
@needs(*STAFF)
def check(visit_id: UUID) -> ResponseReturnValue:
    """Let the center look at the draft as it is kept, and tell it what was answered; says how the draft stands and whether the check was whole."""
    desk = signin.here()
    visit = queries.get_visit(desk.facility_id, visit_id)
    with transaction(settings=desk.settings) as hot:
        version, content = signing.read_draft(hot, desk, visit_id)
    cards = catalog.get_products({line.product_id for sheet in content.sheets for line in sheet.lines})
    checked = checking.check_draft(desk, visit, content, cards) if visit.state == "IN_VISIT" else "none"
    split: estimating.Estimate | None = estimating.Estimate(why=estimating.AWAY)
    if visit.mdtrt_id and checked != "partial":
        with suppress(Outage):  # The recovery worker tells it.
            checking.tell_answers(desk)
        paid = (
            {one.id for one in queries.list_sheets(visit_id) if one.state in signing.PAID} if visit.version else set()
        )
        split = estimating.estimate(desk, visit, content, cards, paid)
    return _drafted(desk, visit_id, version, content, checked=checked, estimate=split)


@blueprint.post("/visits/<uuid:visit_id>/elsewhere")
@needs(*STAFF)
def elsewhere(visit_id: UUID) -> ResponseReturnValue:
    """What this person had elsewhere, as the center tells it of a registered visit that the doctor has in hand."""
    desk = signin.here()
    visit = queries.get_visit(desk.facility_id, visit_id)
    if not visit.mdtrt_id or visit.identification_id is None or visit.state not in OPEN:
        raise NotFound
    told, year = history.read_history(desk, visit), str(clock.business_date().year)
    return render_template("facility/clinic/desk/_history.html", history=told, visit=visit, this_year=year)


@blueprint.post("/visits/<uuid:visit_id>/answers")
@needs(*STAFF)
def answer(visit_id: UUID) -> ResponseReturnValue:
    """Keep the answer to one reminder of the draft as it is kept; answer with how it stands."""
    desk, form = signin.here(), request.form
    queries.get_visit(desk.facility_id, visit_id)
    with transaction(settings=desk.settings) as hot:
        version, content = signing.read_draft(hot, desk, visit_id)
    found = [one for one, _given in _paper(desk, visit_id, content)["notes"] if one.key == form.get("key")]
    if not found:
        raise WrongInput(what="提醒", why="这条提醒已经没有了，请刷新")
    answers.answer_reminder(
        desk, uuid4(), visit_id, found[0], form.get("answer", ""), form.get("reason", ""), form.get("note", "")
    )
    return _drafted(desk, visit_id, version, content)


@blueprint.post("/visits/<uuid:visit_id>/allergies-asked")
@needs(*STAFF)
def asked(visit_id: UUID) -> ResponseReturnValue:
    """Note that allergies were asked about."""
    answers.note_asked(signin.here(), visit_id)
    return Response(status=204)


@blueprint.post("/visits/<uuid:visit_id>/signature")
@needs(*STAFF)
def sign(visit_id: UUID) -> ResponseReturnValue:
    """Keep what is written, then sign it (签名送审). What was kept stays kept when the signature is refused: the answer names its version."""
    desk = signin.here()
    visit = queries.get_visit(desk.facility_id, visit_id)
    content = _read()
    if visit.state == "IN_VISIT":
        kept = signing.keep_draft(desk, visit_id, _number(request.form.get("version", "")), content)
        after_this_request(lambda answer: _with_version(answer, kept))
    signing.sign_visit(desk, visit_id, content)
    return Response(status=204, headers={"HX-Redirect": url_for(".show_visit", visit_id=visit_id)})


def _with_version(answer: Response, version: int) -> Response:
    answer.headers["Draft-Version"] = str(version)
    return answer


@blueprint.get("/visits/<uuid:visit_id>/formulas")
@needs(*STAFF)
def find_formulas(visit_id: UUID) -> ResponseReturnValue:
    """What to begin from: what the patient had last, and formulas, templates and packages by name."""
    desk, text = signin.here(), request.args.get("q", "").strip()[:40]
    queries.get_visit(desk.facility_id, visit_id)
    last = formulas.last_sheets(desk, visit_id) if not text else []
    return render_template("facility/clinic/desk/_formulas.html", last=last, found=formulas.find_formulas(desk, text)[:formulas.PAGE], packages=formulas.find_packages(text), q=text, kinds=formulas.KINDS, say=gettext)  # fmt: skip


@blueprint.post("/visits/<uuid:visit_id>/formulas")
@needs(*STAFF)
def save_formula(visit_id: UUID) -> ResponseReturnValue:
    """Keep one sheet of what is written as a formula, or the record as a template."""
    desk, form = signin.here(), request.form
    queries.get_visit(desk.facility_id, visit_id)
    content, name, scope = _read(), form.get("formula_name", ""), form.get("scope", "")
    if form.get("at") == "record":
        formulas.save_template(desk, uuid4(), name, content, scope)
        return Response(status=204)
    at = _number(form.get("at", ""))
    if at >= len(content.sheets):
        raise WrongInput(what=gettext("协定处方"), why=gettext("这张单子已经不在了，请刷新"))
    formulas.save_formula(desk, uuid4(), name, content.sheets[at], scope)
    return Response(status=204)


@blueprint.get("/formulas")
@needs(*STAFF)
def list_formulas() -> ResponseReturnValue:
    """The formulas a doctor may use, 30 a page; the own may be taken off."""
    desk, text, after = signin.here(), request.args.get("q", "").strip()[:40], typed.uuid_or_none(typed.arg("after"))
    rows = formulas.find_formulas(desk, text, after)
    found, more = rows[: formulas.PAGE], len(rows) > formulas.PAGE
    return render_template("facility/clinic/desk/formulas.html", found=found, q=text, after=after, following=found[-1].id if more else None, kinds=formulas.KINDS, say=gettext)  # fmt: skip


@blueprint.post("/formulas/<uuid:formula_id>/removal")
@needs(*STAFF)
def end_formula(formula_id: UUID) -> ResponseReturnValue:
    """Take a formula off."""
    formulas.end_formula(signin.here(), formula_id)
    return redirect(url_for(".list_formulas"), 303)


@blueprint.get("/drugs")
@needs(*STAFF)
def find_drugs() -> ResponseReturnValue:
    """Drugs for a field that looks them up, with stock and price."""
    return _found(("RX", "OTC_A", "OTC_B"))


@blueprint.get("/herbs")
@needs(*STAFF)
def find_herbs() -> ResponseReturnValue:
    """Herbs, likewise."""
    return _found(("HERB",))


@blueprint.get("/services")
@needs(*STAFF)
def find_services() -> ResponseReturnValue:
    """Treatments and tests with their prices."""
    return _found(("SERVICE",))


def _found(classes: tuple[str, ...]) -> ResponseReturnValue:
    desk, text = signin.here(), request.args.get("q", "").strip()[:60]
    fits = catalog.find_products(text, 50) if text else formulas.often_used(desk, classes)
    found = [one for one in fits if one.rx_class in classes and one.is_active][:MOST_FOUND]
    goods = "SERVICE" not in classes
    free = stock.free_to_sell(desk.facility_id, [one.id for one in found]) if goods else {}
    return render_template("facility/clinic/desk/_products.html", products=found, free=free, goods=goods, q=text)


def _queue(desk: Desk) -> dict[str, Any]:
    rows, today = queries.list_queue(desk.facility_id, desk.staff_id), clock.business_date()
    return {
        "queue": [(row, age_of(row.born_on, today)) for row in rows], "states": visits.STATES, "say": gettext, "waiting": sum(row.state in queries.TAKEN for row in rows),
        "swaps": _above("/clinic/substitutions/notice"),
    }  # fmt: skip


def _read() -> Content:
    cards = catalog.get_products(forms.products_of(request.form))
    return forms.read(request.form, cards)


def _changed(desk: Desk, content: Content) -> Content:
    form, most = request.form, limits.of(parameters.of(desk.tenant_id), clock.now()).drugs
    if form.get("add") and form.get("add_kind") in ADDS:
        card = catalog.get_product(_number(form["add"]))
        content = forms.add(content, card, form["add_kind"], most)
    if form.get("add_dx"):
        one = terms.get_current([form["add_dx"][:30]])[0]
        if one.code not in {each.code for each in content.diagnoses}:
            made = rules.Diagnosis(one.kind, one.code, one.name)
            content = msgspec.structs.replace(content, diagnoses=(*content.diagnoses, made))
    if form.get("drop"):
        sheet, _, line = form["drop"].partition(".")
        content = forms.drop(content, _number(sheet), _number(line))
    if form.get("drop_dx"):
        left = tuple(one for one in content.diagnoses if one.code != form["drop_dx"])
        content = msgspec.structs.replace(content, diagnoses=left)
    return content


def _drafted(desk: Desk, visit_id: UUID, version: int, content: Content, **more: Any) -> str:
    return render_template(
        "facility/clinic/desk/_drafted.html", version=version, alone=True, **_paper(desk, visit_id, content), **more
    )


def _with_formula(desk: Desk, visit_id: UUID, content: Content) -> tuple[Content, list[str]]:
    """Put a formula, a template, or a sheet the patient had before, on the draft; also what of it was left out because it stopped."""
    asked = request.form.get("formula", "")
    if not asked:
        return content, []
    sheet = formulas.package(_number(asked[1:])) if asked[0] == "p" else _kept_sheet(desk, visit_id, asked)
    if isinstance(sheet, formulas.Template):
        return formulas.begin(content, sheet), []
    cards = catalog.get_products({line.product_id for line in sheet.lines})
    return formulas.put_on(content, sheet, cards)


def _kept_sheet(desk: Desk, visit_id: UUID, asked: str) -> rules.Sheet | formulas.Template:
    try:
        one = UUID(asked[1:])
    except ValueError:
        raise NotFound from None
    return formulas.formula(desk, one) if asked[0] == "f" else formulas.last_sheet(desk, visit_id, one)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _paper(desk: Desk, visit_id: UUID, content: Content) -> dict[str, Any]:
    """Everything the draft's part shows: lines with their prices, limits and reminders in place, the sum."""
    cards = catalog.get_products({line.product_id for sheet in content.sheets for line in sheet.lines})
    allowed = limits.of(parameters.of(desk.tenant_id), clock.now())
    with transaction(settings=desk.settings) as hot:
        rights = practice.rights_of(hot, desk)
        who, asked_at, given = answers.facts(hot, desk, visit_id)
        findings = checking.standing(hot, desk, visit_id)
    broken = limits.broken(content, cards, allowed, narcotics=rights.narcotics, antimicrobials=rights.antimicrobials)
    local = reminders.reminders(content, cards, who, clock.business_date(), allowed.herbs)
    found = checking.merged(local, findings, content, cards, broken)
    amounts = [[rules.amount_fen(line, cards[line.product_id]) if line.product_id in cards else 0 for line in sheet.lines] for sheet in content.sheets]  # fmt: skip
    today = clock.business_date()
    return {
        "bars": supplies.bars(who, content, cards, today), "from_day": f"{today - timedelta(days=supplies.BACK):%m-%d}",
        "to_day": f"{today + timedelta(days=supplies.AHEAD):%m-%d}", "content": content, "cards": cards, "who": who, "asked_at": asked_at, "today": today,
        "broken": broken, "notes": [(one, given.get(one.key)) for one in found],
        "open": sum(one.firm and one.key not in given for one in found), "amounts": amounts, "total_fen": sum(map(sum, amounts)),
        "asked": wire.digest(content, cards), "reasons": reminders.REASONS, "frequencies": FREQUENCIES, "routes": ROUTES, "units": UNITS, "handlings": HANDLINGS,
        "decoctions": DECOCTIONS, "kinds": rules.KINDS, "tags": rules.TAGS, "diagnosis_kinds": rules.DIAGNOSES, "say": gettext,
    }  # fmt: skip
