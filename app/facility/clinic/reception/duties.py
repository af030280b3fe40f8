"""Duties 排班: on which weekday, in which half of the day a doctor sees how many booked people; bookings keep to it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from app.core import clock
from app.core.errors import NotFound, WrongInput, words
from app.facility.clinic import visits
from app.facility.clinic.reception.errors import DayFull
from app.facility.db import hot_action, run, transaction

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.clinic.visits import Arrival

WEEKDAYS = {1: "周一", 2: "周二", 3: "周三", 4: "周四", 5: "周五", 6: "周六", 7: "周日"}
WEEKDAY_WORDS = {str(day): word for day, word in WEEKDAYS.items()}
MOST_BOOKED = 200

ADD = """
insert into duty (tenant_id, id, facility_id, doctor_id, department_id, room_id, weekday, period, most, staff_id, made_at)
select %(tenant)s, %(id)s, %(facility)s, p.staff_id, d.id, %(room)s::bigint, %(weekday)s::int, %(period)s, %(most)s::int, %(staff)s, %(at)s
from practitioner p, department d
where p.tenant_id = %(tenant)s and p.facility_id = %(facility)s and p.staff_id = %(doctor)s
    and d.tenant_id = %(tenant)s and d.facility_id = %(facility)s and d.id = %(department)s and d.stopped_at is null
on conflict do nothing returning id
"""
KNOWN = "select id from duty where tenant_id = %(tenant)s and id = %(id)s"
END = "update duty set ended_at = %(at)s where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and ended_at is null returning id"
ENDED = "select 1 as known from duty where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s"
# A doctor is on one duty in a half of a day. The lock on it lets two bookings of its last place come one after the other.
ON_DUTY = """
select id, most, department_id from duty where tenant_id = %(tenant)s and facility_id = %(facility)s and doctor_id = %(doctor)s
    and weekday = %(weekday)s and period = %(period)s and ended_at is null for no key update
"""
BOOKED = """
select count(*)::int as booked from visit where tenant_id = %(tenant)s and facility_id = %(facility)s and doctor_id = %(doctor)s and visit_on = %(day)s
    and booked and period = %(period)s and state <> 'CANCELLED'
"""
HALVES = """
select d.day::date as day, y.period, y.most, (
    select count(*)::int from visit v where v.facility_id = :facility and v.doctor_id = :doctor and v.visit_on = d.day::date and v.booked
        and v.period = y.period and v.state <> 'CANCELLED') as booked
from generate_series(cast(:today as date), cast(:today as date) + cast(:days as int), interval '1 day') as d(day)
join duty y on y.weekday = extract(isodow from d.day)
where y.facility_id = :facility and y.doctor_id = :doctor and y.department_id = :department and y.ended_at is null order by d.day, y.period limit 130
"""


@hot_action
def add_duty(
    desk: Desk, duty_id: UUID, doctor: int, department: int, room: int | None, weekday: int, period: str, most: int
) -> None:
    """Say that a doctor sees so many booked people in a half of a weekday. Sent again it changes nothing. Raises WrongInput."""
    if weekday not in WEEKDAYS or period not in visits.PERIODS or not 1 <= most <= MOST_BOOKED:
        raise WrongInput(what="排班", why="要选星期和上下午，号数在 1 到 200 之间")
    keys = {
        **desk.keys, "id": duty_id, "doctor": doctor, "department": department, "room": room, "weekday": weekday, "period": period, "most": most,
        "at": clock.now(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if not hot.run(ADD, keys) and not hot.run(KNOWN, keys):
            raise WrongInput(what="排班", why="这位医师没有登记，或这半天已经排过")


@hot_action
def end_duty(desk: Desk, duty_id: UUID) -> None:
    """End a duty; what was booked stays. Raises NotFound."""
    keys = {**desk.keys, "id": duty_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run(END, keys) and not hot.run(ENDED, keys):
            raise NotFound


def check_booking(hot: Hot, desk: Desk, arrival: Arrival) -> None:
    """Refuse a booking with a doctor who is not there in that half of the day, or whose half is full. Raises DayFull."""
    day, period = arrival.booked_for, arrival.period
    if arrival.doctor_id is None or day is None:
        raise DayFull(why=words("预约要选一位医师"))
    keys = {**desk.keys, "doctor": arrival.doctor_id, "weekday": day.isoweekday(), "day": day, "period": period}
    told = {"day": day, "half": words(visits.PERIODS[period])}
    found = hot.run(ON_DUTY, keys)
    if not found or found[0].department_id != arrival.department_id:
        raise DayFull(why=words("这位医师 {day} {half}不在这个科室出诊", **told))
    if hot.run(BOOKED, keys)[0].booked >= found[0].most:
        raise DayFull(why=words("这位医师 {day} {half}的 {most} 个号已经约满", **told, most=found[0].most))


class Half(NamedTuple):
    """A half of a day to come in which a doctor is on duty."""

    day: date
    period: str
    most: int
    booked: int

    @property
    def left(self) -> int:
        """How many may still book it."""
        return max(0, self.most - self.booked)

    @property
    def code(self) -> str:
        """As a form names it."""
        return f"{self.day}|{self.period}"


def list_halves(facility_id: int, doctor_id: int, department_id: int) -> list[Half]:
    """The halves of days to come in which a doctor sees booked people of a department, soonest first, with what is left of each."""
    at = clock.now()
    today, now = clock.business_date(at), visits.period_of(at)
    rows = run(
        HALVES, facility=facility_id, doctor=doctor_id, department=department_id, today=today, days=visits.MOST_AHEAD
    )
    return [Half(row.day, row.period, row.most, row.booked) for row in rows if (row.day, row.period) > (today, now)]


def list_duties(facility_id: int) -> list[Any]:
    """Duties that hold, by weekday."""
    return list(
        run(
            """
            select y.id, y.weekday, y.period, y.most, y.doctor_id, s.name as doctor, d.name as department, r.name as consulting_room
            from duty y join staff s on s.tenant_id = y.tenant_id and s.id = y.doctor_id
            join department d on d.tenant_id = y.tenant_id and d.id = y.department_id
            left join consulting_room r on r.tenant_id = y.tenant_id and r.id = y.room_id
            where y.facility_id = :facility and y.ended_at is null order by y.weekday, y.period, s.number limit 200
            """,
            facility=facility_id,
        )
    )
