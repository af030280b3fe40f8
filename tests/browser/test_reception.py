"""Reception by keyboard and scanner: files, bookings, walk-ins, the queue, cancellations, the wall following along."""

from __future__ import annotations

import re
import secrets
from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from app.national import certno as certno_rules
from tests.browser.conftest import shop_of
from tests.browser.hands import press, scan, type_in
from tests.browser.scenes import insure, look

VISIT = re.compile("/clinic/reception/visits/")


@pytest.fixture
def ward(wings):
    """A department, a room, a doctor on duty in each half of the week with one place each, a receptionist, a wall: nobody else's."""
    from app.core import clock
    from app.facility.clinic.practice import actions as practice
    from app.facility.clinic.reception import duties, walls
    from app.facility.db import run
    from launcher.places import PLACES
    from tests.factories.shop import desk_of

    at, mark = shop_of(wings, PLACES[1]), secrets.token_hex(4)
    clerk, doctor = at.new_staff("clerk"), at.new_staff("doctor", f"{mark}江")
    with at.app.app_context(), at.pharmacy.acting():
        who = run("select id from staff where number = :number", number=doctor).scalar_one()
        owner, today = desk_of(at.pharmacy), clock.business_date()
        department = practice.add_department(owner, mark, f"{mark}全科", "A02")
        room = practice.add_room(owner, f"{mark}诊室")
        practice.set_practitioner(owner, who, practice.Practice(department, "主治医师", today - timedelta(days=9)))
        for weekday in range(1, 8):
            for period in ("am", "pm"):
                duties.add_duty(owner, uuid4(), who, department, room, weekday, period, 1)
        walls.add_screen(owner, uuid4(), f"{mark}屏")
    return SimpleNamespace(
        shop=at, mark=mark, clerk=clerk, doctor=f"{mark}江", department=f"{mark}全科", day=today + timedelta(days=3)
    )


@pytest.fixture
def wall(product, ward, sign_in, new_page):
    owner = sign_in(ward.shop, "001")
    owner.goto(f"{product.url}/clinic/wall")
    address = owner.locator("tr", has_text=f"{ward.mark}屏").get_by_role("link").get_attribute("href")
    page = new_page()
    page.goto(f"{product.url}{address}")
    expect(page.locator("#wall header")).to_contain_text("叫号")
    return page


@pytest.fixture
def page(product, ward, sign_in):
    opened = sign_in(ward.shop, ward.clerk)
    opened.product = product.url
    return opened


def test_a_day_at_the_reception_by_keyboard(ward, page, wall):
    born = date(1940, 1, 1) + timedelta(secrets.randbelow(20_000))
    certno = own_certno(born)
    first = a_new_file(page, "尤一", certno)
    expect(page.locator("#department")).to_be_focused()
    register(page, ward, ticket="1")

    a_new_file(page, "尤一", certno)
    expect(page.get_by_role("link", name="用那份档案挂号")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("aside")).to_contain_text(f"{ward.department} 1 号")
    assert first in page.url
    choose(page, "department", ward.mark)
    press(page, "F9")
    expect(page.get_by_role("alert")).to_contain_text("已经有 1 号（候诊）")

    a_new_file(page, "尤一", born=f"{born:%Y%m%d}")
    expect(page.get_by_role("alert")).to_contain_text("同一天出生")  # Perhaps the same person: asked about once.
    press(page, "F9")
    expect(page.locator("#department")).to_be_focused()
    merge(page, first, re.search(r"/patients/([0-9a-f-]{36})", page.url)[1])

    holder = insure(ward.shop)
    read_card(page, holder.card)
    register(page, ward, ticket="2", insured=True)
    expect(page.locator("#insurance .ok")).to_be_visible()
    insured = page.url
    expect(wall.locator("#wall footer")).to_contain_text(f"{ward.department} 候诊 2 人")

    open_queue(page, ward)
    look(page, "reception-queue")
    call_next(page, "1")
    expect(wall.locator("#wall li", has_text=ward.mark)).to_contain_text("1 号")
    press(page, "F7")
    expect(row(page, "1")).to_have_count(0)
    expect(wall.locator("#wall li", has_text=ward.mark)).to_have_count(0)
    call_next(page, "2")
    expect(wall.locator("#wall li", has_text=ward.mark)).to_contain_text("2 号")
    passed_comes_back(page)
    press(page, "ArrowDown")
    expect(row(page, "1").locator("a.nm")).to_be_focused()

    page.goto(insured)
    cancel(page, "不看了")
    expect(page.locator("#insurance")).to_contain_text("已退号")
    expect(page.locator("#insurance")).not_to_contain_text("医保还没有退")
    expect(wall.locator("#wall li", has_text=ward.mark)).to_have_count(0)
    expect(wall.locator("#wall footer")).to_contain_text(f"{ward.department} 候诊 1 人")
    open_queue(page, ward)
    call_next(page, "1")
    press(page, "F6")
    expect(row(page, "1")).to_contain_text("3 次")
    press(page, "F8")
    expect(row(page, "1")).to_contain_text("候诊")


def test_a_half_of_a_day_is_booked_and_given_back_by_keyboard(ward, page):
    a_new_file(page, "尤二", born="19600102")
    book(page, ward)
    press(page, "F9")
    expect(page).to_have_url(VISIT)
    expect(page.locator(".ticket")).to_contain_text(f"预约 {ward.day:%m-%d} 上午")
    booked = page.url

    a_new_file(page, "尤三", born="19600103")
    choose_doctor(page, ward)
    expect(page.locator(f"#half option[value='{ward.day}|am']")).to_have_text(re.compile("已约满"))
    expect(page.locator(f"#half option[value='{ward.day}|pm']")).to_have_text(re.compile("剩 1 个号"))
    look(page, "reception-booking")

    page.goto(f"{page.product}/clinic/queue?list=booked")
    page.locator("[name=on]").focus()
    press(page, "Control+A")
    type_in(page, f"{ward.day:%Y%m%d}")
    press(page, "Enter")
    expect(page.locator("[name=on]")).to_have_value(str(ward.day))
    expect(page.locator("#queue tr", has_text=ward.department)).to_contain_text("上午")
    page.goto(booked)
    cancel(page, "改天再来")
    expect(page.locator("#insurance")).to_contain_text("已退号")


def own_certno(born: date) -> str:
    """A man's citizen id that no other run, test or demo has."""
    number = f"{340_000 + secrets.randbelow(9_999)}{born:%Y%m%d}{secrets.randbelow(50):02d}1"
    return number + certno_rules.check_digit(number)


# ---- hands ---------------------------------------------------------------------------------------------------------


def a_new_file(page, name: str, certno: str = "", born: str = "") -> str | None:
    """Nobody is found by this name and number: a file is made, and the registration stands open. Returns its id."""
    page.goto(f"{page.product}/clinic/reception")
    expect(page.locator("main [name=q]")).to_be_focused()
    press(page, "F9")
    expect(page.locator("[name=name]")).to_be_focused()
    type_in(page, name)
    press(page, "Tab")
    type_in(page, certno)
    if born:
        page.locator("#sex").focus()
        press(page, "ArrowDown", "Tab")
        type_in(page, born)
    press(page, "F9")
    expect(page.locator("#department, [role=alert]").first).to_be_visible()
    found = re.search(r"/reception/patients/([0-9a-f-]{36})", page.url)
    return found and found[1]


def choose(page, name: str, begins: str) -> None:
    """Type what a choice begins with. Whoever rests for a second begins anew, as a busy machine makes one: then it is typed again."""
    field = page.locator(f"main select[name={name}]")
    for _ in range(3):
        field.focus()
        type_in(page, begins)
        if field.locator("option:checked").text_content().strip().startswith(begins):
            return
        page.wait_for_timeout(1_200)
    expect(field.locator("option:checked")).to_have_text(re.compile(rf"^\s*{begins}"))


def register(page, ward, ticket: str, insured: bool = False) -> None:
    """Choose the department; who holds a card is looked at; the ticket."""
    choose(page, "department", ward.mark)
    if insured and page.locator("#match").count():
        page.locator("#match").focus()
        press(page, "ArrowDown")
    press(page, "F9")
    expect(page).to_have_url(VISIT)
    expect(page.locator(".ticket strong")).to_have_text(ticket)


def read_card(page, card: str) -> None:
    page.goto(f"{page.product}/clinic/reception")
    expect(page.locator("main [name=q]")).to_be_focused()
    scan(page, card)
    expect(page.locator("#department")).to_be_focused()


def merge(page, keep: str, gone: str) -> None:
    """Put the second file under the first; the page says which, why and who."""
    page.goto(f"{page.product}/clinic/patients/{gone}")
    number = re.search(r"病历号 (\d+)", page.locator(".head .sub").inner_text())[1]
    page.goto(f"{page.product}/clinic/patients/{keep}")
    page.locator("summary", has_text="另一份档案").focus()
    press(page, "Enter", "Tab")
    expect(page.locator("[name=number]")).to_be_focused()
    type_in(page, number)
    press(page, "Tab")
    type_in(page, "重复建档")
    press(page, "Enter")
    expect(page.locator("aside")).to_contain_text(re.compile(rf"病历号 {number} → .*重复建档"))
    page.goto(f"{page.product}/clinic/patients/{gone}")
    expect(page.locator("aside")).to_contain_text(f"病历号 {number} →")


def open_queue(page, ward) -> None:
    """Today's queue of this department, called to its room."""
    page.goto(f"{page.product}/clinic/queue")
    for name in ("department", "room"):
        choose(page, name, ward.mark)
    press(page, "Tab", "Enter")
    expect(page).to_have_url(re.compile(r"room=\d"))


def row(page, ticket: str):
    return page.locator("#queue tbody tr", has=page.locator("td:first-child b", has_text=re.compile(f"^{ticket}$")))


def call_next(page, ticket: str) -> None:
    press(page, "F9")
    expect(row(page, ticket)).to_contain_text("已叫号")
    expect(row(page, ticket).locator("[data-on=F7] .key")).to_be_visible()


def passed_comes_back(page) -> None:
    """Who did not answer is here now: from the list of the passed back to the queue."""
    page.locator(".filters .seg a", has_text="过号").focus()
    press(page, "Enter")
    expect(page.locator(".filters .seg [aria-current]")).to_contain_text("过号")
    press(page, "ArrowDown")
    expect(row(page, "1").locator("a.nm")).to_be_focused()
    press(page, "F8")
    expect(page.locator(".filters .seg [aria-current]")).to_contain_text("候诊")
    expect(row(page, "1")).to_contain_text("候诊")


def choose_doctor(page, ward) -> None:
    """Department and doctor; what may be booked with them comes by itself."""
    expect(page.locator("#department")).to_be_focused()
    choose(page, "department", ward.mark)
    press(page, "Tab")
    expect(page.locator("#doctor")).to_be_focused()
    choose(page, "doctor", ward.mark)
    expect(page.locator(f"#half option[value='{ward.day}|am']")).to_be_attached()


def book(page, ward) -> None:
    choose_doctor(page, ward)
    choose(page, "half", f"{ward.day:%m-%d}")
    expect(page.locator("#half")).to_have_value(f"{ward.day}|am")


def cancel(page, reason: str) -> None:
    page.locator("summary", has_text="退号").focus()
    press(page, "Enter", "Tab")
    expect(page.locator("[name=reason]")).to_be_focused()
    type_in(page, reason)
    press(page, "Enter")
