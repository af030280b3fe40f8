"""An insured visit at the center: registered (2201), cancelled (2202), by the machine of the dangerous minute.

The visit itself was made before and stands whatever the center says; a refusal is written on it and it goes on self-paid.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

import msgspec

from app.core import clock, personal
from app.core.errors import NotFound, words
from app.facility.clinic import visits
from app.facility.clinic.errors import VisitIncomplete, VisitMovedOn
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients.actions import FAMILY, register_patient
from app.facility.clinic.patients.rules import Person
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.reception.errors import AlreadyRegistered, RegistrationNotPossible, RegistrationPending
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, machine, messages
from app.national import envelope

if TYPE_CHECKING:
    from datetime import datetime

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.national.envelope import Answer

KIND = "visit"
REGISTER, CANCEL = "2201", "2202"
NOT_SEEN = "没有就诊"

VISIT = """
select v.id, v.number, v.state, v.booked, v.identification_id, v.mdtrt_id, v.doctor_id, d.code as department_code, d.name as department, d.caty,
    s.national_code as doctor_code, s.name as doctor
from visit v join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
left join staff s on s.tenant_id = v.tenant_id and s.id = v.doctor_id
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.id = %(visit)s
"""
PENDING = "select infno from insurance_attempt where tenant_id = %(tenant)s and document_id = %(visit)s and state in ('asked', 'recovering')"
ASK = f"""
with head as (
    update stream_head set message_number = message_number + 1 where tenant_id = %(tenant)s and facility_id = %(facility)s returning message_number
), {machine.OPEN_ATTEMPT}
select message_id from attempt
"""
REGISTERED = f"""
with {machine.CLOSE_ATTEMPT}
update visit v set mdtrt_id = %(mdtrt_id)s::text, center_refusal = null from attempt where v.tenant_id = %(tenant)s and v.id = attempt.document_id returning v.id
"""
REFUSED = f"""
with {machine.CLOSE_ATTEMPT}
update visit v set center_refusal = %(answer_text)s from attempt where v.tenant_id = %(tenant)s and v.id = attempt.document_id returning v.id
"""
STANDS = f"""
select v.ticket, v.state, d.name as department from visit v join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.department_id = %(department)s and v.visit_on = %(day)s
    and v.patient_id in {FAMILY} and v.state in ('BOOKED', 'WAITING', 'CALLED', 'PASSED') limit 1
"""
# Who came on a day that is over and was never seen, and of whom nothing is written.
UNSEEN = """
select v.id from visit v
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.state in ('WAITING', 'CALLED', 'PASSED') and v.visit_on < %(today)s and v.visit_on > %(today)s - 60
    and v.version = 0 and not exists (select from visit_draft d where d.tenant_id = v.tenant_id and d.visit_id = v.id)
    and not exists (select from insurance_attempt a where a.tenant_id = v.tenant_id and a.document_id = v.id and a.state in ('asked', 'recovering'))
order by v.visit_on, v.id limit 20
"""
TAKE_CARD = """
update visit set identification_id = %(identification)s::uuid, insutype = %(insutype)s::text, center_refusal = null where tenant_id = %(tenant)s and id = %(visit)s
"""


def file_of(desk: Desk, reading: UUID) -> UUID:
    """The file of a card's holder, made now when there is none. Raises PatientIncomplete when the card does not tell enough."""
    person = identify.person_read(desk, identify.get(desk, reading))
    row = patients.find_by_person(person.psn_no, person.certno, person.psn_cert_type)
    if row is not None:
        return UUID(str(row.id))
    patient_id = uuid5(reading, "patient")  # The same reading makes the same file.
    register_patient(
        desk, patient_id, Person(name=person.name, certno=person.certno, cert_type=person.psn_cert_type), person.psn_no
    )
    return patient_id


def register(desk: Desk, visit_id: UUID, arrival: visits.Arrival) -> visits.Made:
    """Register or book a visit with a doctor who may see people. Raises AlreadyRegistered, VisitIncomplete, NotEligible, NotPractitioner, DayFull."""
    from app.facility.clinic.reception import duties

    def check(hot: Hot) -> None:
        _not_twice(hot, desk, arrival)
        if arrival.doctor_id:
            rights = practice.rights_of(hot, desk, arrival.doctor_id)
            if not arrival.booked_for:
                practice.check_practice(rights, prescribing=True, emergency=arrival.kind == "emergency")
        if arrival.booked_for:
            duties.check_booking(hot, desk, arrival)

    return visits.open_visit(desk, visit_id, arrival, check)


def _not_twice(hot: Hot, desk: Desk, arrival: visits.Arrival) -> None:
    """Two receptionists at once, or one who was asked twice, give one ticket."""
    day = arrival.booked_for or clock.business_date()
    rows = hot.run(
        STANDS, {**desk.keys, "patient": arrival.patient_id, "department": arrival.department_id, "day": day}
    )
    if rows:
        state = words(visits.STATES[rows[0].state])
        raise AlreadyRegistered(day=day, department=rows[0].department, ticket=rows[0].ticket, state=state)


def ask_registration(desk: Desk, visit_id: UUID) -> str:
    """Register a visit at the center with the card that was read (2201); returns what machine.ask says, "standing" when it was done.

    Raises RegistrationNotPossible, RegistrationPending; IdentificationExpired, MatchNotConfirmed when the card has to be looked at again.
    """
    visit = _visit(desk, visit_id)
    if visit.mdtrt_id:
        return "standing"
    if visit.identification_id is None or visit.state == "CANCELLED":
        raise RegistrationNotPossible(number=visit.number, why=words("没有读过卡，或已经退号"))
    if visit.state == "BOOKED":  # So a booking that nobody comes to leaves nothing at the center.
        raise RegistrationNotPossible(number=visit.number, why=words("到院报到后再登记"))
    loaded: Any = identify.get(desk, visit.identification_id)
    person, at = identify.person_of(desk, loaded, 0), clock.now()
    extra: dict[str, Any] = {"operator_terminal": desk.terminal, "credential": person.read_how}
    if agent := identify.agent_of(desk, loaded):
        extra["agent"] = agent
    content = _registration(visit, person, at, extra)
    return _ask(desk, REGISTER, visit, person, loaded.sign_no or "", content, at)


def cancel_visit(desk: Desk, visit_id: UUID, reason: str) -> str:
    """Cancel a visit (退号); one that stands at the center is cancelled there too, and that only goes forward.

    Returns "cancelled" or what machine.ask says. Raises VisitMovedOn, VisitIncomplete without a reason, RegistrationPending.
    """
    visit = _visit(desk, visit_id)
    if visit.state == "CANCELLED" and not visit.mdtrt_id:
        return "cancelled"
    if not visit.mdtrt_id:
        _cancel(desk, visit_id, reason)
        return "cancelled"
    loaded: Any = identify.get(desk, visit.identification_id)
    person = _person(desk, loaded)
    content = {"data": {"psn_no": person.psn_no, "mdtrt_id": visit.mdtrt_id, "ipt_otp_no": visit.number}}
    return _ask(desk, CANCEL, visit, person, loaded.sign_no or "", content, clock.now(), reason=reason)


def end_unseen(desk: Desk) -> int:
    """Cancel who came on a day that is over and was never seen (没有就诊), at the center too; returns how many.

    At most twenty at a time; while the center is away it stops at the first, which the recovery worker finishes.
    """
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(UNSEEN, {**desk.keys, "today": clock.business_date()})
    ended = 0
    for row in rows:
        with suppress(VisitMovedOn, RegistrationPending):  # Somebody else was faster.
            said = cancel_visit(desk, row.id, NOT_SEEN)
            ended += 1
            if said == "unknown":
                break
    return ended


@hot_action
def _cancel(desk: Desk, visit_id: UUID, reason: str) -> None:
    _reasoned(reason)
    with transaction(settings=desk.settings) as hot:
        visit = visits.locked(hot, desk, visit_id)
        _not_pending(hot, desk, visit, "退号")
        visits.move(hot, desk, visit_id, "cancelled", clock.now(), note=reason)


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise VisitIncomplete(why=words("退号要写原因"))


@hot_action
def change_card(desk: Desk, visit_id: UUID, identification_id: UUID | None) -> None:
    """Put another reading of a card on a visit, or none (改自费), while nothing stands at the center. Raises RegistrationNotPossible."""
    loaded = identify.get(desk, identification_id) if identification_id else None
    if identification_id and loaded is None:
        raise NotFound
    insutype = str(loaded.shown.get("insutype") or "") if loaded else None
    with transaction(settings=desk.settings) as hot:
        visit = visits.locked(hot, desk, visit_id)
        _not_pending(hot, desk, visit, "换卡")
        if visit.mdtrt_id or visit.state in {"CANCELLED", "CLOSED"}:
            raise RegistrationNotPossible(number=visit.number, why=words("已经登记过医保，或已经结束"))
        hot.run(TAKE_CARD, {**desk.keys, "visit": visit_id, "identification": identification_id, "insutype": insutype})


def _visit(desk: Desk, visit_id: UUID) -> Any:
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(VISIT, {**desk.keys, "visit": visit_id})
    if not rows:
        raise NotFound
    return rows[0]


def _person(desk: Desk, loaded: Any) -> messages.Person:
    """Whom the card was read for, however long ago: what is taken back goes by what was registered."""
    return msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(loaded.sealed)), type=messages.Person)


def _not_pending(hot: Hot, desk: Desk, visit: Any, act: str) -> None:
    if hot.run(PENDING, {**desk.keys, "visit": visit.id}):
        raise RegistrationPending(number=visit.number, act=words(act))


def _registration(visit: Any, person: messages.Person, at: datetime, extra: dict[str, Any]) -> dict[str, Any]:
    """The input of 2201."""
    return {
        "data": {
            "psn_no": person.psn_no, "insutype": person.insutype, "begntime": envelope.wire_time(at), "mdtrt_cert_type": person.mdtrt_cert_type,
            "mdtrt_cert_no": person.mdtrt_cert_no, "card_sn": person.mdtrt_cert_no if person.mdtrt_cert_type == "03" else "",
            "psn_cert_type": person.psn_cert_type, "certno": person.certno, "psn_type": person.psn_type, "psn_name": person.name,
            "ipt_otp_no": visit.number, "atddr_no": visit.doctor_code or "", "dr_name": visit.doctor or "", "dept_code": visit.department_code,
            "dept_name": visit.department, "caty": visit.caty, "exp_content": envelope.extension_text(extra),
        }
    }  # fmt: skip


def _ask(
    desk: Desk,
    infno: str,
    visit: Any,
    person: messages.Person,
    sign_no: str,
    content: dict[str, Any],
    at: datetime,
    reason: str = "",
) -> str:
    here = desks.institution(desk.tenant_id, desk.facility_id)
    stored = machine.Sealed(
        here.wire, desks.operator_of(desk), person.admdvs, sign_no, person.psn_no, msgspec.json.encode(content).decode()
    )
    attempt = _open(desk, infno, visit.id, stored, at, reason)
    return machine.ask(attempt) if attempt else "standing"


@hot_action
def _open(
    desk: Desk, infno: str, visit_id: UUID, stored: machine.Sealed, at: datetime, reason: str
) -> machine.Attempt | None:
    """Write down that the center is being asked, with the cancellation where it is one; nothing when that has been answered."""
    attempt_id = uuid4()
    keys = {
        **desk.keys, "attempt": attempt_id, "document_kind": KIND, "document": visit_id, "visit": visit_id, "infno": infno,
        "institution": stored.institution.code, "at": at, "message_digest": hashlib.sha256(stored.content.encode()).digest(),
        "sealed": machine.seal(desk.tenant_id, stored), "deadline": machine.deadline(at),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        visit = visits.locked(hot, desk, visit_id)
        _not_pending(hot, desk, visit, "再次提交")
        if bool(visit.mdtrt_id) != (infno == CANCEL):
            return None
        if infno == CANCEL and visit.state != "CANCELLED":
            _reasoned(reason)
            visits.move(hot, desk, visit_id, "cancelled", at, note=reason)
        message_id = hot.run_last(ASK, keys)[0].message_id
    return machine.Attempt(
        id=attempt_id, tenant_id=desk.tenant_id, facility_id=desk.facility_id, document_kind=KIND, document_id=visit_id, infno=infno,
        message_id=message_id, asked_at=at, body=stored.body(infno, message_id, at), psn_no=stored.psn_no,
    )  # fmt: skip


class Registrations:
    """How the machine writes what became of a registration or of its cancellation."""

    @hot_action
    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """The center has registered the visit, or no longer has it."""
        mdtrt_id = str(answer.output["data"]["mdtrt_id"]) if attempt.infno == REGISTER else None
        with transaction(settings=attempt.settings) as hot:
            written = hot.run_last(REGISTERED, {**machine.outcome(attempt, was, "accepted"), "mdtrt_id": mdtrt_id})
        return bool(written)

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """The center said no: the visit says why."""
        state = "reversed" if code == "REVERSED" else "refused"
        with transaction(settings=attempt.settings) as hot:
            written = hot.run_last(
                REFUSED, machine.outcome(attempt, was, state, {"code": code, "text": why[:500] or code})
            )
        return bool(written)


machine.register(KIND, Registrations())
