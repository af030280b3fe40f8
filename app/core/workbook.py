"""Excel files: what a list shows, as one sheet that opens ready to be read. For every room that exports.

Rows are written one by one and leave memory at once. Texts stay texts, so that no code becomes a figure and nothing
typed becomes a formula; figures are figures, moments stand in China's time, and a last line says when there was more.
"""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import xlsxwriter
from flask import send_file
from flask_babel import gettext as _

from app.core import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask import Response

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 20_000  # Of one file; a list with more is exported in parts, by its filters.
MEASURED = 200  # So many rows say how wide the columns are.
NARROWEST, WIDEST = 8, 40
MOST_TEXT = 1_000
_NO_SHEET = dict.fromkeys(map(ord, "[]:*?/\\'"), "-")  # What Excel allows in no sheet's name.
_PLAIN = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def send(
    name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], *, most: int | None = None, days: str = ""
) -> Response:
    """Send rows as a file named after what they are and the days they tell of; today when none are named."""
    file = io.BytesIO()  # A few megabytes at most; the rows themselves never stand in memory together.
    write(file, name, heads, rows, MOST_ROWS if most is None else most)
    return as_file(f"{name}-{days or format(clock.business_date(), '%Y%m%d')}", file.getvalue())


def write(file: IO[bytes], name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], most: int) -> None:
    """Write at most so many rows; a last line says when there were more."""
    book = open_book(file)
    bold, sheet = book.add_format({"bold": True, "bottom": 1}), book.add_worksheet(sheet_name(name))
    source = iter(rows)
    first = list(islice(source, MEASURED))
    for column, width in enumerate(_widths(heads, first)):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    write_row(sheet, 0, heads, bold)
    for number, row in enumerate(chain(first, source), 1):
        if number > most:
            cut = _("只导出了前 %(n)s 行，后面还有。请加筛选条件，分几次导出。", n=f"{most:,}")
            sheet.write_string(number, 0, cut, bold)
            break
        write_row(sheet, number, row)
    book.close()


def open_book(file: IO[bytes]) -> Any:
    """A new workbook that writes row by row and takes no text for a formula or a link."""
    return xlsxwriter.Workbook(file, _PLAIN)


def write_row(sheet: Any, number: int, row: Iterable[Any], look: Any = None) -> None:
    """One row from the first column on; what is empty stays an empty cell."""
    for column, value in enumerate(row):
        if value is None or value == "":
            continue
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            sheet.write_number(number, column, value, look)
        else:
            sheet.write_string(number, column, _text(value), look)


def sheet_name(name: str) -> str:
    """A name as a sheet may bear it."""
    return name.translate(_NO_SHEET)[:31]


def as_file(name: str, content: bytes) -> Response:
    """An Excel file to be saved under this name."""
    answer: Response = send_file(io.BytesIO(content), mimetype=EXCEL)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.xlsx"
    return answer


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{clock.local(value):%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else str(value)[:MOST_TEXT]


def _widths(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """As wide as what stands in each column, within reason."""
    found = [_width(head) for head in heads]
    for row in rows:
        for place, value in enumerate(row[: len(found)]):
            found[place] = max(found[place], _width("" if value is None else _text(value)))
    return [min(max(width + 2, NARROWEST), WIDEST) for width in found]


def _width(text: str) -> int:
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in text)
