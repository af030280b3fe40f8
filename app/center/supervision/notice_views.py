"""The officer's pages of notices: write one, see how many have it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.center.supervision import notices
from app.center.supervision.queries import notices as queries
from app.core.errors import Refusal, WrongInput, words
from app.core.signin import me, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("notices", __name__, url_prefix="/notices")
ROLES = ("officer", "auditor", "administrator")


@blueprint.get("")
@needs(*ROLES)
def list_notices() -> ResponseReturnValue:
    """The district's notices, newest first; one stands open beside the list."""
    rows = queries.list_notices(_moment(request.args.get("before", "")))
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    rows = rows[: queries.PAGE]
    opened = next((row for row in rows if str(row.id) == request.args.get("open")), rows[0] if rows else None)
    notice, reached = queries.get_notice(opened.id) if opened else (None, None)
    return render_template(
        "center/supervision/notices.html", rows=rows, notice=notice, reached=reached, number_of=notices.number_of, levels=_levels(),
        may_act=me().has("officer"), before=request.args.get("before", "")[:80],
        next_url=url_for(".list_notices", before=f"{last.published_at.isoformat()}_{last.id}") if last else None,
        first_url=url_for(".list_notices") if request.args.get("before") else None,
    )  # fmt: skip


@blueprint.get("/new")
@needs("officer")
def new_notice() -> ResponseReturnValue:
    """Write a notice."""
    return render_template("center/supervision/notice_new.html", form={}, error="", levels=_levels())


@blueprint.post("")
@needs("officer")
def publish() -> ResponseReturnValue:
    """Tell every institution of the district."""
    form = request.form
    try:
        document = _document(form.get("document", ""))
        sent = notices.publish_notice(document, form.get("level", ""), form.get("title", ""), _lines(form.get("text", "")), me())  # fmt: skip
    except Refusal as refusal:
        page = render_template("center/supervision/notice_new.html", form=form, error=refusal.message, levels=_levels())
        return page, refusal.status
    flash(_("已发给 %(n)s 家机构，机构几秒内收到。", n=sent), "ok")
    return redirect(url_for(".list_notices", open=document), 303)


def _document(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise WrongInput(what=words("通知"), why=words("页面不完整，请刷新后重填")) from None


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _levels() -> dict[str, str]:
    return {level: _(str(word)) for level, word in notices.LEVELS.items()}


def _moment(text: str) -> tuple[datetime, UUID] | None:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(last)) if moment.tzinfo else None
    except ValueError:
        return None
