"""Insured sales: who it is, who pays what, one settlement."""

import re

from playwright.sync_api import expect

from tests.browser.hands import CARD, expect_settled, figure, lines, press, printed, scan, scan_line, type_in


def identify(page, text):
    press(page, "F2")
    expect(page.locator("#credential")).to_be_focused()
    type_in(page, text)
    press(page, "F9")


def refused(page, dialog, text):
    expect(page.locator(f"#{dialog} .notice")).to_contain_text(text)


def test_card_preview_mixed_tender_settle(till, shop):
    goods = shop.covered(packs=3, pack_price="288.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    identify(page, CARD.format(1))
    expect(page.locator("#person")).to_contain_text("张*明")
    expect(page.locator("#person")).not_to_contain_text("建明")
    expect(page.locator("#person-dialog")).not_to_be_visible()
    expect(page.locator("#entry")).to_be_focused()
    expect(page.locator("#split .due")).to_contain_text("待算")
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")
    due = figure(page, "现金应收")
    account = figure(page, "个人账户")
    assert round(float(due) + float(account), 2) == 288.00, "own choice: the pooled fund pays nothing"
    if float(due) > 10:
        press(page, "Alt+m")
        expect(page.locator("#tender-wechat")).to_be_focused()
        type_in(page, "10")
        press(page, "F9")
        expect(page.locator("[data-others]")).to_have_text(" + 10.00")
    press(page, "F9")
    expect(page.locator("#decide-dialog")).to_be_visible()  # More than 200 yuan: somebody compares person and card.
    press(page, "F9")
    expect(page.locator("#decide-dialog")).not_to_be_visible()
    expect(page.locator("#person")).to_contain_text("人证一致")
    press(page, "F9")
    receipt = expect_settled(page)
    slip = printed(page, 1)
    assert receipt in slip
    assert "张*明" in slip
    if float(due) > 10:
        assert "微信" in slip


def test_citizen_id_read_by_scanner(till, shop):
    goods = shop.covered(packs=1, pack_price="12.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    scan(page, "330212197611230310")
    expect(page.locator("#person")).to_contain_text("陈*强")
    press(page, "F8")
    expect(page.locator("#split .due dd")).to_have_text("0.00")
    press(page, "F9")
    expect_settled(page)


def test_a_citizen_id_with_a_wrong_check_digit_is_refused(till, shop):
    page = till()
    identify(page, "330212197611230311")
    refused(page, "person-dialog", "认不出这个凭证")
    expect(page.locator("#credential")).to_have_value("330212197611230311")


def shown_code(phone) -> str:
    """The certificate on the telephone, read by whoever looks at it."""
    code = phone.locator("section[aria-live] .mono")
    expect(code).to_contain_text(re.compile(r"\d{28}"))
    return re.search(r"\d{28}", code.inner_text()).group()


def test_e_certificate_from_the_demo_page(till, shop, product, new_page):
    goods = shop.covered(packs=2, pack_price="30.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    phone = new_page()  # Only now: what it shows is good for one minute.
    phone.goto(f"{product.url}/center/demo/ecert")
    phone.locator("tr", has_text="周晓敏").get_by_role("button").click()
    code = shown_code(phone)
    scan(page, code)
    expect(page.locator("#person")).to_contain_text("周*敏")
    expect(page.locator("#person")).to_contain_text("医保码")
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")
    assert float(figure(page, "个人账户")) + float(figure(page, "共济账户")) > 0
    press(page, "F9")
    expect_settled(page)
    scan_line(page, goods.codes[1], 1)
    scan(page, code)
    expect(page.locator("#notice")).to_contain_text("没有受理")
    expect(page.locator("#person")).not_to_contain_text("周*敏")


def test_e_certificate_shown_and_paid_with_by_keys_alone(till, shop, product, new_page):
    goods = shop.covered(packs=1, pack_price="30.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    phone = new_page()
    phone.goto(f"{product.url}/center/demo/ecert")
    shown = phone.locator("tr", has_text="周晓敏").get_by_role("button")
    for _ in range(40):
        press(phone, "Tab")
        if shown.evaluate("button => button === document.activeElement"):
            break
    expect(shown).to_be_focused()
    press(phone, "Enter")
    code = shown_code(phone)
    identify(page, code)
    expect(page.locator("#person")).to_contain_text("周*敏")
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")
    assert float(figure(page, "个人账户")) + float(figure(page, "共济账户")) > 0
    press(page, "F9")
    expect_settled(page)
    assert "周*敏" in printed(page, 1)


def test_lost_deceased_frozen_and_arrears(till, shop):
    goods = shop.covered(packs=1, pack_price="20.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    for card, word in ((CARD.format(6), "挂失"), (CARD.format(8), "死亡")):
        identify(page, card)
        refused(page, "person-dialog", word)
        press(page, "Escape")
        expect(page.locator("#entry")).to_be_focused()
    identify(page, CARD.format(7))
    expect(
        page.locator("#person, #person-dialog .notice").filter(has_text=re.compile("暂停|冻结")).first
    ).to_be_visible()
    if page.locator("#person-dialog").is_visible():
        press(page, "Escape")
    identify(page, CARD.format(9))
    expect(page.locator("#person")).to_contain_text("孙*")
    expect(page.locator("#person")).to_contain_text("欠缴待遇暂停")
    press(page, "F8")
    expect(page.locator("#split .due dd")).to_have_text("0.00")
    assert figure(page, "统筹支付") == "0.00"


def test_agent_purchase_records_both(till, shop):
    goods = shop.covered(packs=1, pack_price="15.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F2")
    type_in(page, CARD.format(2))
    press(page, "Tab")
    press(page, "ArrowRight")
    expect(page.get_by_label("代购人姓名")).to_be_visible()
    press(page, "F9")
    refused(page, "person-dialog", "没有填姓名")
    page.get_by_label("代购人姓名").focus()
    type_in(page, "张建明")
    press(page, "Tab")
    type_in(page, "330212198001010112")
    press(page, "F9")
    expect(page.locator("#person")).to_contain_text("李*兰")
    expect(page.locator("#person")).to_contain_text("张*明")
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")
    press(page, "F9")
    expect_settled(page)


def test_f9_before_the_split_shows_the_split_first(till, shop):
    goods = shop.covered(packs=1, pack_price="15.00")
    page = till()
    scan_line(page, goods.codes[0], 1)
    identify(page, CARD.format(3))
    expect(page.locator("#split .due")).to_contain_text("待算")
    press(page, "F9")
    expect(page.locator("#split .due dd")).to_have_text("0.00")
    expect(lines(page)).to_have_count(1)
    press(page, "F9")
    expect_settled(page)
