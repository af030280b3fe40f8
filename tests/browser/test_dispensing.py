"""A sheet from the pharmacist's review to the patient's hand, by scanner and keyboard: passed, returned, scanned, checked, handed over, treated."""

from __future__ import annotations

import secrets
from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.conftest import shop_of
from tests.browser.hands import press, scan, type_in
from tests.browser.product import PASSWORD
from tests.browser.scenes import look


@pytest.fixture(scope="module")
def ward(wings):
    """二号诊所 of the demo world with people of its own: doctor, pharmacist on duty, nurse, a cashier whose till is open."""
    from app.core import clock
    from app.facility.clinic.practice import actions as practice
    from app.facility.organizations import actions as organizations
    from launcher.places import PLACES
    from tests.factories.clinic import Clinic
    from tests.factories.shop import desk_of, open_shift

    at = shop_of(wings, PLACES[1])
    numbers = {role: at.new_staff(role) for role in ("doctor", "pharmacist", "nurse", "clerk")}
    with at.app.app_context(), at.pharmacy.acting():
        from app.facility.db import run

        ids = {role: run("select id from staff where number = :n", n=number).scalar_one() for role, number in numbers.items()}  # fmt: skip
        owner, mark = desk_of(at.pharmacy, at.pharmacy.owner), secrets.token_hex(3)
        department = practice.add_department(owner, mark, f"全科{mark}", "A02")
        for role in ("doctor", "pharmacist", "nurse"):
            rights = practice.Practice(department, "主治医师", clock.business_date() - timedelta(days=9), prescribes=role == "doctor")  # fmt: skip
            practice.set_practitioner(owner, ids[role], rights)
        organizations.come_on_duty(at.pharmacy.facility_id, ids["pharmacist"])
        known = {field: getattr(at.pharmacy, field) for field in at.pharmacy.__dataclass_fields__}
        known |= {"clerk": ids["clerk"], "pharmacist": ids["pharmacist"]}
        clinic = Clinic(**known, doctor=ids["doctor"], nurse=ids["nurse"], department=department, room=practice.add_room(owner, f"{mark} 诊室"))  # fmt: skip
        open_shift(desk_of(clinic))
    yield SimpleNamespace(shop=at, numbers=numbers, clinic=clinic, goods=at.goods)
    with at.app.app_context(), at.pharmacy.acting():
        organizations.leave_duty(at.pharmacy.facility_id, ids["pharmacist"])


def inside(ward, act):
    """Do something as the clinic, beside the browser."""
    with ward.shop.app.app_context(), ward.shop.pharmacy.acting():
        return act()


def sheet_of(ward, goods, kind="WESTERN"):
    """A signed sheet of two packs (or of one treatment three times)."""
    from tests.factories.clinic import make_service, make_visit, sheet, sign

    visit = make_visit(ward.clinic)
    line = (goods.product_id, 48) if goods else (make_service(ward.clinic, code=f"T{secrets.token_hex(4)}", generic_name="推拿治疗"), 3)  # fmt: skip
    made = sheet(kind, line)
    sign(ward.clinic, visit, made)
    return visit, made


def pay(ward, visit, made):
    from app.facility.clinic.charging import settling
    from tests.factories.billing import open_bill
    from tests.factories.shop import desk_of

    desk = desk_of(ward.clinic)
    bill, version = open_bill(desk, visit, [made.id])
    settling.settle_bill(desk, bill, version)


def pass_and_pay(ward, visit, made):
    from tests.factories.billing import pass_sheets

    pass_sheets(ward.clinic, visit)
    pay(ward, visit, made)


def test_a_sheet_is_reviewed_paid_and_handed_over_by_two_without_a_mouse(product, ward, sign_in):
    goods = ward.goods(4)
    visit, made = inside(ward, lambda: sheet_of(ward, goods))
    page = sign_in(ward.shop, ward.numbers["pharmacist"])
    page.goto(f"{product.url}/clinic/review/sheets/{made.id}")
    expect(page.locator(".rx")).to_contain_text(goods.name)
    look(page, "review", drawn=False)
    press(page, "n")
    expect(page.locator("[name=note]")).to_be_focused()
    type_in(page, "饭后服")
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("通过并注明")

    inside(ward, lambda: pay(ward, visit, made))
    page.goto(f"{product.url}/clinic/dispensing/sheets/{made.id}")
    expect(page.locator("#lines")).to_contain_text("0/2")
    look(page, "dispensing", drawn=False)
    scan(page, goods.codes[0])
    expect(page.locator("#lines")).to_contain_text("1/2")
    scan(page, goods.codes[0])  # Once more by mistake.
    expect(page.locator("#notice")).to_contain_text("已经扫过了")
    press(page, "Escape")
    press(page, "c")
    expect(page.locator("[name=checker]")).to_be_focused()
    scan(page, goods.codes[1])  # The scanner goes on wherever the focus is.
    expect(page.locator("#lines")).to_contain_text("2/2")
    expect(page.locator("[name=checker]")).to_have_value("")
    type_in(page, ward.numbers["nurse"])
    press(page, "Enter")
    expect(page.locator("[name=checker_password]")).to_be_focused()
    type_in(page, PASSWORD)
    press(page, "F9")
    expect(page.locator(".desk .foot")).to_contain_text("都发完了")


def test_another_makers_pack_goes_from_proposal_to_consent_to_the_hand_by_keyboard(product, ward, sign_in):
    name = f"换药片{secrets.token_hex(4)}"
    goods, other = ward.goods(4, generic_name=name), ward.goods(4, generic_name=name, maker="另一药厂")
    visit, made = inside(ward, lambda: sheet_of(ward, goods))
    inside(ward, lambda: pass_and_pay(ward, visit, made))
    page = sign_in(ward.shop, ward.numbers["pharmacist"])
    page.goto(f"{product.url}/clinic/dispensing/sheets/{made.id}")
    expect(page.locator("#lines")).to_contain_text("0/2")
    press(page, "x")
    expect(page.locator("[name=product]:checked")).to_have_count(1)
    expect(page.locator("[name=document]")).not_to_have_value("")
    look(page, "substitute", drawn=False)
    expect(page.locator("[name=document]")).not_to_have_value("")
    press(page, "F9")
    expect(page.locator("#lines")).to_contain_text("等")
    expect(page.locator("#lines .asks")).to_contain_text("另一药厂")
    look(page, "dispensing waits", drawn=False)

    doctor = sign_in(ward.shop, ward.numbers["doctor"])
    doctor.goto(f"{product.url}/clinic/desk")
    expect(doctor.locator("#swaps")).to_contain_text("1")
    press(doctor, "Alt+y")
    expect(doctor.locator(".swap-ask")).to_contain_text("另一药厂")
    look(doctor, "substitutions", drawn=False)
    press(doctor, "F9")
    expect(doctor.locator(".room")).to_contain_text("没有等您答复的换药")

    expect(page.locator("#lines")).to_contain_text("医师已同意", timeout=20_000)  # The page learns it by itself.
    for number, code in enumerate(other.codes[:2], 1):
        scan(page, code)
        expect(page.locator("#lines")).to_contain_text(f"{number}/2")
    press(page, "c")
    expect(page.locator("[name=checker]")).to_be_focused()
    type_in(page, ward.numbers["nurse"])
    press(page, "Enter")
    expect(page.locator("[name=checker_password]")).to_be_focused()
    type_in(page, PASSWORD)
    press(page, "F9")
    expect(page.locator(".desk .foot")).to_contain_text("都发完了")
    expect(page.locator(".visits")).to_contain_text("代替")


def test_the_second_half_of_a_double_press_passes_nothing(product, ward, sign_in):
    first, second = (inside(ward, lambda: sheet_of(ward, ward.goods(4)))[1] for _ in range(2))
    page = sign_in(ward.shop, ward.numbers["pharmacist"])
    page.goto(f"{product.url}/clinic/review/sheets/{first.id}")
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("通过")
    page.goto(f"{product.url}/clinic/review/sheets/{second.id}")
    hands.pressed_just_before(page)
    page.keyboard.press("F9")
    page.wait_for_timeout(hands.ONCE_MS)
    page.goto(f"{product.url}/clinic/review")
    assert state_of(ward, second) == "SIGNED"
    page.goto(f"{product.url}/clinic/review/sheets/{second.id}")
    press(page, "F9")  # Who means it presses again.
    expect(page.locator("#notice")).to_contain_text("通过")
    assert state_of(ward, second) == "PASSED"


def state_of(ward, made):
    from app.facility.db import run

    return inside(ward, lambda: run("select state from clinic_order where id = :id", id=made.id).scalar_one())


def test_a_sheet_goes_back_to_the_doctor_by_keyboard(product, ward, sign_in):
    goods = ward.goods(4)
    _visit, made = inside(ward, lambda: sheet_of(ward, goods))
    page = sign_in(ward.shop, ward.numbers["pharmacist"])
    page.goto(f"{product.url}/clinic/review/sheets/{made.id}")
    press(page, "F7")
    expect(page.locator("[role=alert]").first).to_contain_text("要勾出哪一项不合适")
    press(page, "5", "n")
    expect(page.locator("[name=note]")).to_be_focused()
    type_in(page, "一天四次过密，请改")
    press(page, "F7")
    expect(page.locator("#notice")).to_contain_text("退回医师")
    page.goto(f"{product.url}/clinic/review?list=returned")
    expect(page.locator("#queue")).to_contain_text("退回医师")


def test_a_treatment_is_signed_time_by_time(product, ward, sign_in):
    visit, made = inside(ward, lambda: sheet_of(ward, None, "TREATMENT"))
    inside(ward, lambda: pay(ward, visit, made))
    page = sign_in(ward.shop, ward.numbers["nurse"])
    page.goto(f"{product.url}/clinic/treatments/sheets/{made.id}")
    for done in ("1", "2", "3"):
        press(page, "F9")
        expect(page.locator(".rx")).to_contain_text(f"{done} / 3")
    expect(page.locator(".desk .foot")).to_contain_text("都做完了")
    look(page, "treatments", drawn=False)
