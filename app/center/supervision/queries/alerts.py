"""Alerts of the officer's district, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = 50

# An officer over several districts sees each alert once, however many districts it concerns.
ONCE = """
    not exists (
        select from alert twin
        where (twin.kind, twin.stream, twin.epoch, twin.number, twin.line) = (a.kind, a.stream, a.epoch, a.number, a.line)
            and twin.code is not distinct from a.code and twin.id < a.id
    )
"""

LIST = f"""
    select id, district, kind, code, stream, number, at, facts, raised_at, cleared_at, cleared_reason from alert a
    where {ONCE} and (cast(:before as bigint) is null or id < :before)
        and (:kind = '' or kind = :kind) and (:all or cleared_at is null)
    order by id desc limit :most
"""

COUNTS = f"""
    select count(*) filter (where cleared_at is null) as open, count(*) as total,
        count(*) filter (where cleared_at is null and kind = 'trace.duplicate') as duplicates
    from alert a where {ONCE}
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
