"""Approving a count: another person looks at the differences, and gains and losses are posted in one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import Several, words
from app.core.personal import mask_name
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, rulebook
from app.facility.stock import statements as stock
from app.facility.stock.counts import rules, statements
from app.facility.stock.counts.actions import judged, judging_rows, lock_head
from app.facility.stock.counts.errors import (
    BookCorrected,
    CodesUntold,
    CountChanged,
    DifferencesUnexplained,
    OwnCount,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.stock.ledger import Move


@hot_action
def approve_count(desk: Desk, count_id: UUID, version: int) -> None:
    """Approve a closed count as it was shown (审批) and post its differences, in one transaction, under its number.

    What is still on hand then is what was counted plus what happened since. Done again by the same person it changes
    nothing. Raises OwnCount, CountChanged, CountNotWaiting, DifferencesUnexplained, BookCorrected, CodesUntold, and what
    the ledger refuses (NotEnoughInZone: sold meanwhile).
    """
    at = clock.now()
    keys = {**desk.keys, "count": count_id, "at": at}
    with transaction(settings=desk.settings) as hot:
        head = lock_head(hot, keys, "closed", "approved")
        if head.state == "approved" and head.decided_by == desk.staff_id:
            return
        _check(hot, desk, keys, head, version)
        moves = _moves(hot, keys)
        hot.run_all([(statements.FINISH_LINES, keys), (statements.APPROVE, keys)])
        if moves:
            _post(hot, desk, head, at, moves)


def _check(hot: Hot, desk: Desk, keys: Mapping[str, Any], head: Any, version: int) -> None:
    [[who], unexplained] = hot.run_all([(statements.COUNTED_BY, keys), (statements.UNEXPLAINED, keys)])
    if desk.staff_id in {head.staff_id, head.closed_by} or who.counted:
        raise OwnCount(number=head.number)
    if head.version != version or head.state != "closed":
        raise CountChanged(number=head.number)
    if unexplained:
        raise DifferencesUnexplained(count=unexplained[0].open, names=Several(row.name for row in unexplained))


def _moves(hot: Hot, keys: Mapping[str, Any]) -> list[Move]:
    """What is to be posted, with the lots and codes locked in the order of the house."""
    rows = judging_rows(hot, keys)
    if corrected := [
        words("{name} {lot}", name=row.name, lot=row.lot_number)
        for row in rows
        if judged(row).difference != row.difference
    ]:
        raise BookCorrected(lots=Several(corrected[:5]))
    codes, scanned = hot.run_all(
        [(statements.LINE_CODES, {**keys, "lines": [row.line_no for row in rows]}), (statements.SCANNED, keys)]
    )
    found = {row.line_no for row in codes if row.what == "found"}
    lots = sorted({row.lot_id for row in rows if row.difference or row.line_no in found})
    places = {(row.lot_id, row.zone): row for row in hot.run(stock.LOCK_BALANCES, {**keys, "lots": lots})}
    moves, untold = rules.plan_moves(_differing(rows, codes, {row.line_no for row in scanned}, places))
    if untold:
        raise CodesUntold(lots=Several(untold[:5]))
    if named := sorted({code for move in moves for code in move.codes}):
        hot.run(stock.LOCK_CODES, {**keys, "codes": named})
    return moves


def _differing(
    rows: Sequence[Any], codes: Sequence[Any], scanned: set[int], places: Mapping[Any, Any]
) -> list[rules.Differing]:
    found: dict[int, dict[str, int]] = {}
    missing: dict[int, dict[str, int]] = {}
    for row in codes:
        (found if row.what == "found" else missing).setdefault(row.line_no, {})[row.code] = row.remaining
    lines = []
    for row in rows:
        place = places.get((row.lot_id, row.zone))
        on_hand, loose = (place.on_hand, place.on_hand - int(place.in_codes)) if place else (0, 0)
        if row.difference or row.line_no in found:
            lines.append(
                rules.Differing(
                    words("{name} {lot}", name=row.name, lot=row.lot_number), row.lot_id, row.zone, row.difference, found.get(row.line_no, {}),
                    missing.get(row.line_no, {}), on_hand, loose, row.line_no in scanned,
                )
            )  # fmt: skip
    return lines


def _post(hot: Hot, desk: Desk, head: Any, at: datetime, moves: Sequence[Move]) -> None:
    """Post under the count's number: whoever led it acts, whoever approves is named. A fact takes so many lines; the next follows."""
    leader = replace(desk, staff_id=head.staff_id, operator=f"{head.leader_number} {mask_name(head.leader)}")
    story = ledger.Story(f"盘点 {head.number}", desk.operator)
    for start in range(0, len(moves), ledger.MOST_MOVES):
        part = moves[start : start + ledger.MOST_MOVES]
        act = rulebook.ACTS["gain" if part[0].to_zone else "loss"]
        ledger.post(hot, leader, act, head.id, at, part, story, number=head.number)
