"""What is seen, as an Excel file: text as text, figures as figures, one sheet."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter
from flask import send_file

from app.core import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask.typing import ResponseReturnValue

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 20_000


def send(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> ResponseReturnValue:
    """Send rows as a file named after what they are and the day."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(heads) - 1, 16)
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, bold)
    for row, values in enumerate(rows, 1):
        for column, value in enumerate(values):
            _cell(sheet, row, column, value)
    book.close()
    file.seek(0)
    return send_file(
        file, mimetype=EXCEL, as_attachment=True, download_name=f"{name}-{clock.business_date():%Y%m%d}.xlsx"
    )


def _cell(sheet: Any, row: int, column: int, value: Any) -> None:
    """Whatever was typed stays text, so that nothing becomes a formula."""
    if isinstance(value, datetime):
        sheet.write_string(row, column, f"{clock.local(value):%Y-%m-%d %H:%M}")
    elif isinstance(value, date):
        sheet.write_string(row, column, value.isoformat())
    elif isinstance(value, str):
        sheet.write_string(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)
