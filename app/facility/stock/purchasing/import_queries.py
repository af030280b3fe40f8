"""What the pages of an opening file read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound
from app.facility.db import run
from app.facility.stock.purchasing import queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

SAMPLES = 6
MOST_RECEIPTS = 100
VERDICTS = ("ready", "unmatched", "error", "skipped", "posted")


def get_opening(facility_id: int, import_id: UUID) -> Any:
    """One opening file. Raises NotFound, also for a supplier's note: that one stands beside its delivery."""
    found = queries.get_import(facility_id, import_id)
    if found.kind != "opening":
        raise NotFound
    return found


def list_openings(facility_id: int) -> list[Any]:
    """The latest opening files of this facility."""
    rows = run(
        """
        select i.id, i.file_name, i.state, i.row_count, i.posted_count, i.created_at, f.name as staff from stock_import i
        join staff f on f.tenant_id = i.tenant_id and f.id = i.staff_id
        where i.facility_id = :facility and i.kind = 'opening' order by i.created_at desc, i.id desc limit 20
        """,
        facility=facility_id,
    )
    return list(rows)


def sample_rows(import_id: UUID) -> list[list[str]]:
    """The first rows of the file as they are."""
    rows = run(
        f"select raw from stock_import_row where import_id = :id order by number limit {SAMPLES}",
        id=import_id,
    )
    return [row.raw for row in rows]


def find_unmatched(import_id: UUID, number: int) -> Any | None:
    """A row whose product a person still has to name, with how many rows say the same; None when it is none."""
    return run(
        """
        select r.number, r.said, r.problem, (
            select count(*) from stock_import_row o where o.tenant_id = r.tenant_id and o.import_id = r.import_id and o.verdict = 'unmatched'
                and o.said ->> 'name' = r.said ->> 'name' and o.said ->> 'spec' = r.said ->> 'spec' and o.said ->> 'maker' = r.said ->> 'maker') as alike
        from stock_import_row r where r.import_id = :id and r.number = :number and r.verdict = 'unmatched'
        """,
        id=import_id, number=number,
    ).one_or_none()  # fmt: skip


def next_unmatched(import_id: UUID) -> int | None:
    """The first row that still waits for its product."""
    found: int | None = run(
        "select number from stock_import_row where import_id = :id and verdict = 'unmatched' order by number limit 1",
        id=import_id,
    ).scalar_one_or_none()
    return found


def list_receipts(import_id: UUID) -> list[Any]:
    """The receipts an opening file became."""
    rows = run(
        f"""
        select r.id, r.number, c.n as rows from (
            select receipt_id, count(*) as n from stock_import_row where import_id = :id and receipt_id is not null group by receipt_id) c
        join stock_receipt r on r.id = c.receipt_id order by r.number limit {MOST_RECEIPTS}
        """,
        id=import_id,
    )
    return list(rows)


def percent(head: Any) -> int:
    """How far checking or posting has come."""
    if head.state == "posting":
        verdicts: Mapping[str, int] = head.verdicts
        whole = head.posted_count + verdicts.get("ready", 0)
        return int(head.posted_count * 100 // whole) if whole else 100
    return int(head.checked_count * 100 // head.row_count) if head.row_count else 100
