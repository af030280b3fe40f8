"""Single words of a file turned into our vocabulary: yes and no, classes, storage, shares."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from app.facility.catalog.rules import plain

YES = frozenset({"是", "y", "yes", "true", "1", "√", "有", "可", "允许", "需要", "必采"})
NO = frozenset({"否", "n", "no", "false", "0", "×", "x", "无", "不", "不可", "不允许", "不需要"})

_INSURANCE = re.compile(r"^[※▲*\s]*(甲|乙|丙|自)?(?:类|费|付)?\s*(?:(\d{1,3}(?:\.\d{1,2})?)\s*%?)?$")
_LETTERS = {"甲": "A", "乙": "B", "丙": "C", "自": "C"}
_CODED = {
    "01": "A",
    "02": "B",
    "03": "C",
    "a": "A",
    "b": "B",
    "c": "C",
    "全自费": "C",
    "自费": "C",
    "非医保": "C",
    "医保外": "C",
}
_RX = (
    ("OTC_A", re.compile(r"甲类|otc-?a|红")),
    ("OTC_B", re.compile(r"乙类|otc-?b|绿")),
    ("DEVICE", re.compile(r"器械|耗材|材料")),
    ("HERB", re.compile(r"饮片|草药|中药材")),
    ("FOOD", re.compile(r"食品|保健")),
    ("OTC_B", re.compile(r"非处方|^otc$")),
    ("RX", re.compile(r"处方|^rx$|^双轨")),
    ("OTHER", re.compile(r"其他|日用|化妆|消毒")),
)
_STORAGE = (
    ("FROZEN", re.compile(r"冷冻|-1[05]|-20")),
    ("COLD", re.compile(r"冷藏|冷处|2\s*[-~～至]\s*(8|10)\s*(℃|°|度)?")),
    ("COOL", re.compile(r"阴凉|凉暗|凉处|20\s*(℃|°C|度)以下|不超过\s*20")),
    ("NORMAL", re.compile(r"常温|室温|密[封闭]|遮光|避光|干燥|30|25|10")),
)
_SPECIAL = (
    ("PSYCHOTROPIC_1", re.compile(r"精神?药?品?(一|1|Ⅰ)|(一|1|Ⅰ)类?精|第一类精神")),
    ("PSYCHOTROPIC_2", re.compile(r"精神?药?品?(二|2|Ⅱ)|(二|2|Ⅱ)类?精|第二类精神")),
    ("EPHEDRINE", re.compile(r"含麻|麻黄")),
    ("SPECIAL_COMPOUND", re.compile(r"含特|复方制剂")),
    ("NARCOTIC", re.compile(r"麻醉|^麻$|吗啡")),
    ("TOXIC", re.compile(r"毒")),
)
_WHOLE = re.compile(r"^\d{1,7}(\.0+)?$")


def yes_or_no(text: str) -> bool | None:
    """Read yes or no, None when it is neither."""
    word = plain(text).lower()
    return True if word in YES else False if word in NO else None


def insurance(text: str) -> tuple[str, Decimal | None] | None:
    """Read an insurance class with or without a share: 甲类, 乙10%, ▲100%, 自费, 02. None when unknown."""
    word = plain(text).lower()
    if word in _CODED:
        return _completed(_CODED[word], None)
    match = _INSURANCE.match(word)
    if not match or not (match[1] or match[2]):
        return None
    part = share(match[2] + "%") if match[2] else None
    if match[2] and part is None:
        return None
    letter = _LETTERS[match[1]] if match[1] else ("C" if part == 1 else "B")
    return _completed(letter, part)


def share(text: str) -> Decimal | None:
    """Read a share: 10%, 0.1, 10. None when it is none."""
    word = plain(text)
    percent = word.endswith("%")
    try:
        number = Decimal(word.rstrip("% "))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    part = number / 100 if percent or number > 1 else number
    return part if 0 <= part <= 1 and part == round(part, 6) else None


def rx_class(text: str) -> str | None:
    """Read 处方药, OTC甲类, 医疗器械 … None when unknown."""
    word = plain(text).lower()
    return next((name for name, look in _RX if look.search(word)), None)


def storage(text: str) -> str | None:
    """Read a storage condition as the zone it needs, the strictest first."""
    word = plain(text)
    return next((name for name, look in _STORAGE if look.search(word)), None)


def special_class(text: str) -> str | None:
    """Read a special control class, None when unknown."""
    word = plain(text)
    return next((name for name, look in _SPECIAL if look.search(word)), None)


def whole(text: str) -> int | None:
    """Read a whole number: 24, 24.0. None when it is none."""
    word = plain(text).replace(",", "")
    return int(Decimal(word)) if _WHOLE.match(word) and word.isascii() else None


def is_barcode_sound(barcode: str) -> bool:
    """Check the last digit of an EAN-13 (GB 12904)."""
    if len(barcode) != 13 or not (barcode.isascii() and barcode.isdigit()):
        return True
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(barcode[:12]))
    return (10 - total % 10) % 10 == int(barcode[12])


def _completed(letter: str, part: Decimal | None) -> tuple[str, Decimal | None]:
    """Class A has no first self-pay share, C is all self-pay; a share that is written wins."""
    if part is None:
        part = {"A": Decimal(0), "C": Decimal(1)}.get(letter)
    return letter, part
