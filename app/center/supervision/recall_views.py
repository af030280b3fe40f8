"""The officer's pages of recalls: propose, approve, see who has it, close."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.center.supervision import recalls
from app.center.supervision.queries import recalls as queries
from app.center.supervision.recall_errors import RecallIncomplete
from app.core import clock
from app.core.errors import Refusal
from app.core.signin import me, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("recalls", __name__, url_prefix="/recalls")
ROLES = ("officer", "auditor", "administrator")
ONLY = ("unpulled", "holding", "unreported")
FIELDS = ("name", "reason", "instructions", "national", "approval", "maker", "spec")


@blueprint.get("")
@needs(*ROLES)
def list_recalls() -> ResponseReturnValue:
    """The district's recalls, newest first."""
    rows = queries.list_recalls(_moment(request.args.get("before", "")))
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    return render_template(
        "center/supervision/recalls.html", rows=rows[: queries.PAGE], number_of=recalls.number_of, may_act=me().has("officer"),
        next_url=url_for(".list_recalls", before=f"{last.asked_at.isoformat()}_{last.id}") if last else None,
        first_url=url_for(".list_recalls") if request.args.get("before") else None,
    )  # fmt: skip


@blueprint.get("/new")
@needs("officer")
def new_recall() -> ResponseReturnValue:
    """Write a recall."""
    return render_template("center/supervision/recall_new.html", form={}, error="")


@blueprint.post("")
@needs("officer")
def ask() -> ResponseReturnValue:
    """Propose a recall."""
    form = request.form
    try:
        document = UUID(form.get("document", ""))
        level = int(form.get("level", "0")[:2])
        texts = {name: form.get(name, "").strip()[:2000] for name in FIELDS}
        draft = recalls.Draft(level, lots=_several("lots"), codes=_several("codes"), **texts)
        recalls.ask_recall(document, draft, me())
    except ValueError:
        return render_template(
            "center/supervision/recall_new.html", form=form, error=_("页面不完整，请刷新后重填")
        ), 422
    except Refusal as refusal:
        return render_template("center/supervision/recall_new.html", form=form, error=refusal.message), refusal.status
    flash(_("已提出，等另一位同事复核后下达。"), "ok")
    return redirect(url_for(".show_recall", recall_id=document), 303)


@blueprint.get("/<uuid:recall_id>")
@needs(*ROLES)
def show_recall(recall_id: UUID) -> ResponseReturnValue:
    """One recall: who has pulled it, who froze how much, who has reported."""
    return _show(recall_id)


@blueprint.post("/<uuid:recall_id>/approvals")
@needs("officer")
def approve(recall_id: UUID) -> ResponseReturnValue:
    """Let a recall go out; never by whoever proposed it."""
    sent = recalls.approve_recall(recall_id, me())
    flash(_("已下达给 %(n)s 家机构，机构收到后自动冻结。", n=sent), "ok")
    return redirect(url_for(".show_recall", recall_id=recall_id), 303)


@blueprint.post("/<uuid:recall_id>/refusals")
@needs("officer")
def refuse(recall_id: UUID) -> ResponseReturnValue:
    """Do not let it go out."""
    recalls.refuse_recall(recall_id, me())
    return redirect(url_for(".show_recall", recall_id=recall_id), 303)


@blueprint.post("/<uuid:recall_id>/closings")
@needs("officer")
def close(recall_id: UUID) -> ResponseReturnValue:
    """End a recall."""
    try:
        recalls.close_recall(recall_id, request.form.get("summary", ""), me())
    except RecallIncomplete as refusal:
        return _show(recall_id, refusal)
    flash(_("召回已结束，各机构收到后自动解除冻结。"), "ok")
    return redirect(url_for(".show_recall", recall_id=recall_id), 303)


def _show(recall_id: UUID, refusal: Refusal | None = None) -> ResponseReturnValue:
    head = queries.get_recall(recall_id)
    only = request.args.get("only", "") if request.args.get("only") in ONLY else ""
    after = request.args.get("after", "").replace("\0", "")[:60]
    rows = queries.list_places(recall_id, only, after)
    page = render_template(
        "center/supervision/recall.html", head=head, number=recalls.number_of(head), counts=queries.count_places(recall_id), rows=rows[: queries.PAGE],
        only=only, now=clock.now(), may_act=me().has("officer"), asked_by_me=head.asked_by == me().staff_id, error=refusal.message if refusal else "",
        next_url=url_for(".show_recall", recall_id=recall_id, only=only or None, after=rows[queries.PAGE - 1].stream) if len(rows) > queries.PAGE else None,
        first_url=url_for(".show_recall", recall_id=recall_id, only=only or None) if after else None,
    )  # fmt: skip
    return (page, refusal.status) if refusal else page


def _several(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,，;；、]+", request.form.get(name, "").strip()) if part))


def _moment(text: str) -> tuple[datetime, UUID] | None:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(last)) if moment.tzinfo else None
    except ValueError:
        return None
