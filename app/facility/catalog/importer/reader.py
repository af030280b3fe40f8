"""From bytes to rows of text: Excel (.xlsx, .xls) and delimited text in the encodings that Chinese offices produce.

Everything is bounded before it is unpacked: a small file can claim a million columns or unfold to gigabytes.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import charset_normalizer
from python_calamine import CalamineError, CalamineWorkbook

from app.core.errors import words
from app.facility.catalog.errors import FileTooLarge, FileUnreadable
from app.facility.catalog.rules import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 20 * 1024 * 1024
MOST_UNPACKED = 400 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 100
MOST_EXACT = Decimal(10) ** 15  # Excel keeps fifteen digits of a number and makes noughts of the rest.
MOST_CELL = 500  # The tail of a longer cell is dropped; no field of a product is that long.
_EXCEL_OLD = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP = b"PK\x03\x04"
_CELL = re.compile(rb'<c[^>]{0,40}?\sr="([A-Z]{1,3})([0-9]{1,7})"')
_TEXT_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",\t;|"
_COMMON = re.compile(r"[\u4e00-\u9fa5\u3000-\u303f\uff00-\uffef\u2000-\u22ff\u00b0-\u00f7\u0370-\u03ff]")


@dataclass(frozen=True, slots=True)
class Table:
    """A file as rows of text; row 1 of the file is rows[0]."""

    kind: str
    encoding: str
    sheet: str
    other_sheets: int
    rows: list[list[str]]

    @property
    def width(self) -> int:
        """The number of columns."""
        return max((len(row) for row in self.rows), default=0)


def read_table(file: str, content: bytes) -> Table:
    """Read a file whatever its name says. Raises FileUnreadable, FileTooLarge."""
    if not content.strip():
        raise FileUnreadable(file=file, why="文件是空的")
    if len(content) > MOST_BYTES:
        raise FileTooLarge(file=file, what=words("有 {size} MB", size=len(content) // 1024 // 1024), most="20 MB")
    if content.startswith(_EXCEL_OLD):
        table = _read_excel(file, content, "xls")
    elif content.startswith(_ZIP):
        _guard_unpacking(file, content)
        table = _read_excel(file, content, "xlsx")
    else:
        table = _read_text(file, content)
    return _bounded(file, table)


def shown_name(file: str) -> str:
    """Return a file's name without its folders and anything that cannot be shown."""
    bare = tidy(_storable(file).replace("\\", "/").rsplit("/", 1)[-1])
    return bare[:120] or "未命名"


def _bounded(file: str, table: Table) -> Table:
    if not any(any(row) for row in table.rows):
        raise FileUnreadable(file=file, why="没有任何有内容的行")
    if len(table.rows) > MOST_ROWS:
        raise FileTooLarge(file=file, what=words("超过 {n} 行", n=MOST_ROWS), most=words("{n} 行", n=MOST_ROWS))
    if table.width > MOST_COLUMNS:
        raise FileTooLarge(file=file, what=words("有 {n} 列", n=table.width), most=words("{n} 列", n=MOST_COLUMNS))
    return table


# ---- Excel -------------------------------------------------------------------------------------------------------


def _guard_unpacking(file: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise FileUnreadable(file=file, why="它是压缩包，但不是 .xlsx 工作簿")
            if sum(part.file_size for part in parts) > MOST_UNPACKED or len(parts) > 2000:
                raise FileTooLarge(file=file, what="展开后过大", most="400 MB")
            for part in parts:
                if part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml"):
                    _guard_extent(file, archive, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as failure:
        raise FileUnreadable(file=file, why="文件不完整，或被加密") from failure


def _guard_extent(file: str, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Look where the outermost cells are: the reader makes a full grid up to them."""
    tail = b""
    unpacked = 0
    with archive.open(part) as stream:
        while chunk := stream.read(1 << 20):
            unpacked += len(chunk)
            if unpacked > MOST_UNPACKED:
                raise FileTooLarge(file=file, what="展开后过大", most="400 MB")
            window = tail + chunk
            for column, row in set(_CELL.findall(window)):
                if int(row) > MOST_ROWS * 2 or _column_number(column) > MOST_COLUMNS * 10:
                    raise FileTooLarge(
                        file=file,
                        what=words("在 {cell} 处有单元格", cell=f"{column.decode()}{row.decode()}"),
                        most=words("{rows} 行、{columns} 列", rows=MOST_ROWS, columns=MOST_COLUMNS),
                    )
            tail = window[-100:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _read_excel(file: str, content: bytes, kind: str) -> Table:
    try:
        return _first_sheet(content, kind)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failure:  # A damaged file can make the reader panic, which is not an Exception.
        if not isinstance(failure, (CalamineError, Exception)) and type(failure).__name__ != "PanicException":
            raise
        raise FileUnreadable(file=file, why="工作簿损坏、加密，或不是表格文件") from failure


def _first_sheet(content: bytes, kind: str) -> Table:
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        filled = []
        for name in book.sheet_names:
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MOST_ROWS + 1)
            rows = _trimmed([_cell_text(cell) for cell in row] for row in cells)
            if rows:
                filled.append((name, rows))
        name, rows = filled[0] if filled else ("", [])
    return Table(kind, "", name, max(0, len(filled) - 1), rows)


def _cell_text(cell: Any) -> str:
    """Show a cell as its author sees it: whole numbers without a point, yes and no in Chinese, days as ISO."""
    if isinstance(cell, str):
        return _storable(cell)
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return _number_text(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return str(cell)


def _number_text(number: float) -> str:
    exact = Decimal(repr(number))
    if not exact.is_finite():
        return ""
    if (
        abs(exact) >= MOST_EXACT
    ):  # A code typed as a number has lost its last digits: shown as the sheet shows it, it is no code.
        return f"{number:.5E}"
    # 0.1 + 0.2 in a formula shows as 0.3 in the sheet: fifteen digits are all that Excel knows.
    return f"{Decimal(f'{number:.15g}'):f}"


# ---- delimited text ----------------------------------------------------------------------------------------------


def _read_text(file: str, content: bytes) -> Table:
    text, encoding = _decoded(file, content)
    delimiter = _delimiter(text)
    rows = []
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append([_storable(cell) for cell in line[: MOST_COLUMNS + 1]])
            if len(rows) > MOST_ROWS:
                break
    except csv.Error as failure:
        raise FileUnreadable(file=file, why=words("第 {n} 行的引号没有配对，或一格过长", n=len(rows) + 1)) from failure
    return Table("tsv" if delimiter == "\t" else "csv", encoding, "", 0, _trimmed(rows))


def _decoded(file: str, content: bytes) -> tuple[str, str]:
    for mark, encoding in _TEXT_MARKS:
        if content.startswith(mark):
            return _checked(file, content, encoding), encoding
    if b"\x00" not in content[:4096]:
        for encoding in ("utf-8", "gb18030"):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            if encoding == "utf-8" or _looks_chinese(text):
                return _checked(file, content, encoding), encoding
    best = charset_normalizer.from_bytes(content[:200_000]).best()
    if best is None or best.encoding in {"ascii"}:
        raise FileUnreadable(file=file, why="不是表格，也认不出文字编码")
    return _checked(file, content, best.encoding), best.encoding


def _checked(file: str, content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as failure:
        raise FileUnreadable(file=file, why=words("文字编码 {encoding} 有损坏", encoding=encoding)) from failure
    strange = sum(1 for character in text[:20_000] if ord(character) < 32 and character not in "\r\n\t")
    if strange * 50 > min(len(text), 20_000) or "\x00" in text:
        raise FileUnreadable(file=file, why="它不是文本表格")
    return text


def _looks_chinese(text: str) -> bool:
    """GB18030 decodes almost any bytes; only text of common characters is believed."""
    strange = [character for character in text[:20_000] if ord(character) > 127]
    common = sum(1 for character in strange if _COMMON.match(character))
    return not strange or common * 10 >= len(strange) * 9


def _delimiter(text: str) -> str:
    head = text[:5000].splitlines()[:5]
    counts = {mark: sum(line.count(mark) for line in head) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: (counts[mark], -_DELIMITERS.index(mark)))


def _trimmed(rows: Iterable[list[str]]) -> list[list[str]]:
    """Drop empty cells at the ends of rows and empty rows at the end of the file; row numbers stay true."""
    kept = [_without_tail(row) for row in rows]
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _storable(text: str) -> str:
    """Keep what the database can hold: no NUL, no half characters, not too long."""
    return text[:MOST_CELL].replace("\x00", "").encode("utf-8", "ignore").decode()


def _without_tail(row: list[str]) -> list[str]:
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]
