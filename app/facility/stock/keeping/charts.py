"""The month of a thermometer as points of a small drawing. Plain values in, whole units of the drawing out."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, Any

from app.core import clock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

WIDE, HIGH, LEFT, TOP = 930, 200, 40, 10
_DAY = 30  # A day's width, half of it before noon.


def draw(rows: Sequence[Any], place: Any, month: date) -> dict[str, Any]:
    """What the template draws: lines of temperature and humidity, the allowed band, points outside it, labels."""
    values = [row.temperature_tenths for row in rows] + [place.high_tenths] + ([place.low_tenths] if place.low_tenths is not None else [])  # fmt: skip
    low, high = min(values) - 20, max(values) + 20
    points = [(_x(row), _y(row.temperature_tenths, low, high)) for row in rows]
    damp = [(_x(row), _y(row.humidity, 0, 100)) for row in rows if row.humidity is not None]
    top = _y(place.high_tenths, low, high)
    bottom = _y(place.low_tenths, low, high) if place.low_tenths is not None else TOP + HIGH
    days = calendar.monthrange(month.year, month.month)[1]
    return {
        "line": _path(points), "humid": _path(damp), "top": top, "bottom": bottom, "band": bottom - top, "wide": LEFT + days * _DAY, "high": TOP + HIGH + 24,
        "bad": [point for point, row in zip(points, rows, strict=True) if row.outside], "points": points,
        "days": [(LEFT + (day - 1) * _DAY + _DAY // 2, day) for day in range(1, days + 1, 2)],
        "degrees": [(top, place.high_tenths)] + ([(bottom, place.low_tenths)] if place.low_tenths is not None else []),
    }  # fmt: skip


def _x(row: Any) -> int:
    at = clock.local(row.read_at)
    day: date = row.read_on
    return LEFT + (day.day - 1) * _DAY + (at.hour * 60 + at.minute) * _DAY // 1440


def _y(value: int, low: int, high: int) -> int:
    return TOP + HIGH - (value - low) * HIGH // (high - low)


def _path(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
