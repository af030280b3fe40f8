"""候诊队列: who waits, who is called, who did not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.errors import WrongInput
from app.core.signin import needs
from app.facility.clinic import forms, visits
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.views import said
from app.facility.clinic.practice import queries as practice
from app.facility.clinic.reception import queue
from app.facility.stock import typed

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_queue", __name__, url_prefix="/clinic/queue")
STAFF = ("clerk", "nurse", "doctor", "owner")
ROOM = "clinic_reception.show"
STEPS = ("called", "passed", "returned")
NAMES = {"waiting": "候诊", "passed": "过号", "begun": "在诊", "booked": "预约", "ended": "已结束"}


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_queue.show", "候诊", STAFF, 20)


@blueprint.get("")
@needs(*STAFF)
def show() -> ResponseReturnValue:
    """Today's people of one list."""
    here, which = signin.here().facility_id, forms.arg("list", 10)
    which = which if which in queue.LISTS else "waiting"
    department, doctor = forms.number(forms.arg("department", 18)), forms.number(forms.arg("doctor", 18))
    today = clock.business_date()
    day = (typed.day(forms.arg("on", 20)) or today) if which == "booked" else today
    rows = queue.list_queue(here, which, department, doctor, _after(forms.arg("after", 80)), day)
    last = rows[queue.PAGE - 1] if len(rows) > queue.PAGE else None
    return render_template(
        "facility/clinic/reception/queue.html", rows=rows[: queue.PAGE], which=which, names=said(NAMES), counts=queue.counts(here, day), department=department,
        doctor=doctor, consulting_room=forms.number(forms.arg("room", 18)), following=f"{last.priority}~{last.ticket}~{last.id}" if last else None,
        after=forms.arg("after", 80), departments=practice.list_departments(here), consulting_rooms=practice.list_rooms(here),
        doctors=[one for one in practice.list_practitioners(here) if one.prescribes], states=said(visits.LOOKS), kinds=said(visits.KINDS),
        sexes=said(patient_rules.SEXES), age_of=age_of, today=today, day=day, periods=said(visits.PERIODS),
    )  # fmt: skip


def _after(said_: str) -> tuple[int, int, str] | None:
    priority, _sep, rest = said_.partition("~")
    ticket, _sep, last = rest.partition("~")
    found = forms.uuid_or_none(last)
    if found is None or not (
        priority[:4].isdecimal() and ticket[:6].isdecimal() and len(priority) < 5 and len(ticket) < 7
    ):
        return None
    return int(priority), int(ticket), str(found)


def _filters() -> dict[str, int | None]:
    return {name: forms.number(forms.text(name, 18)) for name in ("department", "doctor", "room")}


@blueprint.post("/calls")
@needs(*STAFF)
def call_next() -> ResponseReturnValue:
    """Call whoever is next in this department or with this doctor."""
    told = _filters()
    queue.call_next(signin.here(), **told)
    return redirect(url_for(".show", **cast("dict[str, Any]", told)), 303)


@blueprint.post("/visits/<uuid:visit_id>/steps")
@needs(*STAFF)
def step(visit_id: UUID) -> ResponseReturnValue:
    """Call again, pass, or send back to the queue."""
    event, told = forms.text("event", 10), _filters()
    if event not in STEPS:
        raise WrongInput(what=_("候诊"), why=_("要选一项"))
    visits.step(signin.here(), visit_id, event, room=told["room"] if event == "called" else None)
    return redirect(url_for(".show", **cast("dict[str, Any]", told)), 303)
