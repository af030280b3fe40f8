"""How prices are changed: by a percentage, rounded as a shelf shows it, within what the insurance allows. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from app.core.errors import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

MOST_LINES = 500
MOST_PRICE = Decimal("9999999.999999")
STEPS = {"0.01": Decimal("0.01"), "0.1": Decimal("0.1"), "0.5": Decimal("0.5"), "1": Decimal(1)}
MOST_PERCENT = Decimal(500)


@dataclass(frozen=True)
class NewPrice:
    """One product's price from a moment on. `seen` is the pack price the person saw before; another one stops the change."""

    product_id: int
    pack_price: Decimal
    split_price: Decimal | None = None
    seen: Decimal | None = None


def percent_of(text: str) -> Decimal | None:
    """Read a percentage as typed: 5, -3.5, +10%. None when it is none, or would leave no price."""
    try:
        percent = Decimal(text.strip().replace("％", "%").removesuffix("%").replace("+", ""))
    except InvalidOperation:
        return None
    return percent if percent.is_finite() and Decimal(-100) < percent <= MOST_PERCENT else None


def changed(price: Decimal, percent: Decimal, step: Decimal) -> Decimal:
    """A price raised or lowered by a percentage, rounded half up to the step; never to nothing.

    >>> changed(Decimal("12.50"), Decimal(10), Decimal("0.1"))
    Decimal('13.8')
    """
    raised = price * (100 + percent) / 100
    return max((raised / step).quantize(Decimal(1), ROUND_HALF_UP) * step, min(step, price))


def problems_of(prices: Sequence[NewPrice], products: Mapping[int, Any]) -> list[str]:
    """Say what keeps a price change from being taken, each with what to do. Empty when all is well."""
    if not prices:
        return [words("还没有商品。请先加商品。")]
    if len(prices) > MOST_LINES:
        return [words("一次最多调 {most} 个商品，请分几次。", most=MOST_LINES)]
    if len({one.product_id for one in prices}) < len(prices):
        return [words("同一个商品写了两行。")]
    return [problem for one in prices for problem in _problems(one, products.get(one.product_id))]


def _problems(one: NewPrice, product: Any) -> Iterable[str]:
    if product is None:
        yield words("有商品已停用或不在目录里，请去掉。")
        return
    if not 0 < one.pack_price <= MOST_PRICE or not 0 <= (one.split_price or 0) <= MOST_PRICE:
        yield words("{name} 的新价不对，请写大于 0 的数。", name=product.name)
    if one.seen is not None and one.seen != product.pack_price:
        yield words("{name} 的价格刚才被别人改过，请核对现价后再调。", name=product.name)
    if (one.pack_price, one.split_price) == (product.pack_price, product.split_price):
        yield words("{name} 的新价和现价一样，请改价或去掉这一行。", name=product.name)
