"""Whoever comes is registered here whether the center answers or not; what the center says becomes known."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import Outage
from app.facility.clinic import visits
from app.facility.clinic.errors import NotEligible, VisitIncomplete, VisitMovedOn, VisitWritten
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.patients import queries as patients_read
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.reception import duties, queue, registering
from app.facility.clinic.reception.errors import (
    AlreadyRegistered,
    DayFull,
    NobodyWaits,
    RegistrationNotPossible,
    RegistrationPending,
)
from app.facility.clinic.visits import Arrival
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, machine
from tests.factories.city import at_center, make_insured
from tests.factories.clinic import make_clinic, make_patient, make_visit, sign
from tests.factories.shop import desk_of, one


@pytest.fixture
def insured_clinic(facility_app, center_app, monkeypatch):
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)  # Whatever was not answered is overdue at once.
    made = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made


@pytest.fixture
def silent(monkeypatch):
    """The center does not answer until told to."""

    def quiet(attempt):
        raise Outage("silent")

    monkeypatch.setattr(machine, "_send", quiet)
    return monkeypatch


def read_card(clinic, center_app, **fields):
    reading = uuid4()
    identify.identify(desk_of(clinic), reading, make_insured(center_app, **fields).card, "card")
    return reading


def insured_visit(clinic, center_app, **fields):
    """A visit registered here with a card; the center is not asked yet."""
    visit, reading = uuid4(), read_card(clinic, center_app)
    arrival = Arrival(make_patient(clinic), clinic.department, clinic.doctor, identification_id=reading, **fields)
    registering.register(desk_of(clinic), visit, arrival)
    return visit


def row(clinic, visit):
    return one(clinic, "select * from visit where tenant_id = %(t)s and id = %(v)s", v=visit)


def attempts(clinic, visit):
    return one(
        clinic,
        "select count(*) as many, string_agg(infno || ' ' || state, ', ' order by asked_at) as told from insurance_attempt where tenant_id = %(t)s and document_id = %(v)s",
        v=visit,
    )


def at_the_center(center_app, visit_row):
    return at_center(center_app, "select state from visit where mdtrt_id = %(m)s", m=visit_row)[0].state


def test_an_insured_visit_is_registered_on_both_sides_once(insured_clinic, center_app):
    visit = insured_visit(insured_clinic, center_app)

    assert registering.ask_registration(desk_of(insured_clinic), visit) == "confirmed"
    assert registering.ask_registration(desk_of(insured_clinic), visit) == "standing"
    kept = row(insured_clinic, visit)
    assert at_the_center(center_app, kept.mdtrt_id) == "registered"
    assert attempts(insured_clinic, visit).told == "2201 accepted"


def test_a_refused_registration_says_why_and_the_visit_goes_on_self_paid(insured_clinic, center_app, monkeypatch):
    visit, desk = insured_visit(insured_clinic, center_app), desk_of(insured_clinic)
    said = registering._registration
    monkeypatch.setattr(registering, "_registration", lambda *told: {"data": said(*told)["data"] | {"psn_no": "0"}})

    assert registering.ask_registration(desk, visit) == "released"
    kept = row(insured_clinic, visit)
    assert (kept.state, kept.mdtrt_id) == ("WAITING", None)
    assert "人员编号" in kept.center_refusal
    registering.change_card(desk, visit, None)
    assert row(insured_clinic, visit).identification_id is None


def test_a_silent_center_leaves_the_visit_waiting_and_the_worker_finishes(insured_clinic, center_app, silent):
    visit, desk = insured_visit(insured_clinic, center_app), desk_of(insured_clinic)

    assert registering.ask_registration(desk, visit) == "unknown"
    assert queue.get_visit(insured_clinic.facility_id, visit).pending == "2201"
    with pytest.raises(RegistrationPending):
        registering.cancel_visit(desk, visit, "不看了")
    with pytest.raises(RegistrationPending):
        registering.change_card(desk, visit, None)
    silent.undo()
    assert recover(insured_clinic, visit) == "confirmed"
    assert at_the_center(center_app, row(insured_clinic, visit).mdtrt_id) == "registered"


def recover(clinic, visit):
    """What the worker does when the attempt is overdue."""
    attempt = one(
        clinic,
        "select id from insurance_attempt where tenant_id = %(t)s and document_id = %(v)s and state = 'asked'",
        v=visit,
    )
    return machine.recover(clinic.tenant_id, attempt.id)


def test_a_cancelled_visit_is_cancelled_at_the_center_too(insured_clinic, center_app):
    visit, desk = insured_visit(insured_clinic, center_app), desk_of(insured_clinic)
    registering.ask_registration(desk, visit)
    mdtrt_id = row(insured_clinic, visit).mdtrt_id

    with pytest.raises(VisitIncomplete):
        registering.cancel_visit(desk, visit, " ")
    assert registering.cancel_visit(desk, visit, "不看了") == "confirmed"
    assert registering.cancel_visit(desk, visit, "不看了") == "cancelled"
    kept = row(insured_clinic, visit)
    assert (kept.state, kept.mdtrt_id, kept.cancel_reason) == ("CANCELLED", None, "不看了")
    assert at_the_center(center_app, mdtrt_id) == "cancelled"


def test_a_cancellation_goes_on_when_the_center_answers_again(insured_clinic, center_app, monkeypatch):
    visit, desk = insured_visit(insured_clinic, center_app), desk_of(insured_clinic)
    registering.ask_registration(desk, visit)
    mdtrt_id = row(insured_clinic, visit).mdtrt_id

    def quiet(attempt):
        raise Outage("silent")

    with monkeypatch.context() as silent:
        silent.setattr(machine, "_send", quiet)
        assert registering.cancel_visit(desk, visit, "不看了") == "unknown"
    assert (row(insured_clinic, visit).state, row(insured_clinic, visit).mdtrt_id) == ("CANCELLED", mdtrt_id)
    assert recover(insured_clinic, visit) == "confirmed"
    assert row(insured_clinic, visit).mdtrt_id is None
    assert at_the_center(center_app, mdtrt_id) == "cancelled"


def test_a_booking_nobody_came_to_says_so_and_left_nothing_at_the_center(insured_clinic, center_app, monkeypatch):
    clinic, desk, patient = insured_clinic, desk_of(insured_clinic), make_patient(insured_clinic)
    day = clock.business_date() + timedelta(days=1)
    booked = make_visit(clinic, patient, begun=False, booked_for=day, period="pm")
    here = make_visit(clinic, begun=False, booked_for=day, period="pm")
    registering.change_card(desk, booked, read_card(clinic, center_app))
    with pytest.raises(RegistrationNotPossible, match="到院报到后再登记"):
        registering.ask_registration(desk, booked)
    assert [row.state for row in queue.list_queue(clinic.facility_id, "booked", day=day)] == ["BOOKED", "BOOKED"]

    monkeypatch.setattr(clock, "now", lambda at=clock.now() + timedelta(days=1): at)
    visits.step(desk, here, "arrived")
    assert patients_read.count_missed(patient) == 0
    monkeypatch.setattr(clock, "now", lambda at=clock.now() + timedelta(days=1): at)
    [shown] = queue.list_queue(clinic.facility_id, "booked", day=day)
    assert (shown.id, shown.state) == (booked, "MISSED")
    assert queue.get_visit(clinic.facility_id, booked).state == "MISSED"
    assert [row.state for row in patients_read.list_visits(patient)] == ["MISSED"]
    assert (patients_read.count_missed(patient), attempts(clinic, booked).many) == (1, 0)
    for act in (lambda: visits.step(desk, booked, "arrived"), lambda: registering.cancel_visit(desk, booked, "没来")):
        with pytest.raises(VisitMovedOn, match="爽约"):
            act()
    assert queue.list_standing(clinic.facility_id, patient) == []
    assert registering.register(desk, uuid4(), Arrival(patient, clinic.department, clinic.doctor)).ticket == 1


def test_who_came_and_was_never_seen_is_cancelled_the_next_day_at_the_center_too(insured_clinic, center_app, monkeypatch):  # fmt: skip
    clinic, desk = insured_clinic, desk_of(insured_clinic)
    gone, called, passed = (insured_visit(clinic, center_app) for _ in range(3))
    begun, own = make_visit(clinic), make_visit(clinic, begun=False)
    for visit in (gone, called, passed):
        registering.ask_registration(desk, visit)
    known = {visit: row(clinic, visit).mdtrt_id for visit in (gone, called, passed)}
    for visit, events in ((called, ("called",)), (passed, ("called", "passed"))):
        for event in events:
            visits.step(desk, visit, event)
    assert registering.end_unseen(desk) == 0  # They may still come.

    monkeypatch.setattr(clock, "now", lambda at=clock.now() + timedelta(days=1): at)
    late = make_visit(clinic, begun=False)
    assert registering.end_unseen(desk) == 4
    assert registering.end_unseen(desk) == 0
    for visit in (gone, called, passed, own):
        kept = row(clinic, visit)
        assert (kept.state, kept.mdtrt_id, kept.cancel_reason) == ("CANCELLED", None, "没有就诊")
    assert {at_center(center_app, "select state from visit where mdtrt_id = %(m)s", m=told)[0].state for told in known.values()} == {"cancelled"}  # fmt: skip
    assert (row(clinic, begun).state, row(clinic, late).state) == ("IN_VISIT", "WAITING")


def test_a_center_that_is_away_keeps_the_rest_of_the_unseen_for_later(insured_clinic, center_app, monkeypatch):
    clinic, desk = insured_clinic, desk_of(insured_clinic)
    for _turn in range(2):
        registering.ask_registration(desk, insured_visit(clinic, center_app))
    later = clock.now() + timedelta(days=1)
    with monkeypatch.context() as away:
        away.setattr(clock, "now", lambda: later)

        def quiet(attempt):
            raise Outage("silent")

        away.setattr(machine, "_send", quiet)
        assert registering.end_unseen(desk) == 1
        assert one(clinic, "select count(*) as n from visit where tenant_id = %(t)s and state = 'WAITING'").n == 1


def test_a_self_paid_visit_is_cancelled_without_the_center(clinic):
    visit = make_visit(clinic, begun=False)

    assert registering.cancel_visit(desk_of(clinic), visit, "走了") == "cancelled"
    assert row(clinic, visit).state == "CANCELLED"


def test_who_is_with_the_doctor_is_not_cancelled(clinic):
    visit = make_visit(clinic)

    with pytest.raises(VisitMovedOn):
        registering.cancel_visit(desk_of(clinic), visit, "走了")


def test_nobody_is_registered_with_a_suspended_doctor_but_in_an_emergency(clinic):
    today = clock.business_date()
    practice.suspend(desk_of(clinic, clinic.owner), clinic.doctor, today, None, "记分暂停")
    patient = make_patient(clinic)

    with pytest.raises(NotEligible):
        registering.register(desk_of(clinic), uuid4(), Arrival(patient, clinic.department, clinic.doctor))
    registering.register(desk_of(clinic), uuid4(), Arrival(patient, clinic.department, clinic.doctor, kind="emergency"))


def test_bookings_keep_to_the_duties(clinic):
    day, owner = clock.business_date() + timedelta(days=7), desk_of(clinic, clinic.owner)
    duty = uuid4()
    wanted, other = (
        Arrival(make_patient(clinic), clinic.department, clinic.doctor, booked_for=day, period="am") for _ in range(2)
    )

    with pytest.raises(DayFull):
        registering.register(desk_of(clinic), uuid4(), wanted)
    for _ in range(2):
        duties.add_duty(owner, duty, clinic.doctor, clinic.department, clinic.room, day.isoweekday(), "am", 1)
    first = uuid4()
    registering.register(desk_of(clinic), first, wanted)
    registering.register(desk_of(clinic), first, wanted)
    with pytest.raises(DayFull, match="约满"):
        registering.register(desk_of(clinic), uuid4(), other)
    registering.cancel_visit(desk_of(clinic), first, "改天")
    registering.register(desk_of(clinic), uuid4(), other)
    duties.end_duty(owner, duty)
    assert duties.list_duties(clinic.facility_id) == []


def tomorrow(hour):
    """That hour of tomorrow in China, whatever the hour is now."""
    return datetime.combine(clock.business_date() + timedelta(days=1), time(hour), clock.CHINA)


def on_duty(clinic, day, period, most=2):
    duties.add_duty(desk_of(clinic, clinic.owner), uuid4(), clinic.doctor, clinic.department, clinic.room, day.isoweekday(), period, most)  # fmt: skip


def book(clinic, day, period, **fields):
    visit = uuid4()
    arrival = Arrival(make_patient(clinic), clinic.department, clinic.doctor, booked_for=day, period=period, **fields)
    registering.register(desk_of(clinic), visit, arrival)
    return visit


def test_who_booked_the_afternoon_stands_after_the_mornings_walk_ins(clinic):
    desk, day = desk_of(clinic), clock.business_date(tomorrow(10))
    on_duty(clinic, day, "am")
    on_duty(clinic, day, "pm")
    afternoon, morning, late = book(clinic, day, "pm"), book(clinic, day, "am"), book(clinic, day, "am")

    with clock.at_moment(tomorrow(10)):
        visits.step(desk, afternoon, "arrived")
        walk_in = make_visit(clinic, begun=False)
        visits.step(desk, morning, "arrived")
        urgent = make_visit(clinic, begun=False, kind="emergency")
        assert [each.id for each in queue.list_queue(clinic.facility_id)] == [urgent, morning, walk_in, afternoon]
    with clock.at_moment(tomorrow(15)):
        visits.step(desk, late, "arrived")
        assert row(clinic, late).period == "pm"
        expected = [urgent, morning, walk_in, afternoon, late]
        assert [each.id for each in queue.list_queue(clinic.facility_id)] == expected
        assert [queue.call_next(desk) for _ in expected] == expected


def test_a_half_of_a_day_is_booked_until_it_is_full_or_over(clinic):
    day = clock.business_date(tomorrow(10))
    with clock.at_moment(tomorrow(10)):
        on_duty(clinic, day, "am")
        on_duty(clinic, day, "pm", most=1)
        book(clinic, day, "pm")
        with pytest.raises(DayFull, match="约满"):
            book(clinic, day, "pm")
        with pytest.raises(DayFull, match="不在这个科室"):
            book(clinic, day + timedelta(days=1), "am")
        for wrong in ({"period": ""}, {"period": "night"}, {"period": "pm", "kind": "emergency"}):
            with pytest.raises(VisitIncomplete):
                book(clinic, day, **wrong)
        halves = duties.list_halves(clinic.facility_id, clinic.doctor, clinic.department)
        assert [(one.day - day, one.period, one.left) for one in halves[:3]] == [
            (timedelta(), "pm", 0), (timedelta(7), "am", 2), (timedelta(7), "pm", 1),
        ]  # fmt: skip
    with clock.at_moment(tomorrow(15)), pytest.raises(VisitIncomplete, match="过去"):
        book(clinic, day, "am")


def test_somebody_is_registered_once_for_a_day_in_a_department(clinic):
    patient, twin = make_patient(clinic), make_patient(clinic)
    arrival = Arrival(patient, clinic.department)
    registering.register(desk_of(clinic), uuid4(), arrival)

    with pytest.raises(AlreadyRegistered, match="1 号（候诊）"):
        registering.register(desk_of(clinic), uuid4(), arrival)
    patients.merge_patients(desk_of(clinic), twin, patient, "重复建档")
    with pytest.raises(AlreadyRegistered):
        registering.register(desk_of(clinic), uuid4(), Arrival(twin, clinic.department))
    assert [each.ticket for each in queue.list_standing(clinic.facility_id, twin)] == [1]


def test_what_a_doctor_signed_is_not_cancelled(clinic):
    visit = make_visit(clinic)
    sign(clinic, visit)
    visits.step(desk_of(clinic), visit, "returned")

    with pytest.raises(VisitWritten):
        registering.cancel_visit(desk_of(clinic), visit, "走了")


def test_those_with_priority_are_called_first_then_by_ticket(clinic):
    first = make_visit(clinic, begun=False)
    second = make_visit(clinic, begun=False, preferred=True)
    other = make_visit(clinic, begun=False, doctor_id=clinic.second_doctor)
    desk = desk_of(clinic, clinic.doctor)

    assert queue.call_next(desk, doctor=clinic.doctor, room=clinic.room) == second
    assert queue.call_next(desk, doctor=clinic.doctor) == first
    with pytest.raises(NobodyWaits):
        queue.call_next(desk, doctor=clinic.doctor)
    visits.step(desk, second, "passed")
    visits.step(desk, second, "returned")
    assert [each.id for each in queue.list_queue(clinic.facility_id)] == [second, first, other]
    assert queue.counts(clinic.facility_id)["waiting"] == 3


def test_a_queue_longer_than_a_page_goes_on(clinic):
    patient = make_patient(clinic)
    for _ in range(queue.PAGE + 1):
        visits.open_visit(desk_of(clinic), uuid4(), Arrival(patient, clinic.department))

    page = queue.list_queue(clinic.facility_id)
    last = page[queue.PAGE - 1]
    rest = queue.list_queue(clinic.facility_id, after=(last.priority, last.ticket, str(last.id)))
    assert (len(page), [each.ticket for each in rest]) == (queue.PAGE + 1, [queue.PAGE + 1])


def test_the_institution_is_known(insured_clinic):
    assert desks.institution(insured_clinic.tenant_id, insured_clinic.facility_id).wire.code == insured_clinic.code
