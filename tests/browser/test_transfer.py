"""A transfer put together by scanner, kept through a crash, sent by keyboard; its pages can be used by everybody."""

from __future__ import annotations

import re
import secrets
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from app.core import tenancy
from app.facility.organizations import actions
from app.facility.organizations.rules import Grant
from tests.browser import hands
from tests.browser.hands import PASSWORD
from tests.browser.scenes import look
from tests.factories.people import make_code


@pytest.fixture(scope="module")
def second(shop):
    """A second shop of the demo world's first organization, and somebody who works in both."""
    code, number = make_code(), f"8{secrets.randbelow(10**9):09d}"
    name = f"一号药店{code[-3:]}店"
    with shop.app.app_context(), tenancy.as_tenant(shop.pharmacy.tenant_id):
        opened = actions.open_facility(actions.NewFacility(code, name, "330212", "鄞州区"))
        grants = [Grant("clerk", shop.pharmacy.facility_id), Grant("clerk", opened.facility_id)]
        actions.add_staff(actions.NewStaff(number, "许双双", password=PASSWORD, demo=True), grants)
    return SimpleNamespace(facility_id=opened.facility_id, number=number, name=name)


def go_to(page, facility):
    """What a press in the menu of places does."""
    with page.expect_navigation():
        page.evaluate(
            "(part) => document.querySelector(`form[action*='${part}']`).submit()", f"/facilities/{facility}/entry"
        )


def test_a_transfer_is_scanned_survives_a_crash_and_is_sent_by_keyboard(product, shop, second, sign_in):
    goods = shop.goods(packs=4)
    page = sign_in(shop, second.number)
    go_to(page, shop.pharmacy.facility_id)
    page.goto(f"{product.url}/stock/transfers/new")
    expect(page.locator("#entry")).to_be_focused()
    for code in goods.codes[:3]:
        hands.scan(page, code)
    expect(page.locator("#drafted")).to_contain_text("3 个码")
    expect(page).to_have_url(re.compile("/stock/transfers/drafts/"))
    page.reload()  # As after a crash of the browser.
    expect(page.locator("#drafted")).to_contain_text("3 个码")
    page.locator("#to").select_option(label=second.name)
    look(page, "transfer_new", drawn=False)
    hands.press(page, "F9")
    expect(page.locator("h1")).to_contain_text("调拨单 B")

    page.goto(f"{product.url}/stock/transfers?view=sent")
    look(page, "transfers", drawn=False)


def test_the_other_shop_receives_by_scanner_and_says_what_did_not_come(product, shop, second, sign_in):
    goods = shop.goods(packs=3)
    page = sign_in(shop, second.number)
    go_to(page, shop.pharmacy.facility_id)
    page.goto(f"{product.url}/stock/transfers/new")
    for code in goods.codes:
        hands.scan(page, code)
    expect(page.locator("#drafted")).to_contain_text("3 个码")
    page.locator("#to").select_option(label=second.name)
    hands.press(page, "F9")
    expect(page.locator("h1")).to_contain_text("调拨单 B")
    note = page.locator("h1").inner_text().split()[-1]

    go_to(page, second.facility_id)
    page.goto(f"{product.url}/stock/transfers")
    page.get_by_role("link", name=note).click()  # What is on its way to us opens to be received.
    expect(page).to_have_url(re.compile("/receipt$"))
    expect(page.locator("#entry")).to_be_focused()
    for code in goods.codes[:2]:
        hands.scan(page, code)
    expect(page.locator("#drafted")).to_contain_text("2/3 个码")
    page.reload()  # As after a crash of the browser: what was scanned is still there.
    with page.expect_response("**/entries"):
        page.locator("select[name=reason-1]").select_option("missing")
    look(page, "transfer_receive", drawn=False)
    hands.press(page, "F9")
    expect(page.locator("#entry")).to_have_count(0)  # The word itself already stands among the reasons to choose from.
    expect(page.locator("main")).to_contain_text("未到")
    look(page, "transfer", drawn=False)
    page.goto(f"{product.url}/stock/codes/{goods.codes[0]}")
    expect(page.locator("main")).to_contain_text("调入")
    page.goto(f"{product.url}/stock/codes/{goods.codes[2]}")
    expect(page.locator("main")).to_contain_text("在途")
