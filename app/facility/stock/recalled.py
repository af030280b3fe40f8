"""What a running recall means for goods that come in (召回中的货): they lie aside, and the center is told that they are here.

So it is told of lots that were locked elsewhere on suspicion and come in by a transfer, a count or a paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from app.facility.db import run
from app.facility.stock import events, statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

NAMED = """
select r.id, r.number, r.reason, t.product_id, t.lot_number from recall_target t join recall r on r.tenant_id = t.tenant_id and r.id = t.recall_id
where t.product_id = any(:products) and t.ended_at is null and (t.lot_number = '' or t.lot_number = any(:lots))
order by r.level, r.issued_at, r.id limit 100
"""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that a running recall names by its code."""

    code: str
    id: str  # The recall's.
    number: str
    origin: str
    reason: str


def packs_of(named: Sequence[Mapping[str, str]] | None) -> list[Pack]:
    """The packs that MAKE_LOTS found named, recall by recall."""
    return [Pack(**each) for each in named or ()]


def meant(lots: Sequence[tuple[int, str]]) -> list[tuple[int, str, Any]]:
    """Which of these products and lot numbers a running recall means, each with the recall, the gravest first."""
    named = [(product, lot) for product, lot in dict.fromkeys(lots) if lot]
    if not named:
        return []
    rows = run(NAMED, products=[product for product, _ in named], lots=[lot for _, lot in named]).all()
    return [
        (product, lot, row)
        for row in rows
        for product, lot in named
        if row.product_id == product and row.lot_number in ("", lot)
    ]


def facts(hot: Hot, desk: Desk, at: datetime, lots: Sequence[int], packs: Sequence[Pack]) -> list[dict[str, Any]]:
    """One lot.held for each recall that goods came in of: of its lots as they lie here now, of its packs."""
    keys = {**desk.keys, "ids": sorted(set(lots))}
    known, rows = (
        hot.run_all([(statements.RECALLS_OF_LOTS, keys), (statements.LOTS_IN_FACTS, keys)]) if lots else ([], [])
    )
    single = [list(group) for _, group in groupby(packs, key=lambda row: row.id)]
    return [
        *_whole(desk, at, known, {row.id: row for row in rows}),
        *(_held(desk, at, group[0], [], [row.code for row in group]) for group in single),
    ]


def arrived(
    hot: Hot, desk: Desk, document: UUID, number: str, at: datetime, lots: Sequence[int]
) -> list[dict[str, Any]]:
    """The lot.held of lots that came in held: one for each recall that means them, one for each other reason they are locked for."""
    keys = {**desk.keys, "ids": sorted(set(lots))}
    known, rows = hot.run_all([(statements.RECALLS_OF_LOTS, keys), (statements.LOTS_IN_FACTS, keys)])
    held = {row.id: row for row in rows if row.hold}
    named = [row for row in known if row.lot_id in held and held[row.lot_id].hold == "recalled"]
    told = _whole(desk, at, named, held)
    rest = sorted((row for row in held.values() if row.id not in {row.lot_id for row in named}), key=_why)
    for (hold, reason), group in groupby(rest, key=_why):
        told.append(events.lot_held(document, number, at, desk.operator, list(group), reason=reason, hold=hold))
    return told


def _why(lot: Any) -> tuple[str, str]:
    return lot.hold, lot.hold_reason


def _whole(desk: Desk, at: datetime, known: Sequence[Any], by_id: Mapping[int, Any]) -> list[dict[str, Any]]:
    recalls = [list(group) for _, group in groupby(known, key=lambda row: row.id)]
    return [_held(desk, at, group[0], [by_id[row.lot_id] for row in group], ()) for group in recalls]


def _held(desk: Desk, at: datetime, recall: Any, lots: Sequence[Any], packs: Sequence[str]) -> dict[str, Any]:
    return events.lot_held(
        recall.id, recall.number, at, desk.operator, lots, reason=recall.reason[:400], recall=recall.id, origin=recall.origin, packs=packs
    )  # fmt: skip
