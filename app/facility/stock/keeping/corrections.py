"""Corrections (更正): quantity, lot number, expiry and cost of a lot after it was posted. Rows are added, none is edited.

A lot's number or expiry is corrected for all of its goods in the house: they leave the wrong lot and enter the right one,
codes and hold with them. What was sold under the wrong number stays sold under it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound, Several, words
from app.facility.organizations import parameters
from app.facility.stock import ledger, recalled
from app.facility.stock.keeping import rules, statements
from app.facility.stock.keeping.errors import LotTaken, PaperNotTaken, StockHasChanged
from app.facility.stock.keeping.rules import CORRECT, Correction, Line, Paper
from app.facility.stock.ledger import Move, Story
from app.facility.stock.rulebook import ACTS, HOUSE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

HIGHEST_PRICE = Decimal(10**8)


def draft(hot: Hot, desk: Desk, wanted: Correction) -> tuple[Paper, bool]:
    """Make the paper of a correction from the lot as it is now, and say whether one person may post it."""
    lot, goods = _look(hot, desk, wanted.lot_id)
    wanted = replace(wanted, after=_written(wanted))
    before = _before(wanted.what, wanted.zone, lot, goods)
    problems = rules.correction_problems(wanted, before, clock.business_date())
    if problems or (problems := _fits(wanted, lot)):
        raise PaperNotTaken(problems=Several(problems, between=" "))
    lines = _lines(wanted, goods)
    worth = _worth(wanted, before, lot, goods)
    limit = parameters.of(desk.tenant_id).fen("correction_limit_fen")
    record = {"what": wanted.what, "before": before, "after": wanted.after, "zone": wanted.zone, "lot": str(wanted.lot_id)}  # fmt: skip
    paper = Paper(CORRECT, lines, wanted.reason, wanted.note, record)
    return paper, rules.is_alone(wanted.what, before, wanted.after, worth, limit)


def post(
    hot: Hot, desk: Desk, document: UUID, paper: Paper, number: str, second: int | None, story: Story, *, tell: bool
) -> str:
    """Make a correction true: reversing rows through the ledger, a new lot where need be, before and after on the lot."""
    record, lot_id = paper.record, int(paper.record["lot"])
    lot, goods = _look(hot, desk, lot_id)
    wanted = Correction(lot_id, record["what"], record["after"], paper.reason, paper.note, record["zone"], paper.lines[0].codes if paper.lines else ())  # fmt: skip
    if (_before(wanted.what, wanted.zone, lot, goods), _lines(wanted, goods)) != (record["before"], paper.lines):
        raise StockHasChanged(name=lot.name, lot=lot.lot_number)
    found = lot_id
    facts: list[str] = []
    if wanted.what == "quantity":
        number, facts = _quantity(hot, desk, document, paper, number, story)
    elif wanted.what in {"lot_number", "expires_on"}:
        found, number, facts = _another_lot(hot, desk, document, paper, lot, number, story)
    number = number or ledger.number_for(hot, desk, "K", clock.business_date())
    at = clock.now()
    keys = {
        **desk.keys, "lot": found, "what": wanted.what, "before": record["before"] or "—", "after": wanted.after, "reason": paper.reason,
        "document": document, "second": second, "at": at,
    }  # fmt: skip
    if wanted.what == "cost_price":
        hot.run(statements.PRICE, {**keys, "price": Decimal(wanted.after)})
    hot.run(statements.CHANGED, keys)
    if tell and found != lot_id and lot.hold:
        facts.append(ledger.as_json(recalled.arrived(hot, desk, document, number, at, [found])))
    if tell:
        for fact in facts:
            ledger.append(hot, desk, fact)
    return number


def _look(hot: Hot, desk: Desk, lot_id: int) -> tuple[Any, dict[str, int]]:
    keys = {**desk.keys, "lot": lot_id}
    lots = hot.run(statements.LOT, keys)
    if not lots:
        raise NotFound
    return lots[0], {row.zone: row.on_hand for row in hot.run(statements.GOODS, keys)}


def _before(what: str, zone: str, lot: Any, goods: Mapping[str, int]) -> str:
    if what == "quantity":
        return str(goods.get(zone, 0))
    value = getattr(lot, what, None) if what in rules.CORRECTED else None
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def _written(wanted: Correction) -> str:
    """The right value in the writing it is compared and kept in; what cannot be read is refused."""
    text = wanted.after.strip()
    try:
        if wanted.what == "quantity":
            return str(_units(text))
        if wanted.what == "expires_on":
            return date.fromisoformat(text).isoformat()
        if wanted.what == "cost_price":
            return f"{_price(text):.6f}"
    except (ValueError, InvalidOperation):
        raise PaperNotTaken(problems=words("「{field}」没有填对，请核对后再填。", field=words(rules.CORRECTED[wanted.what]))) from None  # fmt: skip
    return text


def _units(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(text)
    return int(text)


def _price(text: str) -> Decimal:
    price = Decimal(text)
    if not (price.is_finite() and 0 <= price < HIGHEST_PRICE):
        raise ValueError(text)
    return price


def _fits(wanted: Correction, lot: Any) -> list[str]:
    if wanted.what == "quantity" and wanted.zone not in HOUSE:
        return [words("请选择要更正的库区。")]
    if wanted.what == "expires_on" and lot.produced_on and wanted.after < lot.produced_on.isoformat():
        return [words("效期早于生产日期 {day}，请核对包装。", day=lot.produced_on)]
    return []


def _lines(wanted: Correction, goods: Mapping[str, int]) -> tuple[Line, ...]:
    """What moves: the difference of a quantity; everything in the house where the lot itself was wrong; nothing for a price."""
    if wanted.what == "cost_price":
        return ()
    if wanted.what == "quantity":
        more = int(wanted.after) - goods.get(wanted.zone, 0)
        out, into = (wanted.zone, "") if more < 0 else ("", wanted.zone)
        return (Line(wanted.lot_id, abs(more), out, into, wanted.codes),) if more else ()
    return tuple(Line(wanted.lot_id, quantity, zone, zone) for zone, quantity in sorted(goods.items()))


def _worth(wanted: Correction, before: str, lot: Any, goods: Mapping[str, int]) -> int | None:
    whole = sum(goods.values())
    if wanted.what == "cost_price":
        old = Decimal(before or 0)
        return rules.worth_fen(whole, lot.pack_size, abs(Decimal(wanted.after) - old))
    return rules.worth_fen(sum(line.quantity for line in _lines(wanted, goods)), lot.pack_size, lot.cost_price)


def _quantity(
    hot: Hot, desk: Desk, document: UUID, paper: Paper, number: str, story: Story
) -> tuple[str, list[str]]:  # fmt: skip
    line = paper.lines[0]
    act = rules.QUANTITY_OUT if line.from_zone else rules.QUANTITY_IN
    move = Move(1, line.lot_id, line.quantity, line.from_zone, line.to_zone, line.codes)
    posted = ledger.post(hot, desk, act, document, clock.now(), [move], story, number=number, tell=False)
    return posted.number, [posted.fact]


def _another_lot(
    hot: Hot, desk: Desk, document: UUID, paper: Paper, lot: Any, number: str, story: Story
) -> tuple[int, str, list[str]]:
    """Take all goods out of the wrong lot and into the right one, each zone's codes with them."""
    record, at = paper.record, clock.now()
    keys = {
        **desk.keys,
        "document": document,
        "at": at,
        "lot": lot.id,
        "lot_number": None,
        "expires_on": None,
        record["what"]: record["after"],
    }
    right = hot.run(statements.RIGHT_LOT, keys)[0]
    if right.hold != lot.hold:
        raise LotTaken(name=lot.name, lot=record["after"])
    codes: dict[str, list[str]] = {}
    for row in hot.run(statements.CODES_OF_LOT, keys):
        codes.setdefault(row.zone, []).append(row.code)
    facts: list[str] = []
    for act, moves in (("correct_out", _out(paper.lines)), ("correct_in", _into(paper.lines, right.id, codes))):
        if moves:
            posted = ledger.post(hot, desk, ACTS[act], document, at, moves, story, number=number, tell=False)
            number, facts = posted.number, [*facts, posted.fact]
    return int(right.id), number, facts


def _out(lines: Sequence[Line]) -> list[Move]:
    return [Move(n, line.lot_id, line.quantity, line.from_zone) for n, line in enumerate(lines, 1)]


def _into(lines: Sequence[Line], lot_id: int, codes: Mapping[str, Sequence[str]]) -> list[Move]:
    return [
        Move(len(lines) + n, lot_id, line.quantity, "", line.to_zone, tuple(codes.get(line.to_zone, ())))
        for n, line in enumerate(lines, 1)
    ]
