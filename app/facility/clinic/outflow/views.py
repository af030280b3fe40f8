"""外配: reviewed sheets that the patient takes to a pharmacy elsewhere; how they stand; the paper with its code."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, personal, shell, signin
from app.core.ages import age_of
from app.core.barcodes import qr_svg
from app.core.errors import NotFound, Outage, Refusal
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.outflow import queries, sending, wire
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.terms.usage import usage
from app.facility.db import db
from app.facility.insurance import outflow
from app.national import rx_code

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_outflow", __name__, url_prefix="/clinic/outflow")
STAFF = ("doctor", "clerk", "pharmacist", "owner")
LOOKS = {"REVIEWED": "info", "LOCKED": "warn", "DISPENSED": "info", "CLOSED": "ok", "EXPIRED": "", "VOID": "stop"}
SHOWS = ("ready", "sent")


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    shell.add_room(cast("Flask", state.app), "clinic_outflow.show", "prescription", "外配", STAFF, 10, kind="clinic")


@blueprint.get("")
@needs(*STAFF)
def show() -> ResponseReturnValue:
    """What may go out, or what went out; one sheet stands open."""
    desk, shows = signin.here(), request.args.get("show", "ready")
    shows = shows if shows in SHOWS else "ready"
    listed = queries.list_sent if shows == "sent" else queries.list_ready
    rows = listed(desk.facility_id, _before(request.args.get("before", "")))
    more, rows = len(rows) > queries.PAGE, rows[: queries.PAGE]
    return render_template("facility/clinic/outflow/outflow.html", **_page(shows, rows, more=more))


def _page(shows: str, rows: list[Any], *, more: bool) -> dict[str, Any]:
    """The list with the sheet that stands open; the code is opened for that one only."""
    key = "id" if shows == "sent" else "order_id"
    chosen = next(
        (row for row in rows if str(getattr(row, key)) == request.args.get("open")), rows[0] if rows else None
    )
    moment = "asked_at" if shows == "sent" else "signed_at"
    drugs = queries.drugs_of(chosen.order_id) if chosen else []
    return {
        "shows": shows, "rows": rows, "key": key, "one": chosen, "drugs": drugs, "odd": shows == "ready" and bool(wire.not_whole(drugs)), "usage": usage,
        "diagnoses": queries.diagnoses_of(chosen.order_id) if chosen else [], "code": _code(chosen) if shows == "sent" and chosen else "",
        "states": {state: _(word) for state, word in outflow.STATES.items()}, "looks": LOOKS, "standing": _standing, "today": clock.business_date(), "age_of": age_of,
        "next_url": url_for(".show", show=shows, before=f"{getattr(rows[-1], moment).isoformat()}_{getattr(rows[-1], key)}") if more else None,
        "first_url": url_for(".show", show=shows) if request.args.get("before") else None, "before": request.args.get("before", "")[:90] or None,
    }  # fmt: skip


def _standing(row: Any) -> str:
    """The center's word for it; what is too old needs no asking."""
    if row.center_state in {"REVIEWED", "DISPENSED"} and row.valid_until and row.valid_until < clock.business_date():
        return "EXPIRED"
    return str(row.center_state)


def _code(row: Any) -> str:
    if not row.code_sealed:
        return ""
    return personal.unseal(str(signin.here().tenant_id), bytes(row.code_sealed))


@blueprint.post("/sheets/<uuid:sheet_id>")
@needs(*STAFF)
def send(sheet_id: UUID) -> ResponseReturnValue:
    """Send a reviewed sheet out."""
    document = forms.document()
    became = sending.send_out(signin.here(), document, sheet_id)
    if became == "refused":
        why = queries.get_sent(signin.here().facility_id, document).refusal
        flash(_("中心没有受理，处方没有外配，可以在本院收费：%(why)s", why=why), "stop")
        return redirect(url_for(".show", open=sheet_id), 303)
    if became == "unknown":
        flash(_("中心还没有回答，正在核对，不用重复提交。"), "warn")
    return redirect(url_for(".show", show="sent", open=document), 303)


@blueprint.post("/<uuid:outflow_id>/void")
@needs(*STAFF)
def take_back(outflow_id: UUID) -> ResponseReturnValue:
    """Make one void; when nothing was had of it, it may be paid here again."""
    became = sending.take_back(signin.here(), outflow_id, forms.text("reason"))
    if became == "void":
        flash(_("已作废，取药码不能再用。"), "ok")
    elif became == "unknown":
        flash(_("中心还没有回答，正在核对，不用重复提交。"), "warn")
    else:
        flash(_("没有作废：%(why)s", why=queries.get_sent(signin.here().facility_id, outflow_id).refusal), "stop")
    return redirect(url_for(".show", show="sent", open=outflow_id), 303)


@blueprint.post("/standing")
@needs(*STAFF)
def refresh() -> ResponseReturnValue:
    """Ask the center how the listed ones stand; the page asks by itself when it is there."""
    desk, away = signin.here(), ""
    before = _before(request.form.get("before", ""))
    rows = queries.list_sent(desk.facility_id, before)[: queries.PAGE]
    db.end_reading()
    try:
        sending.refresh(desk, [row.id for row in rows if row.number and row.center_state not in {"CLOSED", "VOID"}])
    except Outage:
        away = _("中心现在没有回答，下面是上次知道的状态。")
    except Refusal as refused:
        away = refused.message
    rows = queries.list_sent(desk.facility_id, before)[: queries.PAGE]
    page = _page("sent", rows, more=False)
    return render_template("facility/clinic/outflow/_sent.html", away=away, at=clock.now(), **page)


@blueprint.get("/<uuid:outflow_id>/print")
@needs(*STAFF)
def show_print(outflow_id: UUID) -> ResponseReturnValue:
    """The paper for the patient: drugs, signatures, the code and its QR code."""
    row = queries.get_sent(signin.here().facility_id, outflow_id)
    if row.state not in {"out", "voiding"}:
        raise NotFound
    code = _code(row)
    return render_template(
        "facility/clinic/outflow/print.html", one=row, person=patients.unseal(row), drugs=queries.drugs_of(row.order_id), diagnoses=queries.diagnoses_of(row.order_id),
        code=rx_code.shown(code), qr=qr_svg(rx_code.PREFIX + code), usage=usage, size="a5", age=age_of(row.born_on, clock.business_date(row.signed_at)),
    )  # fmt: skip


def _before(text: str) -> tuple[datetime, str] | None:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, str(UUID(last))) if moment.tzinfo else None
    except ValueError:
        return None


@blueprint.app_template_filter("rx_code")
def _shown_code(code: str) -> str:
    return rx_code.shown(code)
