"""Goods held by one and released by another, and destroyed before a witness: with the keyboard and the scanner alone."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.hands import check_axe, no_answer_yet, press, scan, type_in
from tests.browser.scenes import look


def choose(page, name: str, option: int) -> None:
    """Take the option so many rows down, with the arrow key."""
    page.locator(f"[name={name}]").focus()
    press(page, *["ArrowDown"] * option)


def test_held_by_one_released_by_another_destroyed_before_a_witness(product, shop, sign_in):
    goods = shop.goods(3)
    page, other = sign_in(shop, shop.new_staff("clerk")), sign_in(shop, shop.new_staff("pharmacist"))
    page.goto(f"{product.url}/stock/papers")
    press(page, "F9")
    page.locator("#acts a", has_text="转待处理").focus()
    press(page, "Enter")
    expect(page.locator("#entry")).to_be_visible()
    look(page, "stock-paper")  # Before anything is scanned: changing the language loads the page anew.
    expect(page.locator("#entry")).to_be_visible()
    scan(page, goods.codes[0])
    expect(page.locator("[name=packs]")).to_have_value("1")
    choose(page, "reason", 2)
    check_axe(page, "a paper")
    with no_answer_yet(page, "/stock/papers/.*[?&]q="):  # Neither scanner nor clerk waits for the page.
        scan(page, goods.codes[1])
        press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("已过账")

    page.goto(f"{product.url}/stock/papers/new?act=release")
    scan(page, goods.codes[0])
    expect(page.locator("#lines [data-line]")).to_have_count(1)
    choose(page, "reason", 1)
    page.locator("[name=field-finding]").focus()
    type_in(page, "wanhao")
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("等另一位")

    other.goto(f"{product.url}/stock/papers?state=asked")
    expect(other.locator(".side")).to_contain_text(goods.name)
    check_axe(other, "the queue")
    look(other, "stock-papers")
    press(other, "p")
    expect(other.locator("#notice")).to_contain_text("已过账")

    page.goto(f"{product.url}/stock/papers/new?act=destroy")
    scan(page, goods.codes[1])
    expect(page.locator("#lines [data-line]")).to_have_count(1)
    choose(page, "reason", 3)
    choose(page, "field-method", 1)
    for name, text in (("witness", "003"), ("place", "houyuan")):
        page.locator(f"[name=field-{name}]").focus()
        type_in(page, text)
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("等另一位")
    other.goto(f"{product.url}/stock/papers?state=asked")
    expect(other.locator(".side")).to_contain_text(goods.name)
    press(other, "p")
    expect(other.locator("#notice")).to_contain_text("已过账")
    other.goto(f"{product.url}/stock/codes/{goods.codes[1]}")
    expect(other.locator("main")).to_contain_text("已销毁")
