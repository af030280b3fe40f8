"""Goods go from one zone of a facility to another (移库): received goods to the shelf, the shelf to the cold store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, Several, words
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, rulebook
from app.facility.stock.ledger import Story, as_json
from app.facility.stock.transfers import rules, statements
from app.facility.stock.transfers.errors import MoveNotPosted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.tenancy import Desk


@dataclass(frozen=True, slots=True)
class Shift:
    """So many base units of a lot from one zone to another, with the codes scanned."""

    lot_id: int
    from_zone: str
    to_zone: str
    quantity: int
    codes: tuple[str, ...] = ()


@hot_action
def move_goods(desk: Desk, document_id: UUID, shifts: Sequence[Shift], reason: str) -> str:
    """Move goods between zones of this facility and write the paper (移库单); returns its number.

    The same paper sent again returns its number. Raises MoveNotPosted, what the ledger refuses, DocumentChanged.
    """
    digest = hashlib.sha256(msgspec.json.encode([list(shifts), reason])).digest()
    keys = {**desk.keys, "document": document_id, "at": clock.now()}
    _check(shifts, reason)
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_MOVE, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return str(known[0].number)
        moves = [
            ledger.Move(number, each.lot_id, each.quantity, each.from_zone, each.to_zone, each.codes)
            for number, each in enumerate(shifts, 1)
        ]
        posted = ledger.post(hot, desk, rulebook.ACTS["move"], document_id, clock.now(), moves, Story(reason))
        rows = [
            {"line_no": move.line_no, "lot_id": move.lot_id, "from_zone": move.from_zone, "to_zone": move.to_zone, "quantity": move.quantity}
            for move in moves
        ]  # fmt: skip
        paper = {
            **keys,
            "number": posted.number,
            "digest": digest,
            "reason": reason,
            "today": clock.business_date(),
            "lines": as_json(rows),
        }
        try:
            hot.run_last(statements.WRITE_MOVE, paper)
        except pg.UniqueViolation as twin:
            raise pg.SerializationFailure from twin  # The same paper arrived twice at once: start again and find it.
        return posted.number


def _check(shifts: Sequence[Shift], reason: str) -> None:
    problems = []
    if not 1 <= len(reason) <= rules.MOST_NOTE:
        problems.append(words("请写移库的原因，最多 {most} 个字。", most=rules.MOST_NOTE))
    if not 1 <= len(shifts) <= rules.MOST_LINES:
        problems.append(words("移库单要有 1 到 {most} 行。", most=rules.MOST_LINES))
    if len({(each.lot_id, each.from_zone) for each in shifts}) < len(shifts):
        problems.append(words("同一批号写了两行，请合成一行。"))
    if any(each.from_zone == each.to_zone for each in shifts):
        problems.append(words("移出和移入是同一个库区。"))
    if any(not 1 <= each.quantity <= 10**12 for each in shifts):
        problems.append(words("数量没有填对，请填大于 0 的整数。"))
    if problems:
        raise MoveNotPosted(problems=Several(problems, between=" "))
