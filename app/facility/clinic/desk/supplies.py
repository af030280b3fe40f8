"""What somebody still has of a drug and what this visit adds, as bars along sixty days around today. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from app.core.errors import words
from app.facility.clinic.desk.limits import days_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from app.core.errors import Words
    from app.facility.catalog.queries import ProductCard
    from app.facility.clinic.desk.reminders import Who
    from app.facility.clinic.desk.rules import Content

BACK, AHEAD = 30, 30  # Days to the left and to the right of today.
WIDE = 260  # Units of the drawing.
MOST = 8


@dataclass(slots=True)
class Bar:
    """One drug: earlier supplies, what of this visit doubles them and what is new, each as (from, width); and what is said of it."""

    name: str
    past: list[tuple[float, float]] = field(default_factory=list)
    over: tuple[float, float] | None = None
    new: tuple[float, float] | None = None
    said: Words | None = None
    warned: bool = False
    note: str = ""


def bars(who: Who, content: Content, cards: Mapping[int, ProductCard], today: date) -> list[Bar]:
    """The drugs of this visit and those in use, in that order."""
    until: dict[str, date] = {}
    made: dict[str, Bar] = {name: Bar(name) for name, _days in _written(content, cards)}
    for one in who.in_use:
        if one.until > today - timedelta(days=BACK):
            bar = made.setdefault(one.name, Bar(one.name, note=one.number))
            bar.past += drawn(one.given_on, one.until, today)
            until[one.name] = max(until.get(one.name, one.until), one.until)
    for name, days in _written(content, cards):
        _add(made[name], days, until.get(name), today)
    for name, bar in made.items():
        _say(bar, until.get(name), today)
    return [bar for bar in made.values() if bar.past or bar.new][:MOST]


def _written(content: Content, cards: Mapping[int, ProductCard]) -> Iterator[tuple[str, int]]:
    for sheet in content.sheets:
        for line in sheet.lines if sheet.kind in {"WESTERN", "INFUSION"} else ():
            card = cards.get(line.product_id)
            days = days_of(line, card) if card is not None and card.rx_class != "SERVICE" else None
            if card is not None and days:
                yield card.generic_name, days


def _add(bar: Bar, days: int, until: date | None, today: date) -> None:
    end = today + timedelta(days=days)
    bar.new = next(iter(drawn(today, end, today)), None)
    if until is not None and until > today:
        both = min(until, end)
        bar.over = next(iter(drawn(today, both, today)), None)
        bar.said, bar.warned = words("重叠 {n} 天", n=(both - today).days), True


def _say(bar: Bar, until: date | None, today: date) -> None:
    if bar.said is not None or until is None:
        return
    left = (until - today).days
    bar.said = words("还可用 {n} 天", n=left) if left > 0 else words("{on} 用完", on=f"{until:%m-%d}")


def drawn(first: date, end: date, today: date) -> list[tuple[float, float]]:
    """From a day to another on the drawing, cut at its ends; nothing when it lies outside."""
    begin, width = today - timedelta(days=BACK), BACK + AHEAD
    left, right = max((first - begin).days, 0), min((end - begin).days, width)
    return [(round(left / width * WIDE, 1), round((right - left) / width * WIDE, 1))] if right > left else []
