"""排班: when doctors see how many booked people."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _

from app.core import shell, signin
from app.core.signin import needs
from app.facility.clinic import forms, visits
from app.facility.clinic.patients.views import said
from app.facility.clinic.practice import queries as practice
from app.facility.clinic.reception import duties

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_duties", __name__, url_prefix="/clinic/duties")
LOOKERS = ("clerk", "nurse", "owner")
ROOM = "clinic_reception.show"


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_duties.show", "排班", LOOKERS, 40)


@blueprint.get("")
@needs(*LOOKERS)
def show() -> ResponseReturnValue:
    """Duties by weekday."""
    here = signin.here().facility_id
    return render_template(
        "facility/clinic/reception/duties.html", rows=duties.list_duties(here), weekdays=said(duties.WEEKDAY_WORDS),
        periods=said(visits.PERIODS), departments=practice.list_departments(here), consulting_rooms=practice.list_rooms(here),
        doctors=[one for one in practice.list_practitioners(here) if one.prescribes], may=signin.me().has("owner"),
    )  # fmt: skip


@blueprint.post("")
@needs("owner")
def add() -> ResponseReturnValue:
    """Add a duty."""
    duties.add_duty(
        signin.here(), forms.document(), forms.needed("doctor", _("医师")), forms.needed("department", _("科室")), forms.number(forms.text("room", 18)),
        forms.number(forms.text("weekday", 1)) or 0, forms.text("period", 2), forms.number(forms.text("most", 4)) or 0,
    )  # fmt: skip
    return redirect(url_for(".show"), 303)


@blueprint.post("/<uuid:duty_id>/endings")
@needs("owner")
def end(duty_id: UUID) -> ResponseReturnValue:
    """End a duty."""
    duties.end_duty(signin.here(), duty_id)
    return redirect(url_for(".show"), 303)
