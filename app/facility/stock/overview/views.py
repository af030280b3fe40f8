"""The owner's page: one screen that says what needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, Flask, render_template
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.signin import needs
from app.facility.organizations import parameters
from app.facility.stock.overview import queries
from app.facility.stock.shelf import labels
from app.facility.stock.shelf import queries as shelf
from app.facility.stock.shelf.passport_views import lasting
from app.facility.stock.suppliers.rules import KINDS

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock_overview", __name__, url_prefix="/overview")
LATE_SECONDS = 300  # Facts that wait longer than this are late.


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    shell.add_room(cast("Flask", state.app), "stock_overview.show", "layout-dashboard", "总览", ("owner",), 15)


@blueprint.get("")
@needs("owner")
def show() -> ResponseReturnValue:
    """Everything that needs the owner's eye, each figure leading to what it is made of."""
    facility, urgent = signin.here().facility_id, parameters.here().days("urgent_days")
    stream = queries.stream(facility)
    waited = int((clock.now() - stream.since_at).total_seconds()) if stream and stream.since_at else 0
    return render_template(
        "facility/stock/overview/overview.html", ending=queries.ending(facility, urgent), shelf=shelf.counts(facility, urgent), takings=queries.takings(facility),
        sending=stream, waited=waited, late=waited > LATE_SECONDS, span=lasting, licences=queries.licences(facility), papers=_paper_words(), differences=queries.differences(facility),
        movers=queries.movers(facility), counted=queries.counted(facility), labels_due=labels.count_due(facility), today=clock.business_date(), urgent_days=urgent,
    )  # fmt: skip


def _paper_words() -> dict[str, str]:
    """What each kind of paper is called, in the language of the page."""
    return {"agreement": _("医保协议"), **{code: _(kind.word) for code, kind in KINDS.items()}}
