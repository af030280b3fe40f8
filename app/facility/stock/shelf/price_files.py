"""Reads new prices out of a file: a code or barcode and a price a row, under whatever the columns are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.core.errors import words
from app.facility.catalog.importer import columns, reader
from app.facility.catalog.rules import price_of
from app.facility.stock.shelf import price_queries
from app.facility.stock.shelf.errors import PriceChangeNotTaken
from app.facility.stock.shelf.price_rules import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

MOST_PROBLEMS = 50


@dataclass
class Read:
    """What a file says: new prices by product, and what could not be understood, row by row."""

    prices: dict[int, tuple[Decimal, Decimal | None]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_prices(name: str, content: bytes) -> Read:
    """Read new prices. Raises FileUnreadable, FileTooLarge, PriceChangeNotTaken where the columns are missing."""
    table = reader.read_table(reader.shown_name(name), content)
    layout = columns.find_layout(table.rows)
    mapping = columns.guess(layout.header, table.rows[layout.first_row - 1 :])
    if not {"code", "barcode"} & set(mapping.values()) or "pack_price" not in mapping.values():
        raise PriceChangeNotTaken(problems=words("文件里要有「商品编码」或「条码」一列，和「零售价」一列。"))
    rows = [columns.named_cells(row, mapping) for row in table.rows[layout.first_row - 1 :] if any(row)]
    if len(rows) > MOST_LINES:
        raise PriceChangeNotTaken(problems=words("一次最多调 {most} 个商品，请分几次。", most=MOST_LINES))
    known = price_queries.by_codes([key for row in rows for key in _keys(row)])
    found = Read()
    for number, row in enumerate(rows, layout.first_row):
        if problem := _take(found, row, known):
            found.problems.append(words("第 {number} 行：{text}", number=number, text=problem))
    del found.problems[MOST_PROBLEMS:]
    return found


def _keys(row: Mapping[str, str]) -> list[str]:
    return [text for text in (row.get("code", "").strip(), row.get("barcode", "").strip()) if text]


def _take(found: Read, row: Mapping[str, str], known: Mapping[str, int]) -> str:
    """Take a row in, or say why not."""
    product = next((known[key] for key in _keys(row) if key in known), None)
    if product is None:
        return words("没有这个编码或条码 {key}，请核对。", key="、".join(_keys(row))[:60])
    price = price_of(row.get("pack_price", ""))
    split = price_of(row["split_price"]) if row.get("split_price", "").strip() else None
    if price is None or (row.get("split_price", "").strip() and split is None):
        return words("价格 {typed} 看不懂，请写成 12.50。", typed=row.get("pack_price", "")[:20])
    if product in found.prices:
        return words("同一个商品写了两行。")
    found.prices[product] = (price, split)
    return ""
