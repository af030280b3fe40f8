"""The officer's page of out-flow prescriptions: how many are on the way, where each stands, what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from app.center import filters
from app.center.outflow import queries, rules
from app.core.shell import add_room
from app.core.signin import needs

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("outflow", __name__, url_prefix="/prescriptions")
ROLES = ("officer", "auditor", "administrator")
LOOKS = {"REVIEWED": "info", "LOCKED": "warn", "DISPENSED": "info", "CLOSED": "ok", "EXPIRED": "", "VOID": "stop"}


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    add_room(cast("Flask", state.app), "outflow.list_prescriptions", "prescription", "外配", ROLES, order=28)


@blueprint.get("")
@needs(*ROLES)
def list_prescriptions() -> ResponseReturnValue:
    """The district's out-flow prescriptions, newest first; one stands open with what happened to it."""
    asked = filters.asked(rules.STATES)
    before = filters.number(request.args.get("before", ""))
    rows = queries.list_prescriptions(**asked, before=before)
    more, rows = len(rows) > queries.PAGE, rows[: queries.PAGE]
    opened = filters.number(request.args.get("open", "")) or (rows[0].id if rows else None)
    one, events = queries.get_prescription(opened) if opened else (None, [])
    kept = {name: value for name, value in asked.items() if value != ""}
    return render_template(
        "center/outflow/prescriptions.html", rows=rows, one=one, events=events, asked=asked, kept=kept, before=before, looks=LOOKS,
        states={state: _(word) for state, word in rules.STATES.items()}, happened={kind: _(word) for kind, word in rules.EVENTS.items()},
        next_url=url_for(".list_prescriptions", **kept, before=rows[-1].id) if more else None,
        first_url=url_for(".list_prescriptions", **kept) if before else None,
    )  # fmt: skip
