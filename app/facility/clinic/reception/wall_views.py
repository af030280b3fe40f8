"""叫号屏: the screens that hang in the waiting room, opened by a secret address, and the owner's list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, current_app, redirect, render_template, request, url_for

from app.core import shell, signin
from app.core.signin import needs, public
from app.facility.clinic import forms
from app.facility.clinic.reception import walls

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_wall", __name__, url_prefix="/clinic/wall")
ROOM = "clinic_reception.show"


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_wall.list_screens", "叫号屏", ("owner",), 50)


@blueprint.get("")
@needs("owner")
def list_screens() -> ResponseReturnValue:
    """Which screens hang, each with its address."""
    desk = signin.here()
    rows = walls.list_screens(desk.facility_id)
    tokens = {row.id: walls.token(_secret(), desk, row.id) for row in rows}
    return render_template("facility/clinic/reception/screens.html", rows=rows, tokens=tokens)


@blueprint.post("")
@needs("owner")
def add_screen() -> ResponseReturnValue:
    """Hang up a screen."""
    walls.add_screen(signin.here(), forms.document(), forms.text("name", 30))
    return redirect(url_for(".list_screens"), 303)


@blueprint.post("/<uuid:screen_id>/revocations")
@needs("owner")
def revoke_screen(screen_id: UUID) -> ResponseReturnValue:
    """Take a screen's address back."""
    walls.revoke_screen(signin.here(), screen_id)
    return redirect(url_for(".list_screens"), 303)


@blueprint.get("/shown/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """The screen itself; asked again every three seconds it answers only when something changed."""
    showing = walls.showing(_secret(), token)
    if request.args.get("v") == showing.version:
        return "", 204
    page = "_wall.html" if "v" in request.args else "wall.html"
    return render_template(f"facility/clinic/reception/{page}", showing=showing, token=token)


def _secret() -> str:
    return str(current_app.secret_key)
