"""The doctor's desk in the browser: the queue, the visit being written, pickers, answers to reminders, the signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.core import clock, signin
from app.core.errors import WrongInput
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.clinic import visits
from app.facility.clinic.desk import answers, forms, limits, queries, reminders, rules, signing
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.terms import queries as terms
from app.facility.clinic.terms.dictionaries import DECOCTIONS, FREQUENCIES, HANDLINGS, ROUTES, UNITS
from app.facility.db import transaction
from app.facility.organizations import parameters
from app.facility.stock import queries as stock

if TYPE_CHECKING:
    from app.core.tenancy import Desk
    from app.facility.clinic.desk.rules import Content

blueprint = Blueprint("clinic_desk", __name__, url_prefix="/clinic/desk")
STAFF = ("doctor",)
MOST_FOUND = 12
ADDS = ("WESTERN", "HERB", "TREATMENT", "TEST")


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
    desk = signin.here()
    waiting = queries.list_queue(desk.facility_id, desk.staff_id, queries.TAKEN)
    waiting.sort(key=lambda row: row.state != "CALLED")
    if not waiting:
        return redirect(url_for(".show"), 303)
    return _take(desk, waiting[0].id)


@blueprint.post("/visits/<uuid:visit_id>/beginning")
@needs(*STAFF)
def take(visit_id: UUID) -> ResponseReturnValue:
    """Take this patient (接诊)."""
    return _take(signin.here(), visit_id)


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
    return render_template(
        "facility/clinic/desk/desk.html", visit=visit, version=version, allergies=allergies, before=queries.list_before(visit.patient_id, visit_id),
        age=reminders.age_on(visit.born_on, clock.business_date()), severities=patients.SEVERITIES, told_by=patients.TOLD_BY, **_queue(desk) | _paper(desk, visit_id, content),
    )  # fmt: skip


@blueprint.post("/visits/<uuid:visit_id>/draft")
@needs(*STAFF)
def keep(visit_id: UUID) -> ResponseReturnValue:
    """Keep what is written, with one thing added or taken off; answer with how it stands."""
    desk = signin.here()
    queries.get_visit(desk.facility_id, visit_id)
    content = _changed(desk, _read())
    version = signing.keep_draft(desk, visit_id, _number(request.form.get("version", "")), content)
    return render_template("facility/clinic/desk/_drafted.html", version=version, **_paper(desk, visit_id, content))


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
    return render_template("facility/clinic/desk/_drafted.html", version=version, **_paper(desk, visit_id, content))


@blueprint.post("/visits/<uuid:visit_id>/allergies-asked")
@needs(*STAFF)
def asked(visit_id: UUID) -> ResponseReturnValue:
    """Note that allergies were asked about."""
    answers.note_asked(signin.here(), visit_id)
    return Response(status=204)


@blueprint.post("/visits/<uuid:visit_id>/signature")
@needs(*STAFF)
def sign(visit_id: UUID) -> ResponseReturnValue:
    """Keep what is written, then sign it (签名送审)."""
    desk = signin.here()
    visit = queries.get_visit(desk.facility_id, visit_id)
    content = _read()
    if visit.state == "IN_VISIT":
        signing.keep_draft(desk, visit_id, _number(request.form.get("version", "")), content)
    signing.sign_visit(desk, visit_id, content)
    return Response(status=204, headers={"HX-Redirect": url_for(".show_visit", visit_id=visit_id)})


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
    fits = catalog.find_products(text, 50) if text else []
    found = [one for one in fits if one.rx_class in classes and one.is_active][:MOST_FOUND]
    goods = "SERVICE" not in classes
    free = stock.free_to_sell(desk.facility_id, [one.id for one in found]) if goods else {}
    return render_template("facility/clinic/desk/_products.html", products=found, free=free, goods=goods, q=text)


def _queue(desk: Desk) -> dict[str, Any]:
    rows, today = queries.list_queue(desk.facility_id, desk.staff_id), clock.business_date()
    return {
        "queue": [(row, reminders.age_on(row.born_on, today)) for row in rows], "states": visits.STATES, "say": gettext, "waiting": sum(row.state in queries.TAKEN for row in rows),
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


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _paper(desk: Desk, visit_id: UUID, content: Content) -> dict[str, Any]:
    """Everything the draft's part shows: lines with their prices, limits and reminders in place, the sum."""
    cards = catalog.get_products({line.product_id for sheet in content.sheets for line in sheet.lines})
    allowed = limits.of(parameters.of(desk.tenant_id), clock.now())
    with transaction(settings=desk.settings) as hot:
        rights = practice.rights_of(hot, desk)
        who, asked_at, given = answers.facts(hot, desk, visit_id)
    found = reminders.reminders(content, cards, who, clock.business_date(), allowed.herbs)
    amounts = [[rules.amount_fen(line, cards[line.product_id]) if line.product_id in cards else 0 for line in sheet.lines] for sheet in content.sheets]  # fmt: skip
    return {
        "content": content, "cards": cards, "who": who, "asked_at": asked_at, "today": clock.business_date(),
        "broken": limits.broken(content, cards, allowed, narcotics=rights.narcotics), "notes": [(one, given.get(one.key)) for one in found],
        "open": sum(one.firm and one.key not in given for one in found), "amounts": amounts, "total_fen": sum(map(sum, amounts)),
        "rules": reminders.RULES, "reasons": reminders.REASONS, "frequencies": FREQUENCIES, "routes": ROUTES, "units": UNITS, "handlings": HANDLINGS,
        "decoctions": DECOCTIONS, "kinds": rules.KINDS, "tags": rules.TAGS, "diagnosis_kinds": rules.DIAGNOSES, "say": gettext,
    }  # fmt: skip
