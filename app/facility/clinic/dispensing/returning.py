"""Taking back (退药): what was handed over comes back for a reason on our side only, and goes to quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from app.core import clock
from app.core.errors import DocumentChanged, words
from app.facility.clinic.charging import sheets
from app.facility.clinic.dispensing import handing, rules, statements
from app.facility.clinic.dispensing.errors import ReturnIncomplete
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.terms import usage
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, rulebook
from app.facility.stock.ledger import Move, Story, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.tenancy import Desk


class Back(msgspec.Struct, frozen=True):
    """What of one line that was handed over comes back, in base units, with the codes of its packs."""

    dispensing_id: UUID
    line_no: int
    quantity: int
    codes: tuple[str, ...] = ()


@hot_action
def take_back(
    desk: Desk, return_id: UUID, order_id: UUID, backs: Sequence[Back], reason: str, note: str, second: tuple[int, str]
) -> str:
    """Take back what was handed over (退药), into quarantine, with another person; returns the number. The cashier may give the money back then.

    Sent again it changes nothing. Raises ReturnIncomplete, NotPractitioner, NotEligible, NotToDispense, CodesDoNotFit, DocumentChanged, NotFound.
    """
    note, backs = note.strip(), [one for one in backs if one.quantity]
    if reason not in rules.RETURNS or not 1 <= len(note) <= rules.MOST_NOTE or second[0] == desk.staff_id:
        raise ReturnIncomplete(
            why=words("药发出后，只有质量问题、发药差错、医师开错或召回才能退；要写明情况，并由另一人核对")
        )
    digest, at = handing.digest_of(str(order_id), backs, reason, note, second[0]), clock.now()
    keys: dict[str, Any] = {
        **desk.keys, "id": return_id, "order": order_id, "at": at, "digest": digest, "reason": reason, "note": note, "second": second[0],
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_RETURN, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return str(known[0].number)
        sheet, lines = handing.open_sheet(hot, keys, words("退药"), ("DISPENSING", "DONE"))
        practice.check_staff(hot, desk, second[0], emergency=sheet.tag == "emergency")
        given = {(row.dispensing_id, row.line_no): row for row in hot.run(statements.GIVEN, keys)}
        moves, parts, sums = _planned(given, backs)
        for number, quantity in sums.items():
            lines[number].came_back += quantity
        state = sheets.becomes(sheet.kind, list(lines.values()))

        def write() -> str:
            number = ledger.number_for(hot, desk, "D", clock.business_date())
            back = [{"line_no": line, "quantity": quantity} for line, quantity in sums.items()]
            hot.run(
                statements.TAKE_BACK,
                {**keys, "number": number, "state": state, "back": as_json(back), "parts": as_json(parts)},
            )
            return number

        story = Story(reason=str(rules.RETURNS[reason]), approver=second[1], counterpart=sheet.number)
        return ledger.post(hot, desk, rulebook.ACTS["take_back"], return_id, at, moves, story, number=write).number


def _planned(
    given: Mapping[tuple[UUID, int], Any], backs: Sequence[Back]
) -> tuple[list[Move], list[dict[str, Any]], dict[int, int]]:
    if not backs or len({(one.dispensing_id, one.line_no) for one in backs}) < len(backs):
        raise ReturnIncomplete(why=words("没有选要退的药"))
    moves, parts = [], []
    sums: dict[int, int] = {}
    for n, one in enumerate(backs, 1):
        row = given.get((one.dispensing_id, one.line_no))
        if row is None:
            raise ReturnIncomplete(why=words("没有选要退的药"))
        _check(row, one)
        moves.append(Move(n, row.lot_id, one.quantity, "", "QUARANTINE", one.codes, original=one.dispensing_id))
        parts.append(
            {
                "n": n,
                "dispensing_id": str(one.dispensing_id),
                "line_no": one.line_no,
                "quantity": one.quantity,
                "codes": list(one.codes),
            }
        )
        sums[row.bill_line_no] = sums.get(row.bill_line_no, 0) + one.quantity
    return moves, parts, sums


def _check(row: Any, one: Back) -> None:
    name, left = row.described["name"], row.quantity - row.back
    if not 0 < one.quantity <= left:
        raise ReturnIncomplete(
            why=words("{name} 发出的只剩 {left} 可退，请改数量", name=name, left=usage.amount_of(row, left))
        )
    out = set(row.codes) - set(row.codes_back)
    if row.codes and (not set(one.codes) <= out or len(one.codes) * row.described["pack_size"] != one.quantity):
        raise ReturnIncomplete(why=words("{name} 请扫要退的每一盒，要是这次发出去的那几盒", name=name))
    if not row.codes and one.codes:
        raise ReturnIncomplete(why=words("{name} 发出时没有扫码", name=name))
