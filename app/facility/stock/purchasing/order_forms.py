"""How the pages of orders read what was typed: lines with packs and prices, each wrong one said with its number."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import request

from app.core.errors import Several, words
from app.core.money import fen
from app.facility.stock import typed
from app.facility.stock.purchasing import rules
from app.facility.stock.purchasing.errors import OrderNotSaved
from app.facility.stock.purchasing.shelves import Said
from app.facility.stock.suppliers import forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

NAMES = ("product", "product_name", "packs", "price")
MOST_SAID = 10


@dataclass
class Page:
    """An order as it stands on the screen, saved or not."""

    id: UUID | None = None
    number: str = ""
    version: int = 0
    supplier: int = 0
    note: str = ""
    lines: tuple[dict[str, Any], ...] = ()

    @property
    def products(self) -> list[int]:
        """What its lines name."""
        return [number for number in (forms.number(str(line["product"])) for line in self.lines) if number]


def typed_page(order_id: UUID | None) -> Page:
    """What was sent, as it was typed, so that nothing is lost when it is refused."""
    columns = [request.form.getlist(name) for name in NAMES]
    rows = [dict(zip(NAMES, (value.replace("\x00", "").strip()[:400] for value in row), strict=True)) for row in zip(*columns, strict=False)]  # fmt: skip
    return Page(
        order_id, forms.text("number", 40), forms.number(forms.text("version", 9)) or 0, forms.number(forms.text("supplier", 18)) or 0, forms.text("note", 200),
        tuple(rows[: rules.MOST_LINES + 1]),
    )  # fmt: skip


def read_lines(page: Page) -> list[rules.OrderLine]:
    """The lines of a page as values. Raises OrderNotSaved with every line that cannot be read."""
    lines, problems = [], []
    for number, row in enumerate(page.lines, 1):
        line, why = _line(number, row)
        lines += [line] if line else []
        problems += [why] if why else []
    if not page.supplier:
        problems.insert(0, words("请选择供应商。"))
    if len(page.lines) > rules.MOST_LINES:
        problems.insert(0, words("一张采购单最多 {n} 行，请分成几张。", n=rules.MOST_LINES))
    if problems:
        raise OrderNotSaved(problems=Several(problems[:MOST_SAID], between=" "))
    return lines


def _line(number: int, row: dict[str, Any]) -> tuple[rules.OrderLine | None, str]:
    name = row["product_name"].partition(" · ")[0]
    product, packs = forms.number(row["product"]), typed.whole(row["packs"])
    if not product:
        return None, words("第 {n} 行不完整，请删掉后重选。", n=number)
    if not packs or packs > rules.MOST_PACKS:
        return None, words(
            "第 {n} 行 {name}：数量请填 1 到 {most} 的整数。", n=number, name=name, most=rules.MOST_PACKS
        )
    price = typed.price(row["price"]) if row["price"] else None
    if row["price"] and price is None:
        return None, words("第 {n} 行 {name}：单价请写每盒多少元。", n=number, name=name)
    return rules.OrderLine(product, packs, price), ""


def page_of(head: Any, lines: Iterable[Any]) -> Page:
    """A draft as it was kept."""
    return Page(
        head.id, head.number, head.version, head.supplier_id, head.note,
        tuple({"product": line.product_id, "product_name": name_of(line), "packs": line.packs, "price": shown(line.price)} for line in lines),
    )  # fmt: skip


def name_of(product: Any) -> str:
    """A product in a line: name, specification, maker, and last its unit."""
    return " · ".join(part for part in (product.generic_name, product.spec, product.maker, product.pack_unit) if part)


def shown(price: Decimal | None) -> str:
    """A price as it is typed: at least two places, no needless zeros behind them."""
    if price is None:
        return ""
    plain = price.normalize()
    exponent = plain.as_tuple().exponent
    return f"{plain:.2f}" if isinstance(exponent, int) and exponent > -2 else f"{plain:f}"


def total_fen(lines: Sequence[Any]) -> int:
    """What an order comes to at the agreed prices; lines without a price count nothing."""
    return sum(fen(line.price, line.packs) for line in lines if line.price is not None)


def page_fen(page: Page) -> int:
    """What stands on the screen comes to, as far as it can be read."""
    pairs = [(typed.price(str(line["price"])), typed.whole(str(line["packs"]))) for line in page.lines]
    return sum(fen(price, packs) for price, packs in pairs if price is not None and packs)


# ---- proposals -----------------------------------------------------------------------------------------------------


def ticked_lines() -> list[rules.OrderLine]:
    """What was ticked among the proposals, with packs as they stand beside it. Raises OrderNotSaved."""
    chosen, lines, problems = set(request.form.getlist("tick")), [], []
    for product, packs, name, price in zip(*(request.form.getlist(each) for each in ("id", "packs", "name", "price")), strict=False):  # fmt: skip
        number, count = forms.number(product), typed.whole(packs)
        if product not in chosen or not number:
            continue
        if not count or count > rules.MOST_PACKS:
            problems.append(words("{name}：数量请填 1 到 {most} 的整数。", name=name[:100], most=rules.MOST_PACKS))
        else:
            lines.append(rules.OrderLine(number, count, typed.price(price) if price else None))
    if not lines and not problems:
        problems.append(words("还没有勾选商品。"))
    if not forms.number(forms.text("supplier", 18)):
        problems.append(words("请选择供应商。"))
    if problems:
        raise OrderNotSaved(problems=Several(problems[:MOST_SAID], between=" "))
    return lines[: rules.MOST_LINES]


def changed_shelves() -> list[Said]:
    """The rows whose place or limits were typed anew."""
    columns = (request.form.getlist(each) for each in ("id", "name", "shelf", "least", "most", "was"))
    rows = [[cell.replace("\x00", "").strip() for cell in row] for row in zip(*columns, strict=False)]
    return [
        Said(product, shelf[:40], least[:12], most[:12], name[:100])
        for product, name, shelf, least, most, was in rows[:200]
        if forms.number(product) and f"{shelf}|{least}|{most}" != was
    ]
