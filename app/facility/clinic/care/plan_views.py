"""病种与服务包: the owner says how people with a disease are cared for, and what a package promises; from a day on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, redirect, render_template, request, url_for

from app.core import clock, shell, signin
from app.core.errors import Refusal
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.care import forms as typed
from app.facility.clinic.care import plans, rules
from app.facility.clinic.care.views import ROOM
from app.facility.clinic.patients.views import said

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_care_plans", __name__, url_prefix="/clinic/care/plans")


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_care_plans.show", "病种与服务包", ("owner",), 60)


@blueprint.get("")
@needs("owner")
def show() -> ResponseReturnValue:
    """Plans and packages that hold, and those to come; one of them open to be changed."""
    return _page()


def _page(refused: Refusal | None = None) -> ResponseReturnValue:
    known, offered = plans.list_plans(), plans.list_packages()
    plan = next((one for one in known if one.code == forms.arg("plan", 20)), None)
    package = next((one for one in offered if one.code == forms.arg("package", 20)), None)
    page = render_template(
        "facility/clinic/care/plans.html", plans=known, packages=offered, coming_plans=plans.list_coming_plans(), coming_packages=plans.list_coming_packages(),
        plan=plan, package=package, which="package" if package or forms.arg("new", 10) == "package" or forms.text("fund", 20) else "plan",
        due_words=said(rules.DUE), today=clock.business_date(), error=refused.message if refused else "", form=request.form,
        ticked=request.form.getlist("due") if request.method == "POST" else list(plan.due) if plan else [],
    )  # fmt: skip
    return page, refused.status if refused else 200


@blueprint.post("")
@needs("owner")
def set_plan() -> ResponseReturnValue:
    """Set a plan from a day on."""
    try:
        plans.set_plan(signin.here(), *typed.plan())
    except Refusal as refused:
        return _page(refused)
    return redirect(url_for(".show"), 303)


@blueprint.post("/packages")
@needs("owner")
def set_package() -> ResponseReturnValue:
    """Set a package from a day on."""
    try:
        plans.set_package(signin.here(), *typed.package())
    except Refusal as refused:
        return _page(refused)
    return redirect(url_for(".show", new="package"), 303)


@blueprint.post("/starters")
@needs("owner")
def take_starters() -> ResponseReturnValue:
    """Begin with what clinics commonly use."""
    plans.take_starters(signin.here())
    return redirect(url_for(".show"), 303)
