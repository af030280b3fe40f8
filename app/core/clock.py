"""The only module that asks the time. Moments are aware UTC; a business day is a calendar day in China."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

CHINA = ZoneInfo("Asia/Shanghai")

_offset: ContextVar[timedelta] = ContextVar("clock_offset", default=timedelta())


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC) + _offset.get()


def business_date(at: datetime | None = None) -> date:
    """Return the day in China on which a moment falls (default: now)."""
    return (at or now()).astimezone(CHINA).date()


def local(at: datetime) -> datetime:
    """Return a moment as the clock on a wall in China shows it."""
    return at.astimezone(CHINA)


@contextmanager
def at_moment(moment: datetime) -> Iterator[None]:
    """Let time start at another moment inside the block. For tests and for replaying a day."""
    token = _offset.set(moment - datetime.now(UTC))
    try:
        yield
    finally:
        _offset.reset(token)
