"""The citizen's number (公民身份号码, GB 11643-1999): its check digit, birth date and sex."""

from __future__ import annotations

import re
from datetime import date

from app.core.clock import business_date
from app.core.errors import words

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_FORM = re.compile(r"[1-9]\d{16}[\dX]")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789XX")


def normal(number: str) -> str:
    """Return a number as it is stored: no spaces, half-width digits, capital X."""
    return re.sub(r"\s+", "", number).translate(_FULL_WIDTH).upper()


def check_digit(first_17: str) -> str:
    """Compute the eighteenth character from the first seventeen digits."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True)) % 11]


def why_wrong(number: str) -> str | None:
    """Say what is wrong with a citizen's number, or None when it is well formed, dated and checked."""
    if re.fullmatch(r"\d{15}", number):
        return words("15 位旧号码已停用，请使用 18 位号码")
    if not _FORM.fullmatch(number):
        return words("应为 18 位，末位可以是 X")
    if birth_date(number) is None:
        return words("其中的出生日期不存在或在今天之后")
    if number[17] != check_digit(number[:17]):
        return words("校验位不对，请核对是否有数字读错")
    return None


def is_valid(number: str) -> bool:
    """Say whether a citizen's number can exist."""
    return why_wrong(number) is None


def birth_date(number: str) -> date | None:
    """Read the birth date out of a number; None when there is no such day, or it lies ahead."""
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return born if born <= business_date() else None


def sex(number: str) -> str:
    """Read the sex out of a number, as the code table gend has it: 1 male, 2 female."""
    return "1" if int(number[16]) % 2 else "2"


def age_on(born: date, day: date) -> int:
    """Full years of age on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
