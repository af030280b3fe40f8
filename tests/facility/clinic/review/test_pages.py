"""The review over HTTP: the queue, a sheet, what is said of it, in which words it refuses, what a stranger finds."""

from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.clinic.patients import actions as patients
from app.facility.db import run
from app.facility.organizations import actions as organizations
from tests.factories.clinic import make_clinic, make_patient, make_service, make_visit, sheet, sign
from tests.factories.people import browser, post
from tests.factories.shop import desk_of, make_product


@pytest.fixture
def pharmacist(facility_app, clinic):
    return browser(facility_app, clinic, clinic.pharmacist)


@pytest.fixture
def order(clinic):
    """Two drugs for somebody who cannot bear one of them, and a treatment."""
    patient = make_patient(clinic)
    patients.note_allergy(desk_of(clinic), uuid4(), patient, "碘", "皮疹", "severe", "patient")
    visit = make_visit(clinic, patient)
    made = sheet("WESTERN", (make_product(clinic, generic_name="盐酸二甲双胍片"), 24), (make_product(clinic), 24))
    sign(clinic, visit, made, sheet("TREATMENT", (make_service(clinic, generic_name="换药"), 1)))
    return made.id


def text(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def say(client, order, **told):
    return post(client, f"/clinic/review/sheets/{order}/reviews", {"document": str(uuid4())} | told)


def test_the_first_sheet_that_waits_stands_open_with_all_that_matters(pharmacist, order):
    page = text(pharmacist, "/clinic/review")
    for told in ("盐酸二甲双胍片", "碘过敏", "高血压", "换药", "待审 1", "没有写全用法", 'name="concern" value="dose"'):
        assert told in page
    assert 'href="/clinic/review"' in page


def test_a_pass_leads_to_the_next_and_a_note_is_kept(pharmacist, order):
    assert say(pharmacist, order, result="PASS", note="饭后服").location == "/clinic/review?list=waiting"
    assert run("select result from review_event where order_id = :o", o=order).scalar_one() == "PASS_WITH_NOTE"
    assert (
        run("select checklist ->> 'signature' from review_event where order_id = :o", o=order).scalar_one() == "已签名"
    )
    page = text(pharmacist, "/clinic/review?list=done")
    assert "通过并注明" in page
    assert "饭后服" in page
    assert "没有要审的处方" in text(pharmacist, "/clinic/review")


def test_a_refusal_keeps_what_was_typed(pharmacist, order):
    answer = say(pharmacist, order, result="RETURN", note="剂量过大")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "要勾出哪一项不合适" in page
    assert 'value="剂量过大"' in page
    assert say(pharmacist, order, result="RETURN", note="剂量过大", concern=["dose"]).status_code == 303
    assert say(pharmacist, order, result="PASS").status_code == 409
    assert "剂量过大" in text(pharmacist, f"/clinic/review/sheets/{order}?list=returned")


def test_off_duty_the_page_says_so(clinic, pharmacist, order):
    organizations.leave_duty(clinic.facility_id, clinic.pharmacist)
    assert "还没有登记在岗" in text(pharmacist, "/clinic/review")
    assert "reviewer" not in say(pharmacist, order, result="PASS").get_data(as_text=True)
    assert run("select state from clinic_order where id = :o", o=order).scalar_one() == "SIGNED"


def test_a_doctor_lets_an_emergency_through(facility_app, clinic, pharmacist):
    urgent = sheet("WESTERN", (make_product(clinic), 24), tag="emergency")
    sign(clinic, make_visit(clinic), urgent)
    doctor = browser(facility_app, clinic, clinic.doctor)
    assert "急诊先行" in text(doctor, f"/clinic/review/sheets/{urgent.id}")
    told = {"document": str(uuid4()), "note": "休克"}
    assert post(doctor, f"/clinic/review/sheets/{urgent.id}/emergencies", told).status_code == 303
    assert post(pharmacist, f"/clinic/review/sheets/{urgent.id}/emergencies", told).status_code == 403
    assert "急诊补审 1" in text(pharmacist, "/clinic/review?list=late")
    assert "待补审" in text(pharmacist, f"/clinic/review/sheets/{urgent.id}?list=late")


def test_a_stranger_finds_nothing_and_a_clerk_no_door(facility_app, clinic, order):
    other = make_clinic(facility_app)
    stranger = browser(facility_app, other, other.pharmacist)
    assert stranger.get(f"/clinic/review/sheets/{order}").status_code == 404
    assert say(stranger, order, result="PASS").status_code == 404
    assert browser(facility_app, clinic, clinic.clerk).get("/clinic/review").status_code == 403


def test_the_page_asks_the_same_however_many_wait(clinic, pharmacist, order):
    def asked():
        with statements() as counted:
            text(pharmacist, f"/clinic/review/sheets/{order}")
        return len(counted)

    asked()  # The parameters of the site are read once.
    few = asked()
    for _turn in range(4):
        sign(clinic, make_visit(clinic), sheet("WESTERN", *((make_product(clinic), 24) for _line in range(5))))
    assert asked() <= few + 1  # What a process remembers for seconds may have to be read again.
    assert few <= 30
