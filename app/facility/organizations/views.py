"""Pages of organizations, and how the facility wing's door knows its people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext

from app.core import signin
from app.core.signin import Keeper, me, needs
from app.facility.organizations import actions, queries, rules

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("organizations", __name__, url_prefix="/organizations")
DEVICE_SECONDS = 2 * 365 * 24 * 3600


def _words() -> dict[str, str]:
    return {role: gettext(word) for role, word in rules.ROLES.items()}


KEEPER = Keeper(
    accounts=queries.ACCOUNTS,
    standing=queries.standing,
    scope=lambda realm: {"tenant_id": str(realm)},
    settle_in=queries.choose_place,
    end=actions.end_session,
    describe=queries.describe,
    words=_words,
    idle=timedelta(hours=12),
    longest=timedelta(days=7),
)


@blueprint.record_once
def _settle(state: BlueprintSetupState) -> None:
    app: Flask = state.app
    signin.keep(app, KEEPER)


# ---- where I work --------------------------------------------------------------------------------------------------


@blueprint.get("/facilities/<int:facility_id>/entry")
@needs()
def go_to(facility_id: int) -> ResponseReturnValue:
    """Go on at another facility. Another site must not move a person, so the browser has to say that it is us."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(403)
    actions.go_to_facility(me(), facility_id)
    signin.move(facility=facility_id)
    return redirect(url_for("shell.home"), 303)
