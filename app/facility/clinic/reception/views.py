"""挂号: whoever comes is read or looked up, sent to a department and given a ticket; the queue of the day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.approval import second_person
from app.core.errors import Outage, Refusal, WrongInput
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.clinic import forms, visits
from app.facility.clinic.errors import PatientIncomplete
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.views import said
from app.facility.clinic.practice import fees
from app.facility.clinic.practice import queries as practice
from app.facility.clinic.reception import duties, queue, registering
from app.facility.insurance import identify, messages
from app.facility.insurance.errors import MatchNotConfirmed, RefusedByCenter
from app.national import codes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.core.tenancy import Desk

CHRONIC = "门慢门特"  # As the center names this entitlement in its answer to 1101.
blueprint = Blueprint("clinic_reception", __name__, url_prefix="/clinic/reception")
STAFF = ("clerk", "nurse", "owner")
LOOKERS = ("clerk", "nurse", "doctor", "owner")
ROOM = "clinic_reception.show"
PAGES = (
    "clinic_reception.",
    "clinic_patients.",
    "clinic_practice.",
    "clinic_fees.",
    "clinic_queue.",
    "clinic_duties.",
    "clinic_wall.",
)
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
    except (Outage, Refusal) as failure:
        return _looked_up(typed, *_said(failure))
    try:
        patient_id = registering.file_of(desk, reading)
    except PatientIncomplete:
        flash(_("读到了卡，但证件资料不足以自动建档。请手工建档，再从患者页挂号。"), "warn")
        return redirect(url_for("clinic_patients.new", then="visit"), 303)
    return redirect(url_for(".new_visit", patient_id=patient_id, reading=reading), 303)


def _said(failure: Outage | Refusal) -> tuple[str, int]:
    """Why a card was not read or a visit not registered: here nothing is paid, so only what the center said."""
    if isinstance(failure, Outage):
        return _("医保中心现在没有回答，卡稍后再读。"), 503
    if isinstance(failure, RefusedByCenter):
        return _("医保没有受理：%(why)s。", why=failure.facts["why"]), failure.status
    if isinstance(failure, MatchNotConfirmed):
        return _("请核对持卡人：%(why)s。", why=failure.facts["why"]), failure.status
    return failure.message, failure.status


def _how(typed: str) -> str:
    if messages.kind_of_credential(typed) == "ecert":
        return "ecert"
    return "card" if request.form.get("how") == "card" else "typed"


def _own_card(desk: Desk, patient: Any, reading: UUID) -> None:
    if registering.file_of(desk, reading) != patient.id:
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
    booked, period = _half()
    med_type = forms.text("med_type", 4) or "11"
    if med_type not in MED_TYPES:
        raise WrongInput(what=_("医疗类别"), why=_("要选一项"))
    insured = loaded is not None and booked is None  # The card is read again when they come.
    dise_code, _sep, dise_name = forms.text("disease", 120).partition("|")
    return visits.Arrival(
        patient_id, forms.needed("department", _("科室")), forms.number(forms.text("doctor", 20)), forms.number(forms.text("room", 20)),
        kind=forms.text("kind", 10), booked_for=booked, period=period, preferred=bool(forms.text("preferred", 1)),
        identification_id=loaded.id if insured else None, insutype=str(loaded.shown.get("insutype") or "") if insured else "", med_type=med_type,
        dise_code=dise_code[:30] if med_type == "14" else "", dise_name=dise_name[:100] if med_type == "14" else "",
    )  # fmt: skip


def _half() -> tuple[date | None, str]:
    """The half of a day that is booked, or none: here now."""
    said_day, _sep, period = forms.text("half", 20).partition("|")
    try:
        return (date.fromisoformat(said_day) if said_day else None), period
    except ValueError as wrong:
        raise WrongInput(what=_("预约"), why=_("要选一项")) from wrong


def _visit_form(
    patient: Any, loaded: Any, typed: Mapping[str, str], refused: Refusal | None = None
) -> ResponseReturnValue:
    desk = signin.here()
    departments = practice.list_departments(desk.facility_id)
    doctors = [one for one in practice.list_practitioners(desk.facility_id) if one.prescribes]
    page = render_template(
        "facility/clinic/reception/new_visit.html", patient=patient, reading=loaded, shown=loaded.shown if loaded else {}, form=typed,
        departments=departments, doctors=doctors, fees=_priced(desk.facility_id),
        consulting_rooms=practice.list_rooms(desk.facility_id), kinds=said(visits.KINDS), med_types=said(MED_TYPES), matches=said(MATCHES),
        band=_band(desk, loaded), allergies=[one for one in patients.list_allergies(patient.id) if not one.withdrawn_at], sexes=said(patient_rules.SEXES),
        age=age_of(patient.born_on, clock.business_date()), today=clock.business_date(), error=_said(refused)[0] if refused else "",
        insurance=codes.name("insutype", str(loaded.shown.get("insutype") or "")) if loaded else "", diseases=_diseases(loaded),
        halves=_halves(typed.get("doctor", ""), typed.get("department", "")), weekdays=said(duties.WEEKDAY_WORDS), periods=said(visits.PERIODS),
        states=said(visits.STATES), standing=queue.list_standing(desk.facility_id, patient.id), missed=patients.count_missed(patient.id),
    )  # fmt: skip
    return page, refused.status if refused else 200


def _band(desk: Desk, loaded: Any) -> str:
    """Whether somebody has to look at the holder of a card (ask), a second person too (hold), or need not (any more)."""
    return identify.band_of(desk, loaded.identity) if loaded and not loaded.matched_by else "pass"


def _halves(doctor: str, department: str) -> list[duties.Half]:
    """What may be booked with a doctor in a department, once both are chosen."""
    who, where = forms.number(doctor), forms.number(department)
    return duties.list_halves(signin.here().facility_id, who, where) if who and where else []


@blueprint.get("/halves")
@needs(*STAFF)
def show_halves() -> ResponseReturnValue:
    """The part of the registration that says what may be booked with the doctor who was just chosen."""
    doctor, department = forms.arg("doctor", 18), forms.arg("department", 18)
    return render_template(
        "facility/clinic/reception/_halves.html", halves=_halves(doctor, department), form=request.args, weekdays=said(duties.WEEKDAY_WORDS),
        periods=said(visits.PERIODS),
    )  # fmt: skip


def _diseases(loaded: Any) -> list[str]:
    """The chronic diseases a card is entitled for, by code (门慢门特 M03900)."""
    told = loaded.shown.get("entitlements", []) if loaded else []
    return [code for kind, _sep, code in (str(one).partition(" ") for one in told) if kind == CHRONIC and code]


def _priced(facility_id: int) -> dict[tuple[str, int], dict[bool, Decimal]]:
    """What a visit costs today in yuan, by department or doctor: ordinary (False) and in an emergency (True)."""
    standing = fees.list_fees(facility_id)
    priced: dict[tuple[str, int], dict[bool, Decimal]] = {}
    cards = catalog.get_products({one.service_id for one in standing})
    for one in standing:
        whose = ("doctor", one.staff_id) if one.staff_id else ("department", one.department_id)
        card = cards.get(one.service_id)
        if card and card.pack_price and card.state == "active":
            priced.setdefault(whose, {})[one.emergency] = card.pack_price
    return priced


# ---- one visit -----------------------------------------------------------------------------------------------------


@blueprint.get("/visits/<uuid:visit_id>")
@needs(*LOOKERS)
def show_visit(visit_id: UUID) -> ResponseReturnValue:
    """The ticket, large; how it stands with the insurance."""
    return _visit_page(visit_id)


def _visit_page(visit_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    desk = signin.here()
    here = desk.facility_id
    visit = queue.get_visit(here, visit_id)
    fee = fees.fee_of(here, visit_id)
    loaded = identify.get(desk, visit.identification_id) if visit.identification_id and not visit.mdtrt_id else None
    page = render_template(
        "facility/clinic/reception/visit.html", visit=visit, fee=catalog.get_products([fee]).get(fee) if fee else None, states=said(visits.LOOKS), kinds=said(visits.KINDS), may=signin.me().has(*STAFF), periods=said(visits.PERIODS), today=clock.business_date(),
        insurance=codes.name("insutype", visit.insutype or ""), cancellable=visit.state in visits.STEPS["cancelled"][0],
        band=_band(desk, loaded), matches=said(MATCHES), error=error,
    )  # fmt: skip
    return page, status


@blueprint.post("/visits/<uuid:visit_id>/registrations")
@needs(*STAFF)
def register_again(visit_id: UUID) -> ResponseReturnValue:
    """Ask the center again after a refusal, or with a card that was read now, once somebody looked at its holder where that is asked for."""
    desk, typed = signin.here(), forms.text("q", 60)
    visit = queue.get_visit(desk.facility_id, visit_id)
    reading = visit.identification_id
    try:
        if typed:
            reading = forms.document()
            identify.identify(desk, reading, typed, _how(typed))
            _own_card(desk, patients.get_patient(visit.patient_id), reading)
            registering.change_card(desk, visit_id, reading)
        if reading and not visit.mdtrt_id:
            _match(desk, identify.get(desk, reading))
        registering.ask_registration(desk, visit_id)
    except (Outage, Refusal) as failure:
        return _visit_page(visit_id, *_said(failure))
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
