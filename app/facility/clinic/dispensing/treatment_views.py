"""治疗 in the browser: paid treatments, tests and infusions; each carried out, counted and signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import shell, signin
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.charging.sheets import TREATED
from app.facility.clinic.dispensing import queries, rules, treating
from app.facility.clinic.dispensing.views import LOOKERS, ROOM, words_shown

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_treatments", __name__, url_prefix="/clinic/treatments")
STAFF = ("nurse", "doctor")


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_treatments.show", "治疗", LOOKERS, 20)


@blueprint.get("")
@needs(*LOOKERS)
def show() -> ResponseReturnValue:
    """Who paid and is to be treated, who paid first open."""
    return _page(None)


@blueprint.get("/sheets/<uuid:sheet_id>")
@needs(*LOOKERS)
def show_sheet(sheet_id: UUID) -> ResponseReturnValue:
    """One sheet with how often each line was carried out."""
    return _page(sheet_id)


@blueprint.post("/sheets/<uuid:sheet_id>/executions")
@needs(*STAFF)
def carry_out(sheet_id: UUID) -> ResponseReturnValue:
    """Sign what was carried out now."""
    try:
        treating.carry_out(signin.here(), forms.document(), sheet_id, _times(), forms.text("note", rules.MOST_NOTE))
    except Refusal as refused:
        return _page(sheet_id, refused)
    flash(_("已记下执行"), "ok")
    return redirect(url_for(".show_sheet", sheet_id=sheet_id), 303)


def _times() -> dict[int, int]:
    found = {}
    for line, typed in zip(request.form.getlist("order_line"), request.form.getlist("times"), strict=False):
        number, many = forms.number(line), forms.number(typed.strip() or "0")
        if number is None or many is None or many > 999:
            raise WrongInput(what=_("次数"), why=_("数量要写整数"))
        found[number] = many
    return found


def _page(order_id: UUID | None, refused: Refusal | None = None) -> ResponseReturnValue:
    desk = signin.here()
    queue = forms.page(lambda after: queries.list_to_treat(desk.facility_id, after), queries.place_of, queries.PAGE)
    order_id = order_id or (queue.rows[0].id if queue.rows else None)
    paper = queries.get_sheet(desk, order_id, TREATED) if order_id else None
    page = render_template(
        "facility/clinic/dispensing/treatments.html", rows=queue.rows, paper=paper, after=queue.after, error=refused.message if refused else "", may=signin.me().has(*STAFF),
        following=queue.following, note=forms.text("note", rules.MOST_NOTE), **words_shown(),
    )  # fmt: skip
    return page, refused.status if refused else 200
