"""Refer a patient of a visit, withdraw it, keep what is heard of it; take on those whom others send."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import msgspec

from app.core import clock, faults, personal, trail
from app.core.errors import DocumentChanged, NotFound
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.patients import queries as files
from app.facility.clinic.patients.rules import Person
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.referral import rules, statements, wire
from app.facility.clinic.referral.errors import (
    LetterIncomplete,
    NotTakenOn,
    NotToRefer,
    NotYourReferral,
    ReferralPending,
    ReferralReasonNeeded,
)
from app.facility.db import action, hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import machine
from app.facility.stock import typed
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.clinic.referral.rules import Letter
    from app.facility.clinic.referral.wire import Slip
    from app.national.envelope import Answer

KIND = "referral"
SEND = "S020"


def refer(desk: Desk, document: UUID, visit_id: UUID, letter: Letter) -> str:
    """Send the patient of a visit on to another institution (转诊); returns how the referral stands. Sent again it is done once.

    "asked": the center has not said; the recovery worker sends it again and finds out. Raises LetterIncomplete, NotToRefer,
    NotEligible, NotPractitioner, DocumentChanged, NotFound.
    """
    if why := rules.problem(letter):
        raise LetterIncomplete(why=why)
    attempt = _ask(desk, document, visit_id, letter)
    if attempt is not None:
        machine.ask(attempt)
    return str(_known(desk, document).state)


def withdraw(desk: Desk, document: UUID, why: str, *, as_head: bool = False) -> None:
    """Withdraw one that nobody took on (撤回): whoever wrote it, or the head of the house.

    Raises NotYourReferral, ReferralReasonNeeded, ReferralPending, ReferralRefused, Outage, NotFound.
    """
    said, row = _said(why), _known(desk, document)
    if not as_head and row.doctor_id != desk.staff_id:
        raise NotYourReferral(doctor=row.doctor)
    if row.number is None:
        if row.state == "asked":
            raise ReferralPending
        raise NotFound
    keep(desk, [wire.move(desk, row.number, "withdraw", said)])


def move(desk: Desk, number: str, act: str, said: str = "") -> Slip:
    """Take on, decline or answer one that came here (接收、谢绝、回复). Raises ReferralReasonNeeded, ReferralRefused, Outage."""
    return wire.move(desk, number, act, said if act == "accept" else _said(said))


def _said(text: str) -> str:
    if not text.strip():
        raise ReferralReasonNeeded
    return text.strip()[: rules.MOST_TEXT]


def _known(desk: Desk, document: UUID) -> Any:
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(statements.KNOWN, {**desk.keys, "document": document})
    if not rows:
        raise NotFound
    return rows[0]


@hot_action
def _ask(desk: Desk, document: UUID, visit_id: UUID, letter: Letter) -> machine.Attempt | None:
    at = clock.now()
    today, digest = clock.business_date(at), hashlib.sha256(msgspec.json.encode((visit_id, letter))).digest()
    keys = {**desk.keys, "document": document, "visit": visit_id, "at": at, "today": today}
    with transaction(settings=desk.settings) as hot:
        locked, known = hot.run_all([(statements.VISIT, keys), (statements.KNOWN, keys)])
        if known:
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return None
        if not locked:
            raise NotFound
        [visit] = hot.run(statements.STANDING, keys)
        here = desks.institution(desk.tenant_id, desk.facility_id)
        if why := rules.not_to_refer(visit, desk.staff_id, here.wire.code, letter):
            raise NotToRefer(number=visit.number, why=why)
        practice.check_practice(practice.rights_of(hot, desk), emergency=letter.urgent)
        person = msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(visit.sealed)), type=Person)
        until = today + timedelta(days=letter.valid_days)
        keys |= {
            "version": visit.version, "patient": visit.patient_id, "target": letter.target_code, "target_name": letter.target_name, "urgent": letter.urgent,
            "valid_until": until, "digest": digest,
            "letter": personal.seal(str(desk.tenant_id), msgspec.json.encode(letter)),
        }  # fmt: skip
        faults.at("referral.sending")
        return _written(hot, desk, keys, wire.letter(document, visit, person, letter, until))


def _written(hot: Hot, desk: Desk, keys: dict[str, Any], content: dict[str, Any]) -> machine.Attempt:
    """Write down that the center is being asked; it is committed before it is sent."""
    here = desks.institution(desk.tenant_id, desk.facility_id)
    stored = machine.Sealed(here.wire, desks.operator_of(desk), "", "", "", msgspec.json.encode(content).decode())
    asked = keys | {
        "attempt": uuid4(), "document_kind": KIND, "infno": SEND, "institution": here.wire.code, "sealed": machine.seal(desk.tenant_id, stored),
        "message_digest": hashlib.sha256(stored.content.encode()).digest(), "deadline": machine.deadline(keys["at"]),
    }  # fmt: skip
    [row] = hot.run_last(statements.ASK, asked)
    return machine.Attempt(
        id=asked["attempt"], tenant_id=desk.tenant_id, facility_id=desk.facility_id, document_kind=KIND, document_id=keys["document"], infno=SEND,
        message_id=row.message_id, asked_at=keys["at"], body=stored.body(SEND, row.message_id, keys["at"]), psn_no="",
    )  # fmt: skip


class Referrals:
    """How the machine writes what became of a referral that was sent."""

    @hot_action
    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """The center has it, under its number."""
        slip = wire.slip_of(answer.output["data"])
        keys = machine.outcome(attempt, was, "accepted") | {
            "state": _state(slip), "number": slip.number, "target_name": slip.target, "changed_at": slip.changed_at,
        }  # fmt: skip
        with transaction(settings=attempt.settings) as hot:
            return bool(hot.run_last(statements.SENT, keys))

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """The center said no. A center that was too busy to be asked said nothing: it is sent again by the worker."""
        if code == "CENTER_SLOW":
            return False
        keys = machine.outcome(attempt, was, "refused", {"code": code, "text": why[:500] or code})
        with transaction(settings=attempt.settings) as hot:
            return bool(hot.run_last(statements.REFUSED, keys))


machine.register(KIND, Referrals(), forward=True)


def refresh(desk: Desk, before: int | None = None) -> None:
    """Ask the center how ours stand and keep what it said, with the answers. Raises Outage, ReferralRefused."""
    keep(desk, wire.look(desk, "out", before))


def keep(desk: Desk, slips: Sequence[Slip]) -> None:
    """Keep what the center said of ours."""
    rows = [
        {"id": one.document, "state": _state(one), "at": one.changed_at.isoformat(), "answer": _answer(desk, one)}
        for one in slips
    ]  # fmt: skip
    if rows:
        with transaction(settings=desk.settings) as hot:
            hot.run_last(statements.KEEP_STATES, {**desk.keys, "rows": as_json(rows)})


def _state(slip: Slip) -> str:
    """As it is kept here: what nobody took in time the center calls expired; here that is read from the day."""
    return "sent" if slip.state == "expired" else slip.state


def _answer(desk: Desk, slip: Slip) -> str | None:
    return personal.seal(str(desk.tenant_id), slip.answer).hex() if slip.answer else None


def file_of(desk: Desk, slip: Slip) -> UUID:
    """The file of somebody who was sent here and taken on, made now when there is none. Raises NotTakenOn, PatientIncomplete."""
    if not slip.taken_on:
        raise NotTakenOn
    row = files.find_by_person("", slip.certno) if slip.certno else None
    _note_look(slip.number)
    if row is not None:
        return UUID(str(row.id))
    patient_id = uuid5(
        NAMESPACE_URL, f"referral:{desk.tenant_id}:{slip.number}"
    )  # The same referral makes the same file.
    with suppress(NotFound):
        return UUID(str(files.get_patient(patient_id).id))
    person = Person(name=slip.name, sex=slip.sex, born_on=typed.day(slip.born), certno=slip.certno, phone=slip.phone)
    patients.register_patient(desk, patient_id, person)
    return patient_id


@action
def _note_look(number: str) -> None:
    trail.record("referral.identity_read", number)
