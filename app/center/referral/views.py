"""The officer's page of referrals: where each stands, which are late, what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from app.center import filters
from app.center.referral import queries, rules
from app.core.shell import add_room
from app.core.signin import needs

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("referral", __name__, url_prefix="/referrals")
ROLES = ("officer", "auditor", "administrator")
LOOKS = {"SENT": "info", "ACCEPTED": "info", "DECLINED": "stop", "CLOSED": "ok", "WITHDRAWN": "", "EXPIRED": "warn"}


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    add_room(cast("Flask", state.app), "referral.list_referrals", "user-share", "转诊", ROLES, order=29)


@blueprint.get("")
@needs(*ROLES)
def list_referrals() -> ResponseReturnValue:
    """The referrals from the district and to it, newest first; one stands open with what happened to it."""
    asked = filters.asked({*rules.STATES, "LATE"})
    before = filters.number(request.args.get("before", ""))
    rows = queries.list_referrals(**asked, before=before)
    more, rows = len(rows) > queries.PAGE, rows[: queries.PAGE]
    opened = filters.number(request.args.get("open", "")) or (rows[0].id if rows else None)
    one, events = queries.get_referral(opened) if opened else (None, [])
    kept = {name: value for name, value in asked.items() if value != ""}
    return render_template(
        "center/referral/referrals.html", rows=rows, one=one, events=events, asked=asked, kept=kept, before=before, looks=LOOKS,
        states={state: _(word) for state, word in rules.STATES.items()}, sent=_("转出"),
        next_url=url_for(".list_referrals", **kept, before=rows[-1].id) if more else None,
        first_url=url_for(".list_referrals", **kept) if before else None,
    )  # fmt: skip
