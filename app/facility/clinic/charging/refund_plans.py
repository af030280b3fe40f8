"""Work a refund out on plain values: how much of each line, what is held no more, what it comes to, who pays how much then."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.core.errors import words
from app.core.money import fen
from app.facility.clinic.charging.errors import BillNotRefundable, RefundTooMuch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.core.errors import Words


@dataclass(frozen=True)
class Back:
    """How much of one line goes back, in the units the line is sold in."""

    line_no: int
    units: int


@dataclass(frozen=True)
class Plan:
    """A refund worked out against what was paid, handed over and given back before."""

    lines: list[dict[str, Any]]  # line_no, quantity, freed, amount_fen
    picks: list[dict[str, Any]]  # line_no, lot_id, zone, quantity: what is held no more
    left: dict[int, int] = field(default_factory=dict)  # Line -> base units that stay paid.
    rest_fen: int = 0

    @property
    def whole(self) -> bool:
        return not any(self.left.values())

    @property
    def refund_fen(self) -> int:
        return sum(line["amount_fen"] for line in self.lines)


def size_of(row: Any) -> int:
    """Base units in one unit the line is counted in: packs (of herbs grams), or single units of split lines and what is no whole pack."""
    size = int(row.described["pack_size"])
    return 1 if row.split or row.quantity % size else size


def refundable(row: Any) -> int:
    """So many base units of a line may still be given back: not handed over, or handed over and returned."""
    return int(row.quantity - row.handed_over + row.came_back - row.refunded)


def plan_whole(number: str, rows: Sequence[Any], picks: Iterable[Any]) -> Plan:
    """Everything that is still paid goes back. Raises BillNotRefundable when something of it was handed over."""
    begun = {row.sheet for row in rows if row.refunded < row.quantity and _is_begun(row)}
    if begun:
        why = words("{sheets} 已经发药或执行，要先退药，或只退没有发的行", sheets="、".join(sorted(begun)))
        raise BillNotRefundable(number=number, why=why)
    return _plan(number, rows, picks, {row.line_no: refundable(row) for row in rows})


def _is_begun(row: Any) -> bool:
    return bool((row.sheet_state != "CHARGED" and row.kind != "FEE") or row.handed_over > row.came_back)


def plan_lines(number: str, rows: Sequence[Any], picks: Iterable[Any], back: Sequence[Back]) -> Plan:
    """Some lines go back. Raises RefundTooMuch, BillNotRefundable."""
    known = {row.line_no: row for row in rows}
    if any(one.line_no not in known or one.units < 0 for one in back):
        raise BillNotRefundable(number=number, why=words("选择的行不在这张单里"))
    return _plan(number, rows, picks, {one.line_no: one.units * size_of(known[one.line_no]) for one in back})


def _plan(number: str, rows: Sequence[Any], picks: Iterable[Any], wanted: Mapping[int, int]) -> Plan:
    held = [row._asdict() for row in picks]
    lines: list[dict[str, Any]] = []
    loose: list[dict[str, Any]] = []
    left: dict[int, int] = {}
    rest_fen = 0
    for row in rows:
        quantity = wanted.get(row.line_no, 0)
        left[row.line_no] = int(row.quantity - row.refunded - quantity)
        stays_fen = _amount(row, left[row.line_no])
        rest_fen += stays_fen
        if quantity:
            line = _line(row, quantity, stays_fen)
            lines.append(line)
            loose += _loosen(held, row.line_no, line["freed"])
    if not lines:
        raise BillNotRefundable(number=number, why=words("没有选择要退的项目和数量"))
    return Plan(lines, loose, left, rest_fen)


def _amount(row: Any, quantity: int) -> int:
    """What a quantity of the line costs, as the center is told of it; the whole line costs what was paid for it."""
    if quantity == row.quantity:
        return int(row.amount_fen)
    units = Decimal(quantity) if row.split else Decimal(quantity) / row.described["pack_size"]
    return fen(row.price, units)


def _line(row: Any, quantity: int, stays_fen: int) -> dict[str, Any]:
    if quantity > refundable(row):
        size = size_of(row)
        raise RefundTooMuch(
            name=row.described["name"], left=refundable(row) // size, unit=unit_of(row), handed=row.handed_over // size
        )
    returned = min(quantity, row.came_back - (row.refunded - row.freed))
    amount_fen = row.amount_fen - row.given_fen - stays_fen
    return {
        "line_no": row.line_no,
        "quantity": quantity,
        "freed": quantity - max(0, returned),
        "amount_fen": amount_fen,
    }


def unit_of(row: Any) -> str:
    """The unit the line is counted in."""
    return str(row.described["base_unit" if size_of(row) == 1 else "pack_unit"])


def _loosen(held: list[dict[str, Any]], line_no: int, quantity: int) -> list[dict[str, Any]]:
    """Take so much off what the line holds; the picks are used up as lines go."""
    found = []
    for pick in held:
        if pick["line_no"] == line_no and quantity and pick["held"]:
            part = min(quantity, pick["held"])
            pick["held"] -= part
            quantity -= part
            found.append({"line_no": line_no, "lot_id": pick["lot_id"], "zone": pick["zone"], "quantity": part})
    return found


def why_second(*, late: bool, resettles: bool) -> Words | None:
    """Why a second person has to agree; none when nobody has to (DOMAIN 1.7)."""
    if late:
        return words("非当日的退费")
    return words("医保单部分退费会重新结算") if resettles else None
