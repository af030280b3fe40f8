"""What people do with goods between two facilities: send, receive, settle what did not arrive. All post through the ledger."""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, faults, personal
from app.core.errors import DocumentChanged, NotFound, Several, words
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, recalled, rulebook
from app.facility.stock import statements as stock
from app.facility.stock.ledger import Move, Story, as_json
from app.facility.stock.transfers import rules, statements
from app.facility.stock.transfers.errors import (
    AlreadyReceived,
    ClaimNotSettled,
    NoSuchPlace,
    NotWithThisTransfer,
    TransferNotReceived,
    TransferNotSent,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.stock.transfers.rules import Arrived, Sent

_ACTS = rulebook.ACTS


@hot_action
def send_transfer(desk: Desk, transfer_id: UUID, to_facility_id: int, lines: Sequence[Sent], note: str = "") -> str:
    """Send goods to another facility of the organization (调拨发出); returns the transfer's number.

    They leave the shelf for the TRANSIT zone, where nobody sells them, and stay on our books until the other end has
    them. Raises TransferNotSent (all problems at once), NoSuchPlace, what the ledger refuses, DocumentChanged.
    """
    digest = _digest([to_facility_id, list(lines), note])
    at = clock.now()
    keys = {**desk.keys, "document": transfer_id, "at": at, "to": to_facility_id}
    with transaction(settings=desk.settings) as hot:
        known = hot.run(statements.BEFORE_SENDING, {**keys, "lots": [line.lot_id for line in lines]})[0]
        if known.known_number:
            return _same(known.known_number, bytes(known.known_digest), digest)
        _check_sending(known, lines, note)
        rows = [
            {"line_no": number, "lot_id": line.lot_id, "zone": line.zone, "quantity": line.quantity}
            for number, line in enumerate(lines, 1)
        ]
        paper = {**keys, "today": clock.business_date(), "digest": digest, "note": note, "lines": as_json(rows)}
        moves = [
            Move(number, line.lot_id, line.quantity, line.zone, rulebook.TRANSIT, line.codes)
            for number, line in enumerate(lines, 1)
        ]
        story = Story(note, counterpart=known.to_code)
        posted = ledger.post(
            hot, desk, _ACTS["send"], transfer_id, at, moves, story, number=lambda: _write(hot, paper), tell=False
        )
        hot.run_last(stock.APPEND, {**keys, "facts": posted.fact})
        return posted.number


def _check_sending(known: Any, lines: Sequence[Sent], note: str) -> None:
    if known.to_id is None:
        raise NoSuchPlace(why=words("不是本机构的另一个门店"))
    if known.closed_at is not None:
        raise NoSuchPlace(why=words("这个门店已停用"))
    packs = {int(lot): int(size) for lot, size in (known.packs or {}).items()}
    problems = rules.problems_of_sending(lines, packs)
    if len(note) > rules.MOST_NOTE:
        problems.append(words("备注最多 {most} 个字。", most=rules.MOST_NOTE))
    if problems:
        raise TransferNotSent(problems=Several(problems[:20], between=" "))


def _write(hot: Hot, paper: dict[str, Any]) -> str:
    try:
        return str(hot.run(statements.WRITE_SENT, paper)[0].number)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # The same transfer arrived twice at once: start again and find it.


@hot_action
def receive_transfer(desk: Desk, transfer_id: UUID, arrived: Sequence[Arrived], note: str = "") -> str:
    """Take what arrived onto our shelf (调拨收货); returns the transfer's number.

    In one transaction the goods leave the sender's TRANSIT zone and stand in ours, each under its lot; both houses tell
    the center. What did not arrive stays in TRANSIT as a difference with a reason. Only for the facility it was sent to.
    Raises NotFound, NotWithThisTransfer, TransferNotReceived, AlreadyReceived.
    """
    digest = _digest([sorted(arrived, key=lambda told: told.line_no), note])
    keys = {**desk.keys, "document": transfer_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        opened = hot.run(statements.OPEN_ARRIVAL, keys)
        if not opened:
            return _how_it_ended(hot, keys, digest)
        told = {line.line_no: line for line in arrived}
        _check_arrival(opened, told, len(arrived), note)
        facts = _hand_over(hot, desk, keys, opened, told)
        held = [row.to_lot_id for row in opened if row.hold and told[row.line_no].quantity]
        facts += _held(hot, desk, keys, str(opened[0].number), held)
        short = any(told[row.line_no].quantity < row.quantity for row in opened)
        paper = {
            **keys, "state": "claimed" if short else "received", "digest": digest, "note": note, "lines": as_json(_arrived_rows(opened, told)),
            "codes": [code for line in arrived for code in line.codes],
        }  # fmt: skip
        batch: list[tuple[str, dict[str, Any]]] = [(statements.WRITE_ARRIVED, paper)]
        # Both facts, in the order of the facilities: two transfers that cross each other never wait in a circle.
        batch += [
            (stock.APPEND, {**keys, "facility": facility, "facts": fact})
            for facility, fact in sorted(facts, key=itemgetter(0))
        ]
        hot.run_all(batch, last=True)
        return str(opened[0].number)


def _hand_over(
    hot: Hot, desk: Desk, keys: Any, opened: Sequence[Any], told: dict[int, Arrived]
) -> list[tuple[int, str]]:
    """Out of the sender's house and into ours, in the order of the facilities; nothing when nothing arrived."""
    came = [(row, told[row.line_no]) for row in opened if told[row.line_no].quantity]
    if not came:
        return []
    out = [Move(row.line_no, row.from_lot_id, line.quantity, rulebook.TRANSIT) for row, line in came]
    into = [Move(row.line_no, row.to_lot_id, line.quantity, "", line.zone, line.codes) for row, line in came]
    number, sender, receiver = str(opened[0].number), int(opened[0].from_facility_id), desk.facility_id
    facts = []
    for facility, act, moves, other in sorted(
        [(sender, "hand_over", out, opened[0].to_code), (receiver, "arrive", into, opened[0].from_code)],
        key=lambda each: each[0],
    ):
        posted = ledger.post(
            hot, desk, _ACTS[act], keys["document"], keys["at"], moves, Story(counterpart=other), number=number,
            facility_id=facility, tell=False,
        )  # fmt: skip
        facts.append((facility, posted.fact))
        faults.at("transfer.between")
    return facts


def _held(hot: Hot, desk: Desk, keys: Any, number: str, lots: Sequence[int]) -> list[tuple[int, str]]:
    """What the center hears of lots that came here recalled or locked; nothing where none did."""
    told = recalled.arrived(hot, desk, keys["document"], number, keys["at"], lots) if lots else []
    return [(desk.facility_id, as_json(told))] if told else []


def _check_arrival(opened: Sequence[Any], told: dict[int, Arrived], count: int, note: str) -> None:
    lines = [on_the_way(row) for row in opened]
    if strange := rules.strange_codes(told.values(), lines):
        raise NotWithThisTransfer(codes="、".join(strange[:5]), number=opened[0].number)
    problems = rules.problems_of_arrival(told, lines, clock.business_date())
    if count != len(told) or not told.keys() <= {line.line_no for line in lines}:
        problems.append(words("有的行不在这张调拨单上，或写了两次；请刷新页面。"))
    if len(note) > rules.MOST_NOTE:
        problems.append(words("备注最多 {most} 个字。", most=rules.MOST_NOTE))
    if problems:
        raise TransferNotReceived(problems=Several(problems[:20], between=" "))


def on_the_way(row: Any) -> rules.OnTheWay:
    """A line as the rules look at it."""
    return rules.OnTheWay(
        row.line_no, row.name, row.lot_number, row.pack_size, row.base_unit, row.quantity, row.in_codes, row.from_zone, row.expires_on, row.hold,
        row.codes or {},
    )  # fmt: skip


def _arrived_rows(opened: Sequence[Any], told: dict[int, Arrived]) -> list[dict[str, Any]]:
    """What each line's row says afterwards; a line of which nothing came has no place here yet."""
    rows = []
    for row in opened:
        line = told[row.line_no]
        came, short = line.quantity > 0, line.quantity < row.quantity
        rows.append(
            {
                "line_no": row.line_no, "quantity": line.quantity, "to_lot_id": row.to_lot_id if came else None,
                "zone": line.zone if came else None, "reason": line.reason if short else "",
            }
        )  # fmt: skip
    return rows


def _how_it_ended(hot: Hot, keys: Any, digest: bytes) -> str:
    """Nothing of this transfer is on its way to us: it was received already, or never sent here."""
    standing = hot.run(statements.STANDING, keys)
    if not standing:
        raise NotFound
    known = standing[0]
    if known.state == "sent":
        raise pg.SerializationFailure  # It was just being written: look again.
    if known.received_digest is not None and bytes(known.received_digest) == digest:
        return str(known.number)
    at = f"{clock.local(known.received_at):%m-%d %H:%M}"
    raise AlreadyReceived(number=known.number, name=known.receiver, at=at)


@hot_action
def settle_claim(
    desk: Desk, claim_id: UUID, transfer_id: UUID, line_no: int, outcome: str, quantity: int, note: str, *,
    zone: str = "", codes: Sequence[str] = (), second_id: int | None = None,
) -> str:  # fmt: skip
    """Say where goods went that had not arrived (差异处理): found later, come back, or lost; returns the transfer's number.

    `found` is said by the receiver, `back` and `lost` by the sender, in whose TRANSIT zone they lie; losing them takes a
    second person. When no line has anything open the transfer is closed. Raises NotFound, ClaimNotSettled, what the
    ledger refuses, DocumentChanged.
    """
    digest = _digest([str(transfer_id), line_no, outcome, quantity, note, zone, sorted(codes)])
    keys = {**desk.keys, "document": claim_id, "at": clock.now(), "transfer": transfer_id, "line_no": line_no}
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_CLAIM, keys):
            return _same(known[0].number, bytes(known[0].digest), digest)
        opened = hot.run(statements.OPEN_CLAIM, keys)
        if not opened:
            raise NotFound
        row = opened[0]
        if outcome == "lost" and not codes and quantity == row.open:
            codes = sorted(row.codes or {})  # What is lost cannot be scanned: all that is open is lost.
        _check_claim(desk, row, outcome, quantity, note, zone, codes, second_id)
        story = Story(note, approver=_operator(hot, keys, second_id), counterpart=_other(desk, row))
        facts = _settle(hot, desk, keys, row, outcome, quantity, zone, tuple(codes), story)
        paper = {**keys, "digest": digest, "outcome": outcome, "quantity": quantity, "note": note, "zone": zone, "codes": list(codes), "second": second_id}  # fmt: skip
        batch: list[tuple[str, dict[str, Any]]] = [(statements.WRITE_CLAIM, paper)]
        batch += [
            (stock.APPEND, {**keys, "facility": facility, "facts": fact})
            for facility, fact in sorted(facts, key=itemgetter(0))
        ]
        try:
            hot.run_all(batch, last=True)
        except pg.UniqueViolation as twin:
            raise pg.SerializationFailure from twin
        return str(row.number)


def _settle(
    hot: Hot, desk: Desk, keys: Any, row: Any, outcome: str, quantity: int, zone: str, codes: tuple[str, ...], story: Story
) -> list[tuple[int, str]]:  # fmt: skip
    posts = {
        "found": [("hand_over", row.from_facility_id, row.from_lot_id, rulebook.TRANSIT, "", ()), ("arrive", row.to_facility_id, 0, "", zone, codes)],
        "back": [("come_back", row.from_facility_id, row.from_lot_id, rulebook.TRANSIT, zone, codes)],
        "lost": [("lose_transit", row.from_facility_id, row.from_lot_id, rulebook.TRANSIT, "", codes)],
    }[outcome]  # fmt: skip
    facts = []
    for act, facility, lot, source, target, named in sorted(posts, key=lambda each: each[1]):
        lot_id = lot or int(hot.run(statements.MAKE_LOT_HERE, {**keys, "from_lot": row.from_lot_id})[0].id)
        move = Move(row.line_no, lot_id, quantity, source, target, named)
        told = Story(story.reason, story.approver, row.to_code if facility == row.from_facility_id else row.from_code)
        posted = ledger.post(
            hot,
            desk,
            _ACTS[act],
            keys["document"],
            keys["at"],
            [move],
            told,
            number=str(row.number),
            facility_id=facility,
            tell=False,
        )
        facts.append((int(facility), posted.fact))
        faults.at("transfer.between")
        if act == "arrive" and row.hold:
            facts += _held(hot, desk, keys, str(row.number), [lot_id])
    return facts


def _check_claim(
    desk: Desk, row: Any, outcome: str, quantity: int, note: str, zone: str, codes: Sequence[str], second_id: int | None
) -> None:
    """Raise ClaimNotSettled with the first thing that is wrong."""
    side = row.to_facility_id if outcome == "found" else row.from_facility_id
    if outcome not in rules.OUTCOMES or side != desk.facility_id:
        raise ClaimNotSettled(why=words("「收入本店」由收货方处理，「退回」和「丢失」由发货方处理"))
    if not 1 <= len(note) <= rules.MOST_NOTE:
        raise ClaimNotSettled(why=words("请写说明，最多 {most} 个字", most=rules.MOST_NOTE))
    if not 1 <= quantity <= row.open or (row.from_zone != rulebook.SPLIT and quantity % row.pack_size):
        raise ClaimNotSettled(why=words("数量要是整盒，且不超过还差的 {n} {unit}", n=row.open, unit=row.base_unit))
    known = row.codes or {}
    if strange := sorted(set(codes) - known.keys()):
        raise ClaimNotSettled(why=words("追溯码 …{tail} 不是这一行还在途的码", tail=strange[0][-6:]))
    scanned, all_coded = sum(known[code] for code in set(codes)), sum(known.values())
    if len(set(codes)) < len(codes) or not 0 <= quantity - scanned <= row.open - all_coded:
        raise ClaimNotSettled(why=words("有追溯码的要逐盒扫码，现在扫了 {n} 个", n=len(codes)))
    expired = row.expires_on < clock.business_date()
    if outcome != "lost" and zone not in rules.zones_to_arrive(row.from_zone, row.hold, expired=expired):
        raise ClaimNotSettled(why=words("不能放进这个库区"))
    if outcome == "lost" and (second_id is None or second_id == desk.staff_id):
        raise ClaimNotSettled(why=words("确认丢失要另一位有权限的同事复核"))


def _operator(hot: Hot, keys: Any, second_id: int | None) -> str:
    """The second person as facts name people: number and masked name."""
    if second_id is None:
        return ""
    found = hot.run(statements.SECOND, {**keys, "second": second_id})
    if not found:
        raise ClaimNotSettled(why=words("没有这位复核人"))
    return f"{found[0].number} {personal.mask_name(found[0].name)}"


def _other(desk: Desk, row: Any) -> str:
    return str(row.to_code if row.from_facility_id == desk.facility_id else row.from_code)


def _digest(content: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode(content)).digest()


def _same(number: str, known: bytes, digest: bytes) -> str:
    if known != digest:
        raise DocumentChanged
    return number
