"""What a difference is, and what is posted for it. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import words
from app.facility.stock import rulebook
from app.facility.stock.ledger import Move

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_LINES = 20_000  # Of one count.
MOST_CODES = 500  # Of one entry.
MOST_UNITS = 100_000_000
MOST_PLACE = 20
MOST_PRODUCTS = 200
SCOPES = ("full", "shelf", "product", "controlled")
OTHER = "other"
WEIGHING = "weighing"

# Why a count differs from the book. `other` takes a text.
REASONS = {
    "damaged": "破损", "wrong_item": "错发", "not_recorded": "漏记", WEIGHING: "称量损耗", "missing": "丢失", OTHER: "其他",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counted:
    """One entry: so many base units of a line at a place, the codes in hand, and the entry of this place it replaces."""

    quantity: int
    place: str = ""
    codes: tuple[str, ...] = ()
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one line's standing entries and the ledger say together."""

    counted: int  # Sum over the places.
    book_at: int  # What the book said at the last mark.
    went: int = 0  # Taken out between the first mark and the last, as a positive number.
    came: int = 0  # Brought in between them.
    reserved: int = 0  # In baskets at the moments of counting.
    corrected: int = 0  # Corrections of the book after the last mark that moved no goods.


@dataclass(frozen=True, slots=True)
class Verdict:
    """The difference that is certain (counted less book), and how much more or less it might be."""

    difference: int
    unsure: int


def judge(tally: Tally) -> Verdict:
    """Say what is certainly more or less than the book (盈亏).

    The bounds are explained in this package's docstring. Zero between them is no difference.
    """
    least = tally.counted - tally.went - tally.book_at - tally.corrected
    most = tally.counted + tally.came + tally.reserved - tally.book_at - tally.corrected
    assert least <= most
    difference = least if least > 0 else most if most < 0 else 0
    return Verdict(difference, most - least)


def is_weighing_loss(rx_class: str, difference: int, book: int, percent: int) -> bool:
    """Say whether a herb's difference is within what weighing it out explains (称量损耗)."""
    return rx_class == "HERB" and difference != 0 and abs(difference) * 100 <= book * percent


@dataclass(frozen=True, slots=True)
class Differing:
    """A line to be posted: what is certain, and what its codes say."""

    name: str
    lot_id: int
    zone: str
    difference: int
    found: Mapping[str, int]  # Codes written off before and in hand again, with the units they hold.
    missing: Mapping[str, int]  # Codes that should lie there and that nobody held.
    on_hand: int
    loose: int  # Units on hand that belong to no code.
    scanned: bool  # Whether any pack of it was scanned.


def plan_moves(lines: Sequence[Differing]) -> tuple[list[Move], list[str]]:
    """Turn differences into gains and losses, one per line of the ledger; and name the lots whose codes say too little."""
    moves: list[Move] = []
    untold: list[str] = []
    for line in lines:
        back = sum(line.found.values())
        gain = max(line.difference, back)
        loss = gain - line.difference
        if loss:
            codes = _codes_of_loss(line, loss)
            if codes is None:
                untold.append(line.name)
                continue
            moves.append(Move(len(moves) + 1, line.lot_id, loss, line.zone, "", codes, rulebook.ACTS["loss"]))
        if gain:
            codes = tuple(sorted(line.found))
            moves.append(Move(len(moves) + 1, line.lot_id, gain, "", line.zone, codes, rulebook.ACTS["gain"]))
    return moves, untold


def _codes_of_loss(line: Differing, loss: int) -> tuple[str, ...] | None:
    """The codes that are gone with this loss; none where loose units cover it, None where nobody can say."""
    gone = sum(line.missing.values())
    if line.loose == line.on_hand:  # No codes lie there. What was sold meanwhile the ledger refuses.
        return ()
    if line.missing and gone <= loss <= gone + line.loose:
        return tuple(sorted(line.missing))
    if line.zone == rulebook.SPLIT and not line.missing:
        return ()  # Units of opened packs: the ledger takes them from the packs that lie there.
    if loss <= line.loose and (not line.scanned or not line.missing):
        return ()
    return () if loss == line.on_hand else None


def problems_of_entry(counted: Counted, pack_size: int, zone: str) -> list[str]:
    """Say what is wrong with an entry in itself. Empty when all is well."""
    found: list[str] = []
    if not 0 <= counted.quantity <= MOST_UNITS:
        found.append(words("数量要在 0 到 {most} 之间", most=MOST_UNITS))
    if len(counted.place) > MOST_PLACE:
        found.append(words("地点最多 {most} 个字", most=MOST_PLACE))
    if len(counted.codes) > MOST_CODES:
        found.append(words("一次最多 {most} 个追溯码，请分几处记", most=MOST_CODES))
    if len(set(counted.codes)) < len(counted.codes):
        found.append(words("同一个追溯码扫了两次"))
    least = len(counted.codes) * (1 if zone == rulebook.SPLIT else pack_size)
    if least > counted.quantity:
        found.append(words("扫了 {codes} 个追溯码，多于填的数量", codes=len(counted.codes)))
    return found


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One filled-in row of a count sheet."""

    line_no: int
    quantity: int
    place: str = ""
