"""Drugs under special control at the counter, by keyboard alone: the buyer is registered, a third box is not sold; a lower price."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.hands import PASSWORD, check_axe, expect_settled, lines, press, scan, scan_line, total, type_in
from tests.browser.scenes import look
from tests.center.world import some_certno


def register(page, name, number) -> None:
    """Type a buyer from their card into the layer that is open."""
    expect(page.locator("#buyer-dialog")).to_be_visible()
    type_in(page, name)
    press(page, "Tab")
    type_in(page, number)
    press(page, "F9")
    expect(page.locator("#buyer-dialog")).not_to_be_visible()


def test_two_boxes_and_no_more_by_keyboard(till, shop):
    goods, number = shop.goods(6, special_class="EPHEDRINE", generic_name="复方氨酚甲麻口服液"), some_certno()
    page = till()
    scan_line(page, goods.codes[0], 1)
    scan(page, goods.codes[1])
    expect(page.locator("#line-1 .qty")).to_have_text("2")
    expect(page.locator("#go")).to_contain_text("须登记购药人")
    press(page, "F9")  # What still stands before it comes first.
    expect(page.locator("#buyer-dialog")).to_be_visible()
    look(page, "counter-buyer", drawn=False)
    press(page, "F9")
    register(page, "张建明", number)
    expect(page.locator("#basket")).to_contain_text("张*明")
    assert number not in page.content()
    press(page, "F9")
    expect_settled(page)

    scan_line(page, goods.codes[2], 1)
    press(page, "Alt+s")
    register(page, "张建明", number)
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("不能再卖")
    expect(lines(page)).to_have_count(1)
    press(page, "Escape")
    press(page, "Delete")
    expect(lines(page)).to_have_count(0)


def test_a_wrong_number_stays_to_be_mended(till, shop):
    goods = shop.goods(2, special_class="EPHEDRINE")
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "Alt+s")
    expect(page.locator("#buyer-dialog")).to_be_visible()
    type_in(page, "张建明")
    press(page, "Tab")
    type_in(page, "330205198001011230")
    press(page, "F9")
    expect(page.locator("#buyer-dialog .notice")).to_contain_text("校验位")
    expect(page.locator("#buyer_name")).to_have_value("张建明")


def test_a_lower_price_is_confirmed_by_another_person(till, shop):
    goods, boss = shop.goods(3), shop.new_staff("pharmacist", "金药师")
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "Alt+z")
    expect(page.locator("#discount-dialog")).to_be_visible()
    type_in(page, "8")
    press(page, "Tab")
    type_in(page, "老顾客")
    check_axe(page, "discount")
    press(page, "F9")
    expect(page.locator("#discount-dialog .notice")).to_contain_text("须由负责人或药师复核")
    page.locator("#discount-approver").focus()
    type_in(page, boss)
    press(page, "Tab")
    type_in(page, PASSWORD)
    press(page, "F9")
    expect(page.locator("#discount-dialog")).not_to_be_visible()
    expect(page.locator("#basket")).to_contain_text("优惠 1.00")
    assert total(page) == "11.50"
    check_axe(page, "counter with a discount")
    press(page, "F9")
    expect_settled(page)
    page.goto(re.sub(r"/counter.*", "/registers/discounts", page.url))
    expect(page.locator("table.list")).to_contain_text("老顾客")
    look(page, "registers", drawn=False)
    page.goto(re.sub(r"/discounts.*", "/prescriptions?from=2026-01-01&to=2026-01-02", page.url))
    look(page, "registers-empty", drawn=False)
    page.goto(re.sub(r"/prescriptions.*", "/discounts", page.url))
    press(page, "F9")
    expect(page.locator("main.sheet")).to_contain_text("老顾客")
    check_axe(page, "register on paper")
    page.goto(re.sub(r"/registers.*", "/till/invoices?state=none", page.url))
    page.locator("table.list a").first.click()
    expect(page.locator("[name=title]")).to_be_focused()
    type_in(page, "阳光诊所有限公司")
    press(page, "Tab")
    type_in(page, "91330200MA2XXXXX5K")
    look(page, "invoice", drawn=False)
