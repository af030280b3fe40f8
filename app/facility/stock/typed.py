"""What people type into the stock room's forms, read kindly: days as they stand on a box, money, whole numbers."""

from __future__ import annotations

import calendar
import re
from datetime import date
from decimal import Decimal, InvalidOperation

MOST_PRICE = 10**8
_FULL_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def plain(text: str) -> str:
    """Full-width signs become plain ones; spaces around go."""
    return text.translate(_FULL_WIDTH).strip()


def whole(text: str) -> int | None:
    """A whole number of at most nine digits, 24 or 24.0; None when it is none."""
    digits = re.sub(r"\.0+$", "", plain(text).replace(",", ""))
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def day(text: str) -> date | None:
    """A day as it stands on a box: 2027-05-31, 20270531, 2027-05 (the last day of that month), 270531, 2027年5月; else None."""
    spoken = plain(text).split(" ")[0].split("T")[0]
    parts = [part for part in re.split(r"\D+", spoken) if part]
    try:
        if len(parts) >= 2:
            return _day(int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) > 2 else None)
        digits = parts[0] if parts else ""
        if len(digits) == 6 and not digits.startswith("20"):
            digits = f"20{digits}"
        if len(digits) == 6:
            return _day(int(digits[:4]), int(digits[4:]), None)
        return _day(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except (ValueError, OverflowError):
        return None


def _day(year: int, month: int, number: int | None) -> date:
    year = year + 2000 if year < 100 else year
    return date(year, month, number or calendar.monthrange(year, month)[1])


def price(text: str) -> Decimal | None:
    """Yuan with at most six places, never below zero; None when it is none."""
    try:
        found = Decimal(plain(text).replace(",", "").lstrip("¥"))
    except InvalidOperation:
        return None
    fits = found.is_finite() and 0 <= found < MOST_PRICE and found == round(found, 6)
    return found if fits else None
