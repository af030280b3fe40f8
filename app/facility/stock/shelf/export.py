"""What is seen, as an Excel file: the same filters, the same order, row by row, and a sentence where it was cut."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import xlsxwriter
from flask import send_file
from flask_babel import gettext as _

from app.core import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask.typing import ResponseReturnValue

MOST_ROWS = 20_000
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDTH = 16


def send(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], most: int = MOST_ROWS) -> ResponseReturnValue:
    """Send rows as a file named after what they are and the day."""
    file = io.BytesIO()  # A few megabytes at most; the rows themselves never stand in memory together.
    write(file, name, heads, rows, most)
    file.seek(0)
    return send_file(
        file, mimetype=EXCEL, as_attachment=True, download_name=f"{name}-{clock.business_date():%Y%m%d}.xlsx"
    )


def write(file: IO[bytes], name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], most: int) -> None:
    """Write at most so many rows, each leaving memory as it is written; a last line says when there were more."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet(name[:31])
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(heads) - 1, _WIDTH)
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, bold)
    for number, row in enumerate(rows, 1):
        if number > most:
            cut = _("只导出了前 %(n)s 行，后面还有。请加筛选条件，分几次导出。", n=f"{most:,}")
            sheet.write_string(number, 0, cut, bold)
            break
        for column, value in enumerate(row):
            _cell(sheet, number, column, value)
    book.close()


def _cell(sheet: Any, row: int, column: int, value: Any) -> None:
    """A number as a number; any text as text, so that nothing that was typed becomes a formula."""
    if value is None or value == "":
        return
    if isinstance(value, (int, Decimal)):
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        sheet.write_string(row, column, f"{clock.local(value):%Y-%m-%d %H:%M:%S}")
    elif isinstance(value, date):
        sheet.write_string(row, column, value.isoformat())
    else:
        sheet.write_string(row, column, str(value)[:1000])
