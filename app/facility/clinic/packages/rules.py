"""Packages on plain values: what they hold, on which lines they fit, what their items cost alone."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import words
from app.core.money import fen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from app.core.errors import Words
    from app.facility.catalog.queries import ProductCard

KINDS = {"TREATMENT": "治疗", "TEST": "检查检验", "FEE": "诊查费"}
MOST_ITEMS, MOST_TIMES, MOST_NAME = 20, 99, 30
_CODE = re.compile(r"[a-z0-9_]{2,20}")


class Item(msgspec.Struct, frozen=True):
    """One service of a package, so many times."""

    product_id: int
    name: str
    times: int


class Package(msgspec.Struct, frozen=True):
    """A package as it holds from a day on; `kind` is the sheet that a doctor's choice makes."""

    code: str
    name: str
    kind: str
    price_fen: int
    items: tuple[Item, ...]
    offered: bool = True


def problem(package: Package, cards: Mapping[int, ProductCard]) -> Words | str | None:
    """What keeps a package from being kept."""
    if not _CODE.fullmatch(package.code) or not 1 <= len(package.name) <= MOST_NAME or package.kind not in KINDS:
        return words("代码要 2 到 20 个小写字母、数字，名称 1 到 {n} 个字，并选开在哪种单子上", n=MOST_NAME)
    ids = [one.product_id for one in package.items]
    if not 1 <= len(ids) <= MOST_ITEMS or len(set(ids)) < len(ids):
        return words("项目要有 1 到 {n} 个，每个只写一行", n=MOST_ITEMS)
    if any(not 1 <= one.times <= MOST_TIMES for one in package.items):
        return words("次数要在 1 到 {n} 之间", n=MOST_TIMES)
    for one in package.items:
        card = cards.get(one.product_id)
        if card is None or card.rx_class != "SERVICE" or not card.is_active or card.pack_price is None:
            return words("{name} 不是有价的诊疗项目，或已停用", name=one.name)
    if not 0 < package.price_fen < list_fen(package, cards):
        return words("套餐价要大于 0，并低于单项合计")
    return None


def list_fen(package: Any, cards: Mapping[int, ProductCard]) -> int:
    """What the items cost one by one."""
    return sum(
        fen(cards[one.product_id].pack_price or Decimal(0), one.times)
        for one in package.items
        if one.product_id in cards
    )


def fit(package: Any, lines: Sequence[Any], taken: Collection[int] = ()) -> list[int] | None:
    """On which lines the package fits: one of the same service and the same times for each item; None when one is missing.

    It fits only where it costs less than its lines do.
    """
    found: list[int] = []
    for item in package.items:
        free = (
            at for at, line in enumerate(lines)
            if at not in taken and at not in found and not line.split and (line.product_id, line.quantity) == (item.product_id, item.times)
        )  # fmt: skip
        at = next(free, None)
        if at is None:
            return None
        found.append(at)
    return found if package.price_fen < sum(lines[at].amount_fen for at in found) else None
