"""Draws a pack's life from its events: stops, the break in the chain, two sales side by side. Plain values, no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.center.supervision import rules
from app.national import codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

MOST_DRAWN = 8  # More stops than fit side by side become a table.


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of the life line: an event, or the settlement that paid for it. `gap_seconds`: the chain broke before it."""

    kind: str  # received, moved, sold, dispensed, resold, settled, refunded, taken_back
    at: datetime
    row: Any
    settlement: Any | None = None
    is_bad: bool = False
    gap_seconds: int | None = None
    gap_lacks: tuple[str, ...] = ()
    seconds_to_next: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the table that puts two sales side by side."""

    what: str
    first: Any
    second: Any
    is_different: bool


def breaches_of(life: Sequence[Any]) -> list[rules.Breach]:
    """Judge the events that this officer may see."""
    return rules.judge(
        rules.Event(
            r.stream, r.epoch, r.number, r.line, r.kind, r.at, r.event_document, r.original_document, r.units,
            r.event_pack_size, r.split, r.is_back,
        )
        for r in life
        if r.kind not in rules.UNJUDGED
    )  # fmt: skip


def draw(life: Sequence[Any], settlements: Mapping[str, Any], breaches: Sequence[rules.Breach]) -> list[Stop]:
    """Put the events on a line in order of time, each insured sale followed by its settlement."""
    second_of = {_place(breach.second): breach for breach in breaches}
    stops: list[Stop] = []
    for row in life:
        breach = second_of.get(_place(row))
        stops.append(_stop(row, breach, life))
        if row.kind == "sold" and row.setl_id:
            settlement = settlements.get(row.setl_id)
            settled_at = settlement.settled_at if settlement else row.at
            stops.append(Stop("settled", max(settled_at, row.at), row, settlement, is_bad=breach is not None))
    following = [*stops[1:], None]
    return [_with_rope(stop, after) for stop, after in zip(stops, following, strict=True)]


def _stop(row: Any, breach: rules.Breach | None, life: Sequence[Any]) -> Stop:
    if breach is None:
        return Stop(row.kind, row.at, row)
    between = [
        each.kind for each in life
        if breach.first.at < each.at <= row.at and each.stream == row.stream and each.kind == "received"
    ]  # fmt: skip
    lacks = ("refunded",) if between else ("refunded", "received")
    gap_seconds = int((row.at - breach.first.at).total_seconds())
    return Stop("resold", row.at, row, is_bad=True, gap_seconds=gap_seconds, gap_lacks=lacks)


def _with_rope(stop: Stop, after: Stop | None) -> Stop:
    if after is None or after.gap_seconds is not None:
        return stop
    seconds = int((after.at - stop.at).total_seconds())
    return Stop(
        stop.kind, stop.at, stop.row, stop.settlement, stop.is_bad, stop.gap_seconds, stop.gap_lacks, seconds or None
    )  # fmt: skip


def compare(life: Sequence[Any], settlements: Mapping[str, Any], breach: rules.Breach) -> list[Comparison]:
    """Put the two sales of a breach side by side."""
    rows = {_place(row): row for row in life}
    one, two = rows[_place(breach.first)], rows[_place(breach.second)]
    sides = [_side(row, settlements.get(row.setl_id or ""), life) for row in (one, two)]
    return [Comparison(what, sides[0][what], sides[1][what], sides[0][what] != sides[1][what]) for what in sides[0]]


def sides_of(life: Sequence[Any], breach: rules.Breach) -> tuple[Any, Any]:
    """The rows of the two sales of a breach."""
    rows = {_place(row): row for row in life}
    return rows[_place(breach.first)], rows[_place(breach.second)]


def _side(row: Any, settlement: Any | None, life: Sequence[Any]) -> dict[str, Any]:
    sources = [
        each.receipt for each in life if each.kind == "received" and each.stream == row.stream and each.at <= row.at
    ]
    return {
        "institution": (row.institution, codes.place(row.district)),
        "buyer": (settlement.person, settlement.by_agent) if settlement else (row.paid,),  # None: a clinic's patient.
        "source": tuple(sources),
        "scan_seconds": int((row.at - row.scanned_at).total_seconds()) if row.scanned_at else None,
        "operator": row.operator,
        "lot": (row.lot, row.expires_on),
        "fund_fen": "" if row.kind == rules.DISPENSED else row.fund_fen,  # The visit's bill says what was paid.
    }


def _place(each: Any) -> tuple[str, int, int, int]:
    return each.stream, each.epoch, each.number, each.line
