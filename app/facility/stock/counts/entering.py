"""Counting: what somebody saw where, goods that are not on the list, and a filled-in sheet."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, Several, words
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, recalled, rulebook
from app.facility.stock.counts import rules, statements
from app.facility.stock.counts.actions import STATE_WORDS
from app.facility.stock.counts.errors import (
    AlreadyBeingCounted,
    CodeCountedTwice,
    CountNotOpen,
    EntryNotTaken,
    PlaceCountedMeanwhile,
    SheetNotTaken,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from app.core.hot import Hot
    from app.core.tenancy import Desk

ZONES = rulebook.HOUSE


def _open_head(hot: Hot, keys: Mapping[str, Any], statement: str = statements.SHARE_HEAD) -> Any:
    rows = hot.run(statement, keys)
    if not rows:
        raise NotFound
    if rows[0].state != "open":
        raise CountNotOpen(number=rows[0].number, what=words(STATE_WORDS[rows[0].state]))
    return rows[0]


@hot_action
def enter_count(desk: Desk, entry_id: UUID, count_id: UUID, line_no: int, counted: rules.Counted) -> None:
    """Write down how much of a line somebody counted at a place, beside what the book says at this very moment (点数).

    The newest entry of a place stands, entries of several places add up. Whoever counts a place again names the entry that
    is replaced, so that two people at one place never overwrite each other unseen. Sent again it changes nothing.
    Raises CountNotOpen, EntryNotTaken, PlaceCountedMeanwhile, CodeCountedTwice, DocumentChanged.
    """
    digest = hashlib.sha256(msgspec.json.encode([str(count_id), line_no, counted])).digest()
    keys = {
        **desk.keys,
        "entry": entry_id,
        "count": count_id,
        "line": line_no,
        "place": counted.place,
        "codes": list(counted.codes),
    }
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.ENTRY, keys):
            return _same_or_refuse(known[0].digest, digest)
        _open_head(hot, keys)
        _check(hot, keys, counted)
        entry = {
            **keys, "quantity": counted.quantity, "code_count": len(counted.codes), "at": clock.now(), "replaces": counted.replaces or None, "digest": digest
        }  # fmt: skip
        try:
            batch: list[tuple[str, Mapping[str, Any] | None]] = [(statements.ENTER, entry)]
            hot.run_all([*batch, (statements.ENTER_CODES, keys)] if counted.codes else batch, last=True)
        except pg.UniqueViolation as twin:
            raise pg.SerializationFailure from twin  # Somebody entered this place in the same moment: look again.


def _same_or_refuse(known: bytes, digest: bytes) -> None:
    if bytes(known) != digest:
        raise DocumentChanged


def _check(hot: Hot, keys: Mapping[str, Any], counted: rules.Counted) -> None:
    rows, standing = hot.run_all([(statements.LINE, keys), (statements.STANDING_AT, keys)])
    if not rows:
        raise NotFound
    line = rows[0]
    if problems := rules.problems_of_entry(counted, line.pack_size, line.zone):
        raise EntryNotTaken(why=Several(problems, between="；"))
    if standing and str(standing[0].id) != counted.replaces:
        one = standing[0]
        raise PlaceCountedMeanwhile(
            who=one.who, at=f"{clock.local(one.counted_at):%H:%M}", place=counted.place or words("未写地点")
        )
    if counted.replaces and not standing:
        raise EntryNotTaken(why=words("要替换的那一次不在了，请刷新页面"))
    if counted.codes:
        _check_codes(hot, {**keys, "lot": line.lot_id}, line)


def _check_codes(hot: Hot, keys: Mapping[str, Any], line: Any) -> None:
    elsewhere, twice = hot.run_all([(statements.CODES_ELSEWHERE, keys), (statements.CODES_TWICE, keys)])
    if elsewhere:
        one = elsewhere[0]
        raise EntryNotTaken(
            why=words(
                "追溯码 …{tail} 是 {name} {lot} 的，不是 {this} 的", tail=one.code[-6:], name=one.name, lot=one.lot_number, this=line.lot_number
            )
        )  # fmt: skip
    if twice:
        raise CodeCountedTwice(tail=twice[0].code[-6:], place=twice[0].place or words("未写地点"))


@hot_action
def find_goods(desk: Desk, count_id: UUID, product_id: int, lot_number: str, expires_on: date, zone: str) -> int:
    """Put a lot that is not on the list onto it (盘点发现); returns its line. The lot is made when nobody knew it.

    Raises CountNotOpen, EntryNotTaken, AlreadyBeingCounted, NotFound.
    """
    if not 1 <= len(lot_number.strip()) <= 40 or zone not in ZONES:
        raise EntryNotTaken(why=words("批号要写 1 到 40 个字，库区要从列表里选"))
    keys = {
        **desk.keys,
        "count": count_id,
        "product": product_id,
        "lot_number": lot_number.strip(),
        "expires_on": expires_on,
        "zone": zone,
    }
    with transaction(settings=desk.settings) as hot:
        head = _open_head(hot, keys, statements.LOCK_HEAD)
        made = hot.run(statements.MAKE_LOT, keys)
        found = made or hot.run(statements.FIND_LOT, keys)
        if not found:
            raise NotFound
        line = _line_of(hot, {**keys, "lot": found[0].id})
        if made and made[0].hold:  # A running recall means it: whoever is to know is told of it.
            told = recalled.arrived(hot, desk, count_id, head.number, clock.now(), [made[0].id])
            ledger.append(hot, desk, ledger.as_json(told))
        return line


@hot_action
def add_lot(desk: Desk, count_id: UUID, lot_id: int, zone: str) -> int:
    """Put a known lot onto the list: its code was scanned, or its shelf is not in the scope; returns its line."""
    if zone not in ZONES:
        raise EntryNotTaken(why=words("库区要从列表里选"))
    keys = {**desk.keys, "count": count_id, "lot": lot_id, "zone": zone}
    with transaction(settings=desk.settings) as hot:
        _open_head(hot, keys, statements.LOCK_HEAD)
        return _line_of(hot, keys)


def _line_of(hot: Hot, keys: Mapping[str, Any]) -> int:
    if known := hot.run(statements.LINE_OF_LOT, keys):
        return int(known[0].line_no)
    if elsewhere := hot.run(statements.LOT_STANDS_IN, keys):
        raise AlreadyBeingCounted(name=elsewhere[0].name, lot=elsewhere[0].lot_number, number=elsewhere[0].number)
    try:
        made = hot.run(statements.ADD_LINE, keys)
    except pg.UniqueViolation as taken:
        raise pg.SerializationFailure from taken
    if not made:
        raise NotFound
    return int(made[0].line_no)


@hot_action
def take_sheet(
    desk: Desk, upload_id: UUID, count_id: UUID, rows: Sequence[rules.SheetRow], since: datetime, until: datetime
) -> int:
    """Take the figures of a filled-in sheet as entries, judged between the two moments at which it was filled in (导入盘点表).

    Returns how many lines it brought. The same upload again changes nothing. Raises CountNotOpen, SheetNotTaken, DocumentChanged.
    """
    if not since <= until <= clock.now() or not rows:
        raise SheetNotTaken(problems=words("点数的起止时间不对，或表里没有数量"))
    digest = hashlib.sha256(msgspec.json.encode([str(count_id), list(rows), since, until])).digest()
    sent = [
        {"id": uuid5(upload_id, f"{row.line_no}"), "line_no": row.line_no, "place": row.place, "quantity": row.quantity}
        for row in rows
    ]
    keys = {
        **desk.keys,
        "count": count_id,
        "digest": digest,
        "ids": [row["id"] for row in sent],
        "since": since,
        "until": until,
    }
    with transaction(settings=desk.settings) as hot:
        known = hot.run(statements.KNOWN_ENTRIES, keys)[0]
        if known.known:
            _same_or_refuse(digest if known.same else b"", digest)
            return len(rows)
        _open_head(hot, keys)
        try:
            taken = hot.run(statements.ENTER_SHEET, {**keys, "rows": ledger.as_json(sent)})
        except pg.UniqueViolation as twin:
            raise pg.SerializationFailure from twin
        if missing := sorted({row.line_no for row in rows} - {row.line_no for row in taken}):
            raise SheetNotTaken(problems=words("这张盘点单没有第 {lines} 行。", lines=missing[0]))
    return len(rows)
