"""What the screens of a catalog import read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound
from app.facility.catalog import import_statements as sql
from app.facility.catalog.importer.problems import TEXTS
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

PAGE = 50
SAMPLES = 6
MOST_LISTED = 20
VERDICTS = ("new", "changed", "same", "gone", "error")


@dataclass(frozen=True, slots=True)
class Batch:
    """An import as its screens see it."""

    id: UUID
    file_name: str
    size_bytes: int
    kind: str
    encoding: str
    sheet: str
    header: list[str]
    header_row: int
    mapping: dict[str, str]
    options: dict[str, str]
    counts: dict[str, Any]
    row_count: int
    checked_count: int
    state: str
    created_at: datetime
    taken_at: datetime | None
    undone_at: datetime | None
    staff_name: str

    @property
    def verdicts(self) -> dict[str, int]:
        """How many rows each verdict has."""
        counted: dict[str, int] = self.counts.get("verdicts", {})
        return counted

    @property
    def percent(self) -> int:
        """How far checking has come."""
        return self.checked_count * 100 // self.row_count if self.row_count else 100


@dataclass(frozen=True, slots=True)
class RowLine:
    """A row of the preview."""

    number: int
    in_file: bool
    verdict: str
    decision: str | None
    will_take: bool
    said: dict[str, Any]
    changes: dict[str, list[Any]]
    problems: list[dict[str, Any]]
    product_id: int | None


BATCH = """
    select b.id, b.file_name, b.size_bytes, b.kind, b.encoding, b.sheet, b.header, b.header_row, b.mapping, b.options, b.counts,
        b.row_count, b.checked_count, b.state, b.created_at, b.taken_at, b.undone_at, s.name as staff_name
    from import_batch b join staff s on s.tenant_id = b.tenant_id and s.id = b.staff_id
"""


def get_batch(batch_id: UUID) -> Batch:
    """Return one import. Raises NotFound."""
    row = run(f"{BATCH} where b.id = :id", id=batch_id).one_or_none()
    if row is None:
        raise NotFound
    return _batches([row])[0]


def list_batches() -> list[Batch]:
    """List the latest imports."""
    return _batches(run(f"{BATCH} order by b.created_at desc, b.id desc limit {MOST_LISTED}"))


def sample_rows(batch_id: UUID) -> list[list[str]]:
    """Return the first rows of the file as they are."""
    rows = run(
        f"select raw from import_row where batch_id = :id and raw is not null order by number limit {SAMPLES}",
        id=batch_id,
    )
    return [row.raw for row in rows]


def list_rows(batch_id: UUID, verdict: str = "", problem: str = "", after: int = 0) -> tuple[list[RowLine], int]:
    """List one page of rows, of one verdict or with one kind of problem; returns the page and where the next begins (0 at the end)."""
    rows = run(
        f"""
        select r.number, r.raw is not null as in_file, r.verdict, r.decision,
            ({sql.TAKEN}) or (r.verdict = 'gone' and b.options ->> 'gone' = 'stop' and r.decision is distinct from 'skip') as will_take,
            coalesce(nullif(r.parsed -> 'final', 'null'), r.parsed -> 'given', r.before) as said, r.changes, r.problems, r.product_id
        {sql.OF_BATCH} and r.number > :after and r.verdict is not null
          and (:verdict = '' or r.verdict = :verdict)
          and (:problem = '' or r.problems @> jsonb_build_array(jsonb_build_object('code', cast(:problem as text))))
        order by r.number limit {PAGE + 1}
        """,
        batch_id=batch_id,
        verdict=verdict if verdict in VERDICTS else "",
        problem=problem if problem in TEXTS else "",
        after=after,
    ).all()
    following = rows[PAGE - 1].number if len(rows) > PAGE else 0
    return _lines(rows[:PAGE]), following


def waiting(batch_id: UUID) -> tuple[int, int, int]:
    """Return how many rows in error and with shared national codes wait for a decision, and how many would be taken."""
    row = run(sql.UNDECIDED, batch_id=batch_id).one()
    return row.errors, row.duplicates, int(run(sql.WILL_TAKE, batch_id=batch_id).scalar_one())


def _batches(rows: Iterable[Sequence[Any]]) -> list[Batch]:
    return [Batch(*row) for row in rows]


def _lines(rows: Iterable[Sequence[Any]]) -> list[RowLine]:
    return [RowLine(*row) for row in rows]
