"""The cashier of a clinic with the keyboard alone: one insured, one self-paid by several means, one line given back."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shop_of
from tests.browser.hands import lines, press, printed, ready, type_in
from tests.browser.scenes import look

PICTURES = os.environ.get("SUNMED_LOOK", "")


@pytest.fixture(scope="module")
def ward(wings):
    """二号诊所 of the demo world with a department, a doctor, a cashier and goods of its own."""
    from app.core import clock
    from app.facility.clinic.practice import actions as practice
    from launcher.places import PLACES
    from tests.factories.clinic import Clinic
    from tests.factories.shop import desk_of

    at = shop_of(wings, PLACES[1])
    numbers = at.new_staff("doctor", "江海明"), at.new_staff("clerk", "李小红")
    with at.app.app_context(), at.pharmacy.acting():
        from app.facility.db import run

        doctor, cashier = (run("select id from staff where number = :n", n=number).scalar_one() for number in numbers)
        mark = secrets.token_hex(3)
        department = practice.add_department(desk_of(at.pharmacy), mark, "全科", "A02")
        room = practice.add_room(desk_of(at.pharmacy), f"诊室{mark}")
        rights = practice.Practice(department, "主治医师", clock.business_date() - timedelta(days=9))
        practice.set_practitioner(desk_of(at.pharmacy), doctor, rights)
        known = {field: getattr(at.pharmacy, field) for field in at.pharmacy.__dataclass_fields__}
        clinic = Clinic(**known, doctor=doctor, department=department, room=room)
    return SimpleNamespace(shop=at, number=numbers[1], cashier=cashier, clinic=clinic)


def come(ward, insured: bool):
    """Somebody's sheets are signed and reviewed: two packs and a treatment; returns the number of the visit and the card."""
    from app.facility.db import run
    from tests.factories.billing import insured_visit, signed_visit
    from tests.factories.city import make_insured
    from tests.factories.clinic import make_service, sheet

    drug = ward.shop.covered(generic_name="苯磺酸氨氯地平片", spec="5mg×28片")
    with ward.shop.app.app_context(), ward.shop.pharmacy.acting():
        service = make_service(ward.clinic, code=f"T{secrets.token_hex(4)}", generic_name="针刺治疗")
        wanted = sheet("WESTERN", (drug.product_id, 48)), sheet("TREATMENT", (service, 1))
        person = make_insured(ward.shop.center) if insured else None
        visit, _ = insured_visit(ward.clinic, person, *wanted) if person else signed_visit(ward.clinic, *wanted)
        number = run("select number from visit where id = :v", v=visit).scalar_one()
    return number, person.card if person else ""


def seen(page, name: str) -> None:
    """A picture for whoever works on the page."""
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", animations="disabled")


def find(page, number: str) -> None:
    expect(page.locator("[data-takes-scans]")).to_be_focused()
    type_in(page, number)
    press(page, "Enter")
    expect(page.locator("#sheets")).to_be_visible()


def test_a_self_paid_and_an_insured_visit_without_a_mouse(product, ward, sign_in):
    plain, _ = come(ward, insured=False)
    insured, card = come(ward, insured=True)
    page = sign_in(ward.shop, ward.number)
    page.goto(f"{product.url}/clinic/charging")
    expect(page.locator("#float")).to_be_focused()
    type_in(page, "100")
    press(page, "F9")

    expect(page.locator("[data-rows]")).to_contain_text("张")
    look(page, "charging", drawn=False)
    seen(page, "list")
    press(page, "ArrowDown")
    expect(page.locator("[data-rows] a.nm").first).to_be_focused()
    press(page, "ArrowUp")
    find(page, plain)
    look(page, "charging-visit", drawn=False)
    seen(page, "visit")
    press(page, "F9")
    expect(lines(page)).to_have_count(2)
    look(page, "charging-bill", drawn=False)
    seen(page, "bill-self")
    press(page, "Alt+M")
    type_in(page, "20")
    press(page, "F9")
    expect(page.locator("#tender-dialog")).not_to_be_visible()
    press(page, "F9")
    expect(page.locator("#money.paid")).to_contain_text("微信 20.00")
    assert "门诊收费单" in printed(page, 1)
    seen(page, "paid-self")

    press(page, "F6")
    expect(page.locator("[data-most]").first).to_be_focused()
    press(page, "1", "F8")
    expect(page.locator("#net [data-ready]")).to_contain_text("12.50")
    look(page, "charging-refund", drawn=False)
    expect(page.locator("[data-most]").first).to_be_focused()
    press(page, "1", "F8")
    expect(page.locator("#net [data-ready]")).to_be_visible()
    seen(page, "refund")
    press(page, "F9")
    expect(page.locator("#refunded")).to_contain_text("退患者现金 12.50 元")
    look(page, "charging-refunded", drawn=False)
    seen(page, "refunded")
    press(page, "F9")
    expect(page.locator("#money.paid")).to_be_visible()
    press(page, "F9")

    find(page, insured)
    press(page, "F9")
    expect(page.locator("#split")).to_contain_text("统筹支付")
    look(page, "charging-insured", drawn=False)
    seen(page, "bill-insured")
    press(page, "F2")
    type_in(page, card)
    press(page, "F9")
    expect(page.locator("#person")).to_contain_text("手工输入")
    expect(page.locator("#got")).to_be_focused()
    ready(page)
    if page.locator("#consent").count():
        press(page, "F9", "Alt+C")
    press(page, "F9")
    expect(page.locator("#money.paid")).to_be_visible()
    look(page, "charging-paid", drawn=False)
    seen(page, "paid-insured")
    page.goto(page.url + "/receipt")
    seen(page, "slip")
    page.goto(page.url + "?size=a5")
    seen(page, "slip-a5")
    page.goto(page.url.partition("/receipt")[0] + "/items")
    look(page, "charging-items", drawn=False)
    seen(page, "items")
    page.goto(f"{product.url}/clinic/charging/bills?list=settled")
    look(page, "charging-bills", drawn=False)
    seen(page, "bills")
