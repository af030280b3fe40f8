"""What may be done with which stock, and how lines of a receipt are checked. Plain values only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from app.core.errors import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Zones (DOMAIN 3.3). Whole packs are sold from the first three, single units from SPLIT only.
SELLABLE_ZONES = ("SALEABLE", "COLD", "CONTROLLED")
SPLIT_ZONE = "SPLIT"
RECEIVING_ZONES = (*SELLABLE_ZONES, "QUARANTINE", "RECEIVING", "REJECT")
SET_ASIDE = ("QUARANTINE", "REJECT")  # Where goods past their day may lie until they are destroyed.
COLD_STORAGE = ("COLD", "FROZEN")

MOST_LINES = 500
MOST_CODES_PER_LINE = 5_000
MOST_UNITS = 100_000_000
_CODE = re.compile(r"^[0-9A-Za-z]{8,100}$")
_LOT = re.compile(r"^[^\x00-\x1f]{1,40}$")


@dataclass(frozen=True)
class ReceiptLine:
    """One lot of one product that arrived: packs (whole), dates, cost per pack in yuan, and the codes scanned."""

    product_id: int
    lot_number: str
    expires_on: date
    packs: int
    zone: str = "SALEABLE"
    produced_on: date | None = None
    cost_price: Decimal | None = None
    codes: tuple[str, ...] = ()


def problems_of(
    lines: Sequence[ReceiptLine], products: dict[int, Product], today: date, *, opening: bool = False
) -> list[str]:
    """Say, line by line, what keeps a receipt from being taken: each a sentence with what to do. Empty when all is well.

    Opening stock may hold what is past its day, set aside; nothing else comes in expired.
    """
    found: list[str] = [
        words("第 {number} 行：{text}", number=number, text=text)
        for number, line in enumerate(lines, 1)
        for text in _line_problems(line, products, today, opening=opening)
    ]
    if not lines:
        found.append(words("还没有明细。请扫码或选择药品，再填批号、效期和数量。"))
    if len(lines) > MOST_LINES:
        found.append(words("一张入库单最多 {most} 行，请分成几张。", most=MOST_LINES))
    if repeated := sorted(_repeated(code for line in lines for code in line.codes)):
        found.append(words("追溯码扫了两次：{codes}。请删掉重复的。", codes=", ".join(repeated[:5])))
    return found


@dataclass(frozen=True)
class Product:
    """What a receipt must know of a product."""

    name: str
    pack_size: int
    trace_required: bool
    storage: str = "NORMAL"


def _line_problems(line: ReceiptLine, products: dict[int, Product], today: date, *, opening: bool) -> Iterable[str]:
    product = products.get(line.product_id)
    if product is None:
        yield words("没有这个药品，请从目录里选择。")
        return
    if not _LOT.match(line.lot_number):
        yield words("{name} 的批号没有填或超过 40 个字。", name=product.name)
    if line.packs < 1 or line.packs * product.pack_size > MOST_UNITS:
        yield words("{name} 的数量要在 1 到 {most} 之间。", name=product.name, most=MOST_UNITS // product.pack_size)
    if line.expires_on < today and not (opening and line.zone in SET_ASIDE):
        yield words("{name} 已过效期 {day}，不能入库。请退回供应商。", name=product.name, day=line.expires_on)
    if line.produced_on and line.produced_on > min(line.expires_on, today):
        yield words("{name} 的生产日期晚于效期或今天，请核对包装。", name=product.name)
    if line.zone not in RECEIVING_ZONES:
        yield words("{name} 不能直接放进这个库区。", name=product.name)
    if product.storage in COLD_STORAGE and line.zone in ("SALEABLE", "CONTROLLED"):
        yield words("{name} 须冷藏，请放冷藏区。", name=product.name)
    if line.cost_price is not None and not 0 <= line.cost_price < 10**8:
        yield words("{name} 的进价不对，请写每盒多少元。", name=product.name)
    if len(line.codes) > line.packs:
        yield words(
            "{name} 扫了 {codes} 个追溯码，多于 {packs} 盒。请改数量，或删掉多扫的码。",
            name=product.name,
            codes=len(line.codes),
            packs=line.packs,
        )
    if line.codes and product.trace_required and len(line.codes) < line.packs:
        yield words(
            "{name} 只扫了 {codes} 个追溯码，还差 {rest} 个。请补扫，或分成两行。",
            name=product.name,
            codes=len(line.codes),
            rest=line.packs - len(line.codes),
        )
    if bad := [code for code in line.codes if not _CODE.match(code)]:
        yield words("{name} 的追溯码 {code} 认不出，请重扫。", name=product.name, code=bad[0][:40])


def _repeated(codes: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {code for code in codes if code in seen or seen.add(code)}  # type: ignore[func-returns-value]
