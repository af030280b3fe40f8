"""审方 in the browser: the queue, one sheet with what speaks for and against it, and what the pharmacist says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.ages import age_of
from app.core.errors import Refusal
from app.core.signin import needs
from app.facility.clinic import forms, visits
from app.facility.clinic.desk import reminders
from app.facility.clinic.desk import rules as desk_rules
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.actions import SEVERITIES, TOLD_BY
from app.facility.clinic.patients.views import said
from app.facility.clinic.review import actions, queries, rules
from app.facility.clinic.terms import usage
from app.facility.clinic.terms.dictionaries import HANDLINGS
from app.facility.organizations import queries as organizations

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_review", __name__, url_prefix="/clinic/review")
STAFF = ("pharmacist",)
LOOKERS = ("pharmacist", "doctor", "owner")
ROOM = "clinic_review.show"
NAMES = {"waiting": "待审", "late": "急诊补审", "returned": "已退回", "done": "已审"}


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    shell.add_room(
        cast("Flask", state.app), ROOM, "clipboard-check", "审方", STAFF, 7, ("clinic_review.",), kind="clinic"
    )


@blueprint.get("")
@needs(*LOOKERS)
def show() -> ResponseReturnValue:
    """The queue, with the first sheet open."""
    return _page(None)


@blueprint.get("/sheets/<uuid:sheet_id>")
@needs(*LOOKERS)
def show_sheet(sheet_id: UUID) -> ResponseReturnValue:
    """One sheet beside the queue."""
    return _page(sheet_id)


@blueprint.post("/sheets/<uuid:sheet_id>/reviews")
@needs(*STAFF)
def review(sheet_id: UUID) -> ResponseReturnValue:
    """Say what becomes of it; the next one that waits opens. A note makes a pass one with a note."""
    desk, note, result = signin.here(), forms.text("note", rules.MOST_NOTE), forms.text("result", 20)
    if result == "PASS" and note:
        result = "PASS_WITH_NOTE"
    try:
        seen = {one.code: str(one.said) for one in queries.get_sheet(desk, sheet_id).checks}
        number = actions.review_sheet(
            desk, forms.document(), sheet_id, result, request.form.getlist("concern")[:20], note, seen
        )
    except Refusal as refused:
        return _page(sheet_id, refused)
    flash(_("%(number)s：%(result)s", number=number, result=rules.RESULTS[result].shown), "ok")
    return redirect(url_for(".show", list=_which()), 303)


@blueprint.post("/sheets/<uuid:sheet_id>/emergencies")
@needs("doctor", "owner")
def let_through(sheet_id: UUID) -> ResponseReturnValue:
    """A doctor lets the sheet of an emergency be charged before a pharmacist saw it."""
    try:
        number = actions.let_through(signin.here(), forms.document(), sheet_id, forms.text("note", rules.MOST_NOTE))
    except Refusal as refused:
        return _page(sheet_id, refused)
    flash(_("%(number)s：%(result)s", number=number, result=rules.RESULTS["EMERGENCY"].shown), "ok")
    return redirect(url_for(".show_sheet", sheet_id=sheet_id), 303)


def _which() -> str:
    which = forms.arg("list", 10)
    return which if which in queries.LISTS else "waiting"


def _page(order_id: UUID | None, refused: Refusal | None = None) -> ResponseReturnValue:
    desk, which = signin.here(), _which()
    queue = forms.page(
        lambda after: queries.list_sheets(desk.facility_id, which, after), queries.place_of, queries.PAGE
    )
    if order_id is None and queue.rows:
        order_id = queue.rows[0].id
    paper, now = queries.get_sheet(desk, order_id) if order_id else None, clock.now()
    page = render_template(
        "facility/clinic/review/review.html", rows=queue.rows, which=which, names=said(NAMES), counts=queries.counts(desk.facility_id), paper=paper, checks=rules.CHECKS,
        following=queue.following, after=queue.after, waited=lambda at: int((now - at).total_seconds() // 60),
        on_duty=desk.staff_id in {one.staff_id for one in organizations.on_duty(desk.facility_id)}, error=refused.message if refused else "", note=forms.text("note", rules.MOST_NOTE),
        marked=request.form.getlist("concern"), may=signin.me().has(*STAFF), may_let=signin.me().has("doctor", "owner"), my_id=desk.staff_id, **_words(),
    )  # fmt: skip
    return page, refused.status if refused else 200


def _words() -> dict[str, Any]:
    return {
        "results": rules.RESULTS, "states": rules.STATES, "kinds": said(desk_rules.KINDS), "tags": said(desk_rules.TAGS), "sexes": said(patient_rules.SEXES),
        "diagnosis_kinds": said(desk_rules.DIAGNOSES), "severities": said(SEVERITIES), "told_by": said(TOLD_BY), "visit_states": said(visits.STATES),
        "reasons": reminders.REASONS, "usage": usage.usage, "amount": usage.amount, "decoction": usage.decoction, "handlings": HANDLINGS, "age_of": age_of,
        "today": clock.business_date(),
    }  # fmt: skip
