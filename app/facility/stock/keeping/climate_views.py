"""The pages of temperature and humidity (温湿度): today's readings, a month with its chart, print and Excel."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin, workbook
from app.core.approval import second_person
from app.core.errors import NotFound, Refusal
from app.core.signin import needs
from app.facility.stock.keeping import charts, climate, forms
from app.facility.stock.keeping.climate import Limits
from app.facility.stock.rulebook import SENIOR, STAFF

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock_climate", __name__, url_prefix="/stock/climate")


@blueprint.record_once
def _announce(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_climate.list_places", "温湿度", STAFF, 55)


@blueprint.app_template_filter()
def degrees(tenths: int | None) -> str:
    """Tenths of a degree as people read them: 235 is 23.5."""
    if tenths is None:
        return "—"
    return f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}"


@blueprint.get("")
@needs(*STAFF)
def list_places() -> ResponseReturnValue:
    """Today's two readings of every place, and what is still to be read or signed."""
    return _places()


def _places(error: str = "", status: int = 200, refused: object = None) -> ResponseReturnValue:
    here, now = signin.here(), clock.now()
    page = render_template(
        "facility/stock/keeping/climate.html", rows=climate.list_places(here.facility_id, clock.business_date()), half=climate.half_of(now),
        unsigned=climate.list_unsigned(here.facility_id), error=error, refused=refused, form=request.form, may_sign=signin.me().has(*SENIOR), today=clock.business_date(),
    )  # fmt: skip
    return page, status


@blueprint.post("/places")
@needs(*SENIOR)
def add_place() -> ResponseReturnValue:
    """Name one more place where temperature is read."""
    try:
        climate.add_place(signin.here(), request.form.get("name", ""), request.form.get("kind", ""))
    except Refusal as refused:
        return _places(refused.message, refused.status)
    return redirect(url_for(".list_places"), 303)


@blueprint.post("/places/<int:place_id>/readings")
@needs(*STAFF)
def read_climate(place_id: int) -> ResponseReturnValue:
    """Write a reading down; outside the limits it stays on top until something was done and signed."""
    form = request.form
    try:
        tenths = climate.tenths_of(form.get("degrees", ""))
        humidity = forms.whole(form.get("humidity", "")) if form.get("humidity", "").strip() else None
        outside = climate.read_climate(signin.here(), forms.document_of(form.get("document", "")), place_id, tenths, humidity)  # fmt: skip
    except NotFound:
        raise
    except Refusal as refused:
        return _places(refused.message, refused.status, place_id)
    flash(_("超出范围，请写明措施并签字。") if outside else _("已记录。"), "warn" if outside else "ok")
    return redirect(url_for(".list_places"), 303)


@blueprint.post("/readings/<uuid:reading_id>/action")
@needs(*STAFF)
def sign_action(reading_id: UUID) -> ResponseReturnValue:
    """What was done about a reading outside the limits; a pharmacist or the owner signs, or does at this screen."""
    form, who = request.form, signin.me()
    try:
        signer = who.staff_id if who.has(*SENIOR) else second_person(form.get("approver", ""), form.get("approver_password", ""), *SENIOR)  # fmt: skip
        climate.sign_action(signin.here(), reading_id, form.get("action", "").replace("\x00", ""), signer)
    except NotFound:
        raise
    except Refusal as refused:
        return _places(refused.message, refused.status, str(reading_id))
    flash(_("措施已记录并签字。"), "ok")
    return redirect(url_for(".list_places"), 303)


@blueprint.get("/places/<int:place_id>")
@needs(*STAFF)
def show_month(place_id: int) -> ResponseReturnValue:
    """A month of one place: its chart, every reading, what was done; to be printed."""
    place, month = climate.get_place(signin.here().facility_id, place_id), _month()
    rows = climate.readings_of(place_id, month)
    return render_template(
        "facility/stock/keeping/month.html", place=place, month=month, rows=rows, chart=charts.draw(rows, place, month), may_change=signin.me().has(*SENIOR),
        before=(month - timedelta(days=1)).replace(day=1), after=(month + timedelta(days=32)).replace(day=1), today=clock.business_date(),
    )  # fmt: skip


def _month() -> Any:
    return forms.month_of(request.args.get("month", ""), clock.business_date())


@blueprint.post("/places/<int:place_id>")
@needs(*SENIOR)
def change_place(place_id: int) -> ResponseReturnValue:
    """Give a place its own limits, or close it."""
    form = request.form
    low, high = form.get("low", "").strip(), form.get("high", "")
    dry, wet = (forms.whole(form[name]) if form.get(name, "").strip() else None for name in ("dry", "wet"))
    limits = Limits(climate.tenths_of(low) if low else None, climate.tenths_of(high), dry, wet)
    climate.change_place(signin.here(), place_id, limits, closed=form.get("state") == "closed")
    return redirect(url_for(".show_month", place_id=place_id), 303)


@blueprint.get("/places/<int:place_id>/export")
@needs(*STAFF)
def export_month(place_id: int) -> ResponseReturnValue:
    """A month of one place as an Excel file."""
    place = climate.get_place(signin.here().facility_id, place_id)
    heads = [_("时间"), _("温度 ℃"), _("湿度 %"), _("超出范围"), _("措施"), _("签字"), _("记录人")]
    rows = (
        [row.read_at, degrees(row.temperature_tenths), row.humidity, _("是") if row.outside else "", row.action, row.signer, row.staff]
        for row in climate.readings_of(place_id, _month())
    )  # fmt: skip
    return workbook.send(_("温湿度") + place.name, heads, rows)
