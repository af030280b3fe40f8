"""取外配处方: the code is scanned, the prescription shown, taken on, given back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, signin
from app.core.ages import age_of
from app.core.errors import Outage, Refusal, WrongInput
from app.core.signin import needs
from app.facility.insurance import outflow
from app.facility.till.outflow import taking
from app.facility.till.outflow.errors import NothingTaken

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("till_outflow", __name__, url_prefix="/till/outflow")
SELLERS = ("clerk", "pharmacist", "owner")


@blueprint.route("", methods=["GET", "POST"])
@needs(*SELLERS)
def look_up() -> ResponseReturnValue:
    """Scan or type the code; what it says is shown. The code never stands in an address."""
    if request.method == "GET":
        return _page()
    try:
        code, seen, here = taking.look_up(signin.here(), _typed())
    except Outage:
        return _page(error=_("医保中心现在没有回答，外配处方要联网取。请稍后再扫一次。"), status=503)
    except Refusal as refused:
        return _page(error=refused.message, status=refused.status)
    return _page(code=code, seen=seen, here=here)


@blueprint.post("/taking")
@needs(*SELLERS)
def take_on() -> ResponseReturnValue:
    """Take it on for this pharmacy and send it to review."""
    desk = signin.here()
    try:
        made = taking.take_on(desk, _document(), _typed(), _packs())
    except NothingTaken as refused:
        code, seen, here = taking.look_up(desk, _typed())
        return _page(code=code, seen=seen, here=here, error=refused.message, status=refused.status)
    except Outage:
        return _page(error=_("医保中心没有回答，不知道是否已锁定。请再扫一次取药码，锁定过的会接着办。"), status=503)
    except Refusal as refused:
        return _page(error=refused.message, status=refused.status)
    flash(_("已接方，中心已为本店锁定。药师审过后，收银台按 Alt+R 取用。"), "ok")
    return redirect(url_for("till.list_prescriptions", state=taking.state_of(made), open=made), 303)


@blueprint.post("/<uuid:prescription_id>/return")
@needs(*SELLERS)
def give_back(prescription_id: UUID) -> ResponseReturnValue:
    """Give one back: another pharmacy may have it."""
    try:
        taking.give_back(signin.here(), prescription_id)
    except Outage:
        flash(_("本店已不能再售；中心没有回答，请稍后再按一次交还。不按也会在锁定期满后自动解除。"), "warn")
    else:
        flash(_("已交还，患者可到别的药店取药。"), "ok")
    return redirect(url_for("till.list_prescriptions", state="void", open=prescription_id), 303)


def _page(
    *, code: str = "", seen: Any = None, here: Any = (), error: str = "", status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "facility/till/outflow/outflow.html", code=code, seen=seen, here=here, error=error, today=clock.business_date(), age_of=_age,
        states={state: _(word) for state, word in outflow.STATES.items()}, packs=_typed_packs(),
    )  # fmt: skip
    return page, status


def _age(born: str, today: date) -> str | None:
    try:
        return age_of(date.fromisoformat(born), today)
    except ValueError:
        return None


def _typed() -> str:
    return request.form.get("code", "").replace("\x00", "")[:60]


def _typed_packs() -> dict[int, str]:
    lines = request.form.getlist("line"), request.form.getlist("packs")
    return {
        int(line): said.strip()[:6]
        for line, said in zip(*lines, strict=False)
        if line.isascii() and line.isdigit() and len(line) < 6
    }


def _packs() -> dict[int, int]:
    found = {}
    for line, said in _typed_packs().items():
        if said and not (said.isascii() and said.isdigit()):
            raise NothingTaken(why=_("盒数要是整数"))
        found[line] = int(said or 0)
    return found


def _document() -> UUID:
    try:
        return UUID(request.form.get("document", ""))
    except ValueError as wrong:
        raise WrongInput(what=_("单据"), why=_("页面不完整，请刷新后重填")) from wrong
