"""Visits 就诊: how one is made and how it goes on; who may move it from where. The reception and the desk act through this."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, words
from app.facility.clinic.errors import VisitIncomplete, VisitMovedOn, VisitWritten
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.hot import Hot
    from app.core.tenancy import Desk

STATES = {
    "BOOKED": "已预约", "WAITING": "候诊", "CALLED": "已叫号", "PASSED": "过号", "IN_VISIT": "在诊", "SIGNED": "已开单", "CLOSED": "已结束", "CANCELLED": "已退号",
}  # fmt: skip
LOOKS = STATES | {"MISSED": "爽约"}  # As it is shown: a booking of a day that is over, to which nobody came.
KINDS = {"first": "初诊", "again": "复诊", "emergency": "急诊"}
PERIODS = {"am": "上午", "pm": "下午"}
NOON = 12
MOST_AHEAD = 60
PREFERRED, EMERGENCY = 1, 2  # 优先, 急诊: these go before everybody else, whatever half of the day they stand in.
# kind of event: (from which states, into which, what it is called when it is refused)
STEPS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "arrived": (("BOOKED",), "WAITING", "报到"),
    "called": (("WAITING", "CALLED", "PASSED"), "CALLED", "叫号"),
    "passed": (("CALLED", "IN_VISIT"), "PASSED", "过号"),
    "returned": (("PASSED", "CALLED", "SIGNED"), "WAITING", "回到候诊"),
    "began": (("WAITING", "CALLED", "PASSED"), "IN_VISIT", "接诊"),
    "signed": (("IN_VISIT", "SIGNED"), "SIGNED", "签名"),
    "reopened": (("SIGNED",), "IN_VISIT", "重新打开"),
    "closed": (("SIGNED",), "CLOSED", "结束"),
    "cancelled": (("BOOKED", "WAITING", "CALLED", "PASSED"), "CANCELLED", "退号"),
}
LOCK = "select * from visit where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(visit)s for update"
INSERT = """
with made as (
    insert into visit (tenant_id, id, facility_id, patient_id, number, ticket, visit_on, department_id, doctor_id, room_id, kind, booked, urgency, period, state,
        identification_id, insutype, med_type, dise_code, dise_name, digest, staff_id, made_at, arrived_at)
    select %(tenant)s, %(visit)s, %(facility)s, p.id, %(number)s, %(ticket)s, %(visit_on)s, d.id, %(doctor)s::bigint, %(room)s::bigint, %(kind)s, %(booked)s,
        %(urgency)s, %(period)s, %(state)s, %(identification)s::uuid, %(insutype)s::text, %(med_type)s, %(dise_code)s, %(dise_name)s, %(digest)s, %(staff)s, %(at)s,
        case when %(booked)s then null::timestamptz else %(at)s end
    from patient p, department d
    where p.tenant_id = %(tenant)s and p.id = %(patient)s and p.merged_into is null
        and d.tenant_id = %(tenant)s and d.facility_id = %(facility)s and d.id = %(department)s and d.stopped_at is null
    returning id
)
insert into visit_event (tenant_id, visit_id, facility_id, kind, room_id, staff_id, at)
select %(tenant)s, id, %(facility)s, %(event)s, %(room)s::bigint, %(staff)s, %(at)s from made returning visit_id
"""
TICKET = """
select coalesce(max(ticket), 0) + 1 as ticket from visit
where tenant_id = %(tenant)s and facility_id = %(facility)s and visit_on = %(visit_on)s and department_id = %(department)s
"""
BEGUN_WRITING = "select 1 as begun from visit_draft where tenant_id = %(tenant)s and visit_id = %(visit)s"
# The moment that belongs to an event is set by its kind.
STEP = """
with moved as (
    update visit set state = %(to)s, room_id = coalesce(%(room)s::bigint, room_id), doctor_id = coalesce(%(doctor)s::bigint, doctor_id),
        period = case when %(event)s = 'arrived' then greatest(period, %(period)s) else period end,
        arrived_at = case when %(event)s = 'arrived' then %(at)s else arrived_at end, called_at = case when %(event)s = 'called' then %(at)s else called_at end,
        calls = calls + (%(event)s = 'called')::int, began_at = case when %(event)s = 'began' then coalesce(began_at, %(at)s) else began_at end,
        signed_at = case when %(event)s = 'signed' then %(at)s else signed_at end, closed_at = case when %(event)s = 'closed' then %(at)s else closed_at end,
        cancelled_at = case when %(event)s = 'cancelled' then %(at)s else cancelled_at end,
        cancel_reason = case when %(event)s = 'cancelled' then %(note)s else cancel_reason end
    where tenant_id = %(tenant)s and id = %(visit)s returning id
)
insert into visit_event (tenant_id, visit_id, facility_id, kind, note, room_id, staff_id, at)
select %(tenant)s, id, %(facility)s, %(event)s, %(note)s, %(room)s::bigint, %(staff)s, %(at)s from moved
"""


class Arrival(msgspec.Struct, frozen=True):
    """Who comes to whom, and how; an insured person by the reading of the card (`identification`)."""

    patient_id: UUID
    department_id: int
    doctor_id: int | None = None
    room_id: int | None = None
    kind: str = "first"
    booked_for: date | None = None  # A booking; None: here now.
    period: str = ""  # The half of the day that is booked.
    preferred: bool = False
    identification_id: UUID | None = None
    insutype: str = ""
    med_type: str = "11"
    dise_code: str = ""
    dise_name: str = ""


class Made(msgspec.Struct, frozen=True):
    """A visit's number and ticket."""

    number: str
    ticket: int


@hot_action
def open_visit(desk: Desk, visit_id: UUID, arrival: Arrival, check: Callable[[Hot], None] | None = None) -> Made:
    """Register a visit (挂号) or book it (预约): a number of the facility, a ticket of the department's day.

    `check` looks at what else must hold; two at once take the same ticket, so the later one is checked again.
    Sent again it changes nothing. Raises VisitIncomplete, DocumentChanged. The center's registration (2201) is the reception's.
    """
    at, today = clock.now(), clock.business_date()
    if arrival.kind not in KINDS:
        raise VisitIncomplete(why=words("就诊类型要选一项"))
    if arrival.booked_for:
        _check_half(arrival, arrival.booked_for, today, period_of(at))
    digest = hashlib.sha256(msgspec.json.encode(arrival)).digest()
    keys = {
        **desk.keys, "visit": visit_id, "patient": arrival.patient_id, "department": arrival.department_id, "doctor": arrival.doctor_id, "room": arrival.room_id,
        "kind": arrival.kind, "booked": arrival.booked_for is not None, "visit_on": arrival.booked_for or today, "urgency": _urgency(arrival),
        "period": arrival.period if arrival.booked_for else period_of(at),
        "state": "BOOKED" if arrival.booked_for else "WAITING", "identification": arrival.identification_id, "insutype": arrival.insutype or None,
        "med_type": arrival.med_type, "dise_code": arrival.dise_code, "dise_name": arrival.dise_name, "digest": digest, "at": at,
        "event": "booked" if arrival.booked_for else "arrived",
    }  # fmt: skip
    try:
        with transaction(settings=desk.settings) as hot:
            known = hot.run(LOCK, keys)
            if known:
                return _known(known[0], digest)
            if check:
                check(hot)
            ticket = hot.run(TICKET, keys)[0].ticket
            number = ledger.number_for(hot, desk, "M", today)
            if not hot.run_last(INSERT, {**keys, "ticket": ticket, "number": number}):
                raise VisitIncomplete(why=words("患者档案或科室已经停用"))
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # Two registrations at once took one ticket: the later one tries again.
    return Made(number, ticket)


def period_of(at: datetime) -> str:
    """The half of the day in which a moment lies: the morning ends at noon."""
    return "am" if clock.local(at).hour < NOON else "pm"


def _urgency(arrival: Arrival) -> int:
    return EMERGENCY if arrival.kind == "emergency" else PREFERRED if arrival.preferred else 0


def _check_half(arrival: Arrival, day: date, today: date, period: str) -> None:
    if arrival.kind == "emergency":
        raise VisitIncomplete(why=words("急诊不预约，请现在挂号"))
    if arrival.period not in PERIODS or (day - today).days > MOST_AHEAD:
        raise VisitIncomplete(why=words("预约要选上午或下午，最多提前 {n} 天", n=MOST_AHEAD))
    if (day, arrival.period) < (today, period):
        raise VisitIncomplete(why=words("预约的半天已经过去"))


def _known(row: Any, digest: bytes) -> Made:
    if bytes(row.digest) != digest:
        raise DocumentChanged
    return Made(str(row.number), int(row.ticket))


@hot_action
def step(
    desk: Desk, visit_id: UUID, event: str, *, room: int | None = None, doctor: int | None = None, note: str = ""
) -> None:
    """Move a visit on: arrived, called, passed, returned, began, closed, cancelled (报到 叫号 过号 回诊 接诊 结束 退号).

    Raises VisitMovedOn when it is not where this can be done; NotFound. A cancellation needs its reason.
    """
    if event == "cancelled" and not note.strip():
        raise VisitIncomplete(why=words("退号要写原因"))
    with transaction(settings=desk.settings) as hot:
        move(hot, desk, visit_id, event, clock.now(), room=room, doctor=doctor, note=note)


def move(
    hot: Hot,
    desk: Desk,
    visit_id: UUID,
    event: str,
    at: datetime,
    *,
    room: int | None = None,
    doctor: int | None = None,
    note: str = "",
) -> Any:
    """Move a visit on inside another act; returns it as it was, locked."""
    visit = locked(hot, desk, visit_id)
    sources, to, word = STEPS[event]
    written = event == "passed" and visit.state == "IN_VISIT" and _is_written(hot, desk, visit)
    if event == "cancelled" and visit.version > 0:
        raise VisitWritten(number=visit.number)
    if visit.state == "BOOKED" and visit.visit_on < clock.business_date(at):
        raise VisitMovedOn(number=visit.number, state=words(LOOKS["MISSED"]), act=words(word))
    if visit.state not in sources or written:
        raise VisitMovedOn(number=visit.number, state=words(STATES[visit.state]), act=words(word))
    hot.run(
        STEP,
        {
            **desk.keys,
            "visit": visit_id,
            "event": event,
            "to": to,
            "room": room,
            "doctor": doctor,
            "note": note.strip()[:200],
            "at": at,
            "period": period_of(at),
        },
    )
    return visit


def _is_written(hot: Hot, desk: Desk, visit: Any) -> bool:
    """Say whether a doctor wrote anything: such a visit took place, its patient did not fail to come."""
    return visit.version > 0 or bool(hot.run(BEGUN_WRITING, {**desk.keys, "visit": visit.id}))


def locked(hot: Hot, desk: Desk, visit_id: UUID) -> Any:
    """A visit of this facility, locked. Raises NotFound."""
    rows = hot.run(LOCK, {**desk.keys, "visit": visit_id})
    if not rows:
        raise NotFound
    return rows[0]
