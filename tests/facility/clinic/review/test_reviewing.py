"""A pharmacist says what becomes of a sheet: other eyes, on duty, with a right to it, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound
from app.facility.clinic import visits
from app.facility.clinic.charging import bills
from app.facility.clinic.charging.errors import SheetNotChargeable
from app.facility.clinic.errors import NotEligible, NotPractitioner
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.review import actions, queries
from app.facility.clinic.review.errors import (
    NotAnEmergency,
    NotOnDuty,
    OwnSheet,
    ReviewIncomplete,
    ReviewTooLate,
    SheetBeingChanged,
    SheetReviewed,
)
from app.facility.db import run, transaction
from app.facility.organizations import actions as organizations
from app.facility.organizations.rules import Grant
from tests.factories.billing import open_bill
from tests.factories.clinic import make_clinic, make_service, make_visit, sheet, sign
from tests.factories.shop import desk_of, make_product


@pytest.fixture
def pharmacist(clinic):
    return desk_of(clinic, clinic.pharmacist)


@pytest.fixture
def order(clinic):
    """A sheet of one drug, signed a moment ago."""
    return signed(clinic).id


def signed(clinic, **fields):
    made = sheet("WESTERN", (make_product(clinic), 24), **fields)
    sign(clinic, make_visit(clinic), made)
    return made


def state(order):
    return run("select state, reviewer_id, review_note from clinic_order where id = :o", o=order).one()


def said(order):
    return run(
        "select result, concerns, note, late, staff_id from review_event where order_id = :o order by at", o=order
    ).all()


def test_a_sheet_is_passed_once_and_may_be_charged_then(clinic, pharmacist, order):
    review = uuid4()
    number = actions.review_sheet(pharmacist, review, order, "PASS")

    assert actions.review_sheet(pharmacist, review, order, "PASS") == number
    assert tuple(state(order)) == ("PASSED", clinic.pharmacist, "")
    assert [row.result for row in said(order)] == ["PASS"]
    with pytest.raises(DocumentChanged):
        actions.review_sheet(pharmacist, review, order, "REFUSE", ["dose"], "每日剂量过大")
    with pytest.raises(SheetReviewed, match="sheet_reviewed"):
        actions.review_sheet(pharmacist, uuid4(), order, "REFUSE", ["dose"], "每日剂量过大")


@pytest.mark.parametrize(
    ("result", "concerns", "note", "becomes"),
    [
        ("PASS_WITH_NOTE", ["dose"], "告知患者饭后服", "PASSED"),
        ("RETURN", ["dose"], "一天四次过密，请改", "RETURNED"),
        ("REFUSE", ["contraindication"], "青霉素过敏", "REFUSED"),
    ],
)
def test_what_is_not_simply_passed_says_why(clinic, pharmacist, order, result, concerns, note, becomes):
    with pytest.raises(ReviewIncomplete):
        actions.review_sheet(pharmacist, uuid4(), order, result, concerns, "  ")
    actions.review_sheet(pharmacist, uuid4(), order, result, concerns, note)

    assert tuple(state(order)) == (becomes, clinic.pharmacist, note)
    row = said(order)[0]
    assert (row.result, row.concerns, row.note) == (result, concerns, note)
    body = run(
        "select body from outbox where facility_id = :f and kind = 'sheet.reviewed'", f=clinic.facility_id
    ).scalar_one()
    assert note not in bytes(body).decode()


def test_nothing_half_said_is_taken(clinic, pharmacist, order):
    for result, concerns, note in [("PASS", ["dose"], ""), ("RETURN", [], "改"), ("REFUSE", ["x"], "改"), ("DONE", [], "改"), ("PASS_WITH_NOTE", [], "长" * 501)]:  # fmt: skip
        with pytest.raises(ReviewIncomplete):
            actions.review_sheet(pharmacist, uuid4(), order, result, concerns, note)
    assert state(order).state == "SIGNED"


def test_who_prescribed_it_never_reviews_it(clinic, order):
    with tenancy.as_tenant(clinic.tenant_id):
        organizations.grant_role(clinic.doctor, Grant("pharmacist", clinic.facility_id), clinic.owner)
        organizations.come_on_duty(clinic.facility_id, clinic.doctor)
    with pytest.raises(OwnSheet):
        actions.review_sheet(desk_of(clinic, clinic.doctor), uuid4(), order, "PASS")
    with pytest.raises(psycopg.errors.CheckViolation), transaction(settings=clinic.scope) as hot:
        hot.run_last("update clinic_order set reviewer_id = doctor_id where tenant_id = %(t)s and id = %(o)s", {"t": clinic.tenant_id, "o": order})  # fmt: skip


def test_the_right_to_review_is_looked_at_when_it_is_done(clinic, pharmacist, order):
    owner = desk_of(clinic, clinic.owner)
    practice.suspend(owner, clinic.pharmacist, clock.business_date(), None, "支付资格记分")
    with pytest.raises(NotEligible):
        actions.review_sheet(pharmacist, uuid4(), order, "PASS")
    practice.suspend(owner, clinic.pharmacist, None, None, "")
    with pytest.raises(NotPractitioner):
        actions.review_sheet(desk_of(clinic, clinic.clerk), uuid4(), order, "PASS")
    organizations.leave_duty(clinic.facility_id, clinic.pharmacist)
    with pytest.raises(NotOnDuty):
        actions.review_sheet(pharmacist, uuid4(), order, "PASS")
    organizations.come_on_duty(clinic.facility_id, clinic.pharmacist)
    actions.review_sheet(pharmacist, uuid4(), order, "PASS")


def test_of_two_at_once_one_says_it(facility_app, clinic, pharmacist, order):
    def say(result):
        with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
            try:
                return actions.review_sheet(pharmacist, uuid4(), order, result, ["dose"], "剂量")
            except SheetReviewed as told:
                return told.code

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(say, ["RETURN", "REFUSE"]))
    assert answers.count("sheet_reviewed") == 1
    assert len(said(order)) == 1


def test_a_visit_that_the_doctor_changes_waits_for_its_new_version(clinic, pharmacist):
    visit, first = make_visit(clinic), sheet("WESTERN", (make_product(clinic), 24))
    sign(clinic, visit, first)
    visits.step(desk_of(clinic, clinic.doctor), visit, "reopened")
    with pytest.raises(SheetBeingChanged):
        actions.review_sheet(pharmacist, uuid4(), first.id, "PASS")
    second = sheet("WESTERN", (make_product(clinic), 24))
    sign(clinic, visit, second)
    with pytest.raises(SheetReviewed):
        actions.review_sheet(pharmacist, uuid4(), first.id, "PASS")
    actions.review_sheet(pharmacist, uuid4(), second.id, "PASS")


def test_a_returned_sheet_is_corrected_by_the_doctor_and_comes_again(clinic, pharmacist):
    visit, first = make_visit(clinic), sheet("WESTERN", (make_product(clinic), 24))
    sign(clinic, visit, first)
    actions.review_sheet(pharmacist, uuid4(), first.id, "RETURN", ["dose"], "减半")
    visits.step(desk_of(clinic, clinic.doctor), visit, "reopened")
    second = sheet("WESTERN", (make_product(clinic), 24))
    sign(clinic, visit, second)

    assert (state(first.id).state, state(second.id).state) == ("VOID", "SIGNED")
    assert [row.id for row in queries.list_sheets(clinic.facility_id, "waiting")] == [second.id]
    assert queries.list_sheets(clinic.facility_id, "returned") == []


def test_in_an_emergency_a_doctor_lets_it_through_and_a_pharmacist_looks_afterwards(clinic, pharmacist):
    plain, urgent = signed(clinic), signed(clinic, tag="emergency")
    doctor, event = desk_of(clinic, clinic.doctor), uuid4()
    with pytest.raises(NotAnEmergency):
        actions.let_through(doctor, uuid4(), plain.id, "休克")
    with pytest.raises(ReviewIncomplete):
        actions.let_through(doctor, uuid4(), urgent.id, " ")
    actions.let_through(doctor, event, urgent.id, "过敏性休克，药师在途")
    actions.let_through(doctor, event, urgent.id, "过敏性休克，药师在途")

    assert tuple(state(urgent.id)) == ("PASSED", None, "过敏性休克，药师在途")
    assert queries.counts(clinic.facility_id) == {"waiting": 1, "late": 1}
    visit = run("select visit_id from clinic_order where id = :o", o=urgent.id).scalar_one()
    open_bill(desk_of(clinic), visit, [urgent.id])
    with pytest.raises(ReviewTooLate):
        actions.review_sheet(pharmacist, uuid4(), urgent.id, "RETURN", ["dose"], "减半")
    actions.review_sheet(pharmacist, uuid4(), urgent.id, "PASS_WITH_NOTE", ["dose"], "剂量偏大，已电话告知")
    assert (state(urgent.id).state, state(urgent.id).reviewer_id) == ("PASSED", clinic.pharmacist)
    assert [(row.result, row.late) for row in said(urgent.id)] == [("EMERGENCY", False), ("PASS_WITH_NOTE", True)]
    assert queries.counts(clinic.facility_id) == {"waiting": 1, "late": 0}


def test_nothing_is_charged_before_it_was_reviewed(clinic, order):
    visit = run("select visit_id from clinic_order where id = :o", o=order).scalar_one()
    with pytest.raises(SheetNotChargeable):
        bills.open_bill(desk_of(clinic), uuid4(), visit, [order])


def test_emergencies_stand_first_then_who_waits_longest(clinic):
    first, second, urgent = signed(clinic), signed(clinic), signed(clinic, tag="emergency")
    rows = queries.list_sheets(clinic.facility_id, "waiting")
    assert [row.id for row in rows] == [urgent.id, first.id, second.id]
    after = (1, rows[1].signed_at, str(rows[1].id))
    assert [row.id for row in queries.list_sheets(clinic.facility_id, "waiting", after)] == [second.id]
    assert clock.now() - rows[1].signed_at < timedelta(minutes=5)


def test_a_treatment_is_no_sheet_for_the_pharmacist_nor_is_a_strangers(facility_app, clinic, pharmacist, order):
    treatment = sheet("TREATMENT", (make_service(clinic), 1))
    sign(clinic, make_visit(clinic), treatment)
    with pytest.raises(NotFound):
        queries.get_sheet(pharmacist, treatment.id)
    other = make_clinic(facility_app)
    with tenancy.as_tenant(other.tenant_id), pytest.raises(NotFound):
        actions.review_sheet(desk_of(other, other.pharmacist), uuid4(), order, "PASS")
