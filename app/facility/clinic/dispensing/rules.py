"""Dispensing on plain values: what is left of a sheet, which lots go, what of the reservations ends."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import words
from app.facility.clinic.charging.sheets import doses_of
from app.facility.clinic.dispensing.errors import LotReasonMissing, MoreThanLeft, PackClosed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SPLIT = "SPLIT"
RETURNS = {
    "quality": words("药品质量问题"), "dispensing_error": words("发药差错"), "prescribing_error": words("医师开错"), "recall": words("药品召回"),
}  # fmt: skip
# Why a lot goes although another of the same drug expires sooner.
LOT_REASONS = {
    "in_hand": words("手边就是这一批"), "damaged": words("先到期的包装破损"), "patient": words("患者要求"), "same_lot": words("凑成同一批号"), "other": words("其他"),
}  # fmt: skip
# Why another product of the same drug goes instead.
SWAP_REASONS = {
    "out_of_stock": words("缺货"), "recalled": words("召回或锁定"), "patient": words("患者要求"), "other": words("其他"),
}  # fmt: skip
ANSWERS = {"consented": words("同意"), "declined": words("不同意"), "withdrawn": words("撤回")}
TESTS = {"negative": words("阴性"), "positive": words("阳性")}
MOST_NOTE = 200
MOST_LOT_NOTE = 60


class Pick(msgspec.Struct):
    """What the shelf still holds of one lot for one line."""

    version: int
    lot_id: int
    zone: str
    held: int
    lot_number: str
    expires_on: date
    hold: str | None = None


class Swap(msgspec.Struct):
    """Another product proposed for what is left of a line, and what became of it."""

    id: str
    product_id: int
    described: dict[str, Any]
    quantity: int
    reason: str
    note: str
    at: datetime
    by: str
    answer: str | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    answer_note: str | None = None


class Line(msgspec.Struct):
    """One line of a charged sheet: how much was paid, handed over, came back and was paid back."""

    line_no: int
    order_line_no: int
    product_id: int
    quantity: int
    handed_over: int
    came_back: int
    refunded: int
    split: bool
    skin_test: bool
    trace_required: bool
    described: dict[str, Any]
    dose: str = ""
    dose_unit: str = ""
    frequency: str = ""
    route: str = ""
    days: int | None = None
    handling: str = ""
    note: str = ""
    group_no: int = 0
    self_paid: bool = False
    done: int = 0  # Times it was carried out.
    tested: str = ""  # The last skin test: negative, positive, or none yet.
    picks: list[Pick] = []
    price: Decimal = Decimal(0)
    ordered: dict[str, Any] = {}  # What was prescribed and paid; `described` is what goes.
    ordered_id: int = 0
    swaps: list[Swap] = []

    @property
    def swap(self) -> Swap | None:
        """What goes instead of what was prescribed, as the prescriber last agreed; none when the prescribed one goes."""
        agreed = [one for one in self.swaps if one.answer == "consented"]
        last = max(agreed, key=lambda one: one.answered_at or one.at, default=None)
        return last if last and last.product_id != self.ordered_id else None

    @property
    def waiting(self) -> Swap | None:
        """What is proposed and not answered."""
        return next((one for one in self.swaps if one.answer is None), None)

    @property
    def name(self) -> str:
        return str(self.described["name"])

    @property
    def is_goods(self) -> bool:
        return bool(self.described["rx_class"] != "SERVICE")

    @property
    def is_loose(self) -> bool:
        """Handed over by units, out of opened packs; herbs are weighed."""
        return self.split or self.described["rx_class"] == "HERB"

    @property
    def pack_size(self) -> int:
        return 1 if self.is_loose else int(self.described["pack_size"])

    @property
    def unit(self) -> str:
        return str(self.described["base_unit" if self.is_loose else "pack_unit"])

    @property
    def left(self) -> int:
        """What is still to be handed over: what the shelf holds for it."""
        return sum(pick.held for pick in self.picks)

    @property
    def needs_codes(self) -> bool:
        return self.is_goods and self.trace_required and not self.is_loose

    @property
    def needs_opening(self) -> int:
        """Units that stand in closed packs although single ones are to go."""
        if not (self.split and self.trace_required):
            return 0
        return sum(pick.held for pick in self.picks if pick.zone != SPLIT)

    @property
    def planned(self) -> int:
        """How often it is to be carried out: what was paid of a service; of an injected drug its doses."""
        if not self.is_goods:
            return self.quantity - self.refunded
        return doses_of(self.frequency, self.days)

    @property
    def times_left(self) -> int:
        return max(0, self.planned - self.done)

    @property
    def is_awaited(self) -> bool:
        """A drug that is not with the patient: nothing of it can be given yet."""
        return self.is_goods and self.handed_over <= self.came_back


class Take(msgspec.Struct, frozen=True):
    """What of one line goes now, in base units, and the packs that were scanned; why, where they pass over a lot that expires sooner."""

    line_no: int
    quantity: int
    codes: tuple[str, ...] = ()
    lot_reason: str = ""
    lot_note: str = ""


class Scanned(msgspec.Struct, frozen=True):
    """Where a scanned pack lies."""

    code: str
    product_id: int
    lot_id: int
    zone: str
    state: str
    lot_number: str
    expires_on: date


class Part(msgspec.Struct, frozen=True):
    """One lot that goes for a line; `release` of it was reserved there. `passed` is the lot that expires sooner and stays."""

    line_no: int
    lot_id: int
    zone: str
    quantity: int
    release: int
    codes: tuple[str, ...] = ()
    passed: Pick | None = None
    lot_reason: str = ""
    lot_note: str = ""


class Plan(msgspec.Struct):
    """Which lots go, what ends of each pick, and what is freed where another lot goes instead."""

    parts: list[Part] = []
    ended: list[dict[str, Any]] = []
    freed: dict[tuple[int, str], int] = {}


def plan(lines: Mapping[int, Line], takes: Iterable[Take], scanned: Mapping[str, Scanned], today: date) -> Plan:
    """Choose what goes: scanned packs where they lie, the rest as the bill picked it, soonest to expire first.

    Raises MoreThanLeft, PackClosed, LotReasonMissing.
    """
    made = Plan()
    for take in takes:
        line = lines[take.line_no]
        if not 0 < take.quantity <= line.left or take.quantity % line.pack_size:
            raise MoreThanLeft(
                name=line.name, left=line.left // line.pack_size, unit=line.unit, wanted=take.quantity // line.pack_size
            )
        if line.split and line.trace_required and take.quantity > line.left - line.needs_opening:
            raise PackClosed(name=line.name)
        _plan_line(made, line, take, scanned, today)
    return made


def passes_over(line: Line, packs: Iterable[Scanned], today: date) -> Pick | None:
    """Which lot that expires sooner stays when these packs go; none when the shelf's order is kept."""
    known = {pack.code: pack for pack in packs if pack.product_id == line.product_id}
    if not known or len(known) * line.pack_size > line.left:
        return None
    made = Plan()
    take = Take(line.line_no, len(known) * line.pack_size, tuple(known), "in_hand")
    _plan_line(made, line, take, known, today)
    return next((part.passed for part in made.parts if part.passed), None)


def _plan_line(made: Plan, line: Line, take: Take, scanned: Mapping[str, Scanned], today: date) -> None:
    left = {(pick.lot_id, pick.zone): pick for pick in line.picks if pick.held > 0}
    open_ = {place: pick.held for place, pick in left.items()}
    wanted = take.quantity
    places: dict[tuple[int, str], list[str]] = {}
    for code in take.codes:
        places.setdefault((scanned[code].lot_id, scanned[code].zone), []).append(code)
    parts: list[Part] = []
    for place, codes in places.items():
        quantity = len(codes) * line.pack_size
        own = min(quantity, open_.get(place, 0))
        wanted -= quantity
        _end(made, line, left, open_, place, own)
        parts.append(Part(line.line_no, *place, quantity, own, tuple(codes)))
    if wanted < 0:
        raise MoreThanLeft(name=line.name, left=take.quantity // line.pack_size, unit=line.unit, wanted=len(take.codes))
    _plan_rest(made, line, left, open_, wanted)
    freed = _free(made, line, left, open_, sum(part.quantity - part.release for part in parts))
    stays = [pick for pick in freed if pick.hold is None and pick.expires_on >= today]
    made.parts += [_reasoned(part, line, take, scanned[part.codes[0]], stays) for part in parts]


def _reasoned(part: Part, line: Line, take: Take, pack: Scanned, stays: Iterable[Pick]) -> Part:
    """Where a lot that expires sooner could have gone and stays, it needs a reason. Raises LotReasonMissing."""
    sooner = [pick for pick in stays if pick.expires_on < pack.expires_on]
    if part.quantity == part.release or not sooner:
        return part
    passed = min(sooner, key=lambda pick: pick.expires_on)
    note = take.lot_note.strip() if take.lot_reason == "other" else ""
    if take.lot_reason not in LOT_REASONS or len(note) > MOST_LOT_NOTE or (take.lot_reason == "other" and not note):
        raise LotReasonMissing(name=line.name, lot=pack.lot_number, sooner=passed.lot_number)
    return msgspec.structs.replace(part, passed=passed, lot_reason=take.lot_reason, lot_note=note)


def _plan_rest(
    made: Plan, line: Line, left: dict[tuple[int, str], Pick], open_: dict[tuple[int, str], int], wanted: int
) -> None:
    """What has no code goes as it was picked: opened packs first, then what expires soonest."""
    for place in sorted(left, key=lambda each: (each[1] != SPLIT, left[each].expires_on, each)):
        taken = min(wanted, open_[place])
        if taken > 0 and not (line.split and line.trace_required and place[1] != SPLIT):
            wanted -= taken
            _end(made, line, left, open_, place, taken)
            made.parts.append(Part(line.line_no, *place, taken, taken))


def _free(
    made: Plan, line: Line, left: dict[tuple[int, str], Pick], open_: dict[tuple[int, str], int], wanted: int
) -> list[Pick]:
    """Another lot goes instead: what was held of the last to expire is free for others. Returns which."""
    freed = []
    for place in sorted(left, key=lambda each: (left[each].expires_on, each), reverse=True):
        taken = min(wanted, open_[place])
        if taken > 0:
            wanted -= taken
            _end(made, line, left, open_, place, taken)
            made.freed[place] = made.freed.get(place, 0) + taken
            freed.append(left[place])
    return freed


def _end(
    made: Plan, line: Line, left: dict[tuple[int, str], Pick], open_: dict[tuple[int, str], int], place: tuple[int, str], quantity: int
) -> None:  # fmt: skip
    if quantity > 0:
        open_[place] -= quantity
        made.ended.append(
            {
                "line_no": line.line_no,
                "version": left[place].version,
                "lot_id": place[0],
                "zone": place[1],
                "quantity": quantity,
            }
        )
