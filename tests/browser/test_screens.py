"""Every screen a person meets: nothing serious for axe, in Chinese and in English; and the pictures of the guides."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.hands import (
    CARD,
    check_axe,
    chosen,
    expect_settled,
    figure,
    look_until,
    picture,
    press,
    scan,
    scan_line,
    speak,
    type_in,
)
from tests.browser.scenes import free_code, insure, look, prescribe, take

# Positions in the demo's list of products.
AMLODIPINE, IRBESARTAN, ATORVASTATIN, BANLANGEN, LIUWEI = 14, 107, 75, 84, 97


@pytest.fixture
def prescription(shop):
    """Three real drugs for somebody the center knows."""
    return prescribe(shop, (AMLODIPINE, IRBESARTAN, ATORVASTATIN), insure(shop))


def fill(page, shop, prescription) -> None:
    """The mock's basket: three prescription drugs and one own choice, the holder known, the split seen."""
    take(page, *prescription)
    type_in(page, "板蓝根")
    expect(chosen(page, "板蓝根")).to_have_count(2)
    press(page, "Escape")
    press(page, "Control+a")
    press(page, "Delete")
    scan_line(page, free_code(shop, BANLANGEN), 4)
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")


def test_the_door(new_page, product):
    page = new_page()
    # A center that is busy with its first minute may be slow to answer once; the door looks again after a while.
    look_until(page, f"{product.url}/signin", page.locator("aside", has_text="可用 · "))
    expect(page.locator("#code")).to_be_focused()
    type_in(page, "YIHAO")
    press(page, "Tab")
    expect(page.locator("#code-is")).to_contain_text("一号药店")
    type_in(page, "李小红")
    expect(page.locator("aside")).to_contain_text(re.compile(r"医保中心\s*可用 · \d\d:\d\d 检查"))
    expect(page.locator("aside .notices")).to_contain_text("02:00–02:30 维护")
    look(page, "sign-in")
    page.goto(f"{product.url}/center/signin")
    look(page, "sign-in-center")


def test_the_counter(till, shop, prescription):
    page = till()
    scan_line(page, free_code(shop, BANLANGEN), 1)
    press(page, "Enter")
    type_in(page, "20")
    press(page, "F9")
    expect_settled(page)
    scan_line(page, free_code(shop, LIUWEI), 1)
    press(page, "F4")
    expect(page.locator("#person")).to_contain_text("挂单")
    page.reload()
    look(page, "counter-empty")
    fill(page, shop, prescription)
    page.locator("#got").focus()
    type_in(page, "50")
    page.locator("#entry").focus()
    press(page, "ArrowUp")
    press(page, "ArrowUp")
    press(page, "ArrowUp")
    check_axe(page, "counter")
    picture(page, "counter")
    picture(page, "counter-1920", (1920, 1080))
    picture(page, "counter-768", (768, 1024))
    page.set_viewport_size({"width": 768, "height": 1024})
    expect(page.locator("[data-buyer=agent]")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    press(page, "F3")
    expect(page.locator("#line-part fieldset").first).to_be_visible()
    check_axe(page, "line")
    picture(page, "counter-line")
    press(page, "Escape")
    press(page, "F2")
    check_axe(page, "person")
    picture(page, "counter-person")
    press(page, "Escape")
    speak(page, "en")
    expect(page.locator("#basket tr.group").first).to_contain_text("passed by")
    check_axe(page, "counter in English")
    picture(page, "counter-en")
    speak(page, "zh")
    assert page.evaluate("window.seen.shift") < 0.02, "nothing on the counter jumps"
    assert float(figure(page, "统筹支付")) > 0


def test_the_unknown_outcome(till, shop, prescription, product):
    page = till()
    fill(page, shop, prescription)
    product.line.loses["2102"] = "answer"
    press(page, "F9")
    if page.locator("#decide-dialog").is_visible():
        press(page, "F9")
        expect(page.locator("#decide-dialog")).not_to_be_visible()
        press(page, "F9")
    expect(page.locator("#money.ask")).to_be_visible()
    page.wait_for_timeout(5_000)
    expect(page.locator("#money.ask .trail li").first).to_contain_text(
        re.compile(r"合计 [\d.]+ · 统筹 [\d.]+ · 账户 [\d.]+ · 现金 [\d.]+")
    )
    look(page, "counter-unknown")
    product.line.loses.clear()
    expect(page.locator("#money.ask")).not_to_be_visible(timeout=20_000)
    expect(page.locator("#person")).to_contain_text("上一单")
    receipt = page.locator("#person dt").first.inner_text()
    sale = page.locator("#counter").get_attribute("data-last-sale")
    page.goto(f"{product.url}/till/receipts/{sale}")
    expect(page.locator(".roll")).to_contain_text(receipt)
    look(page, "receipt", size=(760, 880))
    page.goto(f"{product.url}/till/receipts/{sale}?size=a5")
    check_axe(page, "slip")
    page.goto(f"{product.url}/counter/refunds/new")
    check_axe(page, "refund, last sales")
    page.goto(f"{product.url}/counter/refunds/new?receipt={receipt}")
    quantity = page.locator("[data-most]").last
    quantity.fill("1")
    press(page, "F8")
    expect(page.locator("#net")).to_contain_text("重新结算")
    check_axe(page, "refund")
    picture(page, "refund")
    speak(page, "en")
    check_axe(page, "refund in English")


def test_shelves_prescriptions_and_the_shift(till, shop, product):
    page = till()
    scan_line(page, free_code(shop, LIUWEI), 1)
    press(page, "F9")
    expect_settled(page)
    page.goto(f"{product.url}/stock")
    page.locator("[data-rows] a.nm").nth(3).click()
    expect(page.locator("#shelf aside")).to_be_visible()
    look(page, "stock")
    page.goto(f"{product.url}/stock/receipts")
    look(page, "stock-receipts", drawn=False)
    page.goto(f"{product.url}/stock/receipts/new")
    type_in(page, "lltdp")
    expect(chosen(page, "lltdp").first).to_be_visible()
    press(page, "Enter")
    expect(page.locator("[data-line] [name=lot]")).to_be_focused()
    type_in(page, "N261101")
    page.locator("[data-line] [name=expires_on]").fill("202812")
    scan(page, "81999990000000000017")
    scan(page, "81999990000000000024")
    check_axe(page, "receipt of goods")
    picture(page, "stock-receipt")
    page.on("dialog", lambda asked: asked.accept())
    page.goto(f"{product.url}/till/prescriptions/new")
    look(page, "prescription-new", drawn=False)
    page.goto(f"{product.url}/till/prescriptions?state=passed")
    look(page, "prescriptions")
    page.goto(f"{product.url}/catalog/products")
    look(page, "catalog")
    page.goto(f"{product.url}/search?q=片")
    look(page, "search", drawn=False)
    page.goto(f"{product.url}/till/shifts/current/closing")
    check_axe(page, "shift, counting")
    type_in(page, "213.50")
    press(page, "F9")
    expect(page.get_by_label("差额原因")).to_be_visible()
    check_axe(page, "shift, difference")
    picture(page, "shift-closing")


def test_the_owner_s_pages(sign_in, shop, product):
    page = sign_in(shop, "001")
    for path, name in (
        ("organizations/staff", "staff"),
        ("organizations/terminals", "terminals"),
        ("organizations/duty", "duty"),
        ("organizations/parameters?parameter=match_above", "parameters"),
        ("catalog/imports", "catalog-import"),
        ("account", "account"),
    ):
        page.goto(f"{product.url}/{path}")
        look(page, name, drawn=False)


def test_the_passport_of_a_box_that_was_sold_twice(till, officer, shop, other_shop, product):
    """Received and sold at one pharmacy; the same code sold at another, which never bought it from the first."""
    from app.core import clock
    from app.facility.db import run
    from app.facility.stock import receiving
    from app.facility.stock.rules import ReceiptLine
    from tests.factories.shop import desk_of

    number, codes, card = prescribe(shop, (ATORVASTATIN,), insure(shop))
    code = codes[0]
    page = till()
    take(page, number, codes, card)
    press(page, "F9")
    expect_settled(page)
    officer.goto(f"{product.url}/center/supervision")
    officer.locator("main [type=search]").focus()
    scan(officer, code)
    officer.wait_for_url("**/passport/**")
    look_until(officer, officer.url, officer.locator(".life", has_text="医保结算"))  # The relay carries the fact.
    expect(officer.locator(".state.ok")).to_contain_text("没有矛盾")
    look(officer, "passport-whole")
    with other_shop.app.app_context(), other_shop.pharmacy.acting():
        product_id = run("select id from product where code = :code", code=f"S{ATORVASTATIN + 1:04d}").scalar_one()
        line = ReceiptLine(product_id, "X99", clock.business_date() + timedelta(days=300), 1, codes=(code,))
        receiving.open_stock(desk_of(other_shop.pharmacy, other_shop.pharmacy.owner), uuid4(), [line], "来源不明")
    number, codes, card = prescribe(other_shop, (ATORVASTATIN,), insure(other_shop))
    assert codes[0] == code
    second = till(other_shop)
    take(second, number, codes, card)
    press(second, "F9")
    expect_settled(second)
    look_until(officer, f"{product.url}/center/passport/{code}", officer.locator(".state.stop"))
    expect(officer.locator(".state.stop")).to_contain_text("同一盒卖了两次")
    expect(officer.locator(".life .gap")).to_contain_text("链断")
    table = officer.locator(".compare")
    assert table.evaluate(
        "table => table.getBoundingClientRect().bottom <= table.parentElement.getBoundingClientRect().bottom"
    )
    look(officer, "passport")
    officer.goto(f"{product.url}/center/alerts")
    expect(officer.locator(".alerts")).to_contain_text("三号药店")
    look(officer, "alerts")
    officer.goto(f"{product.url}/center/streams")
    look(officer, "streams")
    officer.goto(f"{product.url}/center/supervision")
    look(officer, "center")


def test_the_life_of_a_refunded_box_in_order(till, officer, shop, product):
    goods = shop.covered(packs=1, pack_price="18.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F2")
    type_in(page, CARD.format(3))
    press(page, "F9")
    expect(page.locator("#person")).to_contain_text("陈*强")
    press(page, "F8")
    expect(page.locator("#split .due dd")).to_have_text("0.00")
    press(page, "F9")
    receipt = expect_settled(page)
    press(page, "F6")
    expect(page.locator("[data-scan-opens]")).to_be_focused()
    scan(page, receipt)
    page.get_by_role("button", name="整单全退").click()
    expect(page.locator("#net")).to_contain_text("18.00")
    press(page, "F9")
    expect(page.locator("#refunded")).to_contain_text("已退款", timeout=15_000)
    look(page, "refunded", drawn=False)
    stops = officer.locator(".life .stop-card b:first-of-type")
    look_until(officer, f"{product.url}/center/passport/{goods.codes[0]}", stops.nth(3))
    titles = [stops.nth(place).inner_text() for place in range(stops.count())]
    words = [next(word for word in ("验收", "入库", "结算", "退", "销售") if word in title) for title in titles]
    assert words[0] in {"验收", "入库"}, titles
    assert words[1:] == ["销售", "结算", "退"], titles
    expect(officer.locator(".chain .stop")).to_have_count(0)
    officer.locator(".chain a").first.click()
    expect(officer.locator("main")).to_contain_text("连续")
    check_axe(officer, "stream")
