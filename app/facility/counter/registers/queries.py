"""Read a book: a page of it, or all of a range for print and Excel."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.facility.counter.registers.errors import RangeTooLong, TooManyRows
from app.facility.db import run

if TYPE_CHECKING:
    from app.core.tenancy import Desk
    from app.facility.counter.registers.books import Book

PAGE = 50
MOST_ROWS = 5_000  # Of a print or a file.
MOST_DAYS = 366

Place = tuple[datetime, str, int]  # The last row seen: its moment, its document or number, its line.


def moments(begins_on: date, ends_on: date) -> tuple[datetime, datetime]:
    """The moments a range of days covers, in China. Raises RangeTooLong."""
    if not 0 <= (ends_on - begins_on).days < MOST_DAYS:
        raise RangeTooLong(most=MOST_DAYS)
    first, last = (datetime.combine(day, time(), clock.CHINA) for day in (begins_on, ends_on))
    return first, last + timedelta(days=1)


def read_page(
    desk: Desk, book: Book, days: tuple[date, date], after: Place | None = None
) -> tuple[list[Any], Place | None]:
    """Fifty rows of a book, newest first, and the place after which the next fifty begin."""
    rows = _read(desk, book, days, after, PAGE + 1)
    page = rows[:PAGE]
    return page, place_of(page[-1]) if len(rows) > PAGE else None


def read_all(desk: Desk, book: Book, days: tuple[date, date]) -> list[Any]:
    """All rows of a range, oldest first, as a book on paper stands. Raises TooManyRows."""
    rows = _read(desk, book, days, None, MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise TooManyRows(most=MOST_ROWS)
    return rows[::-1]


def place_of(row: Any) -> Place:
    """Where a row stands in its book."""
    return row.at, str(row.key), row.line


def _read(desk: Desk, book: Book, days: tuple[date, date], after: Place | None, page: int) -> list[Any]:
    begins, ends = moments(*days)
    at, key, line = after or (None, None, None)
    keys = {
        "facility": desk.facility_id,
        "begins": begins,
        "ends": ends,
        "at": at,
        "key": key,
        "line": line,
        "page": page,
    }
    return list(run(book.statement, **keys))
