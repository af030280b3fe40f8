"""The counts' pages for whoever leads: the list, a new count, progress, differences, approval."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.stock import rulebook
from app.facility.stock.counts import actions, approving, queries, rules
from app.facility.stock.counts.actions import Reason, Scope
from app.facility.stock.counts.errors import NotYourCount

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock_counts", __name__, url_prefix="/stock/counts")
STAFF, SENIOR = rulebook.STAFF, rulebook.SENIOR


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_counts.list_counts", "盘点", STAFF, 30)


def leads(head: Any) -> bool:
    """Say whether the person asking leads this count: they opened it, or they are senior."""
    me = signin.me()
    return bool(head.staff_id == me.staff_id or me.has(*SENIOR))


def senior() -> bool:
    """Say whether the person asking is a pharmacist or the owner."""
    return signin.me().has(*SENIOR)


@blueprint.get("")
@needs(*STAFF)
def list_counts() -> ResponseReturnValue:
    """All counts, newest first, and which are due."""
    desk, only = signin.here(), request.args.get("only", "")
    only = only if only in {"going", "done"} else ""
    rows = queries.list_counts(desk.facility_id, only, _before(request.args.get("before", "")))
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    following = f"{last.opened_at.isoformat()}~{last.id}" if last else None
    return render_template(
        "facility/stock/counts/list.html", rows=rows[: queries.PAGE], only=only, following=following, due=queries.reminders(desk)
    )  # fmt: skip


def _before(text: str) -> tuple[datetime, str] | None:
    at, _sep, last = text.partition("~")
    try:
        return datetime.fromisoformat(at.replace(" ", "+")).astimezone(), str(UUID(last))
    except (ValueError, OverflowError):
        return None


@blueprint.route("/new", methods=["GET", "POST"])
@needs(*STAFF)
def new_count() -> ResponseReturnValue:
    """Choose what is counted, looking for products on the way, and open the count."""
    error, status = "", 200
    if request.method == "POST" and "find" not in request.form:
        try:
            document, scope = _document("document"), _scope()
            actions.open_count(
                signin.here(),
                document,
                scope,
                blind="blind" in request.form,
                note=request.form.get("note", "").strip()[:100],
            )
            return redirect(url_for(".show_count", count_id=document), 303)
        except Refusal as refused:
            error, status = refused.message, refused.status
    q = request.values.get("q", "").strip()[:60]
    return render_template(
        "facility/stock/counts/new.html", form=request.values, error=error, q=q, shelves=queries.shelves(signin.here().facility_id),
        products=catalog.find_products(q, limit=50) if q else [], document=request.form.get("document", ""),
    ), status  # fmt: skip


def _document(name: str) -> UUID:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        raise WrongInput(what=_("盘点单"), why=_("页面不完整，请刷新后重填")) from None


def _scope() -> Scope:
    kind = request.form.get("scope", "")
    products = [
        text for text in request.form.getlist("product")[:500] if text.isascii() and text.isdigit() and len(text) < 18
    ]
    return Scope(
        kind if kind in rules.SCOPES else "", request.form.get("shelf", "").strip()[:20] if kind == "shelf" else "",
        tuple(sorted({int(text) for text in products})) if kind == "product" else (),
    )  # fmt: skip


@blueprint.get("/<uuid:count_id>")
@needs(*STAFF)
def show_count(count_id: UUID) -> ResponseReturnValue:
    """How far a count is: who counted what, and what nobody has counted yet."""
    head = queries.get_count(signin.here().facility_id, count_id)
    after = whole(request.args.get("after", ""))
    rows = queries.open_lines(count_id, after)
    return render_template(
        "facility/stock/counts/progress.html", head=head, counters=queries.counters(count_id), rows=rows[: queries.PAGE], after=after,
        following=rows[queries.PAGE - 1].line_no if len(rows) > queries.PAGE else None, counted=queries.counted_lines(count_id), leads=leads(head),
        today=clock.business_date(),
    )  # fmt: skip


def whole(text: str) -> int:
    """A number out of an address; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@blueprint.post("/<uuid:count_id>/closing")
@needs(*STAFF)
def close_count(count_id: UUID) -> ResponseReturnValue:
    """End the counting; lines nobody counted stay, or count as nothing."""
    actions.close_count(signin.here(), count_id, rest_is_gone=request.form.get("rest") == "gone", senior=senior())
    return redirect(url_for(".show_differences", count_id=count_id), 303)


@blueprint.post("/<uuid:count_id>/reopenings")
@needs(*STAFF)
def reopen_count(count_id: UUID) -> ResponseReturnValue:
    """Send a count back to be counted on."""
    actions.reopen_count(signin.here(), count_id, senior=senior())
    return redirect(url_for(".show_count", count_id=count_id), 303)


@blueprint.post("/<uuid:count_id>/withdrawal")
@needs(*STAFF)
def withdraw_count(count_id: UUID) -> ResponseReturnValue:
    """Give a count up."""
    actions.withdraw_count(signin.here(), count_id, senior=senior())
    return redirect(url_for(".list_counts"), 303)


@blueprint.get("/<uuid:count_id>/differences")
@needs(*STAFF)
def show_differences(count_id: UUID) -> ResponseReturnValue:
    """What differs and why, for whoever leads or approves; not while people are still counting blind."""
    return _differences(count_id)


def _differences(count_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    desk = signin.here()
    head = queries.get_count(desk.facility_id, count_id)
    if not leads(head):
        raise NotYourCount(number=head.number, who=head.leader)
    if head.state == "open":
        return redirect(url_for(".show_count", count_id=count_id), 303)
    after = whole(request.args.get("after", ""))
    rows = queries.differences(desk, count_id, after)
    own = desk.staff_id in {head.staff_id, head.closed_by} or queries.has_counted(count_id, desk.staff_id)
    return render_template(
        "facility/stock/counts/differences.html", head=head, rows=rows[: queries.PAGE], after=after, totals=queries.totals(count_id), error=error,
        following=rows[queries.PAGE - 1]["line_no"] if len(rows) > queries.PAGE else None, odd=queries.odd_codes(count_id), reasons=rules.REASONS,
        may_approve=senior() and not own, today=clock.business_date(),
    ), status  # fmt: skip


@blueprint.post("/<uuid:count_id>/reasons")
@needs(*STAFF)
def explain(count_id: UUID) -> ResponseReturnValue:
    """Write down why lines differ."""
    after = whole(request.args.get("after", ""))
    try:
        actions.explain_differences(signin.here(), count_id, _reasons(), senior=senior())
    except WrongInput as refused:
        return _differences(count_id, refused.message, refused.status)
    flash(_("原因已保存。"), "ok")
    return redirect(url_for(".show_differences", count_id=count_id, after=after or None), 303)


def _reasons() -> list[Reason]:
    names = ("line", "reason", "note")
    columns = [request.form.getlist(name)[: queries.PAGE] for name in names]
    return [
        Reason(whole(line), reason, note.strip()) for line, reason, note in zip(*columns, strict=False) if whole(line)
    ]


@blueprint.post("/<uuid:count_id>/approval")
@needs(*SENIOR)
def approve_count(count_id: UUID) -> ResponseReturnValue:
    """Approve the differences as they were shown; gains and losses are posted."""
    try:
        approving.approve_count(signin.here(), count_id, whole(request.form.get("version", "")))
    except Refusal as refused:
        if refused.status == 404:
            raise
        return _differences(count_id, refused.message, refused.status)
    return redirect(url_for(".show_differences", count_id=count_id), 303)
