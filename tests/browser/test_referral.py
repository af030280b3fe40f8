"""Two institutions by keyboard: a doctor refers from the desk, the other takes on, registers and answers, the first sees it."""

from __future__ import annotations

import json
import re
import secrets
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shop
from tests.browser.hands import check_axe, look_until, picture, press, type_in
from tests.browser.scenes import look


def a_house(wings, product, name):
    """A clinic of its own organization that the center knows and tells its news, with a doctor who signs in."""
    from app.core import clock, tenancy
    from app.facility.clinic.practice import actions as practice
    from app.facility.organizations import actions
    from app.facility.organizations.rules import Grant
    from tests.browser.product import PASSWORD
    from tests.factories.clinic import make_clinic
    from tests.factories.shop import desk_of

    facility, center = wings
    made = make_clinic(facility, center, name=name)
    known = product.home / "bridge-secrets.json"
    whole = known.with_suffix(".new")  # Who reads it meanwhile never finds the half of it.
    whole.touch(mode=0o600)
    whole.write_text(json.dumps(json.loads(known.read_text()) | {made.code: made.center_secret}))
    whole.replace(known)
    with facility.app_context(), tenancy.as_tenant(made.tenant_id):
        at = Shop(facility, center, made, made.code, None)
        person = actions.NewStaff("104", "江海明", f"D330212{secrets.randbelow(10**6):06d}", PASSWORD, demo=True)
        doctor = actions.add_staff(person, [Grant("doctor", made.facility_id)]).staff_id
        rights = practice.Practice(made.department, "主治医师", clock.business_date())
        practice.set_practitioner(desk_of(made, made.owner), doctor, rights)
    return SimpleNamespace(shop=at, clinic=made, doctor=doctor)


@pytest.fixture
def sender(wings, product):
    return a_house(wings, product, "城西诊所")


@pytest.fixture
def receiver(wings, product):
    return a_house(wings, product, f"城东医院{secrets.token_hex(2)}")


def a_signed_visit(house) -> str:
    from app.core import tenancy
    from tests.factories.clinic import make_patient, make_visit, sign

    clinic = house.clinic
    with house.shop.app.app_context(), tenancy.as_tenant(clinic.tenant_id):
        patient = make_patient(clinic, name="孙秀兰", certno="330226196403011985")
        visit = make_visit(clinic, patient, doctor_id=house.doctor, begun=False)
        from app.facility.clinic import visits
        from app.facility.clinic.desk import answers
        from tests.factories.shop import desk_of

        visits.step(desk_of(clinic, house.doctor), visit, "began")
        answers.note_asked(desk_of(clinic, house.doctor), visit)
        sign(clinic, visit, doctor=house.doctor)
    return str(visit)


def test_sent_taken_on_registered_answered_seen(product, sign_in, sender, receiver):
    visit = a_signed_visit(sender)
    doctor = sign_in(sender.shop, "104")
    doctor.goto(f"{product.url}/clinic/desk/visits/{visit}")
    expect(doctor.locator("#refer")).to_be_visible()
    press(doctor, "Alt+r")
    expect(doctor.locator("#q")).to_be_focused()
    type_in(doctor, receiver.clinic.name)
    choice = doctor.get_by_role("radio", name=receiver.clinic.name)
    expect(choice).to_be_checked()
    look(doctor, "referral-letter", drawn=False)
    expect(doctor.locator("#q")).to_be_focused()
    type_in(doctor, receiver.clinic.name)
    expect(choice).to_be_checked()
    doctor.locator("#reason").focus()
    type_in(doctor, "血压控制不佳，请调整用药")
    picture(doctor, "referral-letter")
    press(doctor, "F9")
    expect(doctor.locator("#sent")).to_contain_text("待接收")
    look(doctor, "referral-sent")
    with doctor.expect_popup() as opened:
        press(doctor, "F9")
    paper = opened.value
    expect(paper.locator("main")).to_contain_text("孙秀兰")
    check_axe(paper, "referral-print")
    picture(paper, "referral-print", (700, 900))
    paper.close()

    there = sign_in(receiver.shop, "104")
    link = there.get_by_role("link", name=re.compile("城西诊所转来一位患者"))
    look_until(there, f"{product.url}/notices", link)  # The news is pulled every few seconds.
    link.focus()
    press(there, "Enter")
    expect(there.locator("aside.side")).to_contain_text("血压控制不佳")
    assert "孙秀兰" not in there.content()
    look(there, "referral-coming")
    press(there, "F9")
    expect(there.locator("#said")).to_be_visible()
    there.locator("#said").focus()
    type_in(there, "已调整为三药联用，两周后复诊")
    press(there, "F9")
    expect(there.locator("aside.side")).to_contain_text("已回复")

    clerk = sign_in(receiver.shop, receiver.shop.new_staff("clerk"))
    clerk.goto(f"{product.url}/clinic/referrals?show=in")
    expect(clerk.locator("aside.side")).to_contain_text("去挂号")
    press(clerk, "F9")
    expect(clerk).to_have_url(re.compile("/clinic/reception/patients/"))
    expect(clerk.locator("main")).to_contain_text("孙*兰")

    doctor.goto(f"{product.url}/clinic/desk/visits/{visit}")
    expect(doctor.locator("#referral")).to_contain_text("已回复", timeout=20_000)
    doctor.goto(f"{product.url}/clinic/referrals")
    expect(doctor.locator("#sent [role=status]")).to_be_visible()
    doctor.reload()
    expect(doctor.locator("aside.side")).to_contain_text("已调整为三药联用，两周后复诊")
    look(doctor, "referral-answered", drawn=False)
