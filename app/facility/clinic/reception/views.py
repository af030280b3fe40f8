"""挂号: whoever comes is read or looked up, sent to a department and given a ticket; the queue of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid5

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.approval import second_person
from app.core.errors import Outage, Refusal, WrongInput
from app.core.signin import needs
from app.facility.clinic import forms, visits
from app.facility.clinic.errors import PatientIncomplete
from app.facility.clinic.patients import actions as patient_actions
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.views import age_of, said
from app.facility.clinic.practice import queries as practice
from app.facility.clinic.reception import queue, registering
from app.facility.insurance import identify, messages
from app.national import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.core.tenancy import Desk

blueprint = Blueprint("clinic_reception", __name__, url_prefix="/clinic/reception")
STAFF = ("clerk", "nurse", "owner")
LOOKERS = ("clerk", "nurse", "doctor", "owner")
ROOM = "clinic_reception.show"
PAGES = ("clinic_reception.", "clinic_patients.", "clinic_practice.", "clinic_queue.", "clinic_duties.", "clinic_wall.")
MED_TYPES = {"11": "普通门诊", "14": "门诊慢特病", "13": "急诊"}
MATCHES = {"document_seen": "已查验身份证件", "known_person": "认识本人", "guardian_seen": "已查验监护人证件"}


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_room(app, ROOM, "clipboard-list", "挂号", STAFF, 5, PAGES, kind="clinic")
    shell.add_page(app, ROOM, ROOM, "挂号", STAFF, 10)


# ---- who comes -----------------------------------------------------------------------------------------------------


@blueprint.route("", methods=["GET", "POST"])
@needs(*STAFF)
def show() -> ResponseReturnValue:
    """Read a card, or look somebody up; a card's holder who has no file gets one in the same step."""
    typed = forms.text("q", 60)
    if request.method == "POST" and messages.kind_of_credential(typed):
        return _read(typed)
    return _looked_up(typed)


def _looked_up(typed: str, refused: str = "", status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "facility/clinic/reception/reception.html", q=typed if not messages.kind_of_credential(typed) else "", rows=patients.find_patients(typed),
        refused=refused, today=clock.business_date(), age_of=age_of, sexes=said(patient_rules.SEXES), counts=queue.counts(signin.here().facility_id),
    )  # fmt: skip
    return page, status


def _read(typed: str) -> ResponseReturnValue:
    """Ask the center whose card it is; when it does not answer, somebody known by citizen id may come self-paid."""
    desk, reading = signin.here(), forms.document()
    try:
        identify.identify(desk, reading, typed, _how(typed))
    except Outage:
        return _looked_up(typed, _("医保中心现在没有回答。可以先按自费挂号，卡稍后再读。"), 503)
    except Refusal as refused:
        return _looked_up(typed, refused.message, refused.status)
    try:
        patient_id = _file_of(desk, reading)
    except PatientIncomplete:
        flash(_("读到了卡，但证件资料不足以自动建档。请手工建档，再从患者页挂号。"), "warn")
        return redirect(url_for("clinic_patients.new", then="visit"), 303)
    return redirect(url_for(".new_visit", patient_id=patient_id, reading=reading), 303)


def _how(typed: str) -> str:
    if messages.kind_of_credential(typed) == "ecert":
        return "ecert"
    return "card" if request.form.get("how") == "card" else "typed"


def _file_of(desk: Desk, reading: UUID) -> UUID:
    """The file of the card's holder; made now when there is none."""
    person = identify.person_read(desk, identify.get(desk, reading))
    row = patients.find_by_person(person.psn_no, person.certno)
    if row is not None:
        return cast("UUID", row.id)
    patient_id = uuid5(reading, "patient")  # The same reading makes the same file.
    made = patient_rules.Person(name=person.name, certno=person.certno)
    patient_actions.register_patient(desk, patient_id, made, person.psn_no)
    return patient_id


def _own_card(desk: Desk, patient: Any, reading: UUID) -> None:
    if _file_of(desk, reading) != patient.id:
        raise WrongInput(what=_("卡"), why=_("不是这位患者的卡"))


# ---- the registration ----------------------------------------------------------------------------------------------


@blueprint.route("/patients/<uuid:patient_id>", methods=["GET", "POST"])
@needs(*STAFF)
def new_visit(patient_id: UUID) -> ResponseReturnValue:
    """Choose department, doctor and kind for a patient; F9 gives the ticket."""
    patient, desk = patients.get_patient(patient_id), signin.here()
    loaded = _reading(desk)
    if request.method == "GET":
        return _visit_form(patient, loaded, {})
    try:
        visit_id, arrival = forms.document(), _arrival(patient.id, loaded)
        if loaded is not None:
            _own_card(desk, patient, loaded.id)
            _match(desk, loaded)
        registering.register(desk, visit_id, arrival)
        if loaded is not None and not arrival.booked_for:
            registering.ask_registration(desk, visit_id)
    except Refusal as refused:
        return _visit_form(patient, loaded, request.form, refused)
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


def _reading(desk: Desk) -> Any:
    """The reading of the card that the page is about, if any."""
    reading = forms.uuid_or_none(request.values.get("reading", ""))
    return identify.get(desk, reading) if reading else None


def _match(desk: Desk, loaded: Any) -> None:
    """What the counter's clerk decides beside the basket is decided here beside the form (人证一致)."""
    reason = forms.text("match", 40)
    if reason in MATCHES and identify.band_of(desk, loaded.identity) != "pass":
        if identify.band_of(desk, loaded.identity) == "hold":
            second_person(forms.text("approver", 40), request.form.get("approver_password", ""), "owner", "pharmacist")
        identify.confirm_match(desk, loaded.id, reason)
        loaded = identify.get(desk, loaded.id)
    identify.person_of(desk, loaded, 0)


def _arrival(patient_id: UUID, loaded: Any) -> visits.Arrival:
    booked, today = forms.day_or_none("booked_for", _("预约日期")), clock.business_date()
    med_type = forms.text("med_type", 4) or "11"
    if med_type not in MED_TYPES:
        raise WrongInput(what=_("医疗类别"), why=_("要选一项"))
    insured = loaded is not None and not (booked and booked > today)
    dise_code, _sep, dise_name = forms.text("disease", 120).partition("|")
    return visits.Arrival(
        patient_id, forms.needed("department", _("科室")), forms.number(forms.text("doctor", 20)), forms.number(forms.text("room", 20)),
        kind=forms.text("kind", 10), booked_for=booked if booked and booked != today else None, priority=1 if forms.text("priority", 1) else 0,
        identification_id=loaded.id if insured else None, insutype=str(loaded.shown.get("insutype") or "") if insured else "", med_type=med_type,
        dise_code=dise_code[:30] if med_type == "14" else "", dise_name=dise_name[:100] if med_type == "14" else "",
    )  # fmt: skip


def _visit_form(
    patient: Any, loaded: Any, typed: Mapping[str, str], refused: Refusal | None = None
) -> ResponseReturnValue:
    desk = signin.here()
    needs_match = identify.band_of(desk, loaded.identity) if loaded and not loaded.matched_by else "pass"
    page = render_template(
        "facility/clinic/reception/new_visit.html", patient=patient, reading=loaded, shown=loaded.shown if loaded else {}, form=typed,
        departments=practice.list_departments(desk.facility_id), doctors=[one for one in practice.list_practitioners(desk.facility_id) if one.prescribes],
        consulting_rooms=practice.list_rooms(desk.facility_id), kinds=said(visits.KINDS), med_types=said(MED_TYPES), matches=said(MATCHES),
        band=needs_match, allergies=[one for one in patients.list_allergies(patient.id) if not one.withdrawn_at], sexes=said(patient_rules.SEXES),
        age=age_of(patient.born_on, clock.business_date()), today=clock.business_date(), error=refused.message if refused else "",
        insurance=codes.name("insutype", str(loaded.shown.get("insutype") or "")) if loaded else "",
    )  # fmt: skip
    return page, refused.status if refused else 200


# ---- one visit -----------------------------------------------------------------------------------------------------


@blueprint.get("/visits/<uuid:visit_id>")
@needs(*LOOKERS)
def show_visit(visit_id: UUID) -> ResponseReturnValue:
    """The ticket, large; how it stands with the insurance."""
    visit = queue.get_visit(signin.here().facility_id, visit_id)
    return render_template(
        "facility/clinic/reception/visit.html", visit=visit, states=said(visits.STATES), kinds=said(visits.KINDS), may=signin.me().has(*STAFF),
        insurance=codes.name("insutype", visit.insutype or ""), cancellable=visit.state in visits.STEPS["cancelled"][0],
    )  # fmt: skip


@blueprint.post("/visits/<uuid:visit_id>/registrations")
@needs(*STAFF)
def register_again(visit_id: UUID) -> ResponseReturnValue:
    """Ask the center again after a refusal, or with a card that was read now."""
    desk, typed = signin.here(), forms.text("q", 60)
    if typed:
        visit, reading = queue.get_visit(desk.facility_id, visit_id), forms.document()
        identify.identify(desk, reading, typed, _how(typed))
        _own_card(desk, patients.get_patient(visit.patient_id), reading)
        registering.change_card(desk, visit_id, reading)
    registering.ask_registration(desk, visit_id)
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


@blueprint.post("/visits/<uuid:visit_id>/self-payments")
@needs(*STAFF)
def pay_oneself(visit_id: UUID) -> ResponseReturnValue:
    """Go on without insurance."""
    registering.change_card(signin.here(), visit_id, None)
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


@blueprint.post("/visits/<uuid:visit_id>/cancellations")
@needs(*STAFF)
def cancel(visit_id: UUID) -> ResponseReturnValue:
    """Cancel a visit, at the center too."""
    registering.cancel_visit(signin.here(), visit_id, forms.text("reason"))
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)


@blueprint.post("/visits/<uuid:visit_id>/arrivals")
@needs(*STAFF)
def arrive(visit_id: UUID) -> ResponseReturnValue:
    """Somebody who had booked is here."""
    visit = queue.get_visit(signin.here().facility_id, visit_id)
    if visit.visit_on != clock.business_date():
        raise WrongInput(what=_("报到"), why=_("预约的日期不是今天"))
    visits.step(signin.here(), visit_id, "arrived")
    return redirect(url_for(".show_visit", visit_id=visit_id), 303)
