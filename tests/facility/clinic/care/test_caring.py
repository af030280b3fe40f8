"""People are put on a plan, expected, followed up and let go; what happened moves the day, not what somebody remembers."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound
from app.facility.clinic.care import actions, plans, queries
from app.facility.clinic.care.errors import AlreadyEnded, CareIncomplete, EnrolledAlready, PhoneUnknown, ReasonNotNamed
from app.facility.clinic.care.rules import FollowUp, Plan
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.patients import actions as patients
from app.facility.db import run, transaction
from tests.factories.clinic import make_clinic, make_patient, make_visit, sheet, sign
from tests.factories.shop import desk_of, make_product

TODAY = clock.business_date


def expected(clinic):
    return [(row.id, (TODAY() - row.next_on).days) for row in queries.list_expected(clinic.facility_id)]


def next_of(patient):
    return next(row.next_on for row in queries.list_enrolments(patient) if row.ended_on is None)


def test_whoever_is_put_on_a_plan_is_expected_after_its_interval_and_stands_on_it_once(clinic, nurse):
    patient, enrolment = make_patient(clinic), uuid4()
    begun = TODAY() - timedelta(days=900)
    actions.enrol(nurse, enrolment, patient, "hypertension", begun)
    actions.enrol(nurse, enrolment, patient, "hypertension", begun)

    assert next_of(patient) == TODAY() + timedelta(days=90)
    assert expected(clinic) == []
    with pytest.raises(EnrolledAlready):
        actions.enrol(nurse, uuid4(), patient, "hypertension", begun)
    with pytest.raises(DocumentChanged):
        actions.enrol(nurse, enrolment, patient, "diabetes", begun)
    actions.enrol(nurse, uuid4(), patient, "diabetes", begun)
    assert [row.plan for row in queries.list_register(clinic.facility_id, "diabetes")] == ["糖尿病"]


@pytest.mark.parametrize(("plan", "begun", "following"), [("gout", 0, 30), ("stroke", -1, 30), ("stroke", 0, -1), ("stroke", 0, 400)])  # fmt: skip
def test_nobody_is_put_on_what_is_not_there(clinic, nurse, plan, begun, following):
    with pytest.raises(CareIncomplete):
        actions.enrol(nurse, uuid4(), make_patient(clinic), plan, TODAY() - timedelta(days=begun), TODAY() + timedelta(days=following))  # fmt: skip


def test_the_longest_overdue_stand_first_and_one_person_stands_once(clinic, put_on):
    late, _enrolment = put_on(40)
    soon, _enrolment = put_on(-6)
    put_on(-8)
    put_on(3, plan="diabetes", patient=late)

    assert expected(clinic) == [(late, 40), (soon, -6)]
    assert queries.list_expected(clinic.facility_id)[0].plans == "高血压、糖尿病"
    after = (TODAY() - timedelta(days=40), str(late))
    assert [row.id for row in queries.list_expected(clinic.facility_id, after)] == [soon]


def test_a_visit_signed_with_a_diagnosis_of_the_plan_moves_the_day_by_itself(clinic, put_on):
    seen, _enrolment = put_on(40)
    other, _enrolment = put_on(40)
    sign(clinic, make_visit(clinic, seen))
    sign(clinic, make_visit(clinic, other), diagnoses=(("WESTERN", "J06.900", "急性上呼吸道感染"),))

    assert next_of(seen) == TODAY() + timedelta(days=90)
    assert expected(clinic) == [(other, 40)]


def test_a_visit_of_a_file_that_was_merged_counts_too(clinic, nurse, put_on):
    patient, _enrolment = put_on(40)
    twin = make_patient(clinic)
    sign(clinic, make_visit(clinic, twin))
    patients.merge_patients(nurse, patient, twin, "重复建档")

    assert next_of(patient) == TODAY() + timedelta(days=90)


def test_a_follow_up_moves_the_day_and_is_noted_once(clinic, nurse, put_on):
    patient, _enrolment = put_on(40)
    note, told = uuid4(), FollowUp("call", "reached", 138, 86, 68, None, "家里自测，女儿接的电话")
    for _turn in range(2):
        actions.note_follow_up(nurse, note, patient, told)

    assert next_of(patient) == TODAY() + timedelta(days=90)
    rows = queries.list_notes(patient)
    assert [(row.systolic, row.glucose_tenths, words) for row, words in rows] == [(138, 68, "家里自测，女儿接的电话")]
    with pytest.raises(DocumentChanged):
        actions.note_follow_up(nurse, note, patient, FollowUp("call", "missed"))
    sealed = run("select sealed from care_note where id = :n", n=note).scalar_one()
    assert "女儿".encode() not in bytes(sealed)


def test_who_did_not_answer_stays_on_the_list_and_who_will_come_waits_for_the_day(clinic, nurse, put_on):
    missed, _enrolment = put_on(40)
    coming, _enrolment = put_on(40)
    actions.note_follow_up(nurse, uuid4(), missed, FollowUp("call", "missed"))
    day = TODAY() + timedelta(days=20)
    actions.note_follow_up(nurse, uuid4(), coming, FollowUp("call", "coming", next_on=day))

    assert expected(clinic) == [(missed, 40)]
    assert queries.list_expected(clinic.facility_id)[0].outcome == "missed"
    assert next_of(coming) == day


@pytest.mark.parametrize("outcome", ["declined", "moved", "died"])
def test_who_will_never_come_is_expected_no_more(clinic, nurse, put_on, outcome):
    patient, enrolment = put_on(40)
    actions.note_follow_up(nurse, uuid4(), patient, FollowUp("call", outcome))

    assert expected(clinic) == []
    assert [row.ended_why for row in queries.list_register(clinic.facility_id, "", ended=True)] == [outcome]
    with pytest.raises(AlreadyEnded):
        actions.end_enrolment(nurse, enrolment, "mistake")


@pytest.mark.parametrize(
    "told",
    [
        FollowUp("mail", "reached"), FollowUp("call", "gone"), FollowUp("call", "reached", 86, 138), FollowUp("call", "reached", 138), FollowUp("call", "coming"),
        FollowUp("call", "missed", 138, 86), FollowUp("call", "reached", glucose_tenths=1), FollowUp("call", "reached", note="长" * 501),
    ],
)  # fmt: skip
def test_a_follow_up_that_makes_no_sense_is_refused(clinic, nurse, put_on, told):
    patient, _enrolment = put_on(40)
    with pytest.raises(CareIncomplete):
        actions.note_follow_up(nurse, uuid4(), patient, told)
    assert queries.list_notes(patient) == []


def test_a_plan_changes_from_a_day_on_and_a_stopped_one_asks_after_nobody(clinic, nurse, put_on):
    patient, _enrolment = put_on(40)
    owner = desk_of(clinic, clinic.owner)
    plans.set_plan(owner, Plan("hypertension", "高血压", ("I10",), 30, ("bp",)), TODAY() + timedelta(days=1))
    assert [one.days for one in plans.list_plans() if one.code == "hypertension"] == [90]
    assert [one.days for one in plans.list_coming_plans()] == [30]
    plans.set_plan(owner, Plan("hypertension", "高血压", ("I10",), 28, ("bp",)), TODAY())
    actions.note_follow_up(nurse, uuid4(), patient, FollowUp("desk", "reached", 130, 80))
    assert next_of(patient) == TODAY() + timedelta(days=28)
    plans.set_plan(owner, Plan("hypertension", "高血压", ("I10",), None, ("bp",)), TODAY())
    put_on(40, plan="diabetes", patient=patient)
    assert queries.list_expected(clinic.facility_id)[0].plans == "糖尿病"
    with pytest.raises(CareIncomplete):
        plans.set_plan(owner, Plan("hypertension", "高血压", ("I10",), 5, ()), TODAY())
    with pytest.raises(CareIncomplete):
        plans.set_plan(owner, Plan("hypertension", "高血压", ("I10",), 30, ()), TODAY() - timedelta(days=1))


def test_starters_are_taken_once(clinic, nurse):
    plans.take_starters(desk_of(clinic, clinic.owner))
    assert len(plans.list_plans()) == 5
    assert run("select count(*) from care_plan").scalar_one() == 5


def test_a_telephone_is_opened_for_a_reason_that_is_written_down(clinic, nurse):
    patient = make_patient(clinic, phone="13912345678")
    with pytest.raises(ReasonNotNamed):
        actions.open_phone(patient, "because")
    assert actions.open_phone(patient, "followup") == "13912345678"
    row = run("select act, object, facts from audit_trail where act = 'patient.phone_opened'").one()
    assert row.facts == {"reason": "followup"}
    assert "139" not in row.object
    with pytest.raises(PhoneUnknown):
        actions.open_phone(make_patient(clinic, phone=""), "followup")


def test_whose_long_supply_soon_ends_is_found_until_it_is_prescribed_again(clinic, put_on):
    drug, other = make_product(clinic), make_product(clinic)
    patient = make_patient(clinic)
    made = sheet("WESTERN", Line(drug, 24, days=28), Line(other, 24, days=84), long_term=True, reason="病情稳定")
    sign(clinic, make_visit(clinic, patient), made)
    assert queries.list_supply(clinic.facility_id) == []
    _age(clinic, made.id, 30)

    rows = queries.list_supply(clinic.facility_id)
    assert [(row.person, row.ends_on) for row in rows] == [(patient, TODAY() - timedelta(days=2))]
    sign(clinic, make_visit(clinic, patient), sheet("WESTERN", (drug, 24)))
    assert queries.list_supply(clinic.facility_id) == []


def _age(clinic, order, days):
    with transaction(role="owner", settings=clinic.scope) as hot:
        hot.run_last("update clinic_order set state = 'DONE', signed_at = signed_at - make_interval(days => %(d)s::int) where tenant_id = %(t)s and id = %(o)s", {"d": days, "t": clinic.tenant_id, "o": order})  # fmt: skip


def test_a_stranger_enrols_and_notes_nothing(facility_app, clinic, nurse, put_on):
    patient, enrolment = put_on(40)
    other = make_clinic(facility_app)
    with tenancy.as_tenant(other.tenant_id):
        desk = desk_of(other, other.nurse)
        plans.take_starters(desk)
        for act in (
            lambda: actions.enrol(desk, uuid4(), patient, "hypertension", TODAY()),
            lambda: actions.note_follow_up(desk, uuid4(), patient, FollowUp("call", "died")),
            lambda: actions.end_enrolment(desk, enrolment, "mistake"),
        ):
            with pytest.raises(NotFound):
                act()
    assert expected(clinic) == [(patient, 40)]
