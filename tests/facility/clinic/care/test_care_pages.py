"""Care over HTTP: the list, the register, a person, contracts, plans; who may, in which words it refuses, what a stranger finds."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.clinic.care import contract_queries, plans, queries
from tests.factories.clinic import make_patient, make_visit, sign
from tests.factories.people import browser, make_pharmacy, post

TODAY = clock.business_date


def text(answer, status=200):
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def told(**fields):
    return {"document": str(uuid4())} | fields


def test_the_rail_of_a_clinic_has_care_and_that_of_a_pharmacy_has_not(facility_app, at_browser, clerk):
    pharmacy = make_pharmacy(facility_app)
    assert 'href="/clinic/care"' in text(at_browser.get("/clinic/care"))
    assert 'href="/clinic/care"' in text(clerk.get("/clinic/care"))
    assert 'href="/clinic/care"' not in text(browser(facility_app, pharmacy, pharmacy.owner).get("/stock"))


def test_empty_rooms_say_what_to_do(facility_app, clinic, owner):
    assert "没有要联系的人" in text(owner.get("/clinic/care"))
    assert "去设病种" in text(owner.get("/clinic/care/register"))
    assert "没有快用完的长处方" in text(owner.get("/clinic/care/supply"))
    assert "还没有签约" in text(owner.get("/clinic/care/contracts"))
    assert post(owner, "/clinic/care/plans/starters").status_code == 303
    assert "慢阻" not in (page := text(owner.get("/clinic/care/plans")))
    assert "高血压" in page
    assert "慢病服务包" in page


def test_somebody_is_found_and_put_on_a_plan(at_browser, clinic):
    patient = make_patient(clinic, name="冯巩义")
    found = text(post(at_browser, "/clinic/care/register", {"q": "冯巩义"}))
    where = f"/clinic/care/patients/{patient}"
    assert where in found
    assert "冯巩义" not in text(at_browser.get(where))
    wrong = post(at_browser, f"{where}/enrolments", told(plan="gout"))
    assert "要选一个正在用的病种" in text(wrong, 422)
    past = post(at_browser, f"{where}/enrolments", told(plan="hypertension", next_on="2019-01-01"))
    assert text(past, 422).count('value="2019-01-01"') == 1  # In the form it was typed into.
    enrolled = told(plan="hypertension", begun_on="2020-05-01")
    assert post(at_browser, f"{where}/enrolments", enrolled).status_code == 303
    assert "已经在「高血压」管理中" in text(post(at_browser, f"{where}/enrolments", told(plan="hypertension")), 409)
    page = text(at_browser.get("/clinic/care/register?plan=hypertension"))
    assert where in page
    assert "2020-05-01" in page
    enrolment = queries.list_enrolments(patient)[0].id
    assert post(at_browser, f"{where}/enrolments/{enrolment}/endings", {"why": "elsewhere"}).status_code == 303
    assert "已经在" in text(post(at_browser, f"{where}/enrolments/{enrolment}/endings", {"why": "elsewhere"}), 409)
    assert "转到别处管理" in text(at_browser.get("/clinic/care/register?list=ended"))


def test_the_list_opens_the_first_calls_and_notes(at_browser, put_on):
    patient, _enrolment = put_on(40, phone="13912345678")
    other, _enrolment = put_on(3)
    page = text(at_browser.get("/clinic/care"))
    assert "过了 40 天" in page
    assert "13912345678" not in page
    opened = text(post(at_browser, f"/clinic/care/patients/{patient}/phones", {"why": "followup", "back": "due"}))
    assert "13912345678" in opened
    assert "要选一项" in text(
        post(at_browser, f"/clinic/care/patients/{patient}/phones", {"why": "x", "back": "due"}), 422
    )
    where = f"/clinic/care/patients/{patient}/follow-ups"
    wrong = told(back="due", kind="call", outcome="reached", pressure="86/138", note="在女儿家")
    page = text(post(at_browser, where, wrong), 422)
    assert "血压要写高压和低压" in page
    assert 'value="在女儿家"' in page
    assert post(at_browser, where, wrong | {"pressure": "138/86", "glucose": "6.8"}).location == "/clinic/care"
    page = text(at_browser.get("/clinic/care"))
    assert f"/due/{patient}" not in page
    assert f"/due/{other}" in page
    person = text(at_browser.get(f"/clinic/care/patients/{patient}"))
    assert "138/86" in person
    assert "在女儿家" in person
    assert text(post(at_browser, where, told(back="due", kind="call", outcome="reached", glucose="x")), 422)


def test_a_clerk_may_look_and_a_pharmacist_has_no_door(facility_app, clinic, clerk, put_on):
    patient, _enrolment = put_on(40)
    assert "data-opens-phone" not in text(clerk.get("/clinic/care"))
    assert text(clerk.get(f"/clinic/care/patients/{patient}"))
    for address in ("phones", "follow-ups", "enrolments"):
        assert post(clerk, f"/clinic/care/patients/{patient}/{address}", told(why="followup")).status_code == 403
    assert browser(facility_app, clinic, clinic.pharmacist).get("/clinic/care").status_code == 403


def test_a_contract_is_signed_ticked_and_ended(at_browser, clinic):
    patient = make_patient(clinic)
    where = f"/clinic/care/contracts/patients/{patient}/new"
    assert "基本服务包" in text(at_browser.get(where))
    package = next(one.id for one in plans.list_packages() if one.code == "basic")
    form = told(package=package, doctor=clinic.doctor, nurse=clinic.nurse, from_on=str(TODAY()), until_on=str(TODAY() + timedelta(days=364)))  # fmt: skip
    assert "起期" in text(post(at_browser, where, form | {"until_on": ""}), 422)
    made = post(at_browser, where, form).location
    assert "没有生效" not in text(at_browser.get(made))
    assert "已有签约" in text(post(at_browser, where, form | told()), 409)
    visit = make_visit(clinic, patient)
    sign(clinic, visit)
    assert str(visit) in text(at_browser.get(made))
    assert post(at_browser, f"{made}/services", told(item="advice", paper=f"visit:{visit}")).status_code == 303
    assert "凭据不是" in text(post(at_browser, f"{made}/services", told(item="advice", paper=f"visit:{uuid4()}")), 409)
    assert "要选一份凭据" in text(post(at_browser, f"{made}/services", told(item="advice", paper="x")), 422)
    assert "用药指导 1/2" in text(at_browser.get("/clinic/care/contracts"))
    service = contract_queries.list_services(made.rpartition("/")[2])[0].id
    assert post(at_browser, f"{made}/services/{service}/withdrawals", {"why": "记错"}).status_code == 303
    assert "已撤销：记错" in text(at_browser.get(made))
    assert post(at_browser, f"{made}/endings", {"why": "moved"}).status_code == 303
    assert "已迁出" in text(at_browser.get("/clinic/care/contracts?list=ended"))


def test_the_owner_sets_plans_and_packages_and_nobody_else(owner, at_browser):
    form = {"code": "asthma", "name": "哮喘", "codes": "J45", "days": "60", "due": "breath", "begins_on": str(TODAY())}
    assert post(owner, "/clinic/care/plans", form).status_code == 303
    assert "哮喘" in text(owner.get("/clinic/care/plans?plan=asthma"))
    assert "诊断编码写开头几位" in text(post(owner, "/clinic/care/plans", form | {"codes": "哮喘"}), 422)
    pack = {
        "code": "elder",
        "name": "老人包",
        "fund": "10",
        "public": "60.5",
        "self": "0",
        "items": "随访 4\n体检 1",
        "begins_on": str(TODAY()),
    }
    assert post(owner, "/clinic/care/plans/packages", pack).status_code == 303
    assert "70.50" in text(owner.get("/clinic/care/plans?package=elder"))
    assert "一行一项" in text(post(owner, "/clinic/care/plans/packages", pack | {"items": "随访"}), 422)
    assert post(at_browser, "/clinic/care/plans", form).status_code == 403


@pytest.mark.parametrize(
    "address",
    ["", "/register", "/supply", "/contracts", "/contracts?list=renew"],
)
def test_what_stands_in_the_address_makes_no_page_fail(at_browser, address):
    joint = "&" if "?" in address else "?"
    for typed in ("after=x", "after=2026-11-22_x", "before=2026_x", "plan=%00", "list=%27"):
        assert at_browser.get(f"/clinic/care{address}{joint}{typed}").status_code == 200


def test_a_stranger_finds_nothing(stranger, at_browser, clinic, put_on):
    patient, enrolment = put_on(40)
    for address in (
        f"/due/{patient}",
        f"/patients/{patient}",
        f"/contracts/{uuid4()}",
        f"/contracts/patients/{patient}/new",
    ):
        assert stranger.get(f"/clinic/care{address}").status_code == 404
    for address in (
        f"/patients/{patient}/phones",
        f"/patients/{patient}/follow-ups",
        f"/patients/{patient}/enrolments",
        f"/patients/{patient}/enrolments/{enrolment}/endings",
    ):
        assert post(stranger, f"/clinic/care{address}", told(why="followup")).status_code == 404


def test_the_list_asks_the_same_however_many_are_expected(at_browser, put_on):
    def asked():
        with statements() as counted:
            text(at_browser.get("/clinic/care"))
        return len(counted)

    put_on(3)
    asked()
    few = asked()
    for _turn in range(5):
        put_on(9)
    assert asked() <= few + 1  # What a process remembers for seconds may have to be read again.
    assert few <= 14
