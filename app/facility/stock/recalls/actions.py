"""What people do about recalls and suspicious lots. Each is one transaction; the streams' heads are locked last."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from psycopg import errors as pg

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound, words
from app.facility.db import hot_action, transaction
from app.facility.organizations import parameters
from app.facility.stock import events as stock_events
from app.facility.stock import ledger
from app.facility.stock.ledger import as_json
from app.facility.stock.recalls import events, freezing, queries, rules, statements
from app.facility.stock.recalls.errors import (
    CenterReleases,
    NotHeld,
    ReasonMissing,
    RecallIncomplete,
    RecallIsOver,
    ReleasedByOthersOnly,
)

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

CARD = """
select code, generic_name as name, spec, maker, approval_number as approval, national_code as national, pack_size, base_unit
from product where tenant_id = %(tenant)s and id = %(product)s
"""


@hot_action
def issue_recall(desk: Desk, recall_id: UUID, wanted: rules.Wanted) -> str:
    """Call back lots of a product (发起召回): frozen at every facility of the organization; returns the recall's number.

    Sent again it returns the number and changes nothing. Raises RecallIncomplete, DocumentChanged.
    """
    if why := wanted.problem():
        raise RecallIncomplete(why=why)
    digest = hashlib.sha256(repr(wanted).encode()).digest()
    with transaction(settings=desk.settings) as hot:
        keys = {**desk.keys, "recall": recall_id, "product": wanted.product_id}
        known, card, places = hot.run_all([(statements.KNOWN, keys), (CARD, keys), (statements.FACILITIES, keys)])
        if known:
            return _same_or_refuse(known[0], digest)
        if not card:
            raise RecallIncomplete(why=words("没有这个药品"))
        return _issue(hot, desk, recall_id, wanted, digest, card[0], [row.id for row in places])


def _issue(
    hot: Hot, desk: Desk, recall_id: UUID, wanted: rules.Wanted, digest: bytes, card: Any, facilities: list[int]
) -> str:
    at = clock.now()
    hours = parameters.of(desk.tenant_id).hours(rules.HOURS[wanted.level], at)
    keys = {
        **desk.keys, "recall": recall_id, "products": [wanted.product_id], "lots": list(wanted.lots), "only": None, "why": wanted.reason.strip(),
        "by": desk.staff_id, "at": at, "seen_at": desk.facility_id,
    }  # fmt: skip
    lots: dict[int, list[Any]] = {} if wanted.codes else freezing.freeze_lots(hot, keys)
    facts: freezing.Facts = {}
    packs: dict[int, list[str]] = {}
    drawn = functools.cache(
        lambda: ledger.number_for(hot, desk, "Z", clock.business_date())
    )  # Once, after the first locks.
    for facility in facilities if wanted.codes else ():
        facts[facility], packs[facility] = freezing.set_packs_aside(hot, desk, facility, recall_id, at, wanted.codes, wanted.reason.strip(), drawn)  # fmt: skip
        facts[facility] = list(facts[facility])
    number = drawn()
    head = {
        **keys, "origin": "own", "number": number, "level": wanted.level, "issuer": desk.operator, "product": as_json(_described(card)),
        "codes": list(wanted.codes), "reason": wanted.reason.strip(), "instructions": wanted.instructions.strip(), "issued_at": at,
        "deadline_at": at + hours, "started_at_facility": desk.facility_id, "digest": digest,
    }  # fmt: skip
    if not hot.run(statements.WRITE, head):
        raise pg.SerializationFailure  # The same recall arrived twice at once: start again and find it.
    if not wanted.codes:
        hot.run(statements.TARGETS, keys)
    freezing.write_places(hot, keys, lots, facilities)
    for facility in facilities:
        told = freezing.held_fact(recall_id, number, at, desk.operator, lots.get(facility, []), reason=wanted.reason.strip(), origin="own", packs=packs.get(facility, ()))  # fmt: skip
        facts.setdefault(facility, []).append(told)
    freezing.append(hot, desk, facts)
    faults.at("recall.issued")
    return number


def _described(card: Any) -> dict[str, Any]:
    return {name: getattr(card, name) for name in ("name", "spec", "maker", "approval", "national", "pack_size", "base_unit")}  # fmt: skip


def _same_or_refuse(known: Any, digest: bytes) -> str:
    if known.digest is None or bytes(known.digest) != digest:
        raise DocumentChanged
    return str(known.number)


@hot_action
def acknowledge_recall(desk: Desk, recall_id: UUID) -> None:
    """Somebody at this facility has seen the recall (知悉): its banner goes away. Twice changes nothing. Raises NotFound."""
    keys = {**desk.keys, "recall": recall_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run(statements.ACKNOWLEDGE, keys) and not hot.run(statements.KNOWN_PLACE, keys):
            raise NotFound


@hot_action
def note_call(desk: Desk, recall_id: UUID, buyer_id: UUID, outcome: str, note: str = "") -> None:
    """Note one try to reach a buyer or patient (通知记录); `buyer_id` is the sale or the hand-over. Raises NotFound."""
    if outcome not in rules.OUTCOMES or len(note) > rules.MOST_REASON:
        raise RecallIncomplete(why=words("请选通知结果"))
    keys = {
        **desk.keys,
        "recall": recall_id,
        "buyer": buyer_id,
        "outcome": outcome,
        "note": note.strip(),
        "at": clock.now(),
    }
    with transaction(settings=desk.settings) as hot:
        if not hot.run(statements.NOTE_CALL, keys):
            raise NotFound


@hot_action
def report_recall(desk: Desk, recall_id: UUID, note: str) -> dict[str, int]:
    """Tell the center what became of the goods here (召回情况报告); may be told again with newer figures. Raises NotFound."""
    if not note.strip() or len(note) > rules.MOST_TEXT:
        raise RecallIncomplete(why=words("请写一句处理情况（最多 {most} 个字）", most=rules.MOST_TEXT))
    at, keys = clock.now(), {**desk.keys, "recall": recall_id}
    with transaction(settings=desk.settings) as hot:
        known = hot.run(statements.KNOWN, keys)
        if not known or not hot.run(statements.KNOWN_PLACE, keys):
            raise NotFound
        figures: dict[str, int] = hot.run(queries.FIGURES, keys)[0]._asdict()
        hot.run(statements.REPORT, {**keys, "at": at, "report": as_json({**figures, "note": note.strip()})})
        fact = events.recall_reported(recall_id, known[0].number, at, desk.operator, figures, note.strip())
        freezing.append(hot, desk, {desk.facility_id: [fact]})
    return figures


@hot_action
def close_recall(desk: Desk, recall_id: UUID, summary: str) -> str:
    """End a recall of our own (结束召回): what it froze and is still here may be sold again; returns its number.

    Return or destroy first what must not come back. Raises ReleasedByOthersOnly (whoever started it), CenterReleases, RecallIsOver.
    """
    if not summary.strip() or len(summary) > rules.MOST_TEXT:
        raise RecallIncomplete(why=words("请写明召回结果（最多 {most} 个字）", most=rules.MOST_TEXT))
    at = clock.now()
    keys = {
        **desk.keys,
        "recall": recall_id,
        "at": at,
        "by": desk.staff_id,
        "summary": summary.strip(),
        "why": words("召回结束"),
        "only": None,
    }
    with transaction(settings=desk.settings) as hot:
        known = hot.run(statements.LOCK, keys)
        if not known:
            raise NotFound
        _may_close(known[0], desk)
        freed = [row.id for row in hot.run_all([(statements.RELEASE, keys), (statements.END_TARGETS, keys)])[0]]
        hot.run(statements.CLOSE, keys)
        rows = hot.run(statements.LOTS_BY_ID, {**keys, "ids": freed})
        facts: freezing.Facts = {}
        for facility in sorted({row.facility_id for row in rows}):
            lots = [row for row in rows if row.facility_id == facility]
            told = freezing.held_fact(recall_id, known[0].number, at, desk.operator, lots, reason=summary.strip()[:400], act="released", origin="own")  # fmt: skip
            facts[facility] = [told]
        freezing.append(hot, desk, facts)
    return str(known[0].number)


def _may_close(recall: Any, desk: Desk) -> None:
    if recall.origin == "center":
        raise CenterReleases
    if recall.state != "open":
        raise RecallIsOver(number=recall.number)
    if recall.staff_id == desk.staff_id:
        raise ReleasedByOthersOnly(what=words("召回 {number} ", number=recall.number))


# ---- one lot on suspicion ------------------------------------------------------------------------------------------


@hot_action
def hold_lot(desk: Desk, document: UUID, lot_id: int, reason: str) -> None:
    """Lock a lot whose quality is in doubt (质量锁定): it cannot be sold here until another person releases it.

    A lot that is locked or recalled stays as it is. Raises ReasonMissing, NotFound.
    """
    _change_hold(desk, document, lot_id, reason, "frozen")


@hot_action
def release_lot(desk: Desk, document: UUID, lot_id: int, reason: str) -> None:
    """Release a lot that was locked on suspicion (解除锁定). Raises ReleasedByOthersOnly, NotHeld, ReasonMissing, NotFound."""
    _change_hold(desk, document, lot_id, reason, "")


def _change_hold(desk: Desk, document: UUID, lot_id: int, reason: str, after: str) -> None:
    if not 1 <= len(reason.strip()) <= rules.MOST_REASON:
        raise ReasonMissing
    at, why = clock.now(), reason.strip()
    keys = {**desk.keys, "lot": lot_id, "document": document, "at": at}
    with transaction(settings=desk.settings) as hot:
        found, done = hot.run_all([(statements.LOCK_LOT, keys), (statements.KNOWN_CHANGE, keys)])
        if not found:
            raise NotFound
        lot, before = found[0], found[0].hold or ""
        if done or before == after or (after and before):
            return
        if not after and before != "frozen":
            raise NotHeld(lot=lot.lot_number)
        if not after and lot.held_by == desk.staff_id:
            raise ReleasedByOthersOnly(what=words("批号 {lot} ", lot=lot.lot_number))
        change = {"before": before, "after": after, "why": why, "kept": why if after else "", "second": None}
        hot.run(statements.SET_HOLD, {**keys, **change})
        rows = hot.run(statements.LOTS_BY_ID, {**keys, "ids": [lot_id]})
        number = ledger.number_for(hot, desk, "Z", clock.business_date())
        act = "held" if after else "released"
        fact = stock_events.lot_held(document, number, at, desk.operator, rows, reason=why, hold="frozen", act=act)
        freezing.append(hot, desk, {desk.facility_id: [fact]})
