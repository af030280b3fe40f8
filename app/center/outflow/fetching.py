"""What a pharmacy does: it reads a prescription by its code, locks it, lets it go. That it sold on it, its sale's fact tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import transaction
from app.center.fund.answering import NOTHING, tried
from app.center.outflow import papers, rules, statements
from app.center.outflow.errors import (
    NotForThisKind,
    PrescriptionLocked,
    PrescriptionOver,
    TooManyWrongCodes,
    UnknownPrescription,
)
from app.center.outflow.issuing import PHARMACY, keys_of
from app.core import personal
from app.core.clock import local
from app.core.errors import words
from app.national import rx_code

if TYPE_CHECKING:
    from app.center.fund.documents import Message
    from app.core.hot import Hot


def fetch(message: Message, kind: str, typed: str) -> papers.Seen:
    """Read a prescription by its code (外配处方查询). Wrong codes are counted. Raises UnknownPrescription, TooManyWrongCodes, NotForThisKind."""
    return _with(message, kind, typed, lock=False)


def lock(message: Message, kind: str, typed: str) -> papers.Seen:
    """Take a prescription on for this pharmacy alone (锁定); who has it already, has it. Raises PrescriptionLocked, PrescriptionOver, as fetch."""
    return _with(message, kind, typed, lock=True)


def _with(message: Message, kind: str, typed: str, *, lock: bool) -> papers.Seen:
    if kind != PHARMACY:
        raise NotForThisKind(why="外配处方由药店取方配药")
    code = rx_code.read(typed)
    if code is None:
        raise UnknownPrescription

    def act() -> papers.Seen | None:
        keys = keys_of(message) | {"lookup": personal.lookup(code)}
        with transaction("interface", NOTHING) as hot:
            limits, found = hot.run_all(
                [(statements.LIMITS, keys), (statements.BY_CODE_LOCKED if lock else statements.BY_CODE, keys)]
            )
            most = rules.limit(limits[0].told, "outflow_wrong_codes")
            if limits[0].misses >= most:
                raise TooManyWrongCodes(most=most)
            if not found:
                hot.run_last(statements.MISSED, keys)
                return None
            if lock:
                found = [_locked(hot, keys, found[0], rules.limit(limits[0].told, "outflow_lock_days"))]
            row = found[0]
            lines = hot.run(statements.LINES, {"ids": [row.id]})
        return papers.Seen(row, lines, papers.unseal(row.patient_sealed), rules.state_of(row, message.arrived_at))

    seen = tried(act)
    if seen is None:
        raise UnknownPrescription
    return seen


def _locked(hot: Hot, keys: dict[str, Any], row: Any, days: int) -> Any:
    """The prescription in this pharmacy's hand; the lock it has from today on is kept as it is."""
    now, today, here = keys["now"], keys["today"], keys["institution"]
    if row.state in {"CLOSED", "VOID"}:
        raise PrescriptionOver(why=words("已取完药") if row.state == "CLOSED" else words("已作废"))
    if rules.is_held(row, now):
        if row.lock_institution != here:
            raise PrescriptionLocked(until=f"{local(row.frees_at):%m-%d %H:%M}")
        if row.locked_until >= today:
            return row
    if row.valid_until < today:
        raise PrescriptionOver(why=words("有效至 {day}，已过期", day=row.valid_until))
    until = rules.lock_until(row.valid_until, today, days)
    hot.run(statements.LOCK, keys | {"id": row.id, "until": until, "frees_at": rules.frees_at(until)})
    return hot.run(statements.BY_CODE, keys)[0]


def let_go(message: Message, number: str, lock_no: int) -> str:
    """Give a lock back (交还); one that is over, or was followed by another, is given back already. Raises UnknownPrescription."""

    def act() -> str:
        keys = keys_of(message) | {"number": number}
        with transaction("interface", NOTHING) as hot:
            found = hot.run(statements.BY_NUMBER, keys)
            if not found or lock_no > found[0].lock_no:
                raise UnknownPrescription
            row = found[0]
            if row.lock_institution == message.institution and row.lock_no == lock_no:
                hot.run(statements.FREE, keys | {"id": row.id})
                return "DISPENSED" if row.dispensed_at else "REVIEWED"
        return rules.state_of(row, message.arrived_at)

    return tried(act)
