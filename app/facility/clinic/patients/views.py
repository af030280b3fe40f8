"""患者: found, registered, changed and merged; what they cannot bear and when they came. What is looked for travels by POST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.errors import Refusal, WrongInput
from app.core.personal import mask_certno
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.errors import NotMergeable, PatientKnown
from app.facility.clinic.patients import actions, queries, rules
from app.facility.clinic.patients.actions import SEVERITIES, TOLD_BY
from app.facility.clinic.patients.rules import Person
from app.facility.stock.suppliers.forms import before_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_patients", __name__, url_prefix="/clinic/patients")
STAFF = ("clerk", "nurse", "doctor", "owner")
ROOM = "clinic_reception.show"
FIELDS = ("name", "sex", "born_on", "cert_type", "certno", "phone", "address", "guardian")


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_patients.find", "患者", STAFF, 30)


def said(table: Mapping[str, str]) -> dict[str, str]:
    """Words of a table in the reader's language."""
    return {code: _(word) for code, word in table.items()}


@blueprint.route("", methods=["GET", "POST"])
@needs(*STAFF)
def find() -> ResponseReturnValue:
    """Look somebody up by number, citizen id, telephone, name or the first letters of its pinyin."""
    typed = forms.text("q", 60)
    rows = queries.find_patients(typed)
    return render_template(
        "facility/clinic/patients/patients.html", rows=rows, q=typed, today=clock.business_date(), age_of=age_of, sexes=said(rules.SEXES),
        most=queries.MOST,
    )  # fmt: skip


@blueprint.route("/new", methods=["GET", "POST"])
@needs(*STAFF)
def new() -> ResponseReturnValue:
    """Make a file; a citizen id that has one already leads there, somebody without a paper who is like another is asked about once."""
    if request.method == "GET":
        return _form(None, {})
    patient_id = forms.document()
    try:
        told = _person()
        asked = told.certno or forms.text("another", 1)
        if not asked and (alike := queries.find_alike(told.name.strip(), told.sex, told.born_on, patient_id)):
            return _form(None, request.form, alike=alike[0])
        actions.register_patient(signin.here(), patient_id, told)
    except Refusal as refused:
        return _form(None, request.form, refused)
    if forms.text("then", 10) == "visit":
        return redirect(url_for("clinic_reception.new_visit", patient_id=patient_id), 303)
    return redirect(url_for(".show", patient_id=patient_id), 303)


@blueprint.get("/<uuid:patient_id>")
@needs(*STAFF)
def show(patient_id: UUID) -> ResponseReturnValue:
    """One file: who it is (masked), allergies, visits."""
    patient = queries.get_patient(patient_id)
    before = forms.arg("before", 90)
    visits = queries.list_visits(patient.id, before_moment(before))
    last = visits[queries.PAGE - 1] if len(visits) > queries.PAGE else None
    return render_template(
        "facility/clinic/patients/patient.html", patient=patient, allergies=queries.list_allergies(patient.id), visits=visits[: queries.PAGE],
        following=f"{last.made_at.isoformat()}_{last.id}" if last else None, before=before, age=age_of(patient.born_on, clock.business_date()),
        sexes=said(rules.SEXES), severities=said(SEVERITIES), told_by=said(TOLD_BY), visit_states=said(VISIT_STATES),
        periods=said(VISIT_PERIODS), merged=queries.list_merged(patient.id), missed=queries.count_missed(patient.id), paper=_paper(patient),
    )  # fmt: skip


def _paper(patient: Any) -> str:
    """What kind of paper somebody showed and its number, masked; empty for none."""
    person = queries.unseal(patient)
    return f"{_(rules.CERT_TYPES.get(person.cert_type, ''))} {mask_certno(person.certno)}" if person.certno else ""


# As LOOKS and PERIODS of app.facility.clinic.visits, which stands above this room.
VISIT_PERIODS = {"am": "上午", "pm": "下午"}
VISIT_STATES = {
    "BOOKED": "已预约", "WAITING": "候诊", "CALLED": "已叫号", "PASSED": "过号", "IN_VISIT": "在诊", "SIGNED": "已开单", "CLOSED": "已结束", "CANCELLED": "已退号", "MISSED": "爽约",
}  # fmt: skip


@blueprint.route("/<uuid:patient_id>/edit", methods=["GET", "POST"])
@needs(*STAFF)
def edit(patient_id: UUID) -> ResponseReturnValue:
    """Change a file."""
    patient = queries.get_patient(patient_id)
    if request.method == "GET":
        actions.note_look(patient.number)
        return _form(patient, {})
    try:
        version = forms.number(forms.text("version", 9))
        if version is None:
            raise WrongInput(what=_("患者"), why=_("页面不完整，请刷新后重填"))
        actions.change_patient(signin.here(), patient.id, version, _person())
    except Refusal as refused:
        return _form(patient, request.form, refused)
    return redirect(url_for(".show", patient_id=patient.id), 303)


@blueprint.post("/<uuid:patient_id>/allergies")
@needs(*STAFF)
def note_allergy(patient_id: UUID) -> ResponseReturnValue:
    """Write down what somebody cannot bear."""
    patient = queries.get_patient(patient_id)
    actions.note_allergy(
        signin.here(), forms.document(), patient.id, forms.text("substance", 60), forms.text("reaction", 60), forms.text("severity", 10), forms.text("told_by", 10)
    )  # fmt: skip
    return redirect(url_for(".show", patient_id=patient.id), 303)


@blueprint.post("/<uuid:patient_id>/allergies/<uuid:allergy_id>/withdrawals")
@needs(*STAFF)
def withdraw_allergy(patient_id: UUID, allergy_id: UUID) -> ResponseReturnValue:
    """Strike an allergy out, with a reason."""
    patient = queries.get_patient(patient_id)
    actions.withdraw_allergy(signin.here(), allergy_id, forms.text("why"))
    return redirect(url_for(".show", patient_id=patient.id), 303)


@blueprint.post("/<uuid:patient_id>/merges")
@needs(*STAFF)
def merge(patient_id: UUID) -> ResponseReturnValue:
    """Say that another file, named by its number, is this person too."""
    patient, number = queries.get_patient(patient_id), forms.number(forms.text("number", 9))
    other = queries.find_patients(str(number)) if number is not None else []
    if not other:
        raise NotMergeable(why=_("没有这个病历号的档案"))
    actions.merge_patients(signin.here(), patient.id, other[0].id, forms.text("reason"))
    return redirect(url_for(".show", patient_id=patient.id), 303)


def _form(
    patient: Any, typed: Mapping[str, str], refused: Refusal | None = None, alike: Any = None
) -> ResponseReturnValue:
    shown = {name: typed.get(name, "") for name in FIELDS}
    if patient and not typed:
        person = queries.unseal(patient)
        shown = {name: getattr(person, name) or "" for name in FIELDS}
    known = queries.find_patients(typed.get("certno", "")) if isinstance(refused, PatientKnown) else []
    page = render_template(
        "facility/clinic/patients/patient_form.html", patient=patient, form=shown, sexes=said(rules.SEXES), error=refused.message if refused else "",
        known=known[0] if known else None, document_id=typed.get("document", ""), version=typed.get("version") or (patient.version if patient else ""),
        cert_types=said(rules.CERT_TYPES), then=typed.get("then") or forms.arg("then", 10), alike=alike,
    )  # fmt: skip
    return page, refused.status if refused else 409 if alike else 200


def _person() -> Person:
    born_on = forms.day_or_none("born_on", _("出生日期"))
    return Person(
        forms.text("name", 60), forms.text("sex", 1), born_on, forms.text("certno", 40), forms.text("phone", 20), forms.text("address"), forms.text("guardian", 60),
        forms.text("cert_type", 10) or rules.CITIZEN,
    )  # fmt: skip
