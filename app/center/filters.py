"""What officers narrow a list by, read from an address; what is not known says nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from flask import request

from app.core import clock

if TYPE_CHECKING:
    from collections.abc import Container

A_MONTH = timedelta(days=30)


def asked(states: Container[str]) -> dict[str, Any]:
    """The days (the last month unless others are asked for), the state and the institution of a list."""
    args, today = request.args, clock.business_date()
    state = args.get("state", "")
    return {
        "since": day(args.get("since", "")) or today - A_MONTH,
        "until": day(args.get("until", "")) or today,
        "state": state if state in states else "",
        "institution": args.get("institution", "").replace("\x00", "").strip()[:40],
    }


def day(said: str) -> date | None:
    """A day of this century."""
    try:
        found = date.fromisoformat(said)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None


def number(said: str) -> int | None:
    """The number of a row."""
    return int(said) if said.isascii() and said.isdigit() and 0 < len(said) < 18 else None
