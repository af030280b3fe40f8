"""Inspecting a delivery by scanner and keyboard only: what is rejected, the cold chain, a second inspector, where a herb grew."""

from __future__ import annotations

import secrets
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from app.facility.db import run
from app.facility.stock.purchasing.rules import OrderLine
from tests.browser.hands import PASSWORD, press, scan, type_in
from tests.factories.purchase import approved_product, make_order
from tests.factories.shop import make_code
from tests.factories.supply import make_supplier

MOST_TABS = 60


@pytest.fixture
def unpack(shop, sign_in, product):
    """Begin to unpack an order of packs of one product; its line stands there and its barcode was scanned."""

    def begin(packs, number=None, **fields):
        with shop.app.app_context(), shop.pharmacy.acting():
            goods = approved_product(shop.pharmacy, code=f"B{secrets.token_hex(4).upper()}", **fields)
            barcode = run("select barcode from product where id = :id", id=goods).scalar_one()
            supplier = make_supplier(shop.pharmacy, name="宁波新建医药有限公司")
            order = make_order(shop.pharmacy, supplier, OrderLine(goods, packs, Decimal("8.50")))
        page = sign_in(shop, number or shop.new_staff())
        page.goto(f"{product.url}/stock/deliveries/new?order={order}")
        press(page, "F9")
        page.wait_for_url(lambda url: "/stock/deliveries/" in url and "/new" not in url)
        scan(page, barcode)
        expect(page.locator("#lines [name=lot]")).to_be_focused()
        type_in(page, "B260801")
        press(page, "Tab", "Tab")
        type_in(page, "203005")
        return page, goods

    return begin


def tab_to(page, selector):
    """Press Tab until a field has the focus, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        press(page, "Tab")
    raise AssertionError(f"no Tab leads to {selector}")


def write(page, selector, text):
    tab_to(page, selector)
    press(page, "Control+a")
    type_in(page, text)


def choose(page, selector, downs):
    tab_to(page, selector)
    press(page, *["ArrowDown"] * downs)


def accept(page):
    """F9: the answer is a refusal on the same page, or the record."""
    with page.expect_navigation():
        press(page, "F9")


def refused(page, text):
    accept(page)
    expect(page.locator("#refused")).to_contain_text(text)


def zones(shop, goods):
    with shop.app.app_context(), shop.pharmacy.acting():
        rows = run("select zone, on_hand from lot_balance where product_id = :p and on_hand > 0", p=goods)
        return {row.zone: row.on_hand for row in rows}


def test_rejected_packs_have_a_number_a_reason_and_a_place(shop, unpack):
    page, goods = unpack(3, generic_name="阿莫西林胶囊")
    write(page, "[name=rejected]", "1")
    expect(page.locator("#lines [name=reason]")).to_be_visible()
    for _ in range(2):
        scan(page, make_code())
    expect(page.locator("[data-count]")).to_have_text("2/2")
    write(page, "#note_number", "SH20261122")
    refused(page, "拒收 1 件，请写明原因")

    write(page, "#lines [name=reason]", "外包装破损")
    choose(page, "#lines [name=kept]", 1)
    expect(page.locator("#check")).to_contain_text("拒收 1")
    accept(page)

    expect(page.locator("main")).to_contain_text("1 · 外包装破损，留在不合格区")
    expect(page.locator("main")).to_contain_text("拒收 1")
    assert zones(shop, goods) == {"SALEABLE": 48, "REJECT": 24}
    press(page, "F9")
    expect(page.locator("article")).to_contain_text("拒收 1：外包装破损，留在不合格区")


def test_goods_that_need_cold_come_in_with_the_temperature_of_their_journey(shop, unpack):
    page, goods = unpack(1, generic_name="门冬胰岛素注射液", storage="COLD")
    scan(page, make_code())
    write(page, "#note_number", "SH20261123")
    expect(page.locator("#cold-part")).to_be_visible()
    refused(page, "请填启运和到货时的温度")

    choose(page, "#transport", 2)
    write(page, "#minutes", "90")
    write(page, "#temperature_out", "4.5")
    refused(page, "请填启运和到货时的温度")
    write(page, "#temperature_in", "12")
    refused(page, "途中温度超出 2–8 ℃")
    write(page, "#temperature_in", "5.5")
    accept(page)

    journey = "冷链：保温箱，在途 90 分钟，启运 4.5 ℃，到货 5.5 ℃"
    expect(page.locator("main")).to_contain_text(journey)
    assert zones(shop, goods) == {"COLD": 24}
    press(page, "F9")
    expect(page.locator("article")).to_contain_text(journey)


def test_a_special_drug_is_accepted_by_two(shop, unpack):
    first, second = shop.new_staff(), shop.new_staff("pharmacist", name="何芳华")
    page, goods = unpack(1, first, generic_name="地西泮片", special_class="PSYCHOTROPIC_2", rx_class="RX")
    scan(page, make_code())
    write(page, "#note_number", "SH20261124")
    expect(page.locator("#second-part")).to_be_visible()
    refused(page, "须由第二位验收员输入密码复核")
    write(page, "#approver", first)  # Nobody is their own second.
    write(page, "#approver_password", PASSWORD)
    accept(page)
    expect(page.locator("#refused")).to_be_visible()
    write(page, "#approver", second)
    write(page, "#approver_password", PASSWORD)
    accept(page)

    expect(page.locator("main")).to_contain_text("第二验收员 何芳华")
    assert zones(shop, goods) == {"CONTROLLED": 24}
    press(page, "F9")
    expect(page.locator("article footer")).to_contain_text("第二验收员 何芳华")


def test_a_herb_comes_in_with_the_place_where_it_grew(shop, unpack):
    page, goods = unpack(2, generic_name="浙贝母", rx_class="HERB", trace_required=False)
    expect(page.locator("#lines [name=origin]")).to_be_visible()
    write(page, "#note_number", "SH20261125")
    refused(page, "浙贝母 是中药饮片，请填产地")

    write(page, "#lines [name=origin]", "浙江磐安")
    accept(page)

    expect(page.locator("main")).to_contain_text("产地 浙江磐安")
    assert zones(shop, goods) == {"SALEABLE": 48}
    press(page, "F9")
    expect(page.locator("article")).to_contain_text("产地 浙江磐安")
