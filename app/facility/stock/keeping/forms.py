"""What people type into the forms of keeping, read without ever failing: places, quantities, codes, cursors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.core.errors import WrongInput, words
from app.facility.stock.keeping.errors import PaperNotTaken
from app.facility.stock.keeping.rules import MOST_LINES, Line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLACE = re.compile(r"(\d{1,17}):([A-Z_]{3,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Typed:
    """One line as it was typed: which lot in which zone, packs and units, codes."""

    place: tuple[int, str]
    packs: str = ""
    units: str = ""
    codes: tuple[str, ...] = ()


def place_of(text: str) -> tuple[int, str] | None:
    """A lot and a zone: 12:SALEABLE. None when it is none."""
    found = _PLACE.fullmatch(text)
    return (int(found[1]), found[2]) if found else None


def typed_lines(columns: Mapping[str, Sequence[str]]) -> list[Typed]:
    """The lines of a paper as they were typed; one too many is kept, so that it is seen and said."""
    names = ("place", "packs", "units", "codes")
    rows = zip(*(columns.get(name, ()) for name in names), strict=False)
    lines = []
    for place, packs, units, codes in list(rows)[: MOST_LINES + 1]:
        where = place_of(place)
        if where:
            lines.append(Typed(where, packs.strip(), units.strip(), codes_of(codes)))
    return lines


def codes_of(text: str) -> tuple[str, ...]:
    """Codes between blanks and commas, each once."""
    return tuple(dict.fromkeys(re.findall(r"[^\s,，;；\x00]{1,100}", text)))


def line_of(number: int, typed: Typed, known: Mapping[tuple[int, str], Any], to_zone: str) -> Line:
    """A typed line as the act takes it: base units out of packs and units. Raises PaperNotTaken."""
    about = known.get(typed.place)
    if about is None:
        raise PaperNotTaken(problems=words("第 {n} 行的批号在这个库区已经没有货，请删掉这一行。", n=number))
    quantity = whole(typed.packs or "0") * about.pack_size + whole(typed.units or "0")
    return Line(typed.place[0], quantity, typed.place[1], to_zone, typed.codes)


def whole(text: str) -> int:
    """A whole number; -1 where it is none, which no act takes."""
    plain = text.strip()
    return int(plain) if re.fullmatch(r"\d{1,7}", plain, re.ASCII) else -(10**9)


def document_of(text: str) -> UUID:
    """The id the browser made. Raises WrongInput."""
    try:
        return UUID(text)
    except ValueError:
        raise WrongInput(what="单据", why="页面不完整，请刷新后重填") from None


def moment_of(text: str) -> tuple[datetime, str] | None:
    """The last row of a page: its moment and id."""
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, str(UUID(last))) if moment.tzinfo else None
    except ValueError:
        return None


def day_of(text: str) -> tuple[date, int, str] | None:
    """The last row of a page: its day, lot and zone."""
    day, _sep, rest = text.partition("_")
    place = place_of(rest)
    try:
        return (date.fromisoformat(day), *place) if place else None
    except ValueError:
        return None


def month_of(text: str, today: date) -> date:
    """The first day of the month asked for: 2026-11; this month when it is none."""
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text, re.ASCII)
    return date(int(found[1]), int(found[2]), 1) if found else today.replace(day=1)


def number_of(text: str) -> int:
    """A row's number; 0 when it is none."""
    return int(text) if re.fullmatch(r"\d{1,17}", text, re.ASCII) else 0
