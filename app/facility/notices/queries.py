"""What the page of news reads: items as they arrived, each in the words of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.facility.db import run
from central_sync import news_contract
from central_sync.contract import OutsideContract

if TYPE_CHECKING:
    from datetime import datetime

PAGE = 50
MOST_BYTES = 300_000  # A longer body is not read for a list: kind and number still are.
LAST = 2**62

LIST = """
    select number, kind, version, case when octet_length(body) <= :most then body end as body, set_aside, received_at
    from news where facility_id = :facility and (received_at, number) < (:at, cast(:last as bigint)) and (not :aside or set_aside is not null)
    order by received_at desc, number desc limit :page
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing the center told. `body` is missing where this version cannot read it."""

    number: int
    kind: str
    body: Any | None
    set_aside: str
    received_at: datetime


def list_items(facility_id: int, before: tuple[datetime, int] | None = None, *, aside: bool = False) -> list[Item]:
    """What the center told this facility, newest first, one more than a page; `aside`: only what was not carried out."""
    at, last = before or (clock.now() + timedelta(days=1), LAST)
    rows = run(LIST, facility=facility_id, at=at, last=last, aside=aside, most=MOST_BYTES, page=PAGE + 1)
    return [Item(row.number, row.kind, _read(row), row.set_aside or "", row.received_at) for row in rows]


def count_aside(facility_id: int) -> int:
    """How many items could not be carried out."""
    found = run("select count(*) from news where facility_id = :facility and set_aside is not null", facility=facility_id)  # fmt: skip
    return int(found.scalar_one())


def pulled_at(facility_id: int) -> datetime | None:
    """When the center was last asked for news with an answer that was noted; None before the first."""
    found: datetime | None = run("select pulled_at from news_head where facility_id = :facility", facility=facility_id).scalar()  # fmt: skip
    return found


def _read(row: Any) -> Any | None:
    if row.body is None:
        return None
    try:
        return news_contract.read(row.kind, row.version, bytes(row.body))
    except OutsideContract:
        return None
