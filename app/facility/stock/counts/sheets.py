"""The count sheet as an Excel file: out with an empty column, back with the quantities (盘点表)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.core import workbook
from app.core.errors import Several, words
from app.facility.catalog.importer.reader import read_table
from app.facility.stock import rulebook
from app.facility.stock.counts import rules
from app.facility.stock.counts.errors import SheetNotTaken
from app.facility.stock.counts.rules import SheetRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHEET_PLACE = "盘点表"
MOST_SAID = 20
_LINE, _PACKS, _UNITS, _PLACE = "行号", "实盘整数", "实盘零头", "地点"
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


def write_sheet(head: Any, lines: Sequence[Any], facility: str) -> bytes:
    """The whole list, shelf by shelf, with empty columns for what is counted; the book only where the count is not blind."""
    file = io.BytesIO()
    book = workbook.open_book(file)
    bold, blank = book.add_format({"bold": True, "bottom": 1}), book.add_format({"border": 1, "bg_color": "#FFF8E1"})
    sheet = book.add_worksheet(SHEET_PLACE)
    for column, width in enumerate((6, 8, 24, 16, 20, 14, 12, 10, 9, 9, 12, 10, 10, 10)):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(2, 3)
    workbook.write_row(sheet, 0, ["盘点单号", head.number, facility, _("只填黄色的格；行号不要改")])
    columns = [
        _LINE,
        "货架",
        "品名",
        "规格",
        "生产厂家",
        "批号",
        "效期",
        "库区",
        "整包单位",
        "零头单位",
        *([] if head.blind else ["账面数"]),
        _PACKS,
        _UNITS,
        _PLACE,
    ]
    workbook.write_row(sheet, 1, columns, bold)
    for number, line in enumerate(lines, 2):
        zone = words(rulebook.ZONE_WORDS[line.zone])
        row = [
            line.line_no,
            line.shelf,
            line.name,
            line.spec,
            line.maker,
            line.lot_number,
            line.expires_on,
            str(zone),
            line.pack_unit,
            line.base_unit,
        ]
        workbook.write_row(sheet, number, [*row, *([] if head.blind else [_packs(line.book, line)])])
        for column in (1, 2, 3):
            sheet.write_blank(number, len(columns) - column, None, blank)
    book.close()
    return file.getvalue()


def _packs(quantity: int, line: Any) -> str:
    packs, rest = divmod(quantity, line.pack_size)
    return f"{packs} {line.pack_unit}" + (f" {rest} {line.base_unit}" if rest else "")


def read_sheet(number: str, lines: Mapping[int, Any], name: str, content: bytes) -> list[SheetRow]:
    """Read a filled-in sheet back: rows with a quantity. Raises SheetNotTaken with the row of each problem, FileUnreadable."""
    rows = read_table(name, content).rows
    start = next((place for place, row in enumerate(rows[:10]) if _LINE in row and _PACKS in row), None)
    if start is None:
        raise SheetNotTaken(problems=words("没有找到「行号」和「实盘整数」两列，请用这张盘点单导出的表。"))
    if not any(number in row for row in rows[:start]):
        raise SheetNotTaken(problems=words("这不是 {number} 的盘点表，请核对表头的单号。", number=number))
    header, problems = rows[start], []
    taken: dict[int, SheetRow] = {}
    for place, cells in enumerate(rows[start + 1 :], start + 2):
        row = dict(zip(header, cells, strict=False))
        if not (row.get(_PACKS, "").strip() or row.get(_UNITS, "").strip()):
            continue
        try:
            one = _row(row, lines, taken)
            taken[one.line_no] = one
        except ValueError as wrong:
            problems.append(words("第 {row} 行：{why}。", row=place, why=wrong.args[0]))
    if problems:
        raise SheetNotTaken(problems=Several(problems[:MOST_SAID], between=" "))
    return list(taken.values())


def _row(row: Mapping[str, str], lines: Mapping[int, Any], taken: Mapping[int, SheetRow]) -> SheetRow:
    line = lines.get(_whole(row.get(_LINE, "")))
    if line is None:
        raise ValueError(words("行号 {line} 不在这张盘点单里", line=row.get(_LINE, "")[:20]))
    if line.line_no in taken:
        raise ValueError(words("行号 {line} 出现了两次", line=line.line_no))
    quantity = _whole(row.get(_PACKS, "") or "0") * line.pack_size + _whole(row.get(_UNITS, "") or "0")
    place = row.get(_PLACE, "").strip() or SHEET_PLACE
    if quantity > rules.MOST_UNITS or len(place) > rules.MOST_PLACE:
        raise ValueError(words("数量太大，或地点超过 {most} 个字", most=rules.MOST_PLACE))
    return SheetRow(line.line_no, quantity, place)


def _whole(text: str) -> int:
    plain = text.strip().translate(_FULL_WIDTH)
    plain = plain[:-2] if plain.endswith(".0") else plain
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        raise ValueError(words("「{text}」不是整数", text=text.strip()[:20]))
    return int(plain)
