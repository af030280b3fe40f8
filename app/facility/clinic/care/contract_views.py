"""家医签约: contracts, what was promised and done, and the package they are signed with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, redirect, render_template, request, url_for

from app.core import clock, shell, signin
from app.core.errors import NotFound, Refusal
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.care import contract_queries, contracts, plans, queries, rules
from app.facility.clinic.care import forms as typed
from app.facility.clinic.care.views import LOOKERS, ROOM, STAFF, shown
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients.views import said
from app.facility.clinic.practice import queries as practice

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_care_contracts", __name__, url_prefix="/clinic/care/contracts")
NAMES = {"standing": "有效", "renew": "快到期", "ended": "已结束"}


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_care_contracts.show", "家医签约", LOOKERS, 40)


@blueprint.get("")
@needs(*LOOKERS)
def show() -> ResponseReturnValue:
    """Contracts that stand, those to renew, those that ended."""
    which = forms.arg("list", 10)
    which = which if which in NAMES else "standing"
    rows = contract_queries.list_contracts(signin.here().facility_id, which, typed.place(after := forms.arg("after", 60)))  # fmt: skip
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    return render_template(
        "facility/clinic/care/contracts.html", rows=rows[: queries.PAGE], which=which, names=said(NAMES), after=after,
        following=f"{last.until_on}_{last.id}" if last else None, ends=said(rules.CONTRACT_ENDS), **shown(),
    )  # fmt: skip


@blueprint.route("/patients/<uuid:patient_id>/new", methods=["GET", "POST"])
@needs(*STAFF)
def sign(patient_id: UUID) -> ResponseReturnValue:
    """Sign a resident up with a team; a renewal begins where the last contract ends."""
    patient = patients.get_patient(patient_id)
    if request.method == "GET":
        return _form(patient, None)
    try:
        document = forms.document()
        contracts.sign_contract(signin.here(), document, typed.terms(patient.id))
    except Refusal as refused:
        return _form(patient, refused)
    return redirect(url_for(".show_contract", contract_id=document), 303)


def _form(patient: Any, refused: Refusal | None) -> ResponseReturnValue:
    here, today = signin.here().facility_id, clock.business_date()
    before = next(iter(contract_queries.contracts_of(patient.id)), None)
    follows = before is not None and before.ended_on is None and before.until_on >= today
    begins = before.until_on + timedelta(days=1) if before is not None and follows else today
    people, told = practice.list_practitioners(here), queries.entitlements(patient.id)[0]
    page = render_template(
        "facility/clinic/care/contract_form.html", patient=patient, before=before, begins=begins, ends_on=begins + timedelta(days=364), form=request.form,
        doctors=[one for one in people if one.prescribes], nurses=[one for one in people if not one.prescribes],
        packages=[one for one in plans.list_packages() if one.offered], told=told, error=refused.message if refused else "", **shown(),
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.get("/<uuid:contract_id>")
@needs(*LOOKERS)
def show_contract(contract_id: UUID) -> ResponseReturnValue:
    """One contract: who, until when, what was promised, what was done."""
    return _contract(contract_id)


def _contract(contract_id: UUID, refused: Refusal | None = None) -> ResponseReturnValue:
    contract = contract_queries.get_contract(signin.here().facility_id, contract_id)
    page = render_template(
        "facility/clinic/care/contract.html", contract=contract, services=contract_queries.list_services(contract.id),
        papers=contract_queries.list_papers(contract), ends=said(rules.CONTRACT_ENDS), error=refused.message if refused else "",
        names={one["code"]: one["name"] for one in contract.items}, **shown(),
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.post("/<uuid:contract_id>/services")
@needs(*STAFF)
def tick(contract_id: UUID) -> ResponseReturnValue:
    """Say that a service was done, with the paper that shows it."""
    kind, _sep, paper = forms.text("paper", 60).partition(":")
    found = forms.uuid_or_none(paper)
    try:
        contracts.tick_service(signin.here(), forms.document(), contract_id, forms.text("item", 20), kind if found else "", found or contract_id)  # fmt: skip
    except Refusal as refused:
        if isinstance(refused, NotFound):
            raise
        return _contract(contract_id, refused)
    return redirect(url_for(".show_contract", contract_id=contract_id), 303)


@blueprint.post("/<uuid:contract_id>/services/<uuid:service_id>/withdrawals")
@needs(*STAFF)
def withdraw(contract_id: UUID, service_id: UUID) -> ResponseReturnValue:
    """Strike out a service that was ticked by mistake."""
    try:
        contracts.withdraw_service(signin.here(), service_id, forms.text("why"))
    except Refusal as refused:
        if isinstance(refused, NotFound):
            raise
        return _contract(contract_id, refused)
    return redirect(url_for(".show_contract", contract_id=contract_id), 303)


@blueprint.post("/<uuid:contract_id>/endings")
@needs(*STAFF)
def end(contract_id: UUID) -> ResponseReturnValue:
    """End a contract before its time."""
    try:
        contracts.end_contract(signin.here(), contract_id, forms.text("why", 20))
    except Refusal as refused:
        if isinstance(refused, NotFound):
            raise
        return _contract(contract_id, refused)
    return redirect(url_for(".show_contract", contract_id=contract_id), 303)
