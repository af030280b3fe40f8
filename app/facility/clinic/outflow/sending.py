"""Send a reviewed sheet out, or take it back: asked of the center by the machine of the dangerous minute, forward only."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4

import msgspec

from app.core import clock, faults, personal
from app.core.errors import DocumentChanged, NotFound, words
from app.facility.clinic.outflow import statements, wire
from app.facility.clinic.outflow.errors import NotToSendOut, OutflowPending, OutflowReasonNeeded
from app.facility.clinic.patients.rules import Person
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import machine, outflow
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.national.envelope import Answer

KIND = "outflow"
ISSUE, MAKE_VOID = "S010", "S015"
Became = Literal["out", "void", "refused", "unknown"]


def send_out(desk: Desk, document: UUID, order_id: UUID) -> Became:
    """Send a reviewed sheet to the center for a pharmacy of the patient's choice (外配). Sent again it is done once.

    "unknown": the center has not said; the recovery worker finds out. Raises NotToSendOut, DocumentChanged, NotFound.
    """
    attempt = _ask(desk, document, order_id)
    if attempt is not None:
        machine.ask(attempt)
    return became(desk, document)


def take_back(desk: Desk, document: UUID, reason: str) -> Became:
    """Make a sheet that is out void (作废), while no pharmacy has it; it may be paid here again when nothing was had.

    "out" means that the center said no; the outflow says why. Raises OutflowReasonNeeded, OutflowPending, NotFound.
    """
    if not reason.strip():
        raise OutflowReasonNeeded
    attempt = _ask_void(desk, document, reason.strip()[:200])
    if attempt is not None:
        machine.ask(attempt)
    return became(desk, document)


def became(desk: Desk, document: UUID) -> Became:
    """What has become of it. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(statements.KNOWN, {**desk.keys, "document": document})
    if not rows:
        raise NotFound
    known: dict[str, Became] = {"out": "out", "void": "void", "refused": "refused"}
    return known.get(rows[0].state, "unknown")


@hot_action
def _ask(desk: Desk, document: UUID, order_id: UUID) -> machine.Attempt | None:
    at, keys = clock.now(), {**desk.keys, "document": document, "order": order_id}
    with transaction(settings=desk.settings) as hot:
        known, sheets = hot.run_all([(statements.KNOWN, keys), (statements.SHEET, keys)])
        if known:
            if known[0].order_id != order_id:
                raise DocumentChanged
            return None
        if not sheets:
            raise NotFound
        sheet = sheets[0]
        lines, diagnoses = hot.run_all([(statements.LINES, keys), (statements.DIAGNOSES, keys)])
        if why := wire.problem(sheet, lines, clock.business_date(at)):
            raise NotToSendOut(number=sheet.number, why=why)
        content = _content(desk, document, sheet, diagnoses, lines)
        faults.at("outflow.sending")
        return _written(hot, desk, statements.ASK, keys | {"at": at}, ISSUE, content)


def _content(desk: Desk, document: UUID, sheet: Any, diagnoses: Sequence[Any], lines: Sequence[Any]) -> dict[str, Any]:
    person = msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(sheet.sealed)), type=Person)
    return wire.prescription(document, sheet, person, diagnoses, lines)


@hot_action
def _ask_void(desk: Desk, document: UUID, reason: str) -> machine.Attempt | None:
    keys = {**desk.keys, "document": document}
    with transaction(settings=desk.settings) as hot:
        found = hot.run(statements.OUT, keys)
        if not found:
            raise NotFound
        row = found[0]
        if row.state in {"asked", "voiding"}:
            raise OutflowPending(number=row.sheet, act=words("作废"))
        if row.state != "out":
            return None
        keys |= {"at": clock.now(), "reason": reason}
        return _written(hot, desk, statements.ASK_VOID, keys, MAKE_VOID, wire.voiding(document, reason))


def _written(
    hot: Hot, desk: Desk, statement: str, keys: dict[str, Any], infno: str, content: dict[str, Any]
) -> machine.Attempt:
    """Write down that the center is being asked; it is committed before it is sent."""
    here = desks.institution(desk.tenant_id, desk.facility_id)
    stored = machine.Sealed(here.wire, desks.operator_of(desk), "", "", "", msgspec.json.encode(content).decode())
    asked = keys | {
        "attempt": uuid4(), "document_kind": KIND, "infno": infno, "institution": here.wire.code, "sealed": machine.seal(desk.tenant_id, stored),
        "message_digest": hashlib.sha256(stored.content.encode()).digest(), "deadline": machine.deadline(keys["at"]),
    }  # fmt: skip
    [row] = hot.run_last(statement, asked)
    return machine.Attempt(
        id=asked["attempt"], tenant_id=desk.tenant_id, facility_id=desk.facility_id, document_kind=KIND, document_id=keys["document"], infno=infno,
        message_id=row.message_id, asked_at=keys["at"], body=stored.body(infno, row.message_id, keys["at"]), psn_no="",
    )  # fmt: skip


class Outflows:
    """How the machine writes what became of a sheet that was sent out, or taken back."""

    @hot_action
    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """The center has it, with its code; or it is void there."""
        keys, data = machine.outcome(attempt, was, "accepted"), answer.output["data"]
        if attempt.infno == ISSUE:
            code = personal.seal(str(attempt.tenant_id), str(data["rx_trace_code"]))
            told = {"number": str(data["rx_no"]), "code": code, "valid_until": date.fromisoformat(str(data["vali_end_date"])), "center_state": str(data["rx_stas"])}  # fmt: skip
            statement = statements.ISSUED
        else:
            had = outflow.standing_of(data).had
            told, statement = {"had": as_json(had), "untouched": not any(had.values())}, statements.VOID
        with transaction(settings=attempt.settings) as hot:
            return bool(hot.run_last(statement, keys | told))

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """The center said no: the sheet may be paid here; or it is still out, and says why."""
        statement = statements.REFUSED if attempt.infno == ISSUE else statements.NOT_VOID
        keys = machine.outcome(attempt, was, "refused", {"code": code, "text": why[:500] or code})
        with transaction(settings=attempt.settings) as hot:
            return bool(hot.run_last(statement, keys))


machine.register(KIND, Outflows())


def refresh(desk: Desk, documents: Sequence[UUID]) -> None:
    """Ask the center how ours stand and keep what it said. Raises Outage, OutflowRefused."""
    if not documents:
        return
    rows = [
        {"id": one.document, "state": one.state, "keeper": one.keeper, "had": dict(one.had)}
        for one in outflow.statuses(desk, documents)
    ]
    with transaction(settings=desk.settings) as hot:
        hot.run_last(statements.KEEP_STATES, {**desk.keys, "rows": as_json(rows)})
