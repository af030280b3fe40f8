"""2206 and 2207 as acts: one batch of a visit's stored lines, split or settled by the same machine as a purchase (门诊结算)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.center.db import transaction
from app.center.fund import statements, visit_statements
from app.center.fund.answering import NOTHING, YearNotOpen, again, stored
from app.center.fund.documents import PurchaseLine
from app.center.fund.rows import questions, rows_of
from app.center.fund.settling import draft_of
from app.center.fund.visit_errors import LinesSettled, UnknownBatch, UnknownVisit, VisitCancelled, VisitNotDescribed
from app.center.registry.errors import UnknownPerson
from app.core import faults

if TYPE_CHECKING:
    from app.center.fund.documents import Draft, Judge, Message, Purchase, Writer
    from app.core.hot import Hot

NO_BATCH = ""
REGISTRATION_ONLY = "12"  # med_type: the registration fee alone, before the doctor has said anything.


def preview_visit(message: Message, purchase: Purchase, batch: str, judge: Judge) -> Draft:
    """Split a batch of a visit without writing anything (门诊预结算)."""
    with transaction("interface", NOTHING) as hot:
        bill = _bill(hot, message, purchase, batch)
        _check(bill, purchase, batch)
        whole = _whole(purchase, bill)
        [facts] = hot.run(statements.READ_ONLY, questions(message, whole))
    if facts.held is None:
        raise UnknownPerson
    return draft_of(message, whole, facts, judge, trial=True)


def estimate_visit(message: Message, purchase: Purchase) -> Draft:
    """Split what a doctor is writing at a registered visit as 2206 will once it is charged (费用预估); nothing is written.

    The registration stands for the credential and says the insurance; who stands there is not judged, for nothing is paid on it.
    """
    with transaction("interface", NOTHING) as hot:
        visit = _bill(hot, message, purchase, NO_BATCH)
        if visit is None or visit.psn_no != purchase.psn_no:
            raise UnknownVisit
        if visit.state == "cancelled":
            raise VisitCancelled
        whole = replace(purchase, insutype=visit.insutype)
        [facts] = hot.run(statements.READ_ONLY, questions(message, whole))
    if facts.held is None:
        raise UnknownPerson
    return draft_of(message, whole, facts, lambda _at, _told, _weights: {}, trial=True)


def settle_visit(message: Message, purchase: Purchase, batch: str, judge: Judge, write: Writer) -> bytes:
    """Settle a batch of a visit: as a purchase is settled, and its lines are settled with it (门诊结算).

    Three statements whatever the number of lines: the lines, the facts under lock, the write. Sending the same message
    again gives the same answer; lines that change meanwhile send the act around again.
    """
    return again(message, purchase.psn_no, purchase.insutype, lambda: _settle(message, purchase, batch, judge, write))


def _settle(message: Message, purchase: Purchase, batch: str, judge: Judge, write: Writer) -> bytes:
    with transaction("interface", NOTHING) as hot:
        bill = _bill(hot, message, purchase, batch)
        whole = _whole(purchase, bill)
        [facts] = hot.run(statements.READ_AND_LOCK, questions(message, whole))
        if not facts.arrived:
            return stored(hot, message)
        ids = _check(bill, purchase, batch)
        if facts.held is None:
            raise YearNotOpen
        faults.at("center.read")
        draft = draft_of(message, whole, facts, judge)
        answer = write(draft)
        hot.run_last(visit_statements.WRITE_SETTLEMENT, rows_of(message, draft, answer) | {"visit_lines": ids})
    faults.at("center.written")
    return answer


def _bill(hot: Hot, message: Message, purchase: Purchase, batch: str) -> Any | None:
    ask = {"mdtrt_id": purchase.mdtrt_id, "institution": message.institution, "batch": batch}
    found = hot.run(visit_statements.BILL, ask)
    return found[0] if found else None


def _whole(purchase: Purchase, bill: Any | None) -> Purchase:
    """The purchase with its stored lines, and with the disease of the visit."""
    if bill is None:
        return purchase
    lines = tuple(
        PurchaseLine(
            number=line["number"],
            code=line["code"],
            own_code=line["own_code"],
            price=Decimal(line["price"]),
            quantity=Decimal(line["quantity"]),
            amount_fen=line["amount_fen"],
            rxno=line["rxno"],
        )
        for line in bill.lines
    )
    return replace(purchase, lines=lines, disease=bill.disease)


def _check(bill: Any | None, purchase: Purchase, batch: str) -> list[int]:
    """Refuse a bill that cannot be settled as it is asked; returns the lines that are to be settled."""
    if bill is None or bill.psn_no != purchase.psn_no:
        raise UnknownVisit
    if bill.state == "cancelled":
        raise VisitCancelled
    if bill.insutype != purchase.insutype:
        raise VisitNotDescribed(why="险种与挂号时不同")
    if not bill.lines:
        raise LinesSettled(batch=batch) if bill.settled else UnknownBatch(batch=batch)
    if purchase.med_type not in {REGISTRATION_ONLY, bill.med_type}:
        raise VisitNotDescribed(why="医疗类别不同" if bill.med_type else "还没有就诊信息")
    return [line["id"] for line in bill.lines]
