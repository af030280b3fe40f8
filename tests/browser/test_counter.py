"""Selling for cash at the counter, with scanner and keyboard alone."""

import re

from playwright.sync_api import expect

from tests.browser.hands import expect_settled, lines, press, printed, scan, scan_line, total, type_in


def test_a_burst_lands_in_the_basket_wherever_the_focus_is(till, shop):
    goods = shop.goods(4)
    page = till()
    scan_line(page, goods.codes[0], 1)
    expect(page.locator("#entry")).to_have_value("")
    page.locator("#got").focus()
    type_in(page, "50")
    scan(page, goods.codes[1], end="Tab")  # Some scanners end with Tab.
    expect(page.locator("#line-1 .qty")).to_have_text("2")
    expect(page.locator("#got")).to_have_value("50")
    page.evaluate("document.activeElement.blur()")
    scan(page, goods.codes[2])
    expect(page.locator("#line-1 .qty")).to_have_text("3")
    assert total(page) == "37.50"
    page.locator("#entry").focus()
    type_in(page, "abc")
    scan(page, goods.codes[3])
    expect(page.locator("#line-1 .qty")).to_have_text("4")
    expect(page.locator("#entry")).to_have_value("abc")


def test_a_scanner_that_stumbles_is_heard_whole(till, shop):
    """On a slow machine a burst rests in the middle; once it is known for a machine's, its end belongs to it."""
    goods = shop.goods(2)
    page = till()
    scan(page, goods.codes[0], stumble=10)
    expect(lines(page)).to_have_count(1)
    expect(page.locator("#entry")).to_have_value("")
    page.locator("#got").focus()
    scan(page, goods.codes[1], stumble=15)
    expect(page.locator("#line-1 .qty")).to_have_text("2")
    expect(page.locator("#got")).to_have_value("")


def test_slow_typing_is_no_scan(till, shop):
    goods = shop.goods(1)
    page = till()
    type_in(page, goods.codes[0])
    expect(page.locator("#entry")).to_have_value(goods.codes[0])
    expect(lines(page)).to_have_count(0)
    press(page, "Enter")
    expect(lines(page)).to_have_count(1)


def scans_of(page):
    """From now on the page keeps what it took for scans."""
    page.evaluate(
        "window.scans = []; document.addEventListener('sunmed:scan', (event) => window.scans.push(event.detail.text), true)"
    )
    return lambda: page.evaluate("window.scans")


def test_a_code_with_a_hyphen_or_a_plus_stays_whole_and_changes_no_quantity(till, shop):
    goods = shop.goods(1)
    page = till()
    scan_line(page, goods.codes[0], 1)
    scans = scans_of(page)
    for focus in ("document.querySelector('#entry').focus()", "document.activeElement.blur()"):
        for code in ("N2026-001", "+A123-BJC5D", "-7730-001-2"):
            page.evaluate(focus)
            scan(page, code)
            expect(page.locator("#notice")).to_contain_text(code)
            page.wait_for_timeout(250)  # What was not taken back would have been sent by now, and the notice gone.
            expect(page.locator("#notice")).to_contain_text(code)
            expect(page.locator("#line-1 .qty")).to_have_text("1")
            expect(page.locator("#entry")).to_have_value("")
    assert scans() == ["N2026-001", "+A123-BJC5D", "-7730-001-2"] * 2


def test_commands_are_no_scan_however_fast_they_come(till, shop):
    """A burst of + and - that ends in Enter is somebody in a hurry; so is a key held down."""
    goods = shop.goods(9)
    page = till()
    scan_line(page, goods.codes[0], 1)
    scans = scans_of(page)
    scan(page, "++++-*30")
    expect(page.locator("#line-1 .qty")).to_have_text("30")
    for _ in range(9):
        page.keyboard.down("+")
    page.keyboard.up("+")
    press(page, "Enter")
    expect(page.locator("#line-1 .qty")).to_have_text("39")
    page.locator("#entry").focus()
    for _ in range(9):
        page.keyboard.down("x")
    page.keyboard.up("x")
    expect(page.locator("#entry")).to_have_value("x" * 9)
    press(page, "Enter")
    assert scans() == []


def test_sell_for_cash_by_keys_alone(till, shop):
    goods = shop.goods(2)
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "Enter")
    expect(page.locator("#got")).to_be_focused()
    type_in(page, "20")
    expect(page.locator("[data-change-output]")).to_have_text("7.50")
    press(page, "F9")
    receipt = expect_settled(page)
    expect(page.locator("[data-change-output]")).to_have_text("7.50")
    expect(page.locator("#entry")).to_be_focused()
    expect(page.locator("#go [data-primary]")).to_be_disabled()  # Nothing stands there to be settled.
    slip = printed(page, 1)
    assert receipt in slip
    assert "补打" not in slip
    press(page, "Alt+p")
    assert re.search(r"补打 1\b", printed(page, 2))


def test_light_and_quick(till, shop, product):
    """The budgets of the counter: what it weighs the first time, a scan to its line, F9 to settled, nothing jumps."""
    goods = [shop.goods(2) for _ in range(6)]
    page = till()
    weight = page.evaluate(
        "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')].reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    assert weight < 300_000
    for place in range(2):
        for count, one in enumerate(goods, 1):
            scan_line(page, one.codes[place], count)
        press(page, "F9")
        expect_settled(page)
        page.evaluate("document.querySelector('#settled').removeAttribute('data-sale')")
    seen = page.evaluate("window.seen")
    scans, settles = sorted(seen["scan"]), sorted(seen["settle"])
    print(
        f"page {weight / 1000:.0f} kB, scan to line {scans[len(scans) // 2]:.0f} ms (slowest {scans[-1]:.0f}), settle {settles[-1]:.0f} ms, shift {seen['shift']:.4f}"
    )
    # The times are printed, not judged: many tests share the machine. What it weighs and how it stands still holds anywhere.
    assert seen["shift"] < 0.02
