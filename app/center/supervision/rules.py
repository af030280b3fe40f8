"""When do the events of one trace code contradict each other? Plain values in, plain values out.

One pack has one sale (DOMAIN 3.6); handing it to a patient (发药) is one. A split pack may be sold in parts at one facility until
its units are used up. A pack that came back from the buyer may be sold again. Receiving a pack that was sold does not make it unsold: that is how a drug
bought back from a patient would come in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

DUPLICATE: Literal["trace.duplicate"] = "trace.duplicate"  # A pack sold again.
DISPENSED, TAKEN_BACK = "dispensed", "taken_back"
GONE = ("sold", DISPENSED)  # Events that bring a pack to a buyer or patient.
UNJUDGED = ("received", "moved")  # Events that are no sale and no return: nothing is raised or explained by them.
OVERSPLIT: Literal["trace.oversplit"] = "trace.oversplit"  # More units sold of a split pack than it holds.


@dataclass(frozen=True, slots=True)
class Event:
    """One code in one movement, as far as judging needs it."""

    stream: str
    epoch: int
    number: int
    line: int
    kind: str
    at: datetime
    document: UUID
    original_document: UUID | None
    units: int
    pack_size: int
    split: bool
    is_back: bool


@dataclass(frozen=True, slots=True)
class Breach:
    """Two sales of one pack that cannot both be: the earlier and the later."""

    kind: Literal["trace.duplicate", "trace.oversplit"]
    first: Event
    second: Event


def judge(events: Iterable[Event]) -> list[Breach]:
    """Walk through a code's life in order of time and name every sale that should not have been."""
    breaches: list[Breach] = []
    sold: list[Event] = []  # Sales whose goods are with buyers.
    for event in sorted(events, key=lambda e: (e.at, e.stream, e.number, e.line)):
        if event.kind in GONE:
            kind = _breach(sold, event)
            if kind:
                breaches.append(Breach(kind, sold[-1], event))
            sold.append(event)
        elif event.is_back:
            sold = _take_back(sold, event)
    return breaches


def _breach(sold: Sequence[Event], event: Event) -> Literal["trace.duplicate", "trace.oversplit"] | None:
    if not sold:
        return None
    same_pack_in_parts = event.split and all(each.split and each.stream == event.stream for each in sold)
    if not same_pack_in_parts:
        return DUPLICATE
    units = sum(each.units for each in sold) + event.units
    return OVERSPLIT if units > event.pack_size else None


def _take_back(sold: Sequence[Event], back: Event) -> list[Event]:
    """Take what came back off the sale it belongs to; a part of a split pack leaves the rest with the buyer.

    A return to a clinic that does not say from which hand-over is from its last one: so it was told at first.
    """
    if back.original_document is None:
        last = next((each for each in reversed(sold) if (each.kind, each.stream) == (DISPENSED, back.stream)), None)
        return [each for each in sold if each is not last]
    kept: list[Event] = []
    for sale in sold:
        if sale.document != back.original_document:
            kept.append(sale)
        elif sale.split and back.units < sale.units:
            kept.append(replace(sale, units=sale.units - back.units))
    return kept
