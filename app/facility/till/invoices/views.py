"""The invoice pages: where invoices stand, one sale's invoice, and its steps."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, signin, workbook
from app.core.errors import NotFound, Refusal, Words
from app.core.signin import needs
from app.core.web import show_fen, show_time
from app.facility.till.invoices import actions, providers, queries
from app.facility.till.invoices.errors import BuyerIncomplete, NumberKnown, NumberWrong, WrongStep

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from app.core.tenancy import Desk

blueprint = Blueprint("till_invoices", __name__, url_prefix="/till/invoices")
STAFF = ("clerk", "pharmacist", "owner")
FIRST_DAYS, MOST_DAYS, MOST_ROWS = 30, 366, 5_000


@blueprint.get("")
@needs(*STAFF)
def list_invoices() -> ResponseReturnValue:
    """Where invoices stand, by state and days."""
    desk, state, (first, last) = signin.here(), _state(), _days()
    rows, following = _page(desk, state, first, last)
    shown = [_shown(desk, row) for row in rows]
    return render_template(
        "facility/till/invoices/list.html", rows=shown, state=state, states=words_of_states(), first=first, last=last, following=following,
        today=clock.business_date(),
    )  # fmt: skip


@blueprint.get("/excel")
@needs(*STAFF)
def export_invoices() -> ResponseReturnValue:
    """The same list as an Excel file; private persons masked."""
    desk, state, (first, last) = signin.here(), _state(), _days()
    begins, ends = _moments(first, last)
    found = (
        queries.list_without(desk, begins, ends, page=MOST_ROWS)
        if state == "none"
        else queries.list_standing(desk, _wanted(state), begins, ends, page=MOST_ROWS)
    )
    heads = [
        _("单号"),
        _("销售时间"),
        _("状态"),
        _("发票号码"),
        _("抬头"),
        _("纳税人识别号"),
        _("金额 元"),
        _("经手人"),
        _("备注"),
    ]
    rows = (_cells(_shown(desk, row)) for row in found)
    return workbook.send(_("发票"), heads, rows, most=MOST_ROWS, days=f"{first}-{last}")


@blueprint.get("/<uuid:invoiced_id>")
@needs(*STAFF)
def show_invoice(invoiced_id: UUID) -> ResponseReturnValue:
    """One sale's invoice: its steps, and what can be done now."""
    return _invoice(invoiced_id)


@blueprint.post("/<uuid:invoiced_id>/steps")
@needs(*STAFF)
def take_step(invoiced_id: UUID) -> ResponseReturnValue:
    """Ask for it, note its number, that it failed, or the red one."""
    desk, form = signin.here(), request.form
    step = form.get("step", "")
    try:
        if step == "asked":
            _ask(desk, invoiced_id)
        elif step in {"issued", "failed", "red"}:
            actions.note_step(
                desk, invoiced_id, step, number=form.get("number", "")[:40], note=form.get("note", "")[:500]
            )
        else:
            raise NotFound
    except (BuyerIncomplete, NumberWrong, NumberKnown, WrongStep) as refused:
        return _invoice(invoiced_id, refused)
    return redirect(url_for(".show_invoice", invoiced_id=invoiced_id), 303)


def _ask(desk: Desk, sale_id: UUID) -> None:
    form = request.form
    buyer = actions.Buyer(form.get("kind", ""), form.get("title", "")[:500], form.get("tax_number", "")[:100])
    actions.ask_invoice(desk, sale_id, buyer)
    if number := form.get("number", "").strip():
        actions.note_step(desk, sale_id, "issued", number=number[:40])


def _invoice(sale_id: UUID, refused: Refusal | None = None) -> ResponseReturnValue:
    desk = signin.here()
    sale, steps = queries.get_invoice(desk, sale_id)
    shown = [_shown(desk, row) for row in steps]
    page = render_template(
        "facility/till/invoices/invoice.html", sale=sale, steps=shown, state=shown[0]["state"] if shown else "none", states=words_of_states(),
        typed=request.form if refused else {}, error=refused.message if refused else "", provider=_(providers.get(providers.CHOSEN).word),
    )  # fmt: skip
    return page, refused.status if refused else 200


def words_of_states() -> dict[str, str]:
    """What the states are called, in the reader's language."""
    return {key: word.shown if isinstance(word, Words) else word for key, word in actions.STATES.items()}


def _shown(desk: Desk, row: Any) -> dict[str, Any]:
    """A row for the page: of a sale without an invoice, or of a step of one."""
    known = {
        "sale_id": row.sale_id,
        "receipt": getattr(row, "receipt", ""),
        "sold_at": getattr(row, "asked_at", None),
        "amount_fen": row.amount_fen,
        "staff": row.staff,
    }
    if not hasattr(row, "state"):
        return known | {"state": "none", "at": None, "number": "", "title": "", "tax_number": "", "note": ""}
    return known | {
        "state": row.state, "at": row.at, "number": row.number, "title": queries.title_of(desk, row), "tax_number": row.tax_number, "note": row.note,
    }  # fmt: skip


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["receipt"], show_time(row["sold_at"], "%Y-%m-%d %H:%M"), words_of_states()[row["state"]], row["number"], row["title"], row["tax_number"],
        show_fen(row["amount_fen"]), row["staff"], row["note"],
    )  # fmt: skip


def _page(desk: Desk, state: str, first: date, last: date) -> tuple[list[Any], str | None]:
    begins, ends = _moments(first, last)
    before = request.args.get("before", "")
    if state == "none":
        rows = queries.list_without(desk, begins, ends, _moment_before(before))
        last_seen = (
            f"{rows[queries.PAGE - 1].asked_at.isoformat()}_{rows[queries.PAGE - 1].sale_id}"
            if len(rows) > queries.PAGE
            else None
        )
    else:
        number = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
        rows = queries.list_standing(desk, _wanted(state), begins, ends, number)
        last_seen = str(rows[queries.PAGE - 1].id) if len(rows) > queries.PAGE else None
    return rows[: queries.PAGE], last_seen


def _moment_before(text: str) -> tuple[datetime, str] | None:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, str(UUID(last))) if moment.tzinfo else None
    except ValueError:
        return None


def _state() -> str:
    asked = request.args.get("state", "")
    return asked if asked in actions.STATES else "all"


def _wanted(state: str) -> str:
    return "" if state == "all" else state


def _days() -> tuple[date, date]:
    """The days asked for, at most a year; the last thirty when nothing readable was asked."""
    today = clock.business_date()
    first, last = _day(request.args.get("from", "")), _day(request.args.get("to", "")) or today
    first = min(first or last - timedelta(days=FIRST_DAYS - 1), last)
    return max(first, last - timedelta(days=MOST_DAYS - 1)), last


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _moments(first: date, last: date) -> tuple[datetime, datetime]:
    begins, ends = (datetime.combine(day, time(), clock.CHINA) for day in (first, last))
    return begins, ends + timedelta(days=1)
