"""The pages of keeping (养护): what is due, what was checked, what nears its end, which packs are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import NotFound
from app.core.signin import needs
from app.facility.organizations import parameters
from app.facility.stock.keeping import checks, expiry, forms, queries
from app.facility.stock.rulebook import STAFF
from app.facility.stock.shelf import blind

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock_keeping", __name__, url_prefix="/stock/keeping")


@blueprint.record_once
def _announce(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_keeping.list_due", "养护", STAFF, 50)


@blueprint.get("")
@needs(*STAFF)
def list_due() -> ResponseReturnValue:
    """What is due for a look; a scanned pack opens its lot."""
    args, here = request.args, signin.here()
    only = args.get("only", "") if args.get("only") in {"focus", "all"} else "due"
    text = args.get("q", "").strip().replace("\x00", "")[:100]
    code = queries.code_at(here.facility_id, text) if text else None
    rows = checks.list_due(here.facility_id, only, forms.day_of(args.get("after", "")))
    last = rows[checks.PAGE - 1] if len(rows) > checks.PAGE else None
    place = (code.lot_id, code.zone) if code else forms.place_of(args.get("open", ""))
    found = checks.find_place(here.facility_id, *place) if place else (rows[0] if rows and not text else None)
    veil = blind.veil()
    opened = next(iter(veil.over([found] if found else [], "product_id")), None)
    return render_template(
        "facility/stock/keeping/due.html", rows=veil.over(rows[: checks.PAGE], "product_id"), only=only, q=text, opened=opened, due=checks.count_due(here.facility_id),
        following=_cursor(last), today=clock.business_date(), past=checks.list_checks(here.facility_id, lot_id=opened.lot_id)[:5] if opened else [],
    )  # fmt: skip


def _cursor(last: Any) -> str | None:
    return f"{last.expires_on}_{last.lot_id}:{last.zone}" if last else None


@blueprint.post("")
@needs(*STAFF)
def check_goods() -> ResponseReturnValue:
    """Write a look at the goods down; a doubt leads straight to the paper that holds them."""
    form = request.form
    place = forms.place_of(form.get("place", ""))
    if place is None:
        raise NotFound
    result, document = form.get("result", ""), forms.document_of(form.get("document", ""))
    found = checks.find_place(signin.here().facility_id, *place)
    focus = found.focus if found else ""
    checks.check_goods(signin.here(), document, *place, result, form.get("finding", "").replace("\x00", ""), focus)
    if result == "doubtful":
        return redirect(url_for("stock_papers.new_paper", act="hold", place=form["place"], reason="养护发现可疑"), 303)
    flash(_("已记录：正常。"), "ok")
    return redirect(url_for(".list_due"), 303)


@blueprint.get("/checks")
@needs(*STAFF)
def list_checks() -> ResponseReturnValue:
    """Looks that were taken, newest first."""
    args = request.args
    result = args.get("result", "") if args.get("result") in {"ok", "doubtful"} else ""
    rows = checks.list_checks(signin.here().facility_id, result, before=forms.moment_of(args.get("before", "")))
    last = rows[checks.PAGE - 1] if len(rows) > checks.PAGE else None
    following = f"{last.checked_at.isoformat()}_{last.id}" if last else None
    return render_template("facility/stock/keeping/checks.html", rows=blind.veil().over(rows[: checks.PAGE], "product_id"), result=result, following=following)  # fmt: skip


@blueprint.get("/expiry")
@needs(*STAFF)
def list_near() -> ResponseReturnValue:
    """What nears its end or is past it, by urgency, with what to do about it."""
    args, here = request.args, signin.here()
    only = args.get("only", "") if args.get("only") in {"past", "urgent", "warn"} else ""
    rows = expiry.list_near(here.facility_id, only, forms.day_of(args.get("after", "")))
    last, veil = rows[expiry.PAGE - 1] if len(rows) > expiry.PAGE else None, blind.veil()
    return render_template(
        "facility/stock/keeping/near.html", rows=veil.over(rows[: expiry.PAGE], "product_id"), veiled=bool(rows and veil.products), only=only, counts=expiry.count_near(here.facility_id), following=_cursor(last),
        today=clock.business_date(), urgent_days=parameters.here().days("urgent_days"),
    )  # fmt: skip


@blueprint.post("/expiry")
@needs(*STAFF)
def set_expired_aside() -> ResponseReturnValue:
    """Put everything expired among the rejects, in one paper."""
    document = forms.document_of(request.form.get("document", ""))
    answer = expiry.set_expired_aside(signin.here(), document)
    if answer is None:
        flash(_("没有要转的过期货。"), "info")
        return redirect(url_for(".list_near"), 303)
    flash(_("%(number)s 已过账：过期的货都转到不合格区了。", number=answer.number), "ok")
    return redirect(url_for("stock_papers.list_papers", open=document), 303)


@blueprint.get("/splits")
@needs(*STAFF)
def list_open() -> ResponseReturnValue:
    """Opened packs: what is left, since when, and whether too long."""
    place = forms.day_of(request.args.get("after", ""))
    rows = expiry.list_open(signin.here().facility_id, place[:2] if place else None)
    last = rows[expiry.PAGE - 1] if len(rows) > expiry.PAGE else None
    return render_template(
        "facility/stock/keeping/splits.html", rows=blind.veil().over(rows[: expiry.PAGE], "product_id"), following=_cursor(last), today=clock.business_date(),
        days=parameters.here().days("split_days"),
    )  # fmt: skip
