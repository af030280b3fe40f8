"""Recalls as officers see them: who has pulled it, who froze how much, who has reported."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.center.db import run
from app.core import clock
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

PAGE = 50
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

COUNTS = """
    select count(*) as sent, count(*) filter (where h.pulled_number >= s.number) as pulled,
        count(*) filter (where exists (
            select from recall_answer a where a.recall_id = s.recall_id and a.stream = s.stream and not a.orphaned)) as answered,
        count(*) filter (where exists (
            select from recall_answer a where a.recall_id = s.recall_id and a.stream = s.stream and a.kind = 'reported' and not a.orphaned)) as reported
    from recall_sent s join news_head h on h.stream = s.stream where s.recall_id = :id
"""

# Those that still owe something first: not pulled, then not answered, then the others by what they hold.
PLACES = """
    select s.stream, coalesce(i.name, s.stream) as institution, s.district, s.number, h.pulled_number >= s.number as is_pulled, h.pulled_at, h.state,
        a.at as held_at, a.lots, a.quantity, a.packs, r.at as reported_at, r.report
    from recall_sent s
    join news_head h on h.stream = s.stream
    left join institution i on i.code = s.stream
    left join lateral (
        select * from recall_answer a where a.recall_id = s.recall_id and a.stream = s.stream and a.kind = 'held' and not a.orphaned order by a.number desc limit 1
    ) a on true
    left join lateral (
        select * from recall_answer a where a.recall_id = s.recall_id and a.stream = s.stream and a.kind = 'reported' and not a.orphaned order by a.number desc limit 1
    ) r on true
    where s.recall_id = :id and s.stream > :after and (:only = '' or (:only = 'unpulled' and h.pulled_number < s.number) or (:only = 'holding' and (a.quantity > 0 or a.packs > 0))
        or (:only = 'unreported' and r.at is null))
    order by s.stream limit :page
"""


def list_recalls(before: tuple[datetime, UUID] | None = None) -> Sequence[Any]:
    """The district's recalls, newest first, one more than a page."""
    at, last = before or (clock.now() + timedelta(days=1), LAST)
    return run(
        "select * from recall where (asked_at, id) < (:at, cast(:last as uuid)) order by asked_at desc, id desc limit :page",
        at=at, last=last, page=PAGE + 1,
    ).all()  # fmt: skip


def get_recall(recall_id: UUID) -> Any:
    """One recall. Raises NotFound."""
    row = run("select * from recall where id = :id", id=recall_id).one_or_none()
    if row is None:
        raise NotFound
    return row


def count_places(recall_id: UUID) -> Any:
    """How many institutions got it, pulled it, answered, reported."""
    return run(COUNTS, id=recall_id).one()


def list_places(recall_id: UUID, only: str = "", after: str = "") -> Sequence[Any]:
    """The institutions of a recall by code, one more than a page."""
    return run(PLACES, id=recall_id, only=only, after=after, page=PAGE + 1).all()
