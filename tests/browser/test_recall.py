"""Goods called back: by the center, with two officers, and by the house itself, in a handful of keys."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from types import SimpleNamespace

import pyotp
import pytest
from playwright.sync_api import expect

from app.core import tenancy
from app.facility.organizations import actions
from tests.browser import hands
from tests.browser.scenes import look
from tests.factories.city import register
from tests.factories.people import make_code, make_officer
from tests.factories.shop import make_goods

MOST_KEYS = 60


@pytest.fixture
def colleague(product, wings, new_page):
    """A second officer of the city, signed in by the door."""
    secret = pyotp.random_base32()
    person = make_officer(wings[1], district="3302", name="林静", totp_secret=secret)
    page = new_page()
    hands.sign_in(page, f"{product.url}/center", "330200", person.number, person.password)
    page.wait_for_url("**/signin/second")
    hands.type_in(page, pyotp.TOTP(secret).now())
    hands.press(page, "Enter")
    page.wait_for_url(lambda url: "/signin" not in url)
    return page


@pytest.fixture
def branch(wings, shop):
    """A second shop of the same organization, known to the center."""
    code = make_code()
    name = f"一号药店{code[-3:]}店"
    with shop.app.app_context(), tenancy.as_tenant(shop.pharmacy.tenant_id):
        made = actions.open_facility(actions.NewFacility(code, name, "330212", "鄞州区"))
    here = replace(shop.pharmacy, facility_id=made.facility_id, code=code, name=name, center_secret=made.center_secret)
    register(wings[1], here)
    return here


def fill(page, **fields):
    """Type into fields one after the other, with the keyboard."""
    for name, text in fields.items():
        page.locator(f"[name={name}]").focus()
        hands.type_in(page, text)


def test_the_center_recalls_two_officers_act_and_the_counter_refuses(product, shop, till, officer, colleague):
    national, lot = f"XA{secrets.token_hex(8).upper()}", f"ZC{secrets.token_hex(3).upper()}"
    goods = shop.goods(packs=3, national_code=national, lot_number=lot)
    counter = till()

    officer.goto(f"{product.url}/center/recalls")
    look(officer, "center-recalls", drawn=False)
    hands.press(officer, "F9")
    expect(officer.locator("[name=name]")).to_be_focused()
    fill(
        officer, name=goods.name, national=national, lots=lot, reason="choujian buhege", instructions="tingshou fengcun"
    )
    look_form(officer)
    hands.press(officer, "F9")
    expect(officer.locator(".foot")).to_contain_text("等另一位同事复核")
    look(officer, "center-recall-asked", drawn=False)
    address, number = officer.url, officer.locator("h1").inner_text().split()[-1]

    colleague.goto(address)
    look(colleague, "center-recall-to-approve", drawn=False)
    hands.press(colleague, "F9")
    expect(colleague.locator("#notice")).to_contain_text("已下达给")
    hands.look_until(counter, f"{product.url}/counter", counter.locator(".alarm", has_text=number))
    expect(counter.locator(".alarm")).to_contain_text("已自动冻结")
    look(counter, "counter-recall", size=(1280, 800))
    expect(counter.locator("#entry")).to_be_focused()
    hands.scan(counter, goods.codes[0])
    expect(counter.locator("#notice")).to_contain_text("所属批号已冻结或召回")
    expect(hands.lines(counter)).to_have_count(0)

    counter.locator(".alarm").get_by_role("link", name="查看").focus()
    hands.press(counter, "Enter")
    expect(counter.locator("h1")).to_contain_text(number)
    look(counter, "stock-recall-of-the-center", drawn=False)
    counter.locator(".alarm").get_by_role("button", name="知悉").focus()
    hands.press(counter, "Enter")
    expect(counter.locator(".alarm")).to_have_count(0)

    colleague.goto(f"{address}?only=holding")
    expect(colleague.locator("table")).to_contain_text(shop.place.code)
    look(colleague, "center-recall")
    colleague.locator("[name=summary]").focus()
    hands.type_in(colleague, "zhaohui wancheng")
    hands.press(colleague, "F9")
    expect(colleague.locator("#notice")).to_contain_text("召回已结束")


def look_form(page) -> None:
    """A form loses what was typed when the language changes, so it is looked at in the language it stands in."""
    hands.check_axe(page, page.url)


def sold_to_a_person(page, code: str) -> str:
    """Sell one box to an insured person; returns the receipt."""
    hands.scan_line(page, code, 1)
    hands.press(page, "F2")
    expect(page.locator("#credential")).to_be_focused()
    hands.type_in(page, hands.CARD.format(1))
    hands.press(page, "F9")
    expect(page.locator("#person")).to_contain_text("张*明")
    hands.press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")
    hands.press(page, "F9")
    return hands.expect_settled(page)


def test_an_own_recall_by_keyboard_freezes_both_shops_and_names_the_buyers_masked(product, shop, branch, till, sign_in):
    goods = shop.covered(packs=4, pack_price="20.00")
    lot = goods.lot_number
    with shop.app.app_context(), shop.pharmacy.acting():
        make_goods(branch, 2, lot_number=lot, product_id=goods.product_id)
    receipt = sold_to_a_person(till(), goods.codes[0])
    page = sign_in(shop, shop.new_staff("pharmacist"))
    page.goto(f"{product.url}/stock/recalls")
    look(page, "stock-recalls", drawn=False)
    began, keys = time.monotonic(), SimpleNamespace(pressed=0)

    def press(*each):
        keys.pressed += len(each)
        hands.press(page, *each)

    def type_in(text):
        keys.pressed += len(text)
        hands.type_in(page, text)

    press("F9")
    expect(page.locator("#entry")).to_be_focused()
    type_in(lot)
    press("Enter")
    expect(page.locator("[name=reason]")).to_be_focused()
    type_in("changjia tongzhi")
    press("F9")
    expect(page.locator("h1")).to_contain_text("召回 Z")
    assert time.monotonic() - began < 60
    assert keys.pressed < MOST_KEYS

    where = page.locator("div.scroll[aria-label='货在哪里，卖给、发给了谁']")
    for name in (shop.pharmacy.name, branch.name):
        row = where.locator("tr", has=page.get_by_role("cell", name=name, exact=True))
        expect(row).to_contain_text("已冻结")
    sale = where.locator("tr", has_text=receipt)
    expect(sale).to_contain_text("张*明")
    expect(where).not_to_contain_text("建明")
    look(page, "stock-recall")

    where.get_by_role("link", name="退供应商").first.focus()
    hands.press(page, "Enter")
    expect(page.locator("h1")).to_contain_text("退供应商")
    expect(page.locator("#lines [data-line]")).to_have_count(1)
    expect(page.locator("[name=packs]")).to_have_value("3")
    expect(page.locator("[name=reason]")).to_have_value("召回")
    page.goto(f"{product.url}/stock/recalls/new?entry={lot}")
    look(page, "stock-recall-new", drawn=False)
    page.goto(f"{product.url}/stock/recalls/holds?entry={lot}")
    look(page, "stock-holds", drawn=False)


def test_a_notice_goes_out_and_stands_at_the_facility(product, shop, officer, sign_in):
    title = f"tongzhi {secrets.token_hex(4)}"
    officer.goto(f"{product.url}/center/notices")
    look(officer, "center-notices-before", drawn=False)
    hands.press(officer, "F9")
    expect(officer.locator("[name=title]")).to_be_focused()
    hands.type_in(officer, title)
    hands.press(officer, "Tab", "ArrowDown", "Tab")
    hands.type_in(officer, "jinwan liangdian weihu")
    look_form(officer)
    hands.press(officer, "F9")
    expect(officer.locator("#notice")).to_contain_text("已发给")
    look(officer, "center-notices", drawn=False)

    page = sign_in(shop, shop.new_staff("clerk"))
    hands.look_until(page, f"{product.url}/notices", page.locator("main", has_text=title))
    expect(page.locator("main li").first).to_contain_text(title)
    expect(page.locator("main li").first).to_contain_text("重要通知")
    look(page, "news", drawn=False)
    page.goto(f"{product.url}/notices?show=aside")
    look(page, "news-aside", drawn=False)
