"""Streams and their proof: numbers 1 to N, each fact chained to the one before, and how late they are (数据流)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = 50
LATE_SECONDS = 24 * 3600  # A facility that told nothing for a day is late: even a quiet day has a closed shift.

STATE = f"""
    case
        when s.set_aside_number is not null then 'aside'
        when s.received_at is null or s.received_at < now() - interval '{LATE_SECONDS} seconds' then 'late'
        else 'ok'
    end
"""

COUNTS = f"""
    select count(*) as streams, count(*) filter (where state = 'ok') as complete, count(*) filter (where state = 'late') as late,
        count(*) filter (where state = 'aside') as aside, coalesce(sum(number), 0)::bigint as facts, max(received_at) as received_at
    from (select s.number, s.received_at, {STATE} as state from inbox_stream s) as s
"""

LIST = f"""
    select * from (
        select s.*, coalesce(i.name, s.stream) as institution, {STATE} as state
        from inbox_stream s left join institution i on i.code = s.stream
    ) as s
    where s.stream > :after and (:state = '' or s.state = :state)
    order by s.stream limit :most
"""

# What the table of facts itself says, beside what the head claims.
PROOF = f"""
    select s.*, coalesce(i.name, s.stream) as institution, {STATE} as state, n.count, n.lowest, n.highest, n.orphaned
    from inbox_stream s
    left join institution i on i.code = s.stream
    cross join lateral (
        select count(*) filter (where orphaned_at is null) as count, min(number) filter (where orphaned_at is null) as lowest,
            max(number) filter (where orphaned_at is null) as highest, count(*) filter (where orphaned_at is not null) as orphaned
        from inbox_fact f where f.stream = s.stream
    ) as n
    where s.stream = :stream
"""

EPOCHS = "select * from inbox_epoch where stream = :stream order by epoch desc limit 50"

# A page of facts, each hashed again from its bytes and the fact before it.
FACTS = """
    select f.epoch, f.number, f.kind, f.version, f.hash, f.received_at, f.orphaned_at, octet_length(f.body) as bytes,
        p.hash as previous, m.document, m.receipt, m.at,
        f.hash = fact_hash(p.hash, f.stream, f.epoch, f.number, f.kind, f.version, f.body) as is_chained
    from (
        select * from inbox_fact
        where stream = :stream and orphaned_at is null and (cast(:before as bigint) is null or number < :before)
        order by number desc limit :most
    ) as f
    left join inbox_fact p on p.stream = f.stream and p.number = f.number - 1 and p.orphaned_at is null
    left join movement m on m.stream = f.stream and m.epoch = f.epoch and m.number = f.number
    order by f.number desc
"""


def count_streams() -> Any:
    """How many streams the officer's district has, and how many of them are complete, late or set aside."""
    return run(COUNTS).one()


def list_streams(after: str = "", state: str = "") -> tuple[Sequence[Any], str | None]:
    """Streams by institution code, a page at a time; returns the page and the code after which the next begins."""
    rows = run(LIST, after=after, state=state, most=PAGE + 1).all()
    return rows[:PAGE], rows[PAGE - 1].stream if len(rows) > PAGE else None


def get_stream(stream: str) -> Any:
    """One stream with what proves it: the count of its facts, the lowest and the highest number."""
    row = run(PROOF, stream=stream).one_or_none()
    if row is None:
        raise NotFound
    return row


def is_gapless(proof: Any) -> bool:
    """Whether the facts are exactly the numbers 1 to the head's: as many as the highest, and none below 1."""
    return bool((proof.count, proof.lowest or 1, proof.highest or 0) == (proof.number, 1, proof.number))


def list_epochs(stream: str) -> Sequence[Any]:
    """The stretches of a stream between restores, newest first."""
    return run(EPOCHS, stream=stream).all()


def list_facts(stream: str, before: int | None = None) -> tuple[Sequence[Any], int | None]:
    """The facts of a stream, newest first; returns the page and the number before which the next begins."""
    rows = run(FACTS, stream=stream, before=before, most=PAGE + 1).all()
    return rows[:PAGE], rows[PAGE - 1].number if len(rows) > PAGE else None
