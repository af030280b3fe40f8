"""A whole day of a small clinic, keys and scanner only: five patients of five kinds, the wall following along, the day closed at night.

One is refunded a treatment, one prescription is returned and signed again, one allergy is overridden with a reason.
"""

from __future__ import annotations

import re
import secrets
from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import shop_of
from tests.browser.hands import lines, press, ready, scan, type_in
from tests.browser.product import PASSWORD
from tests.browser.scenes import look

NAMES = ("徐来娣", "胡建国", "施阿珍", "金小宝", "裘伟明")


@pytest.fixture(scope="module")
def ward(wings):
    """A department of its own in 二号诊所: doctor, clerk, two pharmacists, nurse, a wall, two drugs with codes, a treatment."""
    from app.core import clock
    from app.facility.clinic.practice import actions as practice
    from app.facility.clinic.reception import walls
    from app.facility.organizations import actions
    from launcher.places import PLACES
    from tests.factories.clinic import make_service
    from tests.factories.shop import desk_of

    at, mark = shop_of(wings, PLACES[1]), secrets.token_hex(3)
    name = f"江{mark}"
    roles = ("doctor", "clerk", "pharmacist", "pharmacist2", "nurse")
    people = {role: at.new_staff(role.rstrip("2"), name if role == "doctor" else None) for role in roles}
    pill = at.covered(
        9, generic_name=f"福辛普利钠片{mark}", spec="10mg×14片", base_unit="片", pack_size=14, rx_class="RX"
    )
    amoxicillin = at.covered(
        9, generic_name=f"阿莫西林胶囊{mark}", spec="0.25g×24粒", base_unit="粒", pack_size=24, rx_class="RX"
    )
    with at.app.app_context(), at.pharmacy.acting():
        from app.facility.db import run

        ids = {
            role: run("select id from staff where number = :n", n=number).scalar_one()
            for role, number in people.items()
        }
        owner, today = desk_of(at.pharmacy), clock.business_date()
        department, _room = (
            practice.add_department(owner, mark, f"{mark}全科", "A02"),
            practice.add_room(owner, f"{mark}诊室"),
        )
        for role in ("doctor", "nurse", "pharmacist", "pharmacist2"):
            practice.set_practitioner(
                owner,
                ids[role],
                practice.Practice(department, "主治医师", today - timedelta(days=9), prescribes=role == "doctor"),
            )
        for role in ("pharmacist", "pharmacist2"):
            actions.come_on_duty(at.pharmacy.facility_id, ids[role], "01")
        code = f"T{mark}"
        clinic = SimpleNamespace(
            **{name: getattr(at.pharmacy, name) for name in at.pharmacy.__dataclass_fields__}, acting=at.pharmacy.acting
        )
        make_service(clinic, code=code, generic_name=f"针刺疗法{mark}")
        screen = uuid4()
        walls.add_screen(owner, screen, "大厅屏")
        # The token is the server's own; the owner's page shows it.
    yield SimpleNamespace(
        shop=at,
        people=people,
        mark=mark,
        name=name,
        department=f"{mark}全科",
        room=f"{mark}诊室",
        pill=pill,
        amoxicillin=amoxicillin,
        screen=screen,
        codes={one.product_id: list(one.codes) for one in (pill, amoxicillin)},
    )
    with at.app.app_context(), at.pharmacy.acting():
        for role in ("pharmacist", "pharmacist2"):
            actions.leave_duty(at.pharmacy.facility_id, ids[role], "01")


@pytest.fixture(scope="module")
def patients(ward):
    """In service, retired, resident, child, and one without insurance who cannot bear penicillin; what is typed for each."""
    from app.facility.clinic.patients import actions
    from app.facility.clinic.patients.rules import Person
    from tests.factories.city import make_insured
    from tests.factories.shop import desk_of

    shop = ward.shop
    cards = [
        make_insured(shop.center, born=born, **told).card
        for born, told in (
            ("19800203", {}), ("19540612", {"person_class": "retiree", "psn_type": "12"}),
            ("19650320", {"person_class": "resident", "insutype": "390", "psn_type": "15"}),
            ("20160601", {"person_class": "resident", "insutype": "390", "psn_type": "1403"}),
        )
    ]  # fmt: skip
    with shop.app.app_context(), shop.pharmacy.acting():
        desk, stranger = desk_of(shop.pharmacy), uuid4()
        actions.register_patient(desk, stranger, Person(NAMES[4] + ward.mark, "1", date(1971, 5, 5)))
        actions.note_allergy(desk, uuid4(), stranger, "青霉素类", "皮疹", "severe", "patient")
    return [*cards, NAMES[4] + ward.mark]


def test_five_patients_from_the_door_to_the_night(product, ward, patients, sign_in, new_page):
    owner = sign_in(ward.shop, "001")
    owner.goto(f"{product.url}/clinic/wall")
    address = owner.locator("tr", has_text="大厅屏").last.get_by_role("link").get_attribute("href")
    wall = new_page()
    wall.goto(f"{product.url}{address}")
    expect(wall.locator("#wall")).to_contain_text("请稍候")

    reception = sign_in(ward.shop, ward.people["clerk"])
    for typed in patients:
        register(product, reception, ward, typed)
    expect(wall.locator("#wall footer")).to_contain_text(f"{ward.department} 候诊 5 人")

    doctor = sign_in(ward.shop, ward.people["doctor"])
    doctor.goto(f"{product.url}/clinic/desk")
    for ticket, write in enumerate((two_packs, a_treatment, two_packs, a_treatment, an_allergy), 1):
        press(doctor, "Alt+N")
        expect(doctor.locator("[name=complaint]")).to_be_focused()
        expect(wall.locator("#wall .now strong")).to_have_text(f"{ticket} 号")
        begin(doctor)
        write(doctor, ward)
        press(doctor, "F9")
        expect(doctor.locator("#signed")).to_contain_text("第 1 版")
    expect(wall.locator("#wall footer")).not_to_contain_text(ward.department)

    pharmacist = sign_in(ward.shop, ward.people["pharmacist"])
    review(product, pharmacist, ward)
    again(product, doctor)
    pharmacist.goto(f"{product.url}/clinic/review")
    open_first(pharmacist, ward)
    press(pharmacist, "F9")
    expect(own(pharmacist, ward)).to_have_count(0)

    open_till(product, reception)
    bills = [charge(product, reception, ward) for _ in patients]
    refund(reception, next(bill for bill, treatment in bills if treatment))

    for _ in range(3):
        dispense(product, pharmacist, ward)
    nurse = sign_in(ward.shop, ward.people["nurse"])
    nurse.goto(f"{product.url}/clinic/treatments")
    assert open_first(nurse, ward) == 1
    press(nurse, "F9")
    expect(nurse.locator(".desk .foot")).to_contain_text("都做完了")

    reception.goto(f"{product.url}/clinic/day")
    look(reception, "clinic-day")
    press(reception, "F9")
    expect(reception.locator("#notice")).to_contain_text("次就诊")
    assert closed(ward) == 4  # What was given back may still be charged.
    reception.goto(f"{product.url}/clinic/day/cashiers")
    expect(reception.locator("tbody tr", has_text=ward.people["clerk"])).to_contain_text("5")


# ---- the hands of each ---------------------------------------------------------------------------------------------


def register(product, page, ward, typed: str) -> None:
    """Read a card, or look somebody up; choose the department; the ticket."""
    page.goto(f"{product.url}/clinic/reception")
    expect(page.locator("main [name=q]")).to_be_focused()
    type_in(page, typed)
    press(page, "Enter")
    if not typed.startswith("N"):
        expect(page.locator("[data-rows] a.nm")).to_have_count(1)
        press(page, "ArrowDown", "Enter")
    expect(page.locator("#department")).to_be_focused()
    type_in(page, ward.mark)
    if page.locator("#match").count():
        page.locator("#match").focus()
        press(page, "ArrowDown")
    press(page, "F9")
    expect(page.locator("main")).to_contain_text(ward.department)
    expect(page).to_have_url(re.compile("/clinic/reception/visits/"))


def begin(page) -> None:
    """What every visit has: a complaint, a diagnosis, allergies asked."""
    type_in(page, "头晕三天")
    add(page, "Alt+D", "gxy")
    press(page, "Alt+G")
    expect(page.locator("#asked .ok")).to_be_visible()


def add(page, keys: str, typed: str) -> None:
    press(page, keys)
    expect(page.locator("#pick")).to_be_focused()
    type_in(page, typed)
    expect(page.locator(f"#pick-choices [data-q='{typed}'] [role=option]").first).to_be_visible()
    press(page, "Enter")
    expect(page.locator("#pick-dialog")).not_to_be_visible()


def a_drug(page, name: str) -> None:
    """One tablet a day for a week."""
    add(page, "Alt+A", name)
    expect(page.locator("[name=line_dose]").last).to_be_focused()
    type_in(page, "1")
    press(page, "Tab", "Tab")
    type_in(page, "qd")
    press(page, "Tab", "Tab")
    type_in(page, "7")


def two_packs(page, ward) -> None:
    a_drug(page, f"福辛普利钠片{ward.mark}")


def a_treatment(page, ward) -> None:
    add(page, "Alt+T", f"针刺疗法{ward.mark}")


def an_allergy(page, ward) -> None:
    """Amoxicillin for somebody who cannot bear penicillin, with a reason."""
    a_drug(page, f"阿莫西林胶囊{ward.mark}")
    expect(page.locator(".remind .rule").first).to_have_text("过敏")
    press(page, "Alt+2")
    expect(page.locator("#reason")).to_be_focused()
    press(page, "ArrowDown", "F9")
    expect(page.locator(".answered")).to_contain_text("以往用过")


def own(page, ward):
    """What came from this day's doctor; others' sheets may wait beside."""
    return page.locator("[data-rows] a", has_text=ward.name)


def open_first(page, ward) -> int:
    """Walk to the first sheet of this day's doctor; returns how many there are."""
    many = own(page, ward).count()
    own(page, ward).first.focus()
    with page.expect_navigation():  # It may be the one that stands open already.
        press(page, "Enter")
    expect(own(page, ward).first).to_have_attribute("aria-current", "true")
    return many


def review(product, page, ward) -> None:
    """Pass the first, return the second, pass the third."""
    for keys in (("F9",), ("5", "n"), ("F9",)):
        page.goto(f"{product.url}/clinic/review")
        many = open_first(page, ward)
        press(page, *keys)
        if "n" in keys:
            expect(page.locator("[name=note]")).to_be_focused()
            type_in(page, "请核对剂量")
            press(page, "F7")
        expect(own(page, ward)).to_have_count(many - 1)


def again(product, page) -> None:
    """The doctor opens what was returned, halves nothing, says so in the record, and signs anew."""
    page.goto(f"{product.url}/clinic/desk")
    page.locator(".queue a", has_text="退回").focus()
    press(page, "Enter")
    expect(page.locator(".returned")).to_contain_text("请核对剂量")
    press(page, "F9")
    expect(page.locator("[name=complaint]")).to_be_visible()
    page.locator("[name=complaint]").focus()
    press(page, "End")
    type_in(page, "，剂量已核对")
    press(page, "F9")
    expect(page.locator("#signed")).to_contain_text("第 2 版")


def open_till(product, page) -> None:
    page.goto(f"{product.url}/clinic/charging")
    expect(page.locator("#float")).to_be_focused()
    type_in(page, "100")
    press(page, "F9")
    expect(page.locator("#float")).to_have_count(0)
    expect(page.locator("[data-rows]")).to_be_visible()


def charge(product, page, ward) -> tuple[str, bool]:
    """The first who waits: all sheets; what insurance leaves out is agreed to. Returns the bill's address, and whether it is a treatment."""
    page.goto(f"{product.url}/clinic/charging")
    page.locator("[data-rows] tr", has_text=ward.department).first.locator("a.nm").focus()
    press(page, "Enter")
    expect(page.locator("#sheets")).to_be_visible()
    press(page, "F9")
    expect(lines(page)).to_have_count(1)
    expect(page.locator("#got")).to_be_focused()
    ready(page)
    if page.locator("#consent").count():
        press(page, "F9", "Alt+C")
    press(page, "F9")
    expect(page.locator("#money.paid")).to_be_visible()
    return page.url, "针刺" in lines(page).first.inner_text()


def refund(page, bill: str) -> None:
    """One does not want the treatment after all: the whole of it goes back."""
    page.goto(bill)
    expect(page.locator("#money.paid")).to_be_visible()
    press(page, "F6")
    expect(page.locator("[data-most]").first).to_be_focused()
    press(page, "1", "F8")
    expect(page.locator("#net [data-ready]")).to_contain_text("20.00")
    press(page, "F9")
    expect(page.locator("#refunded")).to_be_visible()


def dispense(product, page, ward) -> None:
    """Scan the pack the sheet asks for, have it checked by somebody else, hand it over."""
    page.goto(f"{product.url}/clinic/dispensing")
    many = open_first(page, ward)
    goods = ward.amoxicillin if "阿莫西林" in page.locator("#lines").inner_text() else ward.pill
    scan(page, ward.codes[goods.product_id].pop())
    expect(page.locator("#lines b.ok")).to_have_text("1/1")
    press(page, "c")
    expect(page.locator("[name=checker]")).to_be_focused()
    type_in(page, ward.people["pharmacist2"])
    press(page, "Tab")
    type_in(page, PASSWORD)
    press(page, "F9")
    expect(own(page, ward)).to_have_count(many - 1)


def closed(ward) -> int:
    from app.facility.db import run

    with ward.shop.app.app_context(), ward.shop.pharmacy.acting():
        asked = "select count(*) from visit v join department d on d.tenant_id = v.tenant_id and d.id = v.department_id where d.name = :name and v.state = 'CLOSED'"
        return run(asked, name=ward.department).scalar_one()
