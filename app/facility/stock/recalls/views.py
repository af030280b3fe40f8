"""The pages of recalls: start one, see where the goods are and who bought them, work the list off; lots locked on suspicion."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import Refusal, WrongInput, words
from app.core.signin import needs
from app.facility.organizations import parameters
from app.facility.stock.recalls import actions, queries, rules
from app.facility.stock.recalls.errors import RecallIncomplete, ReleasedByOthersOnly
from app.facility.stock.rulebook import ACTS, SENIOR, STAFF, ZONE_WORDS
from app.facility.stock.shelf import blind

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock_recalls", __name__, url_prefix="/stock/recalls")


@blueprint.record_once
def _among_the_pages(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_recalls.list_recalls", "召回", STAFF, 60)


@blueprint.context_processor
def _words() -> dict[str, Any]:
    who = signin.me_or_none()  # Nobody, where a refusal is shown to a stranger.
    # The words are message ids of their own, so that each page shows them in the reader's language.
    return {
        "level_words": {level: _(str(word)) for level, word in rules.LEVELS.items()},
        "outcome_words": {outcome: _(str(word)) for outcome, word in rules.OUTCOMES.items()},
        "zone_words": {zone: _(word) for zone, word in ZONE_WORDS.items()},
        "now": clock.now(),
        "sees_patients": who is not None and who.has("clerk", "owner"),
        "may_decide": who is not None and who.has(*SENIOR),
        "paper_acts": lambda zone: [(act, _(ACTS[act].word)) for act in rules.paper_acts(zone)],
    }


@blueprint.get("")
@needs(*STAFF)
def list_recalls() -> ResponseReturnValue:
    """Recalls of this facility, ours and the center's, newest first, each with its clock."""
    state = request.args.get("state", "")
    state = state if state in {"open", "closed"} else ""
    facility = signin.here().facility_id
    rows = queries.list_recalls(facility, state, _moment(request.args.get("before", "")))
    last, veil = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None, blind.veil()
    return render_template(
        "facility/stock/recalls/list.html", rows=rows[: queries.PAGE], veiled={row.id for row in rows if veil.covers(row.products)}, state=state, open_count=queries.count_open(facility),
        following=f"{last.issued_at.isoformat()}_{last.id}" if last else None,
    )  # fmt: skip


@blueprint.get("/new")
@needs(*SENIOR)
def new_recall() -> ResponseReturnValue:
    """Type a lot or scan a box: what it is, where it lies, how much was sold; then one key freezes it everywhere."""
    return _new(request.args.get("entry", "").strip()[:100], {})


@blueprint.post("")
@needs(*SENIOR)
def issue() -> ResponseReturnValue:
    """Start a recall of our own."""
    form = request.form
    try:
        document, product = UUID(form.get("document", "")), int(form.get("product", "")[:18])
        level = int(form.get("level", "")[:2])
    except ValueError:
        refusal = WrongInput(what=words("召回"), why=words("没有选药品或级别"))
        return _new(form.get("entry", "").strip()[:100], form, refusal)
    codes = (
        tuple(dict.fromkeys(re.split(r"[\s,，;；]+", form.get("codes", "").strip())))
        if form.get("codes", "").strip()
        else ()
    )
    lots = (form.get("lot", "").strip(),)
    wanted = rules.Wanted(
        product, lots, level, form.get("reason", "").strip(), form.get("instructions", "").strip(), codes
    )
    try:
        actions.issue_recall(signin.here(), document, wanted)
    except Refusal as refusal:
        return _new(form.get("entry", "").strip()[:100], form, refusal)
    return redirect(url_for(".show_recall", recall_id=document), 303)


def _new(entry: str, form: Any, refusal: Refusal | None = None) -> ResponseReturnValue:
    found = queries.find_lots(entry) if entry else []
    hours = {level: int(parameters.here().hours(name).total_seconds() // 3600) for level, name in rules.HOURS.items()}
    page = render_template(
        "facility/stock/recalls/new.html",
        entry=entry,
        found=blind.veil().over(found, "product_id"),
        form=form,
        error=refusal.message if refusal else "",
        hours=hours,
    )
    return (page, refusal.status) if refusal else page


@blueprint.get("/<uuid:recall_id>")
@needs(*STAFF)
def show_recall(recall_id: UUID) -> ResponseReturnValue:
    """One recall: its clock, where the goods lie at every facility, and the buyers to be reached."""
    return _show(recall_id)


@blueprint.post("/<uuid:recall_id>/acknowledgements")
@needs(*STAFF)
def acknowledge(recall_id: UUID) -> ResponseReturnValue:
    """Somebody here has seen it; the banner goes away."""
    actions.acknowledge_recall(signin.here(), recall_id)
    return redirect(url_for(".show_recall", recall_id=recall_id), 303)


@blueprint.post("/<uuid:recall_id>/calls")
@needs(*STAFF)
def note_call(recall_id: UUID) -> ResponseReturnValue:
    """Note one try to reach a buyer or a patient."""
    try:
        buyer = UUID(request.form.get("buyer", ""))
    except ValueError:
        raise WrongInput(what=words("通知记录"), why=words("没有选购药单")) from None
    actions.note_call(signin.here(), recall_id, buyer, request.form.get("outcome", ""), request.form.get("note", ""))
    return redirect(
        url_for(".show_recall", recall_id=recall_id, before=request.form.get("before") or None) + "#buyers", 303
    )


@blueprint.post("/<uuid:recall_id>/reports")
@needs(*SENIOR)
def report(recall_id: UUID) -> ResponseReturnValue:
    """Tell the center what became of the goods here."""
    try:
        actions.report_recall(signin.here(), recall_id, request.form.get("note", ""))
    except RecallIncomplete as refusal:
        return _show(recall_id, refusal)
    flash(_("已上报中心，数字随时可以再报。"), "ok")
    return redirect(url_for(".show_recall", recall_id=recall_id), 303)


@blueprint.post("/<uuid:recall_id>/closings")
@needs(*SENIOR)
def close(recall_id: UUID) -> ResponseReturnValue:
    """End a recall of our own."""
    try:
        actions.close_recall(signin.here(), recall_id, request.form.get("summary", ""))
    except (RecallIncomplete, ReleasedByOthersOnly) as refusal:
        return _show(recall_id, refusal)
    flash(_("召回已结束，还在库的批号恢复可售。"), "ok")
    return redirect(url_for(".show_recall", recall_id=recall_id), 303)


def _show(recall_id: UUID, refusal: Refusal | None = None) -> ResponseReturnValue:
    facility = signin.here().facility_id
    head = queries.get_recall(facility, recall_id)
    buyers = queries.buyers_of(facility, recall_id, _moment(request.args.get("before", "")))
    last, veil = buyers[queries.PAGE - 1] if len(buyers) > queries.PAGE else None, blind.veil()
    page = render_template(
        "facility/stock/recalls/show.html", head=head, held_at=veil.over(queries.places_of(recall_id), "product_id"), veiled=veil.covers(head.products), buyers=buyers[: queries.PAGE],
        waiting=queries.waiting(facility, recall_id) if head.state == "open" else None, error=refusal.message if refusal else "",
        form=request.form, following=f"{last.asked_at.isoformat()}_{last.id}" if last else None, started_by_me=head.staff_id == signin.me().staff_id,
    )  # fmt: skip
    return (page, refusal.status) if refusal else page


# ---- lots locked on suspicion --------------------------------------------------------------------------------------


@blueprint.get("/holds")
@needs(*STAFF)
def list_holds() -> ResponseReturnValue:
    """Lots that may not be sold here, who locked them and why; and the lot somebody wants to lock."""
    return _holds(None)


@blueprint.post("/holds")
@needs(*STAFF)
def hold() -> ResponseReturnValue:
    """Lock a lot on suspicion."""
    return _change(actions.hold_lot, _("已锁定，柜台不能再卖这个批号。"))


@blueprint.post("/releases")
@needs(*SENIOR)
def release() -> ResponseReturnValue:
    """Release a locked lot; never by whoever locked it."""
    return _change(actions.release_lot, _("已解除锁定，这个批号可以销售。"))


def _change(act: Any, done: str) -> ResponseReturnValue:
    try:
        document, lot = UUID(request.form.get("document", "")), int(request.form.get("lot", "")[:18])
    except ValueError:
        return _holds(WrongInput(what=words("质量锁定"), why=words("没有选批号")))
    try:
        act(signin.here(), document, lot, request.form.get("reason", ""))
    except Refusal as refusal:
        return _holds(refusal)
    flash(done, "ok")
    return redirect(url_for(".list_holds"), 303)


def _holds(refusal: Refusal | None) -> ResponseReturnValue:
    facility, entry = signin.here().facility_id, request.values.get("entry", "").strip()[:100]
    rows = queries.list_holds(facility, _id(request.args.get("before", "")))
    page = render_template(
        "facility/stock/recalls/holds.html", rows=blind.veil().over(rows[: queries.PAGE], "product_id"), entry=entry, found=queries.lots_to_hold(facility, entry) if entry else [],
        following=rows[queries.PAGE - 1].id if len(rows) > queries.PAGE else None, error=refusal.message if refusal else "",
        my_id=signin.me().staff_id, form=request.form,
    )  # fmt: skip
    return (page, refusal.status) if refusal else page


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _moment(text: str) -> tuple[datetime, UUID] | None:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(last)) if moment.tzinfo else None
    except ValueError:
        return None
