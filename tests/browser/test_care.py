"""The list of people to call, with the keyboard alone: walk, open the telephone, note, the next."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shop_of
from tests.browser.hands import press, type_in
from tests.browser.scenes import look


@pytest.fixture(scope="module")
def clinic(wings):
    """二号诊所 of the demo world, where five people are expected and one of them has two diseases and a contract."""
    from launcher.places import PLACES

    at = shop_of(wings, PLACES[1])
    with at.app.app_context(), at.pharmacy.acting():
        fill(at)
    return at


def fill(at):
    from app.core import clock
    from app.facility.clinic.care import actions, contracts, plans
    from app.facility.clinic.care.rules import FollowUp
    from app.facility.clinic.practice import actions as practice
    from app.facility.db import run, transaction
    from tests.factories.clinic import Clinic, make_patient
    from tests.factories.shop import desk_of

    owner, today = desk_of(at.pharmacy), clock.business_date()
    plans.take_starters(owner)
    doctor = run("select id from staff where number = :number", number=at.new_staff("doctor", "江海明")).scalar_one()
    mark = secrets.token_hex(3)
    rights = practice.Practice(practice.add_department(owner, mark, f"全科{mark}", "A02"), "主治医师", today)
    practice.set_practitioner(owner, doctor, rights)
    known = {field: getattr(at.pharmacy, field) for field in at.pharmacy.__dataclass_fields__}
    clinic = Clinic(**known)
    for turn, name in enumerate(("孙秀兰", "周建国", "林阿香", "徐宝珍", "欧阳建华")):
        patient = make_patient(clinic, name=name, phone=f"1391234567{turn}")
        for plan in ("hypertension", "diabetes") if turn == 0 else ("hypertension",):
            actions.enrol(owner, uuid4(), patient, plan, today - timedelta(days=700), today)
        actions.note_follow_up(
            owner,
            uuid4(),
            patient,
            FollowUp("call", "reached", 148 - turn, 92, 71, today, "家里自测，药按时吃，偶尔头晕"),
        )
        with transaction(role="owner", settings=at.pharmacy.scope) as hot:
            hot.run_last("update care_enrolment set next_on = %(d)s where tenant_id = %(t)s and patient_id = %(p)s", {"d": today - timedelta(days=45 - 12 * turn), "t": at.pharmacy.tenant_id, "p": patient})  # fmt: skip
        if turn < 3:
            package = next(one.id for one in plans.list_packages() if one.code == "chronic")
            first = today - timedelta(days=350 - 100 * turn)
            contracts.sign_contract(
                owner, uuid4(), contracts.Terms(patient, package, doctor, None, first, first + timedelta(days=364))
            )


def names(page):
    return page.locator("[data-rows] a.nm")


def test_people_are_called_one_after_the_other_without_a_mouse(product, clinic, sign_in):
    page = sign_in(clinic, clinic.new_staff("nurse"))
    page.goto(f"{product.url}/clinic/care")
    expect(page.locator("tr[aria-selected=true]")).to_contain_text("孙*兰")
    look(page, "care")
    press(page, "ArrowDown")
    expect(page.locator("tr[aria-selected=true]")).to_contain_text("周*国")
    press(page, "t")
    expect(page.locator(".opened")).to_contain_text("13912345671")
    assert "1391234567" not in page.url
    press(page, "r")
    expect(page.locator("#outcome")).to_be_focused()
    press(page, "Tab", "Tab")
    type_in(page, "136/84")
    press(page, "F9")
    expect(page.locator("[data-rows]")).not_to_contain_text("周*国")
    expect(names(page)).to_have_count(4)
    press(page, "r")
    expect(page.locator("#outcome")).to_be_focused()
    press(page, "ArrowDown", "F9")  # Will come: but on which day?
    expect(page.locator(".side .state.stop")).to_contain_text("约好来诊要写哪一天")


def test_the_pages_of_care_are_usable_by_everybody(product, clinic, sign_in):
    page = sign_in(clinic, "001")
    page.goto(f"{product.url}/clinic/care/register")
    look(page, "care-register")
    page.locator("[data-rows] a.nm").last.click()
    expect(page.locator("#follow-up")).to_be_visible()
    look(page, "care-person")
    for name in ("contracts", "supply", "plans"):
        page.goto(f"{product.url}/clinic/care/{name}")
        look(page, f"care-{name}")
    page.goto(f"{product.url}/clinic/care/contracts")
    page.locator("[data-rows] a.nm").first.click()
    expect(page.locator("main h1")).to_be_visible()
    look(page, "care-contract")
    page.get_by_role("link", name="续签").click()
    expect(page.locator("#package")).to_be_visible()
    look(page, "care-sign")
