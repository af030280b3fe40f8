"""The rest of a clerk's day: typing, splitting, holding, prescriptions, refunds, goods that come in, the shift's end."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from tests.browser.hands import (
    CARD,
    chosen,
    expect_settled,
    figure,
    lines,
    no_answer_yet,
    press,
    printed,
    scan,
    scan_line,
    type_in,
)
from tests.browser.hands import (
    sign_in as come_in,
)
from tests.browser.product import PASSWORD
from tests.browser.scenes import enter_prescription, insure, read_card
from tests.factories.shop import make_code


def identify(page, card):
    press(page, "F2")
    type_in(page, CARD.format(card))
    press(page, "F9")
    expect(page.locator("#person-dialog")).not_to_be_visible()


def test_open_the_shift_by_keys(shop, sign_in, product):
    page = sign_in(shop, shop.new_staff())
    page.goto(f"{product.url}/counter")
    expect(page.get_by_label("备用金")).to_be_focused()
    type_in(page, "200")
    press(page, "F9")
    expect(page.locator("#entry")).to_be_focused()
    expect(page.locator("#basket")).to_contain_text("开始这一单")


def test_pinyin_initials_arrows_and_quantities(till, product):
    page = till()
    type_in(page, "lwdhw")
    expect(chosen(page, "lwdhw").first).to_contain_text("六味地黄丸")
    press(page, "Escape")
    expect(page.locator("#choices [role=option]")).to_have_count(0)
    press(page, "Control+a")
    type_in(page, "huangqi")
    expect(chosen(page, "huangqi").first).to_contain_text("黄芪")
    press(page, "ArrowDown")
    press(page, "ArrowUp")
    press(page, "Enter")
    expect(lines(page)).to_have_count(1)
    expect(page.locator("#entry")).to_have_value("")
    press(page, "+", "+", "+", "+", "-")
    expect(page.locator("#line-1 .qty")).to_have_text("4")
    press(page, "*")
    type_in(page, "30")
    press(page, "Enter")
    expect(page.locator("#line-1 .qty")).to_have_text("30")
    expect(page.locator("#split .total dd")).to_have_text("3.60")
    press(page, "Delete")
    expect(lines(page)).to_have_count(0)


def test_a_pack_is_split_by_f3(till, shop):
    goods = shop.goods(2, split_price=Decimal("0.60"))
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F3")
    expect(page.locator("#line-part")).to_contain_text(goods.lot_number)
    page.get_by_text("拆零，按粒").click()
    press(page, "F9")
    expect(page.locator("#line-1")).to_contain_text("拆零")
    press(page, "*")
    type_in(page, "6")
    press(page, "Enter")
    expect(page.locator("#split .total dd")).to_have_text("3.60")
    press(page, "F9")
    expect_settled(page)


def test_a_chosen_line_stays_chosen_through_looks_and_previews(till, shop):
    goods = [shop.covered(packs=1, pack_price="12.00") for _ in range(3)]
    page = till()
    for count, one in enumerate(goods, 1):
        scan_line(page, one.codes[0], count)
    identify(page, 3)
    press(page, "ArrowUp")
    press(page, "ArrowUp")
    expect(page.locator("#line-1")).to_have_class(re.compile(r"\bon\b"))
    press(page, "F3")
    expect(page.locator("#line-part")).to_contain_text(goods[0].lot_number)
    press(page, "Escape")
    expect(page.locator("#line-1")).to_have_class(re.compile(r"\bon\b"))
    press(page, "F8")
    expect(page.locator("#split .due dd")).to_have_text("0.00")
    expect(page.locator("#line-1")).to_have_class(re.compile(r"\bon\b"))
    press(page, "Delete")
    expect(lines(page)).to_have_count(2)
    expect(page.locator("#basket")).not_to_contain_text(goods[0].lot_number)


def test_hold_and_resume(till, shop):
    goods, other = shop.goods(1), shop.goods(1)
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F4")
    expect(lines(page)).to_have_count(0)
    expect(page.locator("#person")).to_contain_text("挂单")
    scan_line(page, other.codes[0], 1)
    press(page, "F9")
    expect_settled(page)
    press(page, "F4")
    expect(page.locator("[data-held]").first).to_be_focused()
    press(page, "Enter")
    expect(lines(page)).to_have_count(1)
    expect(page.locator("#basket")).to_contain_text(goods.name)
    press(page, "F9")
    expect(lines(page)).to_have_count(0)


def test_a_prescription_is_entered_reviewed_taken_and_the_fund_pays(till, shop, sign_in, product):
    drug = shop.covered(
        packs=4,
        generic_name=f"降压试药{make_code()[-6:]}",
        rx_class="RX",
        split_allowed=False,
        pack_price="40.00",
        barcode="69" + make_code()[2:13],
    )
    holder = insure(shop)
    page = till()
    scan(page, drug.codes[0])
    expect(page.locator("#notice")).to_contain_text("处方药")
    expect(lines(page)).to_have_count(0)
    press(page, "Alt+r")
    expect(page.get_by_role("link", name="登记纸质处方")).to_be_visible()
    page.get_by_role("link", name="登记纸质处方").focus()
    press(page, "Enter")
    number = f"CF-{make_code()[-8:]}"
    expect(page.locator("#number")).to_be_focused()
    type_in(page, number)
    for field, text in (
        ("patient", holder.name),
        ("institution", "二号诊所"),
        ("doctor", "江海明"),
        ("diagnosis", "高血压"),
    ):
        page.locator(f"#{field}").focus()
        type_in(page, text)
    page.locator("#entry").focus()
    type_in(page, drug.name[-8:])
    expect(chosen(page, drug.name[-8:]).first).to_contain_text(drug.name)
    press(page, "Enter")
    expect(page.locator("[data-line] [name=packs]").first).to_be_focused()
    type_in(page, "2")
    press(page, "Enter")
    type_in(page, "口服，每日 1 次，每次 1 粒")
    press(page, "F9")
    expect(page.locator("#queue")).to_contain_text(number)

    pharmacist = sign_in(shop, shop.new_staff("pharmacist", "陈一蓉"))
    pharmacist.goto(f"{product.url}/till/prescriptions")
    open_prescription(pharmacist, number)
    press(pharmacist, "p")
    expect(pharmacist.locator("#queue")).not_to_contain_text(number)

    page.goto(f"{product.url}/counter")
    press(page, "Alt+r")
    row = page.locator("#prescription-part tr", has_text=number)
    row.get_by_role("button", name="取用").focus()
    press(page, "Enter")
    expect(lines(page)).to_have_count(1)
    expect(page.locator("#basket")).to_contain_text(f"处方 {number}")
    expect(page.locator("#go")).to_contain_text("还差 2 个追溯码")
    expect(page.locator("#go [data-primary]")).to_be_disabled()
    scan(page, drug.codes[0])
    expect(page.locator("#line-1")).to_contain_text("1/2")
    scan(page, drug.codes[1])
    expect(page.locator("#line-1")).to_contain_text("2/2")
    read_card(page, holder.card)
    assert float(figure(page, "统筹支付")) > 0
    press(page, "F9")
    expect_settled(page)
    assert number in printed(page, 1)


def open_prescription(page, number) -> None:
    """Out of the queue, where another one may stand open."""
    page.get_by_role("link", name=number).click()
    expect(page.locator(".sidehead h2")).to_have_text(number)
    expect(page.locator("#review")).to_be_visible()


def test_a_scan_on_the_prescription_page_passes_nothing(shop, sign_in, product):
    """P passes and R refuses, when pressed by themselves; inside a code they are letters."""
    number = enter_prescription(shop, insure(shop))
    page = sign_in(shop, shop.new_staff("pharmacist", "陈一蓉"))
    page.goto(f"{product.url}/till/prescriptions")
    open_prescription(page, number)
    page.evaluate("document.activeElement.blur()")
    scan(page, "PRJK-2026P")
    page.wait_for_timeout(300)
    page.goto(f"{product.url}/till/prescriptions")
    open_prescription(page, number)
    press(page, "r")
    expect(page.locator("#review [name=note]")).to_be_focused()


def test_without_a_pharmacist_on_duty(till, wings, product):
    from app.facility.organizations import actions
    from launcher.places import PLACES
    from tests.browser.conftest import shop_of

    clinic = shop_of(wings, PLACES[1])
    kept, open_sale = clinic.goods(1, rx_class="OTC_A"), clinic.goods(1)
    with clinic.app.app_context(), clinic.pharmacy.acting():
        actions.leave_duty(clinic.pharmacy.facility_id, clinic.pharmacy.pharmacist, "01")
    try:
        page = till(clinic)
        expect(page.locator("#basket")).to_contain_text("药师不在岗")
        scan_line(page, open_sale.codes[0], 1)
        press(page, "F9")
        expect_settled(page)
        scan(page, kept.codes[0])
        page.wait_for_timeout(300)
        press(page, "F9")
        expect(page.locator("#notice")).to_contain_text("药师不在岗")
    finally:
        with clinic.app.app_context(), clinic.pharmacy.acting():
            actions.come_on_duty(clinic.pharmacy.facility_id, clinic.pharmacy.pharmacist, "01")


def test_refund_whole_then_nothing_is_left(till, shop, product):
    goods = shop.goods(1)
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F9")
    receipt = expect_settled(page)
    press(page, "F6")
    expect(page.locator("[data-scan-opens]")).to_be_focused()
    scan(page, receipt)
    expect(page.locator("#refund")).to_contain_text(goods.name)
    page.locator("#reason").select_option("quality")
    page.get_by_role("button", name="整单全退").focus()
    press(page, "Enter")
    expect(page.locator("#net")).to_contain_text("12.50")
    press(page, "F9")
    expect(page.locator("#refunded")).to_contain_text("已退款")
    page.goto(f"{product.url}/counter/refunds/new?receipt={receipt}")
    expect(page.locator("#refund")).to_contain_text("已退完")


def test_part_of_an_insured_sale_comes_back(till, shop):
    goods = shop.covered(packs=2, pack_price="30.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    scan(page, goods.codes[1])
    expect(page.locator("#line-1 .qty")).to_have_text("2")
    identify(page, 3)
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")
    press(page, "F9")
    receipt = expect_settled(page)
    press(page, "F6")
    expect(page.locator("[data-scan-opens]")).to_be_focused()
    scan(page, receipt)
    expect(page.locator("[data-most]").first).to_be_focused()
    type_in(page, "1")
    press(page, "F8")
    expect(page.locator("#net")).to_contain_text("30.00")
    expect(page.locator("#net")).to_contain_text("重新结算")
    expect(page.locator("#net")).to_contain_text("须第二人同意")
    for packs, sum_back in (("2", "60.00"), ("1", "30.00")):  # Looked at again, though nobody has agreed yet.
        press(page, "Control+a")
        type_in(page, packs)
        press(page, "F8")
        expect(page.locator("#net")).to_contain_text(sum_back)
    page.locator("#approver").focus()
    type_in(page, "003")
    press(page, "Tab")
    type_in(page, PASSWORD)
    press(page, "F9")
    expect(page.locator("#refunded")).to_contain_text("已退款", timeout=15_000)


def test_goods_come_in_by_scanner_and_are_sold(till, shop, product):
    from tests.factories.shop import make_product

    barcode = "69" + make_code()[2:13]
    with shop.app.app_context():
        make_product(shop.pharmacy, barcode=barcode)  # Opening stock is for what has not moved yet.
    page = till()
    page.goto(f"{product.url}/stock/receipts/new")
    expect(page.locator("#entry")).to_be_focused()
    scan(page, barcode)
    expect(page.locator("[data-line] [name=lot]")).to_be_focused()
    type_in(page, "N2611")
    page.locator("[data-line] [name=expires_on]").focus()
    type_in(page, "202812")
    codes = [make_code(), make_code()]
    scan(page, codes[0])
    scan(page, codes[1])
    expect(page.locator("[data-line] [name=packs]")).to_have_value("2")
    scan(page, codes[1])
    expect(page.locator("#notice")).to_contain_text("已经扫过")
    press(page, "F9")
    expect(page.locator("main")).to_contain_text("N2611")
    page.goto(f"{product.url}/counter")
    scan_line(page, codes[0], 1)
    expect(page.locator("#line-1")).to_contain_text("N2611")
    press(page, "F9")
    expect_settled(page)
    scan(page, codes[0])
    expect(page.locator("#notice")).to_contain_text("不能销售")


def test_boxes_scanned_faster_than_the_server_answers_go_to_their_lines(till, shop, product):
    from tests.factories.shop import make_product

    barcodes = ["69" + make_code()[2:13] for _ in range(2)]
    with shop.app.app_context():
        for barcode in barcodes:
            make_product(shop.pharmacy, barcode=barcode)
    page, codes = till(), [make_code(), make_code(), make_code()]
    page.goto(f"{product.url}/stock/receipts/new")
    expect(page.locator("#entry")).to_be_focused()
    with no_answer_yet(page, r"/stock/.*[?&]q="):
        for text in (barcodes[0], codes[0], codes[1], barcodes[1], codes[2]):
            scan(page, text)

    expect(page.locator("[data-line]")).to_have_count(2)
    expect(page.locator("[data-line] [name=packs]").nth(1)).to_have_value("1")
    expect(page.locator("[data-line] [name=packs]").nth(0)).to_have_value("2")


def test_the_shift_closes_with_a_difference_that_must_be_explained(till, shop):
    goods = shop.goods(1)
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F9")
    expect_settled(page)
    page.get_by_title("办理交班").focus()
    press(page, "Enter")
    expect(page.get_by_label("数得现金")).to_be_focused()
    assert "212.50" not in page.locator("main").inner_text(), "what should be there is not told before counting"
    type_in(page, "207.50")
    press(page, "F9")
    expect(page.locator("main")).to_contain_text("少 5.00 元")
    press(page, "F9")
    expect(page.get_by_label("差额原因")).to_be_focused()
    expect(page.locator("main")).to_contain_text("少 5.00 元")
    type_in(page, "一单少找 5 元")
    press(page, "F9")
    expect(page.get_by_label("备用金")).to_be_focused()


def test_help_and_search_open_from_the_empty_entry_and_not_from_a_text(till):
    page = till()
    press(page, "?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("#entry")).to_be_focused()
    type_in(page, "a/?")
    expect(page.locator("#entry")).to_have_value("a/?")
    press(page, "Control+a")
    press(page, "Delete")
    press(page, "/")
    expect(page.locator("#find")).to_be_focused()


def test_a_search_in_the_bar_finds_what_was_typed(till, shop, product):
    goods = shop.goods(1)
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F9")
    receipt = expect_settled(page)
    for text, seen in ((goods.codes[0], goods.codes[0][-6:]), (receipt, receipt), (goods.name, goods.name)):
        page.goto(f"{product.url}/stock")
        press(page, "/")
        expect(page.locator("#find")).to_be_focused()
        type_in(page, text)
        page.wait_for_timeout(200)
        press(page, "Enter")
        page.wait_for_url(lambda url: not url.endswith("/stock"))
        expect(page.locator("main")).to_contain_text(seen)
    page.goto(f"{product.url}/search?q=没有这种东西")
    expect(page.locator("main")).to_contain_text("没有找到")


def test_facility_pages_ask_for_sign_in(new_page, product):
    page = new_page()
    page.goto(f"{product.url}/counter")
    expect(page).to_have_url(re.compile("/signin"))
    come_in(page, product.url, "YIHAO", "002", "wrong password")
    expect(page.locator(".state.stop")).to_contain_text("没有登录")
