"""One receipt, sale or refund as its facility told of it; and finding things by what an officer types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

MOST_LINES = 500
MOST_CODES = 1000
MOST_FOUND = 20
RECENT = 12

HEAD = """
    select m.*, coalesce(i.name, m.stream) as institution, f.received_at, f.hash, p.hash as previous,
        f.hash = fact_hash(p.hash, f.stream, f.epoch, f.number, f.kind, f.version, f.body) as is_chained
    from movement m
    join inbox_fact f on f.stream = m.stream and f.epoch = m.epoch and f.number = m.number
    left join inbox_fact p on p.stream = m.stream and p.number = m.number - 1 and p.orphaned_at is null
    left join institution i on i.code = m.stream
"""

# The document itself first, then the refunds that name it (or, for a refund, the sale it names).
WITH_RELATED = (
    HEAD
    + """
    where m.document = :document or m.original_document = :document
        or m.document = (select original_document from movement where document = :document limit 1)
    order by m.document <> :document, m.orphaned, m.at
    limit 20
"""
)

LINES = """
    select l.* from movement_line l where l.stream = :stream and l.epoch = :epoch and l.number = :number
    order by l.line limit :most
"""

CODES = """
    select e.line, e.code, exists (
        select from alert a where a.code = e.code and a.cleared_at is null
    ) as is_alerted
    from trace_event e where e.stream = :stream and e.epoch = :epoch and e.number = :number
    order by e.line, e.code limit :most
"""

RECENTLY = """
    select m.stream, m.epoch, m.number, m.kind, m.document, m.receipt, m.at, m.paid, m.total_fen, m.fund_fen, m.act,
        coalesce(i.name, m.stream) as institution
    from movement m left join institution i on i.code = m.stream
    where not m.orphaned order by m.at desc, m.stream, m.number desc limit :most
"""

BY_RECEIPT = """
    select m.stream, m.kind, m.document, m.receipt, m.at, coalesce(i.name, m.stream) as institution
    from movement m left join institution i on i.code = m.stream
    where m.receipt = :typed and not m.orphaned order by m.at desc limit :most
"""

BY_LOT = """
    select l.lot, l.name, l.spec, count(distinct l.stream) as facilities from movement_line l
    where l.lot = :typed and not l.orphaned group by l.lot, l.name, l.spec order by l.name limit :most
"""

BY_NAME = """
    select l.stream, l.product, max(l.name) as name, max(l.spec) as spec, coalesce(i.name, l.stream) as institution
    from movement_line l left join institution i on i.code = l.stream
    where l.name like :pattern and not l.orphaned
    group by l.stream, l.product, i.name order by max(l.name), l.stream limit :most
"""

BY_INSTITUTION = """
    select s.stream, coalesce(i.name, s.stream) as institution, s.number
    from inbox_stream s left join institution i on i.code = s.stream
    where s.stream = :typed or i.name like :pattern order by s.stream limit :most
"""


def get_document(document: UUID) -> tuple[Any, Sequence[Any]]:
    """A document and those related to it: its refunds, or the sale that a refund gives back."""
    rows = run(WITH_RELATED, document=document).all()
    if not rows or rows[0].document != document:
        raise NotFound
    return rows[0], rows[1:]


def list_lines(head: Any) -> Sequence[Any]:
    """The lines of a document."""
    return run(LINES, stream=head.stream, epoch=head.epoch, number=head.number, most=MOST_LINES).all()


def list_codes(head: Any) -> Sequence[Any]:
    """The trace codes of a document, with a mark on those that an open alert speaks of."""
    return run(CODES, stream=head.stream, epoch=head.epoch, number=head.number, most=MOST_CODES).all()


def list_recent() -> Sequence[Any]:
    """The newest movements anywhere in the district."""
    return run(RECENTLY, most=RECENT).all()


def find_typed(typed: str) -> dict[str, Sequence[Any]]:
    """Everything that an officer may mean by what they typed: institutions, documents, lots, products."""
    escaped = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {"typed": typed, "pattern": f"%{escaped}%", "most": MOST_FOUND}
    searches = {"institutions": BY_INSTITUTION, "documents": BY_RECEIPT, "lots": BY_LOT, "products": BY_NAME}
    return {name: run(search, **values).all() for name, search in searches.items()}
