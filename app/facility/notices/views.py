"""The page of news (消息): what the center told, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from flask import Blueprint, render_template, request, url_for

from app.core import shell, signin
from app.core.signin import needs
from app.facility.notices import queries

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("notices", __name__, url_prefix="/notices")
READERS = ("clerk", "pharmacist", "doctor", "nurse", "owner")
MOST_DIGITS = 18


@blueprint.record_once
def _install(state: BlueprintSetupState) -> None:
    shell.add_room(cast("Flask", state.app), "notices.list_notices", "bell", "消息", READERS, 55)


@blueprint.get("")
@needs(*READERS)
def list_notices() -> ResponseReturnValue:
    """What the center told this facility, and what was not carried out, with its reason."""
    facility, aside = signin.here().facility_id, request.args.get("show") == "aside"
    rows = queries.list_items(facility, _cursor(request.args.get("before", "")), aside=aside)
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    show = "aside" if aside else None
    return render_template(
        "facility/notices/list.html", rows=rows[: queries.PAGE], aside=aside, aside_count=queries.count_aside(facility),
        pulled_at=queries.pulled_at(facility),
        next_url=url_for(".list_notices", show=show, before=f"{last.received_at.isoformat()}_{last.number}") if last else None,
        first_url=url_for(".list_notices", show=show) if request.args.get("before") else None,
    )  # fmt: skip


def _cursor(text: str) -> tuple[datetime, int] | None:
    at, _sep, number = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    good = moment.tzinfo and number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
    return (moment, int(number)) if good else None
