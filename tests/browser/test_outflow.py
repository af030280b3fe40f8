"""A prescription leaves a clinic by its code and is had at a pharmacy of another tenant: sent, scanned, reviewed again, sold, seen."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shop_of
from tests.browser.hands import expect_settled, lines, look_until, press, scan, type_in
from tests.browser.product import PASSWORD
from tests.browser.scenes import look


@pytest.fixture
def drug(shop):
    """A prescription drug that 一号药店 carries."""
    return shop.covered(
        packs=4, generic_name=f"外配试药{secrets.token_hex(2)}", rx_class="RX", split_allowed=False, pack_price="38.50"
    )


@pytest.fixture
def ward(wings):
    """二号诊所 with a doctor and a pharmacist of its own, whom the center can name."""
    from app.core import clock
    from app.facility.clinic.practice import actions as practice
    from app.facility.db import run
    from app.facility.organizations import actions
    from app.facility.organizations.rules import Grant
    from launcher.places import PLACES
    from tests.factories.clinic import Clinic
    from tests.factories.shop import desk_of

    at, mark = shop_of(wings, PLACES[1]), str(secrets.randbelow(9 * 10**6) + 10**6)
    with at.app.app_context(), at.pharmacy.acting():
        people = [
            actions.add_staff(actions.NewStaff(f"{turn}{mark}", name, f"{letter}33021{mark}", PASSWORD, demo=True), [Grant(role, at.pharmacy.facility_id)]).staff_id
            for turn, name, letter, role in ((1, "江海明", "D", "doctor"), (2, "陈一蓉", "Y", "pharmacist"))
        ]  # fmt: skip
        department = practice.add_department(desk_of(at.pharmacy), mark, "全科", "A02")
        room = practice.add_room(desk_of(at.pharmacy), f"诊室{mark}")
        rights = practice.Practice(department, "主治医师", clock.business_date() - timedelta(days=9))
        practice.set_practitioner(desk_of(at.pharmacy), people[0], rights)
        known = {field: getattr(at.pharmacy, field) for field in at.pharmacy.__dataclass_fields__} | {
            "pharmacist": people[1]
        }
        number = run("select number from staff where id = :id", id=people[0]).scalar_one()
    return at, number, Clinic(**known, doctor=people[0], department=department, room=room)


def a_ready_sheet(ward, shop, drug) -> str:
    """Signed by the doctor, passed by the pharmacist: for the drug, and for one that 一号药店 has not. Returns its number."""
    from app.core import tenancy
    from app.facility.db import run
    from tests.factories.clinic import make_patient
    from tests.factories.outflow import a_national_code, ready_sheet

    at, _number, clinic = ward
    with shop.app.app_context(), shop.pharmacy.acting():
        national = run("select national_code from product where id = :p", p=drug.product_id).scalar_one()
    with at.app.app_context(), tenancy.as_tenant(clinic.tenant_id):
        patient = make_patient(clinic, name="孙秀兰")
        order = ready_sheet(clinic, national, a_national_code(), patient=patient)
        return run("select number from clinic_order where id = :o", o=order).scalar_one()


def test_sent_by_the_clinic_and_had_at_a_pharmacy_of_ones_choice(product, shop, sign_in, till, ward, drug):
    sheet = a_ready_sheet(ward, shop, drug)
    at, number, _clinic = ward
    doctor = sign_in(at, number)
    doctor.goto(f"{product.url}/clinic/outflow")
    doctor.get_by_role("link", name=sheet).click()
    expect(doctor).to_have_url(re.compile("open="))
    look(doctor, "outflow-ready", drawn=False)
    expect(doctor.locator("[data-new-id]").first).not_to_have_value("")
    press(doctor, "F9")
    expect(doctor.locator(".rxcode strong")).to_be_visible()
    code = doctor.locator(".rxcode strong").inner_text()
    assert re.fullmatch(r"([0-9A-Z]{4}-){3}[0-9A-Z]{4}", code)
    look(doctor, "outflow-sent")
    with doctor.expect_popup() as opened:
        press(doctor, "F9")
    paper = opened.value
    expect(paper.locator(".rxline")).to_have_text(code)
    expect(paper.locator("svg.qr")).to_be_visible()
    expect(paper.locator("main")).to_contain_text("孙秀兰")
    paper.close()

    clerk = till()
    clerk.goto(f"{product.url}/till/prescriptions")
    clerk.get_by_role("link", name="取外配处方").focus()
    press(clerk, "Enter")
    expect(clerk.locator("#rx-code")).to_be_focused()
    scan(clerk, f"SUNMED-RX:{code.replace('-', '')}")
    expect(clerk.locator("main")).to_contain_text("本店没有")
    expect(clerk.locator("[name=packs]")).to_be_focused()
    assert "孙秀兰" not in clerk.content()
    assert code.replace("-", "") not in clerk.url
    press(clerk, "F9")
    expect(clerk.locator("#queue")).to_contain_text("等药师审核")
    taken = clerk.locator(".sidehead h2").inner_text()

    pharmacist = sign_in(shop, shop.new_staff("pharmacist", "陈一蓉"))
    pharmacist.goto(f"{product.url}/till/prescriptions")
    pharmacist.get_by_role("link", name=taken).click()
    expect(pharmacist.locator(".sidehead h2")).to_have_text(taken)
    expect(pharmacist.locator("#review")).to_be_visible()
    press(pharmacist, "p")
    expect(pharmacist.locator("#queue")).not_to_contain_text(taken)

    clerk.goto(f"{product.url}/counter")
    press(clerk, "Alt+r")
    row = clerk.locator("#prescription-part tr", has_text=taken)
    row.get_by_role("button", name="取用").focus()
    press(clerk, "Enter")
    expect(lines(clerk)).to_have_count(1)
    for number, pack in enumerate(drug.codes[:2], 1):
        scan(clerk, pack)
        expect(clerk.locator("#line-1")).to_contain_text(f"{number}/2")
    press(clerk, "F9")
    expect_settled(clerk)

    word = doctor.locator("tr", has_text=sheet)
    # The relay carries the sale's fact; the page asks the center how it stands.
    look_until(doctor, f"{product.url}/clinic/outflow?show=sent", word.filter(has_text="部分已取"))
    expect(word).to_contain_text(shop.pharmacy.name)


def test_the_lookup_page_looks_well(product, shop, till, ward, drug):
    from tests.factories.outflow import send_out

    at, _number, clinic = ward
    from app.facility.db import run

    with shop.app.app_context(), shop.pharmacy.acting():
        national = run("select national_code from product where id = :p", p=drug.product_id).scalar_one()
    with at.app.app_context():
        _document, code = send_out(clinic, national)
    page = till()
    page.goto(f"{product.url}/till/outflow")
    look(page, "outflow-code", drawn=False)
    type_in(page, code)
    press(page, "Enter")
    expect(page.locator("[name=packs]")).to_be_focused()
    look_at_posted(page)


def look_at_posted(page) -> None:
    """A page that was posted cannot be loaded again in another language; it is judged as it stands."""
    from tests.browser.hands import check_axe, picture

    check_axe(page, "outflow-taking")
    picture(page, "outflow-taking")
