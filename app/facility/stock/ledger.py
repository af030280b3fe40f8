"""The one way in which the stock room changes stock: checked against the rulebook, posted, told, in one transaction.

Acts write their own paper first, then call `post` once with all lines; it takes the locks in the order of the house (lots,
codes, head) and the stream's head last. The counter's sales and returns post through the same database function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import Several, words
from app.facility.stock import events, rulebook, statements
from app.facility.stock.errors import CodesDoNotFit, NotEnoughInZone, StockNotMovable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.stock.rulebook import Act

MOST_MOVES = 500
_json = msgspec.json.Encoder(decimal_format="string").encode


@dataclass(frozen=True, slots=True)
class Move:
    """One line: so many base units of a lot from a zone to a zone; `""` is outside the house. Codes name the packs.

    `by` gives the line an act of its own where a document mixes several (a count gains here and loses there).
    """

    line_no: int
    lot_id: int
    quantity: int
    from_zone: str = ""
    to_zone: str = ""
    codes: tuple[str, ...] = ()
    by: Act | None = None
    release: int = 0  # How much of it was reserved for whoever gets it; the reservation ends with the move.
    original: UUID | None = None  # The hand-over it comes back from.
    told: Mapping[str, Any] | None = None  # What the fact says of the line besides.


@dataclass(frozen=True, slots=True)
class Story:
    """What the fact says beside the lines. Operator and approver are numbers with masked names, never personal data."""

    reason: str = ""
    approver: str = ""
    counterpart: str = ""  # The other facility's national code, or the supplier's name.


@dataclass(frozen=True, slots=True)
class Posted:
    """The number a paper got, and what the center is told of it."""

    number: str
    fact: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A code that goes with a line, and how many of its units."""

    row: Any
    units: int


@dataclass(slots=True)
class _Found:
    """What the lots, zones and codes of the lines hold, locked."""

    lots: dict[int, Any]
    zones: dict[tuple[int, str], Any]
    codes: dict[str, Any] = field(default_factory=dict)


def number_for(hot: Hot, desk: Desk, letter: str, today: date, facility_id: int | None = None) -> str:
    """Give the next paper its number, e.g. K26-1122-0003. It locks the facility's head: call it after every other lock."""
    keys = {"tenant": desk.tenant_id, "facility": facility_id or desk.facility_id, "letter": letter, "today": today}
    return str(hot.run(statements.NUMBER, keys)[0].number)


def post(
    hot: Hot,
    desk: Desk,
    act: Act,
    document: UUID,
    at: datetime,
    moves: Sequence[Move],
    story: Story | None = None,
    *,
    number: str | Callable[[], str] = "",
    letter: str = "K",
    facility_id: int | None = None,
    tell: bool = True,
) -> Posted:
    """Move goods as an act allows and tell the center. A paper without a number gets one, with this letter.

    `number` may be the act that writes the paper and returns its number from the head: it is called when all other locks are held.
    With `tell` false the fact is only returned, for acts that tell several at their end (`append`). Where no codes are named and the whole zone of a lot goes, its codes go along. Raises StockNotMovable (all problems at
    once), NotEnoughInZone, CodesDoNotFit; nothing is changed then.
    """
    assert moves
    assert len(moves) <= MOST_MOVES
    keys = {
        "tenant": desk.tenant_id, "facility": facility_id or desk.facility_id, "staff": desk.staff_id, "document": document, "at": at
    }  # fmt: skip
    found = _look(hot, keys, act, moves)
    _check(hot, keys, act, moves, found)
    taken = {move.line_no: _codes_of(act, move, found) for move in moves}
    _write(hot, keys, act, moves, taken)
    number = (
        number() if callable(number) else number or number_for(hot, desk, letter, clock.business_date(), facility_id)
    )
    fact = _fact(desk, act, document, number, at, moves, found, taken, story or Story())
    if tell:
        append(hot, desk, fact, facility_id)
    return Posted(number, fact)


def append(hot: Hot, desk: Desk, fact: str, facility_id: int | None = None) -> None:
    """Put a fact into a facility's stream. Several facilities' facts go in the order of their ids."""
    hot.run(statements.APPEND, {"tenant": desk.tenant_id, "facility": facility_id or desk.facility_id, "facts": fact})


def _look(hot: Hot, keys: Mapping[str, Any], act: Act, moves: Sequence[Move]) -> _Found:
    lots = sorted({move.lot_id for move in moves})
    named = sorted({code for move in moves for code in move.codes})
    batch: list[tuple[str, dict[str, Any]]] = [
        (statements.LOCK_BALANCES, {**keys, "lots": lots}),
        (statements.READ_LOTS, {**keys, "lots": lots}),
    ]
    if named:
        batch.append((statements.LOCK_CODES, {**keys, "codes": named}))
    answers = hot.run_all(batch)
    zones = {(row.lot_id, row.zone): row for row in answers[0]}
    found = _Found({row.id: row for row in answers[1]}, zones)
    if named:
        found.codes = {row.code: row for row in answers[2]}
    whole = sorted(
        {move.lot_id for move in moves if not move.codes and (move.by or act).codes_from and _goes_whole(move, found)}
    )
    if whole:  # The codes of what goes as a whole go along; they are locked like the others.
        found.codes |= {row.code: row for row in hot.run(statements.LOCK_CODES_OF_LOTS, {**keys, "lots": whole})}
    return found


def _goes_whole(move: Move, found: _Found) -> bool:
    place = found.zones.get((move.lot_id, move.from_zone))
    return (
        place is not None and bool(place.coded) and (place.on_hand == move.quantity or move.from_zone == rulebook.SPLIT)
    )


def _check(hot: Hot, keys: Mapping[str, Any], act: Act, moves: Sequence[Move], found: _Found) -> None:
    today = clock.business_date()
    problems = [text for move in moves for text in _problems(move.by or act, move, found, today)]
    if problems:
        raise StockNotMovable(problems=Several(problems[:20], between=" "))
    if lacking := list(_lacking(moves, found)):
        asked = {**keys, "lots": list(found.lots), "today": clock.business_date()}
        veiled = {row.product_id for row in hot.run(statements.COUNTED_BLIND, asked)}
        short = [_shortage(found.lots[lot], zone, free, wanted, veiled) for lot, zone, free, wanted in lacking]
        raise NotEnoughInZone(shortages=Several(short[:10], between=" "))


def _problems(act: Act, move: Move, found: _Found, today: date) -> Iterable[str]:
    lot = found.lots.get(move.lot_id)
    if lot is None or move.quantity < 1:
        yield words("第 {n} 行没有这个批号，或数量不对。", n=move.line_no)
        return
    name = {"name": lot.name, "lot": lot.lot_number, "act": words(act.word)}
    if move.from_zone not in (act.leaves or ("",)) or move.to_zone not in (act.enters or ("",)):
        yield words("{name} {lot}：{act}不能从这个库区到那个库区。", **name)
    if lot.expires_on < today and "expired" not in act.takes:
        yield words("{name} {lot} 已过效期，不能{act}；请转不合格区。", **name)
    if lot.hold == "frozen" and "frozen" not in act.takes:
        yield words("{name} {lot} 已锁定，不能{act}；请先由另一人解除锁定，或转待处理区。", **name)
    if lot.hold == "recalled" and "recalled" not in act.takes:
        yield words("{name} {lot} 已召回，不能{act}；只能转待处理区、退供应商或销毁。", **name)
    if move.to_zone in rulebook.SELLING and (other := _other_home(move, found)):
        yield words(
            "{name} {lot} 还有货在{zone}，同一批号的整盒要放在一起；请全部移过来。",
            zone=words(rulebook.ZONE_WORDS[other]),
            **name,
        )


def _other_home(move: Move, found: _Found) -> str:
    """The other selling zone in which whole packs of this lot lie and would stay; empty when there is none."""
    for zone in rulebook.SELLING:
        place = found.zones.get((move.lot_id, zone))
        stays = place.on_hand - (move.quantity if zone == move.from_zone else 0) if place else 0
        if zone != move.to_zone and stays > 0:
            return zone
    return ""


def _lacking(moves: Sequence[Move], found: _Found) -> Iterable[tuple[int, str, int, int]]:
    """Of which lot and zone more would go than is free there: how much is, how much would go."""
    wanted: dict[tuple[int, str], int] = {}
    own: dict[tuple[int, str], int] = {}
    for move in moves:
        if move.from_zone:
            wanted[move.lot_id, move.from_zone] = wanted.get((move.lot_id, move.from_zone), 0) + move.quantity
            own[move.lot_id, move.from_zone] = own.get((move.lot_id, move.from_zone), 0) + move.release
    for (lot_id, zone), quantity in sorted(wanted.items()):
        place = found.zones.get((lot_id, zone))
        free = place.on_hand - place.reserved + own[lot_id, zone] if place else 0
        if free < quantity:
            yield lot_id, zone, free, quantity


def _shortage(lot: Any, zone: str, free: int, quantity: int, veiled: set[int]) -> str:
    """What is short, in words; not how much there is, to somebody who counts it blind."""
    packs = free % lot.pack_size == 0 == quantity % lot.pack_size
    size, unit = (lot.pack_size, lot.pack_unit) if packs else (1, lot.base_unit)
    named = {"name": lot.name, "lot": lot.lot_number, "zone": words(rulebook.ZONE_WORDS[zone]), "unit": unit, "quantity": quantity // size}  # fmt: skip
    if lot.product_id in veiled:
        return words("{name} {lot} 在{zone}可动的不到 {quantity} {unit}。", **named)
    return words("{name} {lot} 在{zone}只有 {free} {unit}可动，要动 {quantity}。", free=free // size, **named)


def _codes_of(act: Act, move: Move, found: _Found) -> list[Taken]:
    """The codes that go with a line: those named; all of the zone when all of it goes; of opened packs as many units as go."""
    act, lot = move.by or act, found.lots[move.lot_id]
    place = found.zones.get((move.lot_id, move.from_zone))
    on_hand, in_codes = (place.on_hand, int(place.in_codes)) if place else (0, 0)
    loose = on_hand - in_codes
    if move.codes:
        return _named(act, move, lot, loose, found)
    if not in_codes or move.quantity <= loose or not move.from_zone or not act.codes_from:
        return []
    here = [row for row in found.codes.values() if (row.lot_id, row.zone) == (move.lot_id, move.from_zone)]
    if move.quantity == on_hand:
        return [Taken(row, row.remaining) for row in here]
    if move.from_zone == rulebook.SPLIT:
        return list(_units_of(here, move.quantity - loose))
    raise CodesDoNotFit(why=words("{name} {lot} 有追溯码，请扫要动的每一盒", name=lot.name, lot=lot.lot_number))


def _named(act: Act, move: Move, lot: Any, loose: int, found: _Found) -> list[Taken]:
    rows = [_usable(act, move, lot, code, found) for code in move.codes]
    if act.back:
        return _coming_back(move, lot, rows)
    held = sum(row.remaining for row in rows)
    if move.from_zone == rulebook.SPLIT and held - rows[-1].remaining < move.quantity < held:
        return list(_units_of(rows, move.quantity))  # A part of the pack scanned last.
    # Packs without a code may go along, but never more of them than lie there; what comes in anew has its codes only.
    room = loose if move.from_zone else move.quantity
    if not 0 <= move.quantity - held <= room:
        raise CodesDoNotFit(
            why=words(
                "{name} {lot} 扫了 {codes} 个码，与数量对不上", name=lot.name, lot=lot.lot_number, codes=len(rows)
            )
        )
    return [Taken(row, row.remaining) for row in rows]


def _coming_back(move: Move, lot: Any, rows: Sequence[Any]) -> list[Taken]:
    """Whole packs that were handed over and come back: each is full again."""
    if move.quantity != len(rows) * lot.pack_size or any(row.remaining or row.lot_id != lot.id for row in rows):
        raise CodesDoNotFit(
            why=words(
                "{name} {lot} 扫了 {codes} 个码，与数量对不上", name=lot.name, lot=lot.lot_number, codes=len(rows)
            )
        )
    return [Taken(row, lot.pack_size) for row in rows]


def _units_of(rows: Sequence[Any], wanted: int) -> Iterable[Taken]:
    """Single units of opened packs, one pack after the other; what a basket has reserved stays."""
    for row in rows:
        units = min(wanted, row.remaining - row.reserved)
        if units > 0:
            wanted -= units
            yield Taken(row, units)


def _usable(act: Act, move: Move, lot: Any, code: str, found: _Found) -> Any:
    row = found.codes.get(code)
    if row is None or row.product_id != lot.product_id:
        raise CodesDoNotFit(why=words("追溯码 …{tail} 不是 {name} 的码", tail=code[-6:], name=lot.name))
    elsewhere = bool(move.from_zone) and (row.lot_id, row.zone) != (move.lot_id, move.from_zone)
    if row.state not in act.codes_from or row.reserved or elsewhere:
        raise CodesDoNotFit(
            why=words(
                "追溯码 …{tail} 现在是「{state}」，不在这个批号和库区",
                tail=code[-6:],
                state=words(rulebook.STATE_WORDS[row.state]),
            )
        )
    return row


def _write(
    hot: Hot, keys: Mapping[str, Any], act: Act, moves: Sequence[Move], taken: Mapping[int, Sequence[Taken]]
) -> None:
    batch: list[tuple[str, dict[str, Any]]] = [(statements.POST, {**keys, "rows": as_json(_rows(act, moves))})]
    codes = [
        _placed(move.by or act, move, each) for move in moves for each in taken[move.line_no]
    ]  # fmt: skip
    if len({row["code"] for row in codes}) < len(codes):
        raise CodesDoNotFit(why=words("同一个追溯码扫了两次"))
    if codes:
        batch += [(statements.PLACE_CODES, {**keys, "codes": as_json(codes)})]
    placed = hot.run_all(batch)
    if codes and placed[1][0].placed != len(codes):
        raise pg.SerializationFailure  # A code changed under us: look again.


def _placed(act: Act, move: Move, taken: Taken) -> dict[str, Any]:
    """Where a code is afterwards. A pack of which only units go stays where it is, with less in it."""
    row, goes = taken.row, bool(act.back) or taken.units == taken.row.remaining
    state = act.back or (rulebook.state_in(move.to_zone) if move.to_zone else act.gone or row.state)
    less = -taken.units if act.back else taken.units if not goes or state == "SOLD" else 0
    return {
        "code": row.code, "line_no": move.line_no, "kind": act.kind, "quantity": taken.units,
        "lot_id": move.lot_id if goes else row.lot_id, "zone": (move.to_zone or row.zone) if goes else row.zone,
        "state": state if goes else row.state, "less": less,
    }  # fmt: skip


def _rows(act: Act, moves: Sequence[Move]) -> list[dict[str, Any]]:
    rows = []
    for move in moves:
        for zone, sign in ((move.from_zone, -1), (move.to_zone, 1)):
            if zone:
                kind = (move.by or act).kind
                release = move.release if sign < 0 else 0
                rows.append({"line_no": move.line_no, "lot_id": move.lot_id, "zone": zone, "kind": kind, "quantity": sign * move.quantity, "release": release})  # fmt: skip
    return rows


def _fact(
    desk: Desk,
    act: Act,
    document: UUID,
    number: str,
    at: datetime,
    moves: Sequence[Move],
    found: _Found,
    taken: Mapping[int, Sequence[Taken]],
    story: Story,
) -> str:
    lines = [_fact_line(move, move.by or act, found.lots[move.lot_id], taken[move.line_no]) for move in moves]
    body = {
        "document": str(document), "number": number, "act": act.code, "at": at.isoformat(), "operator": desk.operator,
        "approver": story.approver or None, "reason": story.reason or None, "counterpart": story.counterpart or None, "lines": lines,
    }  # fmt: skip
    return events.as_facts("stock.moved", body)


def _fact_line(move: Move, act: Act, lot: Any, codes: Sequence[Taken]) -> dict[str, Any]:
    line = {
        "line": move.line_no, "act": act.code, "kind": act.kind, "product": events.product_of(lot._asdict()), "lot": lot.lot_number,
        "produced_on": lot.produced_on, "expires_on": lot.expires_on, "quantity": move.quantity, "pack_size": lot.pack_size,
        "from_zone": move.from_zone or None, "to_zone": move.to_zone or None, "split": rulebook.SPLIT in (move.from_zone, move.to_zone),
        "cost_price": _price(lot.cost_price), "codes": [each.row.code for each in codes],
    }  # fmt: skip
    if act.gone == "SOLD" and any(each.units != lot.pack_size for each in codes):
        line["units"] = [each.units for each in codes]
    return line | ({"original": str(move.original)} if move.original else {}) | dict(move.told or {})


def _price(price: Decimal | None) -> str | None:
    return None if price is None else f"{price:.6f}"


def as_json(value: object) -> str:
    """Rows as one jsonb parameter."""
    return _json(value).decode()
