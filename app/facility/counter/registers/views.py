"""The registers' pages: a book by days, on paper, as a file; persons whole for a reason; the check of a split."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin, trail, workbook
from app.core.errors import NotFound
from app.core.signin import needs
from app.facility.counter.registers import actions, queries
from app.facility.counter.registers.books import BOOKS, Book, Sight
from app.facility.counter.registers.errors import ReasonNeeded
from app.facility.db import action

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("counter_registers", __name__, url_prefix="/registers")
STAFF = ("clerk", "pharmacist", "owner")
FIRST_DAYS = 30
LEAST_REASON, MOST_REASON = 4, 100


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "counter_registers.list_books", "登记簿", STAFF, 70)


@blueprint.get("")
@needs(*STAFF)
def list_books() -> ResponseReturnValue:
    """The first book."""
    return redirect(url_for(".show_book", book=next(iter(BOOKS))), 303)


@blueprint.get("/<book>")
@needs(*STAFF)
def show_book(book: str) -> ResponseReturnValue:
    """A book by days, newest first."""
    desk, chosen, days = signin.here(), _book(book), _days()
    rows, following = queries.read_page(desk, chosen, days, _after(request.args.get("after", ""), chosen))
    sight = Sight(desk.tenant_id)
    shown = [(row, chosen.write(row, sight)) for row in rows]
    return render_template(
        "facility/counter/registers/book.html", book=chosen, books=BOOKS.values(), rows=shown, first=days[0], last=days[1],
        following=_placed(following) if following else None, staff_id=desk.staff_id, today=clock.business_date(),
    )  # fmt: skip


@blueprint.get("/<book>/print")
@needs(*STAFF)
def print_book(book: str) -> ResponseReturnValue:
    """A range of a book on A4; persons masked."""
    return _paper(_book(book), _days(), whole=False)


@blueprint.get("/<book>/excel")
@needs(*STAFF)
def export_book(book: str) -> ResponseReturnValue:
    """A range of a book as an Excel file; persons masked."""
    return _file(_book(book), _days(), whole=False)


@blueprint.post("/<book>/whole")
@needs("pharmacist", "owner")
def show_whole(book: str) -> ResponseReturnValue:
    """The same range with whole names and numbers, on paper or as a file, for a reason that goes into the audit trail."""
    chosen, days = _book(book), _days()
    reason = request.form.get("reason", "").strip()
    if not chosen.persons:
        raise NotFound
    if not LEAST_REASON <= len(reason) <= MOST_REASON or not reason.isprintable():
        raise ReasonNeeded
    _note_reveal(chosen, days, reason)
    return (_file if request.form.get("form") == "excel" else _paper)(chosen, days, whole=True)


@action
def _note_reveal(book: Book, days: tuple[date, date], reason: str) -> None:
    trail.record("register.revealed", book.key, begins_on=str(days[0]), ends_on=str(days[1]), reason=reason)


@blueprint.post("/splits/<uuid:sale_id>/lines/<int:line_no>/check")
@needs(*STAFF)
def check_split(sale_id: UUID, line_no: int) -> ResponseReturnValue:
    """Check a split sale that somebody else packed."""
    actions.check_split(signin.here(), sale_id, line_no)
    asked: dict[str, Any] = {name: value for name in ("from", "to", "after") if (value := request.form.get(name, ""))}
    return redirect(url_for(".show_book", book="splits", **asked), 303)


def _paper(book: Book, days: tuple[date, date], *, whole: bool) -> ResponseReturnValue:
    desk, sight = signin.here(), Sight(signin.here().tenant_id, whole)
    rows = [book.write(row, sight) for row in queries.read_all(desk, book, days)]
    return render_template(
        "facility/counter/registers/paper.html", book=book, rows=rows, first=days[0], last=days[1], whole=whole, at=clock.now()
    )  # fmt: skip


def _file(book: Book, days: tuple[date, date], *, whole: bool) -> ResponseReturnValue:
    desk, sight = signin.here(), Sight(signin.here().tenant_id, whole)
    rows = (book.write(row, sight) for row in queries.read_all(desk, book, days))
    heads = [str(name) for name, _class in book.columns]
    return workbook.send(f"{_('登记簿')}-{book.title}", heads, rows, days=f"{days[0]}-{days[1]}")


def _book(key: str) -> Book:
    if key not in BOOKS:
        raise NotFound
    return BOOKS[key]


def _days() -> tuple[date, date]:
    """The days asked for; the last thirty when nothing, or nothing readable, was asked."""
    today = clock.business_date()
    first, last = _day(request.values.get("from", "")), _day(request.values.get("to", ""))
    last = last or today
    return first or last - timedelta(days=FIRST_DAYS - 1), last


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None  # Further off no moment in China can be told.


def _placed(place: queries.Place) -> str:
    return f"{place[0].isoformat()}_{place[1]}_{place[2]}"


def _after(text: str, book: Book) -> queries.Place | None:
    at, key, line = [*text.split("_"), "", ""][:3]
    try:
        moment = datetime.fromisoformat(at)
        checked: Any = UUID(key) if book.numbered else int(key)
        number = int(line)
    except ValueError:
        return None
    small = 0 <= number < 2**31 and (book.numbered or 0 <= checked < 2**62)
    return (moment, str(checked), number) if moment.tzinfo and small else None
