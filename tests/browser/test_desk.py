"""The doctor's desk with the keyboard alone: take the next, write, diagnose by ear, two drugs, an allergy, herbs, sign."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shop_of
from tests.browser.hands import press, type_in
from tests.browser.scenes import look


@pytest.fixture(scope="module")
def ward(wings):
    """二号诊所 of the demo world with a department, a doctor and goods of its own."""
    from app.core import clock
    from app.facility.clinic.practice import actions as practice
    from launcher.places import PLACES
    from tests.factories.clinic import Clinic
    from tests.factories.shop import desk_of, make_goods, make_product

    at = shop_of(wings, PLACES[1])
    number = at.new_staff("doctor", "江海明")
    with at.app.app_context(), at.pharmacy.acting():
        from app.facility.db import run

        doctor = run("select id from staff where number = :number", number=number).scalar_one()
        owner, mark = desk_of(at.pharmacy), secrets.token_hex(3)
        department = practice.add_department(owner, mark, f"全科{mark}", "A02")
        rights = practice.Practice(department, "主治医师", clock.business_date() - timedelta(days=9))
        practice.set_practitioner(owner, doctor, rights)
        own = {"code": f"D{secrets.token_hex(4)}", "generic_name": "苯磺酸氨氯地平片", "spec": "5mg×7片", "base_unit": "片", "pack_size": 7, "barcode": None}  # fmt: skip
        make_goods(at.pharmacy, 9, **own)
        make_goods(at.pharmacy, 9, **own | {"code": f"D{secrets.token_hex(4)}", "generic_name": "阿莫西林胶囊", "spec": "0.25g×24粒", "base_unit": "粒", "pack_size": 24})  # fmt: skip
        make_product(at.pharmacy, code=f"D{secrets.token_hex(4)}", generic_name="黄芪", rx_class="HERB", pack_unit="克", base_unit="0.01克", pack_size=100, pack_price="0.12", trace_required=False, split_allowed=False, barcode=None)  # fmt: skip
        make_product(at.pharmacy, code=f"D{secrets.token_hex(4)}", generic_name="红光治疗", spec="", maker="", rx_class="SERVICE", pack_unit="次", base_unit="次", pack_size=1, pack_price="18.00", trace_required=False, split_allowed=False, barcode=None)  # fmt: skip
        known = {field: getattr(at.pharmacy, field) for field in at.pharmacy.__dataclass_fields__}
        clinic = Clinic(**known, doctor=doctor, department=department)
    return SimpleNamespace(shop=at, number=number, clinic=clinic)


def wait(ward):
    """Somebody with an allergy to penicillins waits for the doctor."""
    from app.facility.clinic.patients import actions as patients
    from tests.factories.clinic import make_patient, make_visit
    from tests.factories.shop import desk_of

    with ward.shop.app.app_context(), ward.shop.pharmacy.acting():
        patient = make_patient(ward.clinic)
        patients.note_allergy(desk_of(ward.clinic), uuid4(), patient, "青霉素类", "皮疹", "severe", "patient")
        make_visit(ward.clinic, patient, begun=False)


def add(page, keys, typed):
    """Open a picker, type, take the first."""
    press(page, keys)
    expect(page.locator("#pick")).to_be_focused()
    type_in(page, typed)
    expect(page.locator(f"#pick-choices [data-q='{typed}'] [role=option]").first).to_be_visible()
    press(page, "Enter")
    expect(page.locator("#pick-dialog")).not_to_be_visible()


def test_a_visit_from_the_call_to_the_signature_without_a_mouse(product, ward, sign_in):
    wait(ward)
    page = sign_in(ward.shop, ward.number)
    page.goto(f"{product.url}/clinic/desk")
    press(page, "Alt+N")
    expect(page.locator("[name=complaint]")).to_be_focused()
    type_in(page, "咳嗽三天")
    add(page, "Alt+D", "gxy")
    expect(page.locator("#drafted .dx b").first).to_be_visible()
    add(page, "Alt+A", "苯磺酸氨氯")
    expect(page.locator("[name=line_dose]")).to_be_focused()
    type_in(page, "1")
    press(page, "Tab", "Tab")
    type_in(page, "qd")
    press(page, "Tab", "Tab")
    type_in(page, "7")
    expect(page.locator("[name=line_quantity]")).to_have_value("1")
    add(page, "Alt+A", "阿莫西林")
    expect(page.locator(".remind .rule")).to_have_text("过敏")
    press(page, "Alt+2")
    expect(page.locator("#reason")).to_be_focused()
    press(page, "ArrowDown", "F9")
    expect(page.locator(".answered")).to_contain_text("以往用过")
    add(page, "Alt+H", "黄芪")
    expect(page.locator(".herbs [name=line_dose]")).to_be_focused()
    type_in(page, "9")
    expect(page.locator("#sheet-sum-1")).to_have_text("7.56")
    press(page, "Alt+G")
    expect(page.locator("#asked .ok")).to_be_visible()
    page.reload()  # As after a crash of the browser.
    expect(page.locator("[name=complaint]")).to_have_value("咳嗽三天")
    look(page, "desk", drawn=False)
    press(page, "F9")
    expect(page.locator("#signed")).to_contain_text("第 1 版")
    expect(page).to_have_url(re.compile("/clinic/desk/visits/"))


def test_a_refused_signature_loses_nothing_and_is_mended_in_place(product, ward, sign_in):
    wait(ward)
    page = sign_in(ward.shop, ward.number)
    page.goto(f"{product.url}/clinic/desk")
    press(page, "Alt+N")
    expect(page.locator("[name=complaint]")).to_be_focused()
    type_in(page, "咳嗽三天")
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("诊断")
    type_in(page, "，夜里重")
    press(page, "Alt+G")
    expect(page.locator("#asked .ok")).to_be_visible()
    expect(page.locator("[name=complaint]")).to_have_value("咳嗽三天，夜里重")
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("诊断")
    add(page, "Alt+D", "gxy")
    add(page, "Alt+T", "红光")
    expect(page.locator("[name=line_quantity]")).to_be_focused()
    type_in(page, "2")
    expect(page.locator("[name=line_quantity]")).to_have_value("2")
    expect(page.locator("#sum")).to_have_text("36.00")
    add(page, "Alt+T", "红光")
    press(page, "Alt+Backspace")
    expect(page.locator("#drafted [data-line]")).to_have_count(1)
    expect(page.locator("[name=line_quantity]")).to_be_focused()
    press(page, "F9")
    expect(page.locator("#signed")).to_contain_text("第 1 版")


def test_a_record_is_kept_as_a_template_and_the_next_begins_from_it(product, ward, sign_in):
    name = f"tmpl{secrets.token_hex(2)}"
    wait(ward)
    wait(ward)
    page = sign_in(ward.shop, ward.number)
    page.goto(f"{product.url}/clinic/desk")
    press(page, "Alt+N")
    expect(page.locator("[name=complaint]")).to_be_focused()
    type_in(page, "高血压复诊")
    add(page, "Alt+D", "gxy")
    page.locator("[data-save=record]").focus()
    press(page, "Enter")
    expect(page.locator("#formula-title")).to_have_text("存为病历模板")
    expect(page.locator("#formula-name")).to_be_focused()
    type_in(page, name)
    press(page, "F9")
    expect(page.locator("#formula-dialog")).not_to_be_visible()
    first = page.url
    press(page, "Alt+N")
    page.wait_for_url(lambda url: url != first)
    expect(page.locator("[name=complaint]")).to_be_focused()
    add(page, "Alt+M", name)
    expect(page.locator("[name=complaint]")).to_have_value("高血压复诊")
    expect(page.locator("#drafted .dx b").first).to_have_text("高血压")
