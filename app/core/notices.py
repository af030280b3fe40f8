"""Notices at the door: planned maintenance and the like, written by who runs the installation (SUNMED_NOTICES)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

MOST = 5
LONGEST = 200
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\s+(\S.*)", re.DOTALL)


@dataclass(frozen=True)
class Notice:
    """One notice, and the day it speaks of."""

    on: date
    text: str


def read(written: str, today: date) -> list[Notice]:
    """Read notices as the setting has them: `2026-11-30 02:00–02:30 维护。| 2026-12-01 …`; those of past days are over."""
    found = [notice for part in written.split("|") if (notice := _notice(part.strip()))]
    return sorted((notice for notice in found if notice.on >= today), key=lambda notice: notice.on)[:MOST]


def _notice(part: str) -> Notice | None:
    dated = _DAY.fullmatch(part)
    try:
        return Notice(date.fromisoformat(dated[1]), dated[2][:LONGEST]) if dated else None
    except ValueError:
        return None
