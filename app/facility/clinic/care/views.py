"""慢病: who is expected, the register, one person's care, whose drugs soon end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, redirect, render_template, request, url_for

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.errors import Refusal, words
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.care import actions, contract_queries, plans, queries, rules
from app.facility.clinic.care import forms as typed
from app.facility.clinic.desk import beside
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.views import said
from app.facility.stock.suppliers.forms import before_moment

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.core.tenancy import Desk

blueprint = Blueprint("clinic_care", __name__, url_prefix="/clinic/care")
STAFF = ("doctor", "nurse", "owner")
LOOKERS = (*STAFF, "clerk")
ROOM = "clinic_care.show"


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_room(app, ROOM, "heartbeat", "慢病", LOOKERS, 12, ("clinic_care", "clinic_referral"), kind="clinic")
    shell.add_page(app, ROOM, ROOM, "随访提醒", LOOKERS, 10)
    shell.add_page(app, ROOM, "clinic_care.show_register", "慢病登记", LOOKERS, 20)
    shell.add_page(app, ROOM, "clinic_care.show_supply", "长处方", LOOKERS, 30)
    beside.add(app, _beside_the_record)


def _beside_the_record(desk: Desk, patient_id: UUID) -> beside.Part | None:
    """What the doctor reads of a person's care while writing: when they are expected, by whom they are cared for, how it went."""
    row = queries.get_beside(desk.facility_id, patient_id)
    if row is None:
        return None
    rows = rules.beside(row, clock.business_date())
    return beside.Part(words("慢病管理"), tuple(beside.Row(*one) for one in rows), url_for("clinic_care.show_person", patient_id=row.patient_id))  # fmt: skip


def shown() -> dict[str, Any]:
    """What every page of care needs to show people."""
    return {
        "today": clock.business_date(), "age_of": age_of, "sexes": said(patient_rules.SEXES), "may": signin.me().has(*STAFF), "kinds": said(rules.KINDS),
        "outcomes": said(rules.OUTCOMES), "due_words": said(rules.DUE),
    }  # fmt: skip


@blueprint.get("")
@needs(*LOOKERS)
def show() -> ResponseReturnValue:
    """Whose day has passed or comes within a week; the first stands open."""
    return _expected(None)


@blueprint.get("/due/<uuid:patient_id>")
@needs(*LOOKERS)
def show_due(patient_id: UUID) -> ResponseReturnValue:
    """The same list with one person open."""
    return _expected(patient_id)


def _expected(patient_id: UUID | None, refused: Refusal | None = None, phone: str = "") -> ResponseReturnValue:
    rows = queries.list_expected(signin.here().facility_id, typed.place(after := forms.arg("after", 60)))
    following = f"{rows[queries.PAGE - 1].next_on}_{rows[queries.PAGE - 1].id}" if len(rows) > queries.PAGE else None
    rows = rows[: queries.PAGE]
    chosen = patient_id or (rows[0].id if rows else None)
    page = render_template(
        "facility/clinic/care/expected.html", rows=rows, following=following, after=after, chosen=patients.get_patient(chosen) if chosen else None,
        enrolments=queries.list_enrolments(chosen) if chosen else [], notes=queries.list_notes(chosen)[:6] if chosen else [], why_call=said(rules.WHY_CALL),
        phone=phone, error=refused.message if refused else "", form=request.form, **shown(),
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.post("/patients/<uuid:patient_id>/follow-ups")
@needs(*STAFF)
def follow_up(patient_id: UUID) -> ResponseReturnValue:
    """Note what came of asking after somebody."""
    patient = patients.get_patient(patient_id)
    back = forms.text("back", 10)
    try:
        actions.note_follow_up(signin.here(), forms.document(), patient.id, typed.follow_up())
    except Refusal as refused:
        return _expected(patient.id, refused) if back == "due" else _person(patient.id, refused)
    if back == "due":
        return redirect(url_for(".show", after=forms.arg("after", 60) or None), 303)
    return redirect(url_for(".show_person", patient_id=patient.id), 303)


@blueprint.post("/patients/<uuid:patient_id>/phones")
@needs(*STAFF)
def open_phone(patient_id: UUID) -> ResponseReturnValue:
    """Show the telephone number on this one page; who looked and why is written down."""
    back = forms.text("back", 10)
    page = _expected if back == "due" else _person
    try:
        phone = actions.open_phone(patient_id, forms.text("why", 20))
    except Refusal as refused:
        if refused.status == 404:
            raise
        return page(patient_id, refused)
    return page(patient_id, None, phone)


@blueprint.route("/register", methods=["GET", "POST"])
@needs(*LOOKERS)
def show_register() -> ResponseReturnValue:
    """Who is on which plan; a person looked up by POST to be put on one."""
    plan, ended, before = forms.arg("plan", 20), forms.arg("list", 10) == "ended", forms.arg("before", 90)
    rows = queries.list_register(signin.here().facility_id, plan, before_moment(before), ended=ended)
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    looked = forms.text("q", 60) if request.method == "POST" else ""
    return render_template(
        "facility/clinic/care/register.html", rows=rows[: queries.PAGE], plan=plan, ended=ended, before=before, plans=plans.list_plans(),
        following=f"{last.made_at.isoformat()}_{last.id}" if last else None, q=looked, found=patients.find_patients(looked), leaving=said(_LEFT),
        owner=signin.me().has("owner"), **shown(),
    )  # fmt: skip


_LEFT = rules.LEAVING | {code: rules.OUTCOMES[code] for code in rules.ENDS}


@blueprint.get("/patients/<uuid:patient_id>")
@needs(*LOOKERS)
def show_person(patient_id: UUID) -> ResponseReturnValue:
    """One person's care: plans, follow-ups, contracts, what the card said."""
    return _person(patient_id)


def _person(patient_id: UUID, refused: Refusal | None = None, phone: str = "") -> ResponseReturnValue:
    patient = patients.get_patient(patient_id)
    told, read_at = queries.entitlements(patient.id)
    enrolments = queries.list_enrolments(patient.id)
    standing = {row.code for row in enrolments if not row.ended_on and row.facility_id == signin.here().facility_id}
    page = render_template(
        "facility/clinic/care/person.html", patient=patient, enrolments=enrolments, notes=queries.list_notes(patient.id), told=told, read_at=read_at,
        contracts=contract_queries.contracts_of(patient.id), plans=[one for one in plans.list_plans() if one.days and one.code not in standing],
        leaving=said(rules.LEAVING), left=said(_LEFT), why_call=said(rules.WHY_CALL), phone=phone, error=refused.message if refused else "", form=request.form,
        ends=said(rules.CONTRACT_ENDS), **shown(),
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.post("/patients/<uuid:patient_id>/enrolments")
@needs(*STAFF)
def enrol(patient_id: UUID) -> ResponseReturnValue:
    """Put somebody on a plan."""
    patient, today = patients.get_patient(patient_id), clock.business_date()
    try:
        begun_on, next_on = forms.day_or_none("begun_on", "") or today, forms.day_or_none("next_on", "")
        actions.enrol(signin.here(), forms.document(), patient.id, forms.text("plan", 20), begun_on, next_on)
    except Refusal as refused:
        return _person(patient.id, refused)
    return redirect(url_for(".show_person", patient_id=patient.id), 303)


@blueprint.post("/patients/<uuid:patient_id>/enrolments/<uuid:enrolment_id>/endings")
@needs(*STAFF)
def end_enrolment(patient_id: UUID, enrolment_id: UUID) -> ResponseReturnValue:
    """Take somebody off a plan."""
    patient = patients.get_patient(patient_id)
    try:
        actions.end_enrolment(signin.here(), enrolment_id, forms.text("why", 20))
    except Refusal as refused:
        if refused.status == 404:
            raise
        return _person(patient.id, refused)
    return redirect(url_for(".show_person", patient_id=patient.id), 303)


@blueprint.get("/supply")
@needs(*LOOKERS)
def show_supply() -> ResponseReturnValue:
    """Whose drugs of a long prescription soon end."""
    rows = queries.list_supply(signin.here().facility_id, typed.place(after := forms.arg("after", 60)))
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    return render_template(
        "facility/clinic/care/supply.html", rows=rows[: queries.PAGE], after=after, following=f"{last.ends_on}_{last.id}" if last else None, **shown()
    )  # fmt: skip
