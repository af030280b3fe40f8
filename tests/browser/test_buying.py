"""Buying by keyboard: what runs low is ticked and ordered, a line is added by typing, the order is placed."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from app.facility.stock.shelf.actions import Place, place_products
from tests.browser import hands
from tests.factories.shop import desk_of, make_product
from tests.factories.supply import approve_products, make_supplier


def a_low_product(shop, name: str) -> int:
    """An approved product of which nothing lies here and something should."""
    with shop.app.app_context(), shop.pharmacy.acting():
        product = make_product(shop.pharmacy, generic_name=name)
        approve_products(shop.pharmacy, product)
        place_products(desk_of(shop.pharmacy, shop.pharmacy.owner), [Place(product, "试-1", 48, 240)])
    return product


def test_what_runs_low_is_ordered_and_placed_by_keyboard(product, shop, sign_in):
    low = a_low_product(shop, "试补货颗粒")
    with shop.app.app_context(), shop.pharmacy.acting():
        supplier = make_supplier(shop.pharmacy, name="试采购医药公司")
    page = sign_in(shop, shop.new_staff())
    page.goto(f"{product.url}/stock/proposals?q=试补货")
    page.locator("select[name=supplier]").select_option(str(supplier))
    page.get_by_label("采购 试补货颗粒").focus()
    hands.press(page, "Control+a")
    hands.type_in(page, "12")
    hands.press(page, "F9")

    page.wait_for_url(re.compile(r"/stock/orders/[0-9a-f-]{36}$"))
    expect(page.locator("[name=packs]").first).to_have_value("12")
    page.locator("#entry").focus()
    hands.type_in(page, "试补货颗粒")
    hands.press(page, "Enter")
    expect(page.locator("[name=packs]")).to_be_focused()  # It is on the order already, and gone to.
    expect(page.locator("#lines [data-line]")).to_have_count(1)
    price = page.locator("[name=price]").first
    price.focus()
    hands.type_in(page, "8.505")
    expect(page.locator("[data-total]")).to_have_text("102.06")
    hands.press(page, "F9")

    expect(page.get_by_text("已下单")).to_be_visible()
    expect(page.get_by_text("102.06").first).to_be_visible()
    assert low


def test_the_arrows_walk_down_a_column_of_limits(product, shop, sign_in):
    a_low_product(shop, "试下限甲")
    a_low_product(shop, "试下限乙")
    page = sign_in(shop, shop.new_staff())
    page.goto(f"{product.url}/stock/proposals?q=试下限")
    least = page.locator("[name=least]")
    expect(least).to_have_count(2)
    first, second = least.all()
    first.focus()
    hands.press(page, "Control+a")
    hands.type_in(page, "5")
    hands.press(page, "ArrowDown")
    expect(second).to_be_focused()
    hands.press(page, "Control+a")
    hands.type_in(page, "7")
    page.get_by_role("button", name="保存货位和上下限").press("Enter")

    expect(page.get_by_text("已保存 2 个商品的货位和上下限。")).to_be_visible()
    expect(least).to_have_count(2)
    assert sorted(field.input_value() for field in least.all()) == ["5", "7"]
