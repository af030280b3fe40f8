"""Settle a bill: self-paid in one transaction, by card in two with the question to the center between them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import msgspec

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound, Several, words
from app.core.money import fen_to_yuan
from app.facility.clinic.charging import bills, confirming, rules, statements, wire
from app.facility.clinic.charging.errors import (
    BillChanged,
    BillMovedOn,
    BillNeedsPreview,
    BillNotInsured,
    ConsentNeeded,
    NotEnoughToCharge,
    StreamBehind,
    TillNotOpen,
)
from app.facility.clinic.practice import actions as practice
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, machine
from app.facility.stock.ledger import as_json
from app.facility.till.tenders import Tender, settle_tenders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk


EMERGENCIES = frozenset({"13", "1301"})  # med_type


@dataclass(frozen=True)
class Outcome:
    """What became of a press on 收费."""

    kind: Literal["settled", "unknown", "refused"]
    bill_id: UUID
    number: str
    message: str = ""


def settle_bill(
    desk: Desk, bill_id: UUID, version: int, tenders: Sequence[Tender] = (), *, consent: bool = False
) -> Outcome:
    """Settle a bill (收费): hold the medicines, ask the center when insurance pays, write the outcome.

    The same press again does it once and answers what became of it. Raises charging's refusals (nothing was changed then).
    "unknown" means that the center has not said yet: the recovery worker finishes it.
    """
    asked = _ask(desk, bill_id, version, tuple(tenders), consent)
    if isinstance(asked, Outcome):
        return asked
    machine.ask(asked)
    return find_outcome(desk, bill_id)


def find_outcome(desk: Desk, bill_id: UUID) -> Outcome:
    """What became of a bill that was asked for. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(statements.READ, {**desk.keys, "bill": bill_id, "station": desk.station})
    if not rows:
        raise NotFound
    return _outcome(rows[0])


def _outcome(bill: Any) -> Outcome:
    kinds: dict[str, Literal["settled", "unknown"]] = {"settled": "settled", "asked": "unknown"}
    kind: Literal["settled", "unknown", "refused"] = kinds.get(bill.state, "refused")
    return Outcome(kind, bill.id, bill.number, bill.refusal or "")


@hot_action
def _ask(
    desk: Desk, bill_id: UUID, version: int, tenders: tuple[Tender, ...], consent: bool
) -> Outcome | machine.Attempt:
    digest = hashlib.sha256(msgspec.json.encode([str(bill_id), version, tenders, consent])).digest()
    at = clock.now()
    keys = {**desk.keys, "bill": bill_id, "at": at, "today": clock.business_date(), "station": desk.station}
    with transaction(settings=desk.settings) as hot:
        found = hot.run(statements.LOCK, keys)
        if not found:
            raise NotFound
        bill = found[0]
        if bill.state != "open":
            return _again(bill, digest)
        if bill.version != version:
            raise BillChanged(number=bill.number)
        if bill.paid == "insured":
            practice.check_settling(hot, desk, emergency=bill.med_type in EMERGENCIES)
        rows, shelf = hot.run_all([(statements.LINES, keys), (statements.SHELF, keys)])
        lines = bills.lines_of(rows)
        due_fen = _check_ready(bill, lines, consent=consent)
        settle_tenders(due_fen, tenders)
        picks = _hold(hot, keys, lines, shelf[0].shelf)
        params = {
            **keys, "digest": digest, "terminal": desk.terminal, "shift": bill.open_shift, "tendered": as_json(tenders), "consent": consent and bill.paid == "insured",
            "picks": as_json(picks), "state": "asked",
        }  # fmt: skip
        faults.at("bill.reserving")
        if bill.paid == "self":
            hot.run(statements.TAKE_CASH, params)
            confirming.finish_cash(hot, desk, params, bill, lines, tenders)
            return Outcome("settled", bill_id, bill.number)
        return _attempt(hot, desk, params, bill)


def _again(bill: Any, digest: bytes) -> Outcome:
    """What a bill became that is no longer open; another cashier's press, or another amount, is told so."""
    if bill.digest is None or bill.state in {"cancelled", "refunded"}:
        raise BillMovedOn(number=bill.number, state=rules.STATES[bill.state], act=words("收费"))
    if bytes(bill.digest) != digest:
        raise DocumentChanged
    return _outcome(bill)


def _check_ready(bill: Any, lines: Sequence[rules.Line], *, consent: bool) -> int:
    """What the patient has to pay here. Raises what keeps the bill from being settled."""
    if bill.open_shift is None:
        raise TillNotOpen
    if bill.paid == "self":
        return int(bill.total_fen)
    if not bill.mdtrt_id:
        raise BillNotInsured(why="这次就诊没有在医保中心登记")
    if bill.relay_state == "rewound":
        raise StreamBehind
    if not bill.preview:
        raise BillNeedsPreview
    own_fen = rules.own_expense_fen(lines, bill.preview)
    if own_fen and not consent:
        raise ConsentNeeded(amount=fen_to_yuan(own_fen))
    return int(bill.preview["cash_fen"])


def _hold(hot: Hot, keys: dict[str, Any], lines: Sequence[rules.Line], shelf: Any) -> list[rules.Pick]:
    """Hold the medicines on the shelf. Raises NotEnoughToCharge; a lot that went meanwhile is a lost race."""
    from psycopg import errors as pg

    picks = rules.choose(lines, msgspec.convert(shelf or [], list[rules.Free]))
    if short := rules.short_of(lines, picks):
        raise NotEnoughToCharge(shortages=Several(_shortage(line, there) for line, there in short[:5]))
    balances = rules.by_balance(picks)
    if balances and len(hot.run(statements.HOLD, {**keys, "balances": as_json(balances)})) < len(balances):
        raise pg.SerializationFailure
    return picks


def _shortage(line: rules.Line, there: int) -> Any:
    size = 1 if line.split else int(line.described["pack_size"])
    return words(
        "{drug} 需要 {wanted} {unit}，只有 {there} {unit}",
        drug=f"{line.described['name']} {line.described['spec']}",
        wanted=-(-line.quantity // size),
        there=there // size,
        unit=line.unit,
    )


def _attempt(hot: Hot, desk: Desk, params: dict[str, Any], bill: Any) -> machine.Attempt:
    """Write the question to the center (2207) with the bill; it is committed before it is sent."""
    person = identify.person_of(desk, bill, bill.total_fen)
    here = desks.institution(desk.tenant_id, desk.facility_id)
    extra = bills.extra_of(desk, bill, person) | {"expected": wire.expected(bill.preview)}
    content = wire.settlement(bill, person, extra, account=bool(bill.preview.get("account", True)), shown=bill.preview)
    stored = machine.Sealed(
        here.wire,
        desks.operator_of(desk),
        person.admdvs,
        bill.sign_no or "",
        person.psn_no,
        msgspec.json.encode(content).decode(),
    )
    asked = params | {
        "attempt": uuid4(), "document_kind": "bill", "document": bill.id, "infno": "2207", "institution": here.wire.code,
        "sealed": machine.seal(desk.tenant_id, stored), "message_digest": hashlib.sha256(stored.content.encode()).digest(),
        "deadline": machine.deadline(params["at"]),
    }  # fmt: skip
    [row] = hot.run_last(statements.ASK, asked)
    return machine.Attempt(
        id=asked["attempt"], tenant_id=desk.tenant_id, facility_id=desk.facility_id, document_kind="bill", document_id=bill.id, infno="2207",
        message_id=row.message_id, asked_at=params["at"], body=stored.body("2207", row.message_id, params["at"]), psn_no=stored.psn_no,
    )  # fmt: skip
