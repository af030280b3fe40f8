"""Money is whole fen, prices are exact decimals. Only this module turns price × quantity into fen."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from app.core.errors import WrongInput, words

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_FEN = 10**13  # More than any till or fund line holds; keeps every sum inside BIGINT.
_YUAN = re.compile(r"^\d{1,11}(\.\d{1,2})?$")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，", "0123456789.,")


def fen(price: Decimal, quantity: int | Decimal) -> int:
    """Return price (yuan a unit) × quantity in fen, rounded half up once (DOMAIN 1.6 rule 1)."""
    return round_fen(price * quantity * 100)


def price_of(amount_fen: int, quantity: int) -> Decimal:
    """Return the price (yuan a unit, six places) at which a quantity comes to an amount: the other way round of `fen`."""
    return (Decimal(amount_fen) / 100 / quantity).quantize(Decimal("0.000001"))


def round_fen(exact_fen: Decimal) -> int:
    """Round an exact amount of fen half up."""
    return int(exact_fen.quantize(Decimal(1), ROUND_HALF_UP))


def share(amount_fen: int, ratio: Decimal) -> int:
    """Return a ratio of an amount in fen, half up."""
    return round_fen(Decimal(amount_fen) * ratio)


def yuan_to_fen(text: str, what: str = words("金额")) -> int:
    """Read an amount as a person types it: 12.5, 1,200, full-width digits. Raises WrongInput."""
    plain = text.strip().translate(_FULL_WIDTH).replace(",", "").removeprefix("¥").strip()
    if not _YUAN.match(plain):
        raise WrongInput(what=what, why="请写成 12.50 这样的数字，最多两位小数")
    return int(Decimal(plain) * 100)


def fen_to_yuan(amount_fen: int) -> str:
    """Return fen as yuan with two places, as the wire and files want it: 1250 -> "12.50"."""
    sign, amount = ("-", -amount_fen) if amount_fen < 0 else ("", amount_fen)
    return f"{sign}{amount // 100}.{amount % 100:02d}"


def allocate(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights: floor each, left-over fen to the largest remainders, ties by position (DOMAIN 1.6 rule 4)."""
    whole = sum(weights)
    if whole == 0:
        assert total_fen == 0, "nothing to allocate by"
        return [0] * len(weights)
    parts = [total_fen * weight // whole for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i))
    for position in remainders[: total_fen - sum(parts)]:
        parts[position] += 1
    return parts
