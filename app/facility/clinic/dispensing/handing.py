"""Handing over (发药): two people, each pack by its code, out of what the bill holds; and what keeps a sheet waiting."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, words
from app.core.personal import mask_name
from app.facility.clinic.charging import sheets
from app.facility.clinic.desk.rules import MEDICINES
from app.facility.clinic.dispensing import rules, statements
from app.facility.clinic.dispensing.errors import (
    CodeNotFor,
    NothingToHand,
    NothingToOpen,
    NotToDispense,
    Paused,
    PauseIncomplete,
    SameEyes,
    SkinTestMissing,
    SkinTestPositive,
    SubstitutionWaits,
)
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.review.rules import STATES
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, rulebook
from app.facility.stock.ledger import Move, Story, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.errors import Words
    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.clinic.dispensing.rules import Line, Part, Plan, Scanned, Take


MOST_REASON = 200


def digest_of(*told: Any) -> bytes:
    """What a document says, so that the same id with other content is noticed."""
    return hashlib.sha256(msgspec.json.encode(told)).digest()


def lines_of(rows: Sequence[Any]) -> dict[int, Line]:
    """The lines of a sheet's bill by their number."""
    return {row.line_no: msgspec.convert(row._asdict(), rules.Line) for row in rows}


def open_sheet(
    hot: Hot, keys: dict[str, Any], act: Words, states: tuple[str, ...] = ("CHARGED", "DISPENSING")
) -> tuple[Any, dict[int, Line]]:
    """A paid sheet, locked with its lines; its bill is put into the keys. Raises NotFound, NotToDispense."""
    found = hot.run(statements.LOCK, keys)
    if not found:
        raise NotFound
    sheet = found[0]
    if sheet.state not in states or sheet.bill_state != "settled":
        raise NotToDispense(number=sheet.number, state=STATES[sheet.state], act=act)
    keys["bill"] = sheet.bill_id
    hot.run(statements.LOCK_LINES, keys)
    return sheet, lines_of(hot.run(statements.LINES, keys))


@hot_action
def hand_over(desk: Desk, handing_id: UUID, order_id: UUID, takes: Sequence[Take], checker: tuple[int, str]) -> str:
    """Hand over medicines of a paid sheet (发药), all of it or a part; returns the number. `checker` is who checked it.

    Goods leave the shelf and the codes with them, the reservation ends, the center is told. Sent again it changes nothing. Raises SameEyes,
    NotPractitioner, NotEligible, NotToDispense, Paused, SkinTestMissing, SkinTestPositive, SubstitutionWaits, NothingToHand, MoreThanLeft, PackClosed, CodeNotFor, LotReasonMissing,
    StockNotMovable, CodesDoNotFit …
    """
    takes = [take for take in takes if take.quantity or take.codes]
    digest, at = digest_of(str(order_id), takes, checker[0]), clock.now()
    keys: dict[str, Any] = {
        **desk.keys,
        "id": handing_id,
        "order": order_id,
        "at": at,
        "checker": checker[0],
        "digest": digest,
    }
    if checker[0] == desk.staff_id:
        raise SameEyes
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN, keys):
            return _known(known[0], digest)
        sheet, lines = open_sheet(hot, keys, words("发药"))
        practice.check_staff(hot, desk, checker[0], emergency=sheet.tag == "emergency")
        _check(sheet, lines, takes)
        planned = rules.plan(lines, takes, _scanned(hot, keys, lines, takes), clock.business_date())
        _lock_lots(hot, keys, planned)

        def write() -> str:
            number = ledger.number_for(hot, desk, "D", clock.business_date())
            hot.run(statements.HAND_OVER, {**keys, "number": number, **_written(sheet, lines, takes, planned)})
            return number

        moves = [
            Move(
                n,
                part.lot_id,
                part.quantity,
                part.zone,
                "",
                part.codes,
                release=part.release,
                told=_told(part, lines[part.line_no]),
            )
            for n, part in enumerate(planned.parts, 1)
        ]
        story = Story(reason=_reason(lines, takes), approver=checker[1], counterpart=sheet.number)
        return ledger.post(hot, desk, rulebook.ACTS["dispense"], handing_id, at, moves, story, number=write).number


def _told(part: Part, line: Line) -> dict[str, Any]:
    """What the center is told of a line besides: the lot that was passed over, the product it goes instead of, and why."""
    told: dict[str, Any] = {}
    if passed := part.passed:
        told["passed_over"] = {"lot": passed.lot_number, "expires_on": passed.expires_on, "reason": part.lot_reason}
    if swap := line.swap:
        product = {name: line.ordered[name] for name in ("code", "national", "name", "spec", "maker")} | {"rx": line.ordered["rx_class"]}  # fmt: skip
        told["instead_of"] = {"product": product, "reason": swap.reason, "proposed_by": _masked(swap.by), "consented_by": _masked(swap.answered_by or "")}  # fmt: skip
    return told


def _reason(lines: Mapping[int, Line], takes: Sequence[Take]) -> str:
    """What the center reads at the hand-over: what went instead of what, where another product did."""
    gone = [lines[take.line_no] for take in takes if lines[take.line_no].swap]
    told = [f"{line.name} {line.described['maker']} 代替 {line.ordered['maker']}" for line in gone]
    return f"发药；换药：{'、'.join(told)}"[:MOST_REASON] if told else "发药"


def _masked(who: str) -> str:
    number, _sep, name = who.partition(" ")
    return f"{number} {mask_name(name)}"


def _known(row: Any, digest: bytes) -> str:
    if bytes(row.digest) != digest:
        raise DocumentChanged
    return str(row.number)


def _check(sheet: Any, lines: Mapping[int, Line], takes: Sequence[Take]) -> None:
    if sheet.kind not in MEDICINES or not takes or any(take.line_no not in lines for take in takes):
        raise NothingToHand
    if len({take.line_no for take in takes}) < len(takes):
        raise NothingToHand
    if sheet.paused:
        raise Paused(number=sheet.number, reason=sheet.paused)
    for take in takes:
        check_waiting(lines[take.line_no])
        check_tested(lines[take.line_no])


def check_waiting(line: Line) -> None:
    """Nothing of a line goes while its prescriber has not said whether another product may. Raises SubstitutionWaits."""
    if line.waiting:
        raise SubstitutionWaits(name=line.name, maker=line.waiting.described["maker"])


def check_tested(line: Line) -> None:
    """What needs a skin test goes nowhere without a negative one. Raises SkinTestMissing, SkinTestPositive."""
    if line.skin_test and line.tested == "positive":
        raise SkinTestPositive(name=line.name)
    if line.skin_test and line.tested != "negative":
        raise SkinTestMissing(name=line.name)


def _scanned(hot: Hot, keys: dict[str, Any], lines: Mapping[int, Line], takes: Sequence[Take]) -> dict[str, Scanned]:
    codes = sorted({code for take in takes for code in take.codes})
    if not codes:
        return {}
    found = {
        row.code: msgspec.convert(row._asdict(), rules.Scanned)
        for row in hot.run(statements.CODES, {**keys, "codes": codes})
    }
    for take in takes:
        for code in take.codes:
            check_code(found.get(code), code, lines[take.line_no])
    return found


def check_code(pack: Scanned | None, code: str, line: Line) -> None:
    """A scanned pack must be of the drug of the line and stand on the shelf. Raises CodeNotFor."""
    if pack is None:
        raise CodeNotFor(tail=code[-6:], why=words("本机构没有入过这一盒"))
    if pack.product_id != line.product_id:
        raise CodeNotFor(
            tail=code[-6:],
            why=words("不是 {name}，处方上的药不能换；同一种药别的厂家，按「换药」请医师同意", name=line.name),
        )
    if pack.state != "IN_STOCK" or pack.zone not in rulebook.SELLING:
        raise CodeNotFor(
            tail=code[-6:], why=words("现在是「{state}」，不能发", state=words(rulebook.STATE_WORDS[pack.state]))
        )


def _lock_lots(hot: Hot, keys: dict[str, Any], planned: Plan) -> None:
    lots = sorted({part.lot_id for part in planned.parts} | {lot for lot, _zone in planned.freed})
    hot.run(statements.LOCK_LOTS, {**keys, "lots": lots})


def _written(sheet: Any, lines: Mapping[int, Line], takes: Sequence[Take], planned: Plan) -> dict[str, Any]:
    given = {take.line_no: take.quantity for take in takes}
    for number, quantity in given.items():
        lines[number].handed_over += quantity
    for ended in planned.ended:
        line = lines[ended["line_no"]]
        for pick in line.picks:
            if (pick.version, pick.lot_id, pick.zone) == (ended["version"], ended["lot_id"], ended["zone"]):
                pick.held -= ended["quantity"]
    freed = [{"lot_id": lot, "zone": zone, "quantity": quantity} for (lot, zone), quantity in planned.freed.items()]
    parts = [{"n": n, **msgspec.to_builtins(part), "passed": part.passed and part.passed.lot_id, "substitution": (swap := lines[part.line_no].swap) and swap.id} for n, part in enumerate(planned.parts, 1)]  # fmt: skip
    return {
        "takes": as_json([{"line_no": line, "quantity": quantity} for line, quantity in given.items()]), "ended": as_json(_summed(planned.ended)),
        "freed": as_json(freed), "parts": as_json(parts), "rest": any(line.left for line in lines.values()), "state": sheets.becomes(sheet.kind, list(lines.values())),
    }  # fmt: skip


def _summed(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each pick once: one statement changes a row once."""
    sums: dict[tuple[Any, ...], int] = {}
    for row in rows:
        place = (row["line_no"], row["version"], row["lot_id"], row["zone"])
        sums[place] = sums.get(place, 0) + row["quantity"]
    names = ("line_no", "version", "lot_id", "zone")
    return [{**dict(zip(names, place, strict=True)), "quantity": quantity} for place, quantity in sums.items()]


# ---- a pack is opened ----------------------------------------------------------------------------------------------


@hot_action
def open_pack(desk: Desk, opening_id: UUID, order_id: UUID, line_no: int, code: str = "") -> None:
    """Open one pack for a line that goes by units (拆零): the scanned one, else of the lot the bill picked.

    What was held of it stays held, now in the opened pack. Raises NothingToOpen, CodeNotFor, NotToDispense, NotPractitioner, NotEligible, NotFound.
    """
    at = clock.now()
    keys: dict[str, Any] = {**desk.keys, "order": order_id, "at": at}
    with transaction(settings=desk.settings) as hot:
        sheet, lines = open_sheet(hot, keys, words("拆零"))
        practice.check_staff(hot, desk, emergency=sheet.tag == "emergency")
        line = lines.get(line_no)
        if line is None or not line.needs_opening:
            return  # Somebody opened one already.
        check_waiting(line)
        place = next(pick for pick in line.picks if pick.zone != rules.SPLIT)
        keys |= {"lot": place.lot_id, "zone": place.zone, "line": line_no}
        pack = int(line.described["pack_size"])
        picks, [balance], codes = hot.run_all(
            [(statements.LOOSE_PICKS, keys), (statements.BALANCE, keys), (statements.PACK_CODE, keys)]
        )
        moved = _carried(picks, balance, pack)
        if moved is None:
            raise NothingToOpen(name=line.name)
        if code:
            _check_opened(hot, keys, line, code, place.lot_id)

        def repick() -> str:
            hot.run(statements.REPICK, {**keys, "moved": as_json(moved)})
            return ledger.number_for(hot, desk, "K", clock.business_date())

        chosen = (code,) if code else (str(codes[0].code),) if codes else ()
        move = Move(
            1, place.lot_id, pack, place.zone, rules.SPLIT, chosen, release=sum(one["quantity"] for one in moved)
        )
        ledger.post(hot, desk, rulebook.ACTS["split"], opening_id, at, [move], number=repick)


def _carried(picks: Sequence[Any], balance: Any, pack: int) -> list[dict[str, Any]] | None:
    """Whose units go along into the opened pack: the own first, others as far as the closed ones cannot hold them."""
    moved: list[dict[str, Any]] = []
    taken = 0
    for n, pick in enumerate(picks):
        over = balance.reserved - taken - (balance.on_hand - pack)  # Reserved beyond what stays closed.
        quantity = min(pick.held, pack - taken) if n == 0 else min(pick.held, pack - taken, max(0, over))
        if quantity > 0:
            taken += quantity
            moved.append(
                {"bill_id": str(pick.bill_id), "version": pick.version, "line_no": pick.line_no, "quantity": quantity}
            )
    return moved if moved and balance.on_hand - balance.reserved + taken >= pack else None


def _check_opened(hot: Hot, keys: dict[str, Any], line: Line, code: str, lot_id: int) -> None:
    rows = hot.run(statements.CODES, {**keys, "codes": [code]})
    pack = msgspec.convert(rows[0]._asdict(), rules.Scanned) if rows else None
    check_code(pack, code, line)
    if pack and pack.lot_id != lot_id:
        raise CodeNotFor(tail=code[-6:], why=words("是另一个批号，拆零请拆收费时占用的批号"))


# ---- pause ---------------------------------------------------------------------------------------------------------


@hot_action
def pause(desk: Desk, event_id: UUID, order_id: UUID, reason: str) -> None:
    """Stop a sheet with a reason (暂停发药), or go on when none is given. Raises PauseIncomplete, NotToDispense, NotPractitioner, NotEligible, NotFound."""
    reason = reason.strip()
    if len(reason) > rules.MOST_NOTE:
        raise PauseIncomplete
    keys: dict[str, Any] = {
        **desk.keys,
        "id": event_id,
        "order": order_id,
        "at": clock.now(),
        "reason": reason,
        "begins": bool(reason),
    }
    keys["digest"] = digest_of(str(order_id), reason)
    with transaction(settings=desk.settings) as hot:
        sheet, _lines = open_sheet(hot, keys, words("暂停"))
        if known := hot.run(statements.KNOWN_PAUSE, keys):
            if bytes(known[0].digest) != keys["digest"]:
                raise DocumentChanged
            return
        practice.check_staff(hot, desk, emergency=sheet.tag == "emergency")
        if bool(sheet.paused) != bool(reason):
            hot.run_last(statements.PAUSE, keys)
