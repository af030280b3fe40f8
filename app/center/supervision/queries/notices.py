"""Notices as officers see them: what was told, to how many, and how many have it."""

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

# Those that have not pulled it are worth a call; a handful of names is enough to begin with.
REACHED = """
    select count(*) as sent, count(*) filter (where h.pulled_number >= s.number) as pulled, (array_agg(coalesce(i.name, s.stream) order by s.stream)
        filter (where h.pulled_number < s.number))[1:10] as waiting
    from notice_sent s join news_head h on h.stream = s.stream left join institution i on i.code = s.stream where s.notice_id = :id
"""


def list_notices(before: tuple[datetime, UUID] | None = None) -> Sequence[Any]:
    """The district's notices, newest first, one more than a page."""
    at, last = before or (clock.now() + timedelta(days=1), LAST)
    return run(
        """
        select id, turn, level, title, published_name, published_at from notice where (published_at, id) < (:at, cast(:last as uuid))
        order by published_at desc, id desc limit :page
        """,
        at=at, last=last, page=PAGE + 1,
    ).all()  # fmt: skip


def get_notice(notice_id: UUID) -> tuple[Any, Any]:
    """One notice, and how many have it. Raises NotFound."""
    row = run("select * from notice where id = :id", id=notice_id).one_or_none()
    if row is None:
        raise NotFound
    return row, run(REACHED, id=notice_id).one()
