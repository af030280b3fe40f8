"""科室医师: the owner says which departments and rooms there are, who practises and what each may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import NotFound
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.practice import actions, queries

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_practice", __name__, url_prefix="/clinic/practice")
blueprint.before_request(forms.real_ids)
ROOM = "clinic_reception.show"
PAGE = "facility/clinic/practice/practice.html"


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_practice.show", "科室医师", ("owner",), 80)


@blueprint.get("")
@needs("owner")
def show() -> ResponseReturnValue:
    """Departments, rooms and people."""
    return _page()


@blueprint.post("/departments")
@needs("owner")
def add_department() -> ResponseReturnValue:
    """Open a department."""
    actions.add_department(signin.here(), forms.text("code", 30), forms.text("name", 50), forms.text("caty", 10))
    return redirect(url_for(".show"), 303)


@blueprint.post("/rooms")
@needs("owner")
def add_room() -> ResponseReturnValue:
    """Open a consulting room."""
    actions.add_room(signin.here(), forms.text("name", 20))
    return redirect(url_for(".show"), 303)


@blueprint.post("/departments/<int:department_id>")
@needs("owner")
def change_department(department_id: int) -> ResponseReturnValue:
    """Give a department another name or class, or close it."""
    if forms.text("close", 1):
        actions.close_department(signin.here(), department_id)
    else:
        actions.change_department(signin.here(), department_id, forms.text("name", 50), forms.text("caty", 10))
    return redirect(url_for(".show"), 303)


@blueprint.post("/rooms/<int:room_id>")
@needs("owner")
def change_room(room_id: int) -> ResponseReturnValue:
    """Give a consulting room another name, or close it."""
    if forms.text("close", 1):
        actions.close_room(signin.here(), room_id)
    else:
        actions.rename_room(signin.here(), room_id, forms.text("name", 20))
    return redirect(url_for(".show"), 303)


@blueprint.get("/people/<int:staff_id>")
@needs("owner")
def show_person(staff_id: int) -> ResponseReturnValue:
    """One person's rights, to be read and changed beside the list."""
    return _page(staff_id)


@blueprint.post("/people/<int:staff_id>")
@needs("owner")
def set_person(staff_id: int) -> ResponseReturnValue:
    """Write down what somebody may do."""
    practice = actions.Practice(
        forms.needed("department", _("科室")),
        forms.text("title", 30),
        forms.day("eligible_from", _("医保支付资格")),
        forms.day_or_none("eligible_until", _("医保支付资格")),
        prescribes=bool(forms.text("prescribes", 1)),
        herbs=bool(forms.text("herbs", 1)),
        antimicrobials=forms.text("antimicrobials", 20),
        narcotics=bool(forms.text("narcotics", 1)),
    )
    actions.set_practitioner(signin.here(), staff_id, practice)
    return redirect(url_for(".show_person", staff_id=staff_id), 303)


@blueprint.post("/people/<int:staff_id>/suspensions")
@needs("owner")
def suspend_person(staff_id: int) -> ResponseReturnValue:
    """Suspend somebody's practice with a reason, or lift it."""
    lift = forms.text("lift", 1) == "1"
    first = None if lift else forms.day("first", _("暂停"))
    last = None if lift else forms.day_or_none("last", _("暂停"))
    actions.suspend(signin.here(), staff_id, first, last, forms.text("why"))
    return redirect(url_for(".show_person", staff_id=staff_id), 303)


def _page(staff_id: int | None = None) -> str:
    here, today = signin.here().facility_id, clock.business_date()
    people = queries.list_people(here)
    chosen: Any = next((one for one in people if one.id == staff_id), None)
    if staff_id is not None and chosen is None:
        raise NotFound
    levels = {"none": _("无"), "unrestricted": _("非限制级"), "restricted": _("限制级"), "special": _("特殊级")}
    return render_template(
        PAGE, people=people, chosen=chosen, departments=queries.list_departments(here), consulting_rooms=queries.list_rooms(here), today=today, levels=levels,
    )  # fmt: skip
