"""Alerts of the officer's district, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = 50

LIST = """
    select id, district, kind, code, stream, number, at, facts, raised_at, cleared_at, cleared_reason from alert
    where (cast(:before as bigint) is null or id < :before)
        and (:kind = '' or kind = :kind) and (:all or cleared_at is null)
    order by id desc limit :most
"""

COUNTS = """
    select count(*) filter (where cleared_at is null) as open, count(*) as total,
        count(*) filter (where cleared_at is null and kind = 'trace.duplicate') as duplicates
    from alert
"""


def list_alerts(
    before: int | None = None, kind: str = "", *, cleared_too: bool = False, most: int = PAGE
) -> tuple[Sequence[Any], int | None]:
    """Alerts, a page at a time; returns the page and the id before which the next begins."""
    rows = run(LIST, before=before, kind=kind, all=cleared_too, most=most + 1).all()
    return rows[:most], rows[most - 1].id if len(rows) > most else None


def count_alerts() -> Any:
    """How many alerts are open, and how many there ever were."""
    return run(COUNTS).one()
