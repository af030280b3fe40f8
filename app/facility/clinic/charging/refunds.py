"""Give a whole bill back before anything of it was handed over (整单退费): by card with 2208, which only goes forward."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from psycopg import errors as pg

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound, WrongInput, words
from app.core.personal import mask_name
from app.facility.clinic.charging import bills, confirming, events, rules, statements, wire
from app.facility.clinic.charging.errors import BillMovedOn, BillNotRefundable, TillNotOpen
from app.facility.clinic.charging.settling import Outcome
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import machine
from app.facility.stock import ledger
from app.facility.stock.ledger import as_json
from app.facility.till.tenders import Tender

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.national.envelope import Answer


def refund_bill(desk: Desk, refund_id: UUID, bill_id: UUID, reason: str) -> Outcome:
    """Give a settled bill back whole (退费): money by the way it came, sheets and medicines are free again.

    The same refund again does it once. Raises BillNotRefundable when something was handed over, BillMovedOn, TillNotOpen.
    """
    if reason not in rules.REASONS:
        raise WrongInput(what=words("退费原因"), why=words("要选一项"))
    asked = _ask(desk, refund_id, bill_id, reason)
    if isinstance(asked, Outcome):
        return asked
    machine.ask(asked)
    outcome = find_refund(desk, refund_id)
    if outcome.kind == "settled":
        _clear(desk, bill_id)
    return outcome


def find_refund(desk: Desk, refund_id: UUID) -> Outcome:
    """What became of a refund. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(statements.KNOWN_REFUND, {**desk.keys, "refund": refund_id})
    if not rows:
        raise NotFound
    return _known(rows[0])


def _known(row: Any) -> Outcome:
    kind: Any = {"refunded": "settled", "refused": "refused"}.get(row.state, "unknown")
    return Outcome(kind, row.id, row.number, row.refusal or "")


def _clear(desk: Desk, bill_id: UUID) -> None:
    """The lines lie at the center as uploaded: take them back now; if it does not answer, the next bill of the visit does."""
    with transaction(settings=desk.settings) as hot:
        [bill] = hot.run_last(statements.READ, {**desk.keys, "bill": bill_id, "station": desk.station})
    if bill.uploaded_at is not None:
        bills.take_back(desk, bill, bills.sealed_person(desk, bill).psn_no, bill)


@hot_action
def _ask(desk: Desk, refund_id: UUID, bill_id: UUID, reason: str) -> Outcome | machine.Attempt:
    digest = hashlib.sha256(msgspec.json.encode([str(bill_id), reason])).digest()
    at, today = clock.now(), clock.business_date()
    keys = {**desk.keys, "refund": refund_id, "bill": bill_id, "at": at, "station": desk.station}
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_REFUND, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return _known(known[0])
        found, sheets, given = hot.run_all(
            [(statements.LOCK, keys), (statements.SHEETS_OF, keys), (statements.TENDERS_OF, keys)]
        )
        bill = _refundable(found, sheets)
        number = ledger.number_for(hot, desk, "T", today)
        params = {
            **keys, "number": number, "reason": reason, "digest": digest, "terminal": desk.terminal, "shift": bill.open_shift,
            "refund_fen": bill.total_fen, "reversed_setl_id": bill.setl_id,
        }  # fmt: skip
        try:
            hot.run(statements.MAKE_REFUND, params)
        except pg.UniqueViolation as other:
            raise BillNotRefundable(number=bill.number, why=words("另一台正在退这张单")) from other
        faults.at("bill_refund.reserved")
        if bill.paid == "self":
            return _finish_cash(hot, desk, params, given)
        return _attempt(hot, desk, params, bill)


def _refundable(found: Sequence[Any], sheets: Sequence[Any]) -> Any:
    if not found:
        raise NotFound
    bill = found[0]
    if bill.state != "settled":
        raise BillMovedOn(number=bill.number, state=rules.STATES[bill.state], act=words("退费"))
    if begun := [row.number for row in sheets if row.state != "CHARGED"]:
        why = words("{sheets} 已经发药或执行，要先退药", sheets="、".join(begun))
        raise BillNotRefundable(number=bill.number, why=why)
    if bill.open_shift is None:
        raise TillNotOpen
    return bill


def _back(given: Sequence[Any]) -> list[Tender]:
    return [Tender(row.kind, -row.amount_fen) for row in given]


def _fact(refund_id: UUID, row: Any, at: Any, operator: str, settlement: dict[str, Any] | None) -> str:
    body = {
        "document": str(refund_id), "receipt": row.number, "original": {"document": str(row.bill_id), "receipt": row.bill_number}, "at": at.isoformat(),
        "operator": operator, "reason": row.reason, "total_fen": row.refund_fen, "settlement": settlement,
    }  # fmt: skip
    return events.bill_refunded(body)


def _finish_cash(hot: Hot, desk: Desk, params: dict[str, Any], given: Sequence[Any]) -> Outcome:
    back = _back(given)
    [row] = hot.run(statements.REFUND_AS_ASKED, params)
    facts = _fact(params["refund"], row, params["at"], desk.operator, None)
    written = params | {
        "cash_fen": -confirming.cash_of(back),
        "new_setl_id": None,
        "tenders": as_json(back),
        "facts": facts,
    }
    hot.run_all([(statements.GIVE_BACK, written), (statements.TELL_REFUND, written)], last=True)
    return Outcome("settled", params["refund"], params["number"])


def _attempt(hot: Hot, desk: Desk, params: dict[str, Any], bill: Any) -> machine.Attempt:
    person = bills.sealed_person(desk, bill)
    here = desks.institution(desk.tenant_id, desk.facility_id)
    content = wire.reversal(bill.setl_id, bill.mdtrt_id, person.psn_no, {"operator_terminal": desk.terminal})
    stored = machine.Sealed(
        here.wire,
        desks.operator_of(desk),
        person.admdvs,
        bill.sign_no or "",
        person.psn_no,
        msgspec.json.encode(content).decode(),
    )
    asked = params | {
        "attempt": uuid4(), "document_kind": "bill_refund", "document": params["refund"], "infno": "2208", "institution": here.wire.code,
        "sealed": machine.seal(desk.tenant_id, stored), "message_digest": hashlib.sha256(stored.content.encode()).digest(),
        "deadline": machine.deadline(params["at"]),
    }  # fmt: skip
    [row] = hot.run_last(statements.ASK_REFUND, asked)
    return machine.Attempt(
        id=asked["attempt"], tenant_id=desk.tenant_id, facility_id=desk.facility_id, document_kind="bill_refund", document_id=params["refund"],
        infno="2208", message_id=row.message_id, asked_at=params["at"], body=stored.body("2208", row.message_id, params["at"]), psn_no=stored.psn_no,
    )  # fmt: skip


class Refunds:
    """How the machine confirms and releases refunds of bills."""

    @hot_action
    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """The center reversed it: money goes back the way it came, sheets and medicines are free, the center is told."""
        faults.at("bill_refund.confirming")
        setl_id = str((answer.output.get("setlinfo") or {}).get("setl_id") or "")
        with transaction(settings=attempt.settings) as hot:
            keys = {**machine.outcome(attempt, was, "accepted"), "refund": attempt.document_id}
            if not hot.run(statements.CLOSE_REFUND, keys):
                return False
            [row] = hot.run(statements.REFUND_AS_ASKED, keys)
            back = _back(hot.run(statements.TENDERS_OF, {**keys, "bill": row.bill_id}))
            number, _, name = str(row.who).partition(" ")
            settlement = {"reversed_setl_id": row.reversed_setl_id, "new_setl_id": None}
            facts = _fact(row.id, row, keys["at"], f"{number} {mask_name(name)}", settlement)
            written = keys | {
                "cash_fen": -confirming.cash_of(back),
                "new_setl_id": setl_id,
                "tenders": as_json(back),
                "facts": facts,
            }
            hot.run_all([(statements.GIVE_BACK, written), (statements.TELL_REFUND, written)], last=True)
        faults.at("bill_refund.confirmed")
        return True

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """The center refused it: the bill stands."""
        with transaction(settings=attempt.settings) as hot:
            keys = machine.outcome(attempt, was, "refused", {"code": code, "text": why[:500]}) | {
                "refund": attempt.document_id
            }
            if not hot.run(statements.CLOSE_REFUND, keys):
                return False
            hot.run_last(statements.REFUND_REFUSED, keys)
        return True


machine.register("bill_refund", Refunds())
