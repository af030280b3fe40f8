"""The queue 候诊队列: who waits today, and the one who is called next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.clinic import visits
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.reception.errors import NobodyWaits
from app.facility.db import hot_action, run, transaction

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50
# What stands together on the screen; the first is shown unless told otherwise.
LISTS = {
    "waiting": ("CALLED", "WAITING"), "passed": ("PASSED",), "begun": ("IN_VISIT", "SIGNED"), "booked": ("BOOKED",), "ended": ("CLOSED", "CANCELLED"),
}  # fmt: skip

# Another desk that calls at this moment finds the next one: a row that is locked is passed over.
NEXT = """
select id from visit
where tenant_id = %(tenant)s and facility_id = %(facility)s and visit_on = %(today)s and state = 'WAITING'
    and (%(department)s::bigint is null or department_id = %(department)s) and (%(doctor)s::bigint is null or doctor_id is null or doctor_id = %(doctor)s)
order by priority desc, ticket, id limit 1 for update skip locked
"""

# Whoever a doctor called already comes first; the room is the one the doctor's duty of today names.
NEXT_FOR = """
select v.id, v.state, (
    select r.room_id from duty r where r.tenant_id = v.tenant_id and r.facility_id = v.facility_id and r.doctor_id = %(doctor)s and r.weekday = %(weekday)s
        and r.room_id is not null and r.ended_at is null order by (r.period = %(period)s) desc, r.id limit 1) as duty_room
from visit v
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.visit_on = %(today)s and v.state in ('CALLED', 'WAITING')
    and (v.doctor_id is null or v.doctor_id = %(doctor)s)
order by v.state = 'CALLED' desc, v.priority desc, v.ticket, v.id limit 1 for update skip locked
"""


@hot_action
def take_next(desk: Desk) -> UUID:
    """The doctor who acts calls whoever is next and takes them at once (叫号并接诊): one call for the wall, one queue for all.

    Whom they called already comes first; two doctors at once take two people. Raises NobodyWaits.
    """
    at = clock.now()
    today = clock.business_date(at)
    keys = {**desk.keys, "doctor": desk.staff_id, "today": today, "weekday": today.isoweekday(), "period": visits.period_of(at)}  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        rows = hot.run(NEXT_FOR, keys)
        if not rows:
            raise NobodyWaits
        visit: UUID = rows[0].id
        if rows[0].state == "WAITING":
            visits.move(hot, desk, visit, "called", at, room=rows[0].duty_room, doctor=desk.staff_id)
        visits.move(hot, desk, visit, "began", at, doctor=desk.staff_id)
    return visit


@hot_action
def call_next(desk: Desk, *, department: int | None = None, doctor: int | None = None, room: int | None = None) -> UUID:
    """Call whoever is next: emergencies and the preferred first, the morning before the afternoon, then by ticket. Raises NobodyWaits."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run(NEXT, {**desk.keys, "today": clock.business_date(), "department": department, "doctor": doctor})
        if not rows:
            raise NobodyWaits
        visit: UUID = rows[0].id
        visits.move(hot, desk, visit, "called", clock.now(), room=room, doctor=doctor)
    return visit


ROWS = f"""
select v.id, v.number, v.ticket, {patients.STATE}, v.kind, v.priority, v.urgency, v.period, v.booked, v.visit_on, v.arrived_at, v.called_at, v.calls, v.mdtrt_id, v.center_refusal,
    v.identification_id, v.insutype, v.med_type, v.dise_name, v.cancel_reason, v.patient_id, v.doctor_id, v.department_id, v.room_id,
    p.number as patient_number, p.name_shown, p.sex, p.born_on, d.name as department, s.name as doctor, r.name as consulting_room, (
    select a.infno from insurance_attempt a where a.tenant_id = v.tenant_id and a.document_id = v.id and a.state in ('asked', 'recovering') limit 1) as pending
from visit v
join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id
join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
left join staff s on s.tenant_id = v.tenant_id and s.id = v.doctor_id
left join consulting_room r on r.tenant_id = v.tenant_id and r.id = v.room_id
where v.facility_id = :facility and
"""


def list_queue(
    facility_id: int,
    which: str = "waiting",
    department: int | None = None,
    doctor: int | None = None,
    after: tuple[int, int, str] | None = None,
    day: date | None = None,
) -> list[Any]:
    """A day's people of one list (today's unless told otherwise), in the order in which they will be called, 50 a page."""
    priority, ticket, last = after or (1 << 30, 0, "00000000-0000-0000-0000-000000000000")
    rows = run(
        f"""{ROWS} v.visit_on = :day and v.state = any(:states)
            and (cast(:department as bigint) is null or v.department_id = :department) and (cast(:doctor as bigint) is null or v.doctor_id is null or v.doctor_id = :doctor)
            and (-v.priority, v.ticket, v.id) > (-cast(:priority as int), cast(:ticket as int), cast(:last as uuid))
        order by -v.priority, v.ticket, v.id limit :page
        """,
        facility=facility_id, today=clock.business_date(), day=day or clock.business_date(), states=list(LISTS[which]), department=department, doctor=doctor, priority=priority,
        ticket=ticket, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def counts(facility_id: int, day: date | None = None) -> dict[str, int]:
    """How many stand in each list today; of the bookings, those of a day."""
    today = clock.business_date()
    rows = run(
        """
        select state, count(*) as many from visit
        where facility_id = :facility and (visit_on = :day and state = 'BOOKED' or visit_on = :today and state <> 'BOOKED') group by state
        """,
        facility=facility_id,
        today=today,
        day=day or today,
    )
    found = {row.state: int(row.many) for row in rows}
    return {which: sum(found.get(state, 0) for state in states) for which, states in LISTS.items()}


STANDING = f"""
select v.id, v.ticket, v.visit_on, v.period, v.state, v.department_id, d.name as department
from visit v join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
where v.facility_id = :facility and v.patient_id in {patients.FAMILY} and v.visit_on >= :today
    and v.state in ('BOOKED', 'WAITING', 'CALLED', 'PASSED', 'IN_VISIT') order by v.visit_on, v.priority desc, v.ticket limit 10
"""


def list_standing(facility_id: int, patient_id: UUID) -> list[Any]:
    """What somebody is registered for from today on and was not seen for yet."""
    return list(run(STANDING, facility=facility_id, patient=patient_id, today=clock.business_date()))


def get_visit(facility_id: int, visit_id: UUID) -> Any:
    """One visit of this facility with what its page shows. Raises NotFound."""
    row = run(f"{ROWS} v.id = :id", facility=facility_id, today=clock.business_date(), id=visit_id).one_or_none()
    if row is None:
        raise NotFound
    return row
