"""Bills on plain values: their lines, what they hold on the shelf, what needs the patient's consent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STATES = {
    "open": words("待收费"),
    "asked": words("正在结算"),
    "settled": words("已收费"),
    "cancelled": words("已取消"),
    "refunded": words("已退费"),
}
REASONS = {
    "not_dispensed": words("未取药、未治疗，患者不要了"),
    "billing_error": words("收费有误"),
    "prescription_changed": words("医师改处方"),
    "quality": words("质量问题"),
    "recall": words("召回"),
    "dispensing_error": words("发错药"),
}
SELLING, SPLIT = ("SALEABLE", "COLD", "CONTROLLED"), "SPLIT"
MOST_LINES = 200  # What the center takes of one visit at once (2204).


class Line(msgspec.Struct, frozen=True):
    """One line of a bill: a line of a signed sheet with its price. Quantity counts base units."""

    line_no: int
    order_number: str
    kind: str
    product_id: int
    quantity: int
    split: bool
    price: Decimal
    amount_fen: int
    self_paid: bool
    described: dict[str, Any]
    order_id: str = ""
    dose: str = ""
    dose_unit: str = ""
    frequency: str = ""
    route: str = ""
    days: int | None = None
    handling: str = ""
    note: str = ""
    usage: str = ""
    package_id: int | None = None
    package: str | None = None
    list_fen: int = 0  # What it would cost alone.

    @property
    def units(self) -> Decimal:
        """How many times the price is paid."""
        return Decimal(self.quantity) if self.split else Decimal(self.quantity) / self.described["pack_size"]

    @property
    def unit(self) -> str:
        return str(self.described["base_unit" if self.split else "pack_unit"])

    @property
    def is_goods(self) -> bool:
        return bool(self.described["rx_class"] != "SERVICE")


class Free(msgspec.Struct, frozen=True, array_like=True):
    """What one lot has free in one zone."""

    product_id: int
    lot_id: int
    zone: str
    quantity: int
    expires_on: date


class Pick(msgspec.Struct, frozen=True):
    """What one line holds of one lot in one zone, in base units."""

    line_no: int
    lot_id: int
    zone: str
    quantity: int


def choose(lines: Iterable[Line], shelf: Sequence[Free]) -> list[Pick]:
    """Choose what each line holds, soonest to expire first (先到期先出).

    Whole packs come from the selling zones. Single units and herbs come from what is open, then from whole packs: who
    dispenses opens one. A line that cannot be covered gets what there is.
    """
    left = {(free.lot_id, free.zone): free.quantity for free in shelf}
    picks: list[Pick] = []
    for line in lines:
        wanted = line.quantity if line.is_goods else 0
        for free in _fitting(line, shelf):
            taken = min(wanted, left[free.lot_id, free.zone])
            if not _loose(line):
                taken -= taken % int(line.described["pack_size"])
            if taken > 0:
                left[free.lot_id, free.zone] -= taken
                wanted -= taken
                picks.append(Pick(line.line_no, free.lot_id, free.zone, taken))
    return picks


def _loose(line: Line) -> bool:
    return line.split or str(line.described["rx_class"]) == "HERB"


def _fitting(line: Line, shelf: Sequence[Free]) -> list[Free]:
    own = [free for free in shelf if free.product_id == line.product_id]
    whole = [free for free in own if free.zone in SELLING]
    return [free for free in own if free.zone == SPLIT] + whole if _loose(line) else whole


def short_of(lines: Sequence[Line], picks: Iterable[Pick]) -> list[tuple[Line, int]]:
    """The lines that are not covered, with how much is there."""
    held: dict[int, int] = {}
    for pick in picks:
        held[pick.line_no] = held.get(pick.line_no, 0) + pick.quantity
    return [
        (line, held.get(line.line_no, 0))
        for line in lines
        if line.is_goods and held.get(line.line_no, 0) < line.quantity
    ]


def by_balance(picks: Iterable[Pick]) -> list[dict[str, Any]]:
    """What is held of each balance, all lines together: each is locked and changed once."""
    sums: dict[tuple[int, str], int] = {}
    for pick in picks:
        sums[pick.lot_id, pick.zone] = sums.get((pick.lot_id, pick.zone), 0) + pick.quantity
    return [{"lot_id": lot, "zone": zone, "quantity": quantity} for (lot, zone), quantity in sorted(sums.items())]


def own_expense_fen(lines: Iterable[Line], preview: Mapping[str, Any] | None) -> int:
    """What an insured person pays outside insurance altogether: as the center says, at least what the doctor marked."""
    marked = sum(line.amount_fen for line in lines if line.self_paid)
    return max(marked, int((preview or {}).get("full_fen") or 0))
