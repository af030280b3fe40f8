"""Receiving by scanner and keyboard only: from the order to the shelf, with one case that nobody had opened before."""

from __future__ import annotations

import secrets
from decimal import Decimal
from uuid import UUID

import pytest
from playwright.sync_api import expect

from app.facility.db import run
from app.facility.stock.purchasing.rules import OrderLine
from tests.browser.hands import picture, press, scan, type_in
from tests.browser.scenes import look
from tests.factories.purchase import approved_product, make_order
from tests.factories.shop import make_code
from tests.factories.supply import make_supplier


@pytest.fixture
def order(shop):
    """An order of two products that waits for its goods: (id, number, barcode and name of each)."""
    with shop.app.app_context(), shop.pharmacy.acting():
        products = []
        for name in ("试收胶囊", "试收颗粒"):
            product = approved_product(shop.pharmacy, generic_name=name, code=f"B{secrets.token_hex(4).upper()}")
            products.append((product, run("select barcode from product where id = :id", id=product).scalar_one(), name))
        supplier = make_supplier(shop.pharmacy, name="宁波新建医药有限公司")
        lines = [OrderLine(products[0][0], 3, Decimal("8.50")), OrderLine(products[1][0], 2, Decimal("6.00"))]
        made = make_order(shop.pharmacy, supplier, *lines)
        number = run("select number from purchase_order where id = :id", id=made).scalar_one()
    return made, number, products


def begin(page, product, order):
    """F9 on the page of a new delivery takes the order that was chosen."""
    page.goto(f"{product.url}/stock/deliveries/new?order={order}")
    press(page, "F9")
    page.wait_for_url(lambda url: "/stock/deliveries/" in url and "/new" not in url)
    expect(page.locator("#entry")).to_be_focused()
    return UUID(page.url.rpartition("/")[2])


def kept(page):
    expect(page.locator("[data-saved]")).to_have_text("已存好")


def line(page, name):
    return page.locator("#lines [data-line]", has_text=name)


def test_an_order_comes_in_by_scanner_and_keyboard_alone(shop, sign_in, product, order):
    made, _number, (first, second) = order
    page = sign_in(shop, shop.new_staff())
    delivery = begin(page, product, made)
    assert page.locator("#lines [data-line]").count() == 2

    loose, case, packs = make_code(), f"82{secrets.randbelow(10**18):018d}", [make_code(), make_code()]
    scan(page, first[1])
    expect(line(page, first[2]).locator("[name=lot]")).to_be_focused()
    lot = f"B{secrets.randbelow(10**6):06d}"
    type_in(page, lot)
    press(page, "Tab", "Tab")
    type_in(page, "203005")
    scan(page, loose)
    expect(page.locator("[data-count]")).to_have_text("1/3")

    # The code on a case that nobody knows: it is counted, then said to be a case, and opened pack by pack.
    scan(page, case)
    expect(page.locator("[data-count]")).to_have_text("2/3")
    press(page, "F7")
    expect(page.locator("#case-dialog")).to_be_visible()
    for code in packs:
        scan(page, code)
    expect(page.locator("[data-case-count]")).to_have_text("2")
    press(page, "F9")
    expect(page.locator("#case-dialog")).to_be_hidden()
    expect(page.locator("[data-count]")).to_have_text("3/3")

    # Of the second product one pack came, of which nothing is broken: the difference stands beside it.
    scan(page, second[1])
    expect(line(page, second[2]).locator("[name=lot]")).to_be_focused()
    type_in(page, f"L{lot}")
    press(page, "Tab", "Tab")
    type_in(page, "202911")
    press(page, "Tab")
    press(page, "Control+a")
    type_in(page, "1")
    scan(page, make_code())
    expect(page.locator("#check")).to_contain_text("比采购单少 1")
    page.locator("#note_number").focus()
    type_in(page, "SH20260801")
    kept(page)
    picture(page, "receiving")

    # The browser crashes; the delivery stands where it was left.
    page.reload()
    expect(line(page, first[2]).locator("[data-have]")).to_have_text("3/3")
    look(page, "receiving", drawn=False)
    expect(page.locator("#entry")).to_be_focused()
    expect(page.locator("#lines [data-line].on")).to_have_count(1)  # The page's script is at work.
    press(page, "F9")

    expect(page.get_by_text("已验收入库").first).to_be_visible()
    look(page, "acceptance")
    with shop.app.app_context(), shop.pharmacy.acting():
        assert run("select sum(on_hand)::bigint from lot_balance where product_id = :p", p=first[0]).scalar_one() == 72
        assert run("select count(*) from stock_receipt where id = :d", d=delivery).scalar_one() == 1
        assert run("select count(*) from code_pack where parent = :c", c=case).scalar_one() == 2
    page.goto(f"{product.url}/stock/codes/{packs[0]}")
    expect(page.get_by_text("在库").first).to_be_visible()
    expect(page.locator("main")).to_contain_text(lot)


def test_a_change_in_another_window_is_told_and_nothing_is_lost(shop, sign_in, product, order):
    made, _number, (first, _second) = order
    page = sign_in(shop, shop.new_staff())
    begin(page, product, made)
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("#note_number").fill("SH-2")
    kept(other)
    expect(other.locator("[name=version]")).to_have_value("2")

    line(page, first[2]).locator("[name=lot]").fill("MINE")

    expect(page.locator("#notice")).to_contain_text("另一个窗口")
    expect(line(page, first[2]).locator("[name=lot]")).to_have_value("MINE")
    page.reload()
    expect(page.locator("#note_number")).to_have_value("SH-2")


def test_everybody_can_use_the_pages(shop, sign_in, product, order):
    page = sign_in(shop, shop.new_staff())
    for name, address in {"deliveries": "/stock/deliveries", "delivery_new": "/stock/deliveries/new"}.items():
        page.goto(f"{product.url}{address}")
        look(page, name, drawn=False)
