"""What a paid sheet still owes the patient: goods to be handed over, times to be carried out, or nothing (已完成)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from app.facility.clinic.terms.dictionaries import FREQUENCIES
from app.facility.clinic.terms.supply import doses_for

if TYPE_CHECKING:
    from collections.abc import Sequence

TREATED = frozenset({"INFUSION", "TREATMENT", "TEST"})


class Owed(Protocol):
    """What a line still owes, whoever asks."""

    @property
    def handed_over(self) -> int: ...
    @property
    def came_back(self) -> int: ...
    @property
    def is_goods(self) -> bool: ...
    @property
    def left(self) -> int: ...
    @property
    def times_left(self) -> int: ...


class Standing(msgspec.Struct, frozen=True):
    """A line of a paid sheet as it stands: what was paid, handed over, came back, was paid back, is held, was carried out."""

    order_id: str
    kind: str
    state: str
    rx_class: str
    quantity: int
    handed_over: int
    came_back: int
    refunded: int
    left: int
    done: int
    frequency: str
    days: int | None

    @property
    def is_goods(self) -> bool:
        return self.rx_class != "SERVICE"

    @property
    def times_left(self) -> int:
        doses = doses_of(self.frequency, self.days) if self.is_goods else self.quantity - self.refunded
        return max(0, doses - self.done)


def doses_of(frequency: str, days: int | None) -> int:
    """How often an infused or injected drug is given."""
    known = FREQUENCIES.get(frequency)
    return doses_for(days, known) if known and days else 1


def becomes(kind: str, lines: Sequence[Owed]) -> str:
    """The state of a sheet of which something was handed over or carried out: as long as anything is left it goes on."""
    if any(line.is_goods and line.left for line in lines):
        return "DISPENSING"
    due = [line for line in lines if line.times_left and (not line.is_goods or line.handed_over > line.came_back)]
    return "DISPENSING" if due and kind in TREATED else "DONE"


def state_of(lines: Sequence[Standing]) -> str:
    """The state of a sheet on a paid bill. One that went back untouched may be charged again; a fee is done once it is paid."""
    kind = lines[0].kind
    if any(line.handed_over or line.done for line in lines):
        return becomes(kind, lines)
    if all(line.refunded == line.quantity for line in lines):
        return "PASSED"
    return "DONE" if kind == "FEE" else "CHARGED"


def changed(lines: Sequence[Standing]) -> list[dict[str, str]]:
    """The sheets whose state is another now."""
    by_sheet: dict[str, list[Standing]] = {}
    for line in lines:
        by_sheet.setdefault(line.order_id, []).append(line)
    states = {order: (state_of(own), own[0].state) for order, own in by_sheet.items()}
    return [{"id": order, "state": now} for order, (now, was) in states.items() if now != was]
