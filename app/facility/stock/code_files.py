"""Reads trace codes out of a file: any cell or word that looks like one, in the order of the file."""

from __future__ import annotations

import io
import re

import charset_normalizer
from python_calamine import CalamineError, CalamineWorkbook

from app.core.errors import WrongInput, words
from app.facility.stock.rules import MOST_CODES_PER_LINE

_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9]{20}(?![0-9A-Za-z])")


def read_codes(name: str, data: bytes) -> list[str]:
    """Return the 20-digit trace codes of an Excel or text file, each once. Raises WrongInput with what to do."""
    text = _excel(data) if name.lower().endswith((".xlsx", ".xls", ".xlsm", ".ods")) else _text(data)
    codes = list(dict.fromkeys(_CODE.findall(text)))
    if not codes:
        raise WrongInput(
            what="追溯码文件", why="里面没有 20 位的追溯码。Excel 里的码须设为文本格式，否则末几位会变成 0"
        )
    if len(codes) > MOST_CODES_PER_LINE:
        raise WrongInput(
            what="追溯码文件", why=words("有 {n} 个码，超过一行的上限 {most}", n=len(codes), most=MOST_CODES_PER_LINE)
        )
    return codes


def _excel(data: bytes) -> str:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[:20]]
    except (CalamineError, OSError, ValueError) as broken:
        raise WrongInput(what="追溯码文件", why="不是能打开的 Excel 文件，请另存为 .xlsx 后再试") from broken
    return "\n".join(str(cell) for rows in sheets for row in rows for cell in row if isinstance(cell, str))


def _text(data: bytes) -> str:
    found = charset_normalizer.from_bytes(data[:1_000_000]).best()
    if found is None:
        raise WrongInput(what="追溯码文件", why="不是文本文件，请用 .xlsx、.csv 或 .txt")
    return data.decode(found.encoding, errors="replace")
