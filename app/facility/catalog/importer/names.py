"""What hides inside names and specifications: class marks, brands, a specification at the end, how many a pack holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.facility.catalog.importer import words
from app.facility.catalog.rules import plain

if TYPE_CHECKING:
    from decimal import Decimal

_MARK = re.compile(r"^[※▲\s]*[(（]([^()（）]{1,12})[)）]")
_STARS = re.compile(r"^[※▲\s]+")
_ESSENTIAL = re.compile(r"[\[【][国市省基上增、,\[\]【】\s]+[\]】]?$")
_BRAND = re.compile(r"^【+([^【】]{1,40})】+")
_STRENGTH = r"\d+(?:\.\d+)?\s*(?:mg|μg|ug|g|ml|kg|cm|m|iu|u|万?单位|%)"
_COUNT = r"\d+\s*(?:片|粒|袋|支|丸|贴|枚|只|个|瓶|板|包|条|s|t)"
_SPEC_AT_END = re.compile(
    rf"((?:{_STRENGTH}(?:[:/]{_STRENGTH})?\s*[*x×]\s*)?(?:{_COUNT}\s*[*x×]?\s*)+|{_STRENGTH})(?:/[盒瓶袋])?$",
    re.IGNORECASE,
)
_TIMES = re.compile(r"[*x×X✕]")
_STEP = re.compile(r"^(\d{1,6})(?:\.0+)?\s*(片|粒|袋|支|丸|贴|枚|只|个|瓶|包|条|板|盒|听|套|s|t|'s|#)?$", re.IGNORECASE)
_PACKS = frozenset({"板", "盒", "听", "套"})
_BARE = frozenset({"", "s", "t", "'s", "#"})
MOST_COUNT = 100_000


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart."""

    generic: str
    brand: str
    spec: str
    mark: str  # As written: 乙10%.
    insurance_class: str | None
    share: Decimal | None


def take_apart(text: str, *, with_spec: bool) -> Name:
    """Take class mark, essential-drug mark, brand and (where the file has no column for it) the specification off a name."""
    rest, mark, read = _unmarked(text)
    rest = _ESSENTIAL.sub("", rest).strip()
    brands = []
    while match := _BRAND.match(rest):
        brands.append(match[1].strip())
        rest = rest[match.end() :].strip()
    spec = ""
    if with_spec and (found := _SPEC_AT_END.search(plain(rest))) and found.start() > 1:
        rest, spec = plain(rest)[: found.start()].strip(), found[0].strip()
    return Name(rest, " ".join(brands), spec, mark, *(read or (None, None)))


def _unmarked(text: str) -> tuple[str, str, tuple[str, Decimal | None] | None]:
    match = _MARK.match(text)
    if match and (read := words.insurance(match[1])):
        return text[match.end() :].strip(), match[1].strip(), read
    return _STARS.sub("", text).strip(), "", None


def pack_of(spec: str, name: str, pack_unit: str) -> tuple[int, str] | None:
    """Read how many base units a pack holds: 0.25g*12粒*2板 is (24, 粒), 10ml×10支 is (10, 支); None when it is not said.

    2贴/袋 says it only where the pack is a 袋; 4袋/贴 in a 盒 says nothing sure.
    """
    whole, _, holder = plain(spec).partition("/")
    steps = [step.strip() for step in _TIMES.split(plain(spec))]
    counts = [match for step in steps if (match := _STEP.match(step.split("/")[0].strip()))]
    if len(steps) == 1 and (
        not counts or (counts[0][2] or "").lower() in _BARE or holder not in {"", pack_unit} or not whole
    ):
        return None
    if not counts or len(counts) < len(steps) - 1:
        return None
    size = 1
    for match in counts:
        size *= int(match[1])
    units = [unit for match in counts if (unit := (match[2] or "").lower()) not in _BARE | _PACKS]
    return (size, units[0] if units else _unit_by_name(name)) if 1 < size <= MOST_COUNT else None


def brand_of(trade_name: str, generic_name: str) -> str:
    """阿莫西林胶囊(阿莫仙) beside 阿莫西林胶囊 is 阿莫仙; the generic name alone is no brand."""
    if not trade_name.startswith(generic_name):
        return trade_name
    return trade_name.removeprefix(generic_name).strip("()（） ")


def _unit_by_name(name: str) -> str:
    for word, unit in (
        ("胶囊", "粒"),
        ("丸", "丸"),
        ("颗粒", "袋"),
        ("散", "袋"),
        ("贴", "贴"),
        ("膏药", "贴"),
        ("片", "片"),
        ("液", "支"),
        ("注射", "支"),
    ):
        if word in name:
            return unit
    return "个"
