"""People are put on a plan, followed up, let go; their telephone is opened for a reason."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, personal, trail
from app.core.errors import DocumentChanged, NotFound, words
from app.facility.clinic.care import rules
from app.facility.clinic.care.errors import AlreadyEnded, CareIncomplete, EnrolledAlready, PhoneUnknown, ReasonNotNamed
from app.facility.clinic.patients import queries as patients
from app.facility.db import action, hot_action, transaction

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.clinic.care.rules import FollowUp

# Whoever a merged file was merged into is the person.
PERSON = "select coalesce(merged_into, id) as id from patient where tenant_id = %(tenant)s and id = %(patient)s"
PLAN = """
select name, days from care_plan where tenant_id = %(tenant)s and code = %(plan)s and begins_on <= %(today)s::date order by begins_on desc, id desc limit 1
"""
KNOWN_ENROLMENT = "select digest from care_enrolment where tenant_id = %(tenant)s and id = %(id)s"
ENROL = """
insert into care_enrolment (tenant_id, id, facility_id, patient_id, plan_code, begun_on, next_on, digest, staff_id, made_at)
values (%(tenant)s, %(id)s, %(facility)s, %(person)s, %(plan)s, %(begun_on)s::date, %(next_on)s::date, %(digest)s, %(staff)s, %(at)s)
"""
# A file that was merged stands for the same person.
ENROLLED = """
select 1 as known from care_enrolment e where e.tenant_id = %(tenant)s and e.facility_id = %(facility)s and e.plan_code = %(plan)s and e.ended_on is null
    and e.patient_id in (select f.id from patient f where f.tenant_id = %(tenant)s and (f.id = %(person)s or f.merged_into = %(person)s))
"""
LOCK_PERSON = "select id from patient where tenant_id = %(tenant)s and id = %(person)s for no key update"
END = """
update care_enrolment set ended_on = %(today)s::date, ended_why = %(why)s, ended_by = %(staff)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and ended_on is null returning id
"""
ENROLMENT = (
    "select ended_on from care_enrolment where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s"
)
KNOWN_NOTE = "select digest from care_note where tenant_id = %(tenant)s and id = %(id)s"
NOTE = """
insert into care_note (tenant_id, id, facility_id, patient_id, kind, outcome, systolic, diastolic, glucose_tenths, next_on, sealed, digest, staff_id, at)
values (%(tenant)s, %(id)s, %(facility)s, %(person)s, %(kind)s, %(outcome)s, %(systolic)s::int, %(diastolic)s::int, %(glucose_tenths)s::int,
    %(next_on)s::date, %(sealed)s, %(digest)s, %(staff)s, %(at)s)
"""
_OF_PERSON = """tenant_id = %(tenant)s and facility_id = %(facility)s and ended_on is null
    and patient_id in (select f.id from patient f where f.tenant_id = %(tenant)s and (f.id = %(person)s or f.merged_into = %(person)s))"""
# On the day that was said, or the plan's interval from today.
MOVE = f"""
update care_enrolment set next_on = coalesce(%(next_on)s::date, %(today)s::date + coalesce((
    select p.days from care_plan p where p.tenant_id = %(tenant)s and p.code = care_enrolment.plan_code and p.begins_on <= %(today)s::date
    order by p.begins_on desc, p.id desc limit 1), 90))
where {_OF_PERSON}
"""
END_ALL = f"update care_enrolment set ended_on = %(today)s::date, ended_why = %(outcome)s, ended_by = %(staff)s where {_OF_PERSON}"


@hot_action
def enrol(
    desk: Desk, enrolment_id: UUID, patient_id: UUID, plan: str, begun_on: date, next_on: date | None = None
) -> None:
    """Put somebody on a plan (纳入慢病管理); next expected after the plan's interval unless a day is told.

    Sent again it changes nothing. Raises CareIncomplete, EnrolledAlready, DocumentChanged, NotFound.
    """
    today = clock.business_date()
    digest = _digest(patient_id, plan, begun_on, next_on)
    keys = {**desk.keys, "id": enrolment_id, "patient": patient_id, "plan": plan, "today": today, "digest": digest, "at": clock.now()}  # fmt: skip
    try:
        with transaction(settings=desk.settings) as hot:
            known, persons, plans = hot.run_all([(KNOWN_ENROLMENT, keys), (PERSON, keys), (PLAN, keys)])
            if known:
                _check_same(known[0], digest)
                return
            if not persons:
                raise NotFound
            if not plans or plans[0].days is None:
                raise CareIncomplete(why=words("要选一个正在用的病种"))
            first = next_on or today + timedelta(days=plans[0].days)
            _check_days(today, begun_on, first)
            keys |= {"person": persons[0].id, "begun_on": begun_on, "next_on": first}
            hot.run(LOCK_PERSON, keys)
            if hot.run(ENROLLED, keys):
                raise EnrolledAlready(plan=plans[0].name)
            hot.run_last(ENROL, keys)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # Two at once: the later one looks again.


def _check_days(today: date, begun_on: date, next_on: date) -> None:
    if not timedelta(0) <= today - begun_on <= timedelta(days=80 * 366):
        raise CareIncomplete(why=words("确诊或纳入日期不能晚于今天"))
    if not timedelta(0) <= next_on - today <= timedelta(days=366):
        raise CareIncomplete(why=words("下次日期要在今天以后的一年内"))


@hot_action
def end_enrolment(desk: Desk, enrolment_id: UUID, why: str) -> None:
    """Take somebody off a plan, with the reason (结束管理); what was noted stays. Raises CareIncomplete, AlreadyEnded, NotFound."""
    if why not in rules.LEAVING:
        raise CareIncomplete(why=words("要选结束的原因"))
    keys = {**desk.keys, "id": enrolment_id, "why": why, "today": clock.business_date()}
    with transaction(settings=desk.settings) as hot:
        if hot.run(END, keys):
            return
        rows = hot.run(ENROLMENT, keys)
    if not rows:
        raise NotFound
    raise AlreadyEnded(day=rows[0].ended_on)


@hot_action
def note_follow_up(desk: Desk, note_id: UUID, patient_id: UUID, told: FollowUp) -> None:
    """Note what came of asking after somebody (随访): it moves the day they are expected, or ends their plans here.

    Sent again it changes nothing. Raises CareIncomplete, DocumentChanged, NotFound.
    """
    today = clock.business_date()
    if why := rules.follow_up_problem(told, today):
        raise CareIncomplete(why=why)
    digest = _digest(patient_id, told)
    sealed = personal.seal(str(desk.tenant_id), told.note) if told.note else None
    keys = {
        **desk.keys, **msgspec.structs.asdict(told), "id": note_id, "patient": patient_id, "digest": digest, "sealed": sealed, "today": today,
        "at": clock.now(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        known, persons = hot.run_all([(KNOWN_NOTE, keys), (PERSON, keys)])
        if known:
            _check_same(known[0], digest)
            return
        if not persons:
            raise NotFound
        keys["person"] = persons[0].id
        after = [] if told.outcome == "missed" else [(END_ALL if told.outcome in rules.ENDS else MOVE, keys)]
        hot.run_all([(NOTE, keys), *after], last=True)


def open_phone(patient_id: UUID, why: str) -> str:
    """Show somebody's telephone number to whoever will call, and write down who looked and what for (打开电话).

    Raises ReasonNotNamed, PhoneUnknown, NotFound.
    """
    if why not in rules.WHY_CALL:
        raise ReasonNotNamed
    patient = patients.get_patient(patient_id)
    number = patients.unseal(patient).phone
    if not number:
        raise PhoneUnknown
    _note_look(str(patient.number), why)
    return number


@action
def _note_look(number: str, why: str) -> None:
    trail.record("patient.phone_opened", number, reason=why)


def _check_same(row: Any, digest: bytes) -> None:
    if bytes(row.digest) != digest:
        raise DocumentChanged


def _digest(*told: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode(told)).digest()
