"""Suppliers in the browser: everybody can use the pages, the difference is in sight while receipts are ticked."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from app.facility.organizations import actions
from app.facility.organizations.rules import Grant
from app.facility.stock.suppliers import approvals
from app.facility.stock.suppliers.actions import Owner
from tests.browser.hands import PASSWORD, press, type_in
from tests.browser.scenes import look
from tests.factories.shop import desk_of, make_product
from tests.factories.supply import add_paper, add_supplier, fill_supply, note_invoice, owe


@pytest.fixture
def owner(shop, sign_in):
    """An owner nobody else is: the account of what is owed is theirs."""
    number = f"9{secrets.randbelow(10**9):09d}"
    with shop.app.app_context(), shop.pharmacy.acting():
        person = actions.NewStaff(number, "周店主", password=PASSWORD, demo=True)
        actions.add_staff(person, [Grant("owner"), Grant("clerk", shop.pharmacy.facility_id)])
    return sign_in(shop, number)


def fill(shop):
    with shop.app.app_context(), shop.pharmacy.acting():
        ids, _ = fill_supply(shop.pharmacy, make_product(shop.pharmacy))
        add_supplier(shop.pharmacy, name="宁波新建医药有限公司", contact="林小雨", phone="13957412345")
        make_product(shop.pharmacy)
    return ids


def test_everybody_can_use_the_pages(owner, product, shop):
    ids = fill(shop)
    pages = {
        "suppliers": "/stock/suppliers", "supplier": f"/stock/suppliers/{ids['supplier_id']}", "supplier_new": "/stock/suppliers/new", "papers": "/stock/licences",
        "paper": f"/stock/licences/{ids['licence_id']}", "paper_new": "/stock/licences/new?owner=facility&id=" + str(shop.pharmacy.facility_id), "approvals": "/stock/approvals",
        "approval": f"/stock/approvals/{ids['request_id']}", "approval_new": "/stock/approvals/new", "balances": "/stock/payables", "account": f"/stock/payables/{ids['supplier_id']}",
        "payment": f"/stock/payables/{ids['supplier_id']}/payments/new", "invoices": "/stock/payables/invoices", "invoice": f"/stock/payables/invoices/{ids['invoice_id']}",
    }  # fmt: skip
    for name, address in pages.items():
        owner.goto(f"{product.url}{address}")
        look(owner, name, drawn=False)


def test_who_judges_reaches_a_request_by_arrows_and_sees_its_papers(owner, product, shop):
    with shop.app.app_context(), shop.pharmacy.acting():
        supplier = add_supplier(shop.pharmacy, name="宁波箭头医药有限公司")
        add_paper(shop.pharmacy, Owner("supplier", supplier), "BUSINESS", lasts=None, number="91330203MA2GT7KD0P")
        for kind in ("DRUG_TRADE", "QUALITY"):
            add_paper(shop.pharmacy, Owner("supplier", supplier), kind, lasts=40)
        approvals.ask_supplier(desk_of(shop.pharmacy, shop.pharmacy.pharmacist), uuid4(), supplier)
    owner.goto(f"{product.url}/stock/approvals")

    press(owner, "ArrowDown")
    expect(owner.get_by_role("link", name="宁波箭头医药有限公司")).to_be_focused()
    press(owner, "ArrowUp", "Enter")  # The newest stands first; above it there is nothing.

    expect(owner.get_by_role("heading", name="宁波箭头医药有限公司")).to_be_visible()
    expect(owner.get_by_text("91330203MA2GT7KD0P")).to_be_visible()
    expect(owner.get_by_text("还有 40 天").first).to_be_visible()
    press(owner, "F9")
    expect(owner.get_by_text("已批准 1 项。")).to_be_visible()


def test_a_product_that_is_left_out_is_not_approved_with_all_the_others(owner, product, shop):
    with shop.app.app_context(), shop.pharmacy.acting():
        products, request = [make_product(shop.pharmacy) for _ in range(3)], uuid4()
        approvals.ask_products(desk_of(shop.pharmacy, shop.pharmacy.pharmacist), request, products)
    owner.goto(f"{product.url}/stock/approvals/{request}")
    everything, first = owner.locator("[name=reach]"), owner.locator("[name=line]").first
    expect(everything).to_be_checked()

    first.focus()
    press(owner, "Space")
    expect(everything).not_to_be_checked()
    everything.focus()
    press(owner, "Space")
    expect(first).to_be_checked()
    first.focus()
    press(owner, "Space")
    expect(everything).not_to_be_checked()
    press(owner, "F9")

    expect(owner.get_by_text("已批准 2 项。")).to_be_visible()


def test_the_difference_is_in_sight_while_receipts_are_ticked(owner, product, shop):
    with shop.app.app_context(), shop.pharmacy.acting():
        supplier = add_supplier(shop.pharmacy)
        for amount in (60_000, 40_000):
            owe(shop.pharmacy, supplier, amount)
        invoice = note_invoice(shop.pharmacy, supplier, 100_050)
    owner.goto(f"{product.url}/stock/payables/invoices/{invoice}")
    expect(owner.locator("[data-differs]")).to_be_hidden()

    owner.locator("[data-tick-all]").check()

    expect(owner.locator("[data-sum]")).to_have_text("1,000.00")
    expect(owner.locator("[data-difference]")).to_have_text("0.50")
    owner.get_by_label("差额原因").fill("尾差")
    press(owner, "F9")
    expect(owner.get_by_text("待付款").first).to_be_visible()


def test_an_invoice_is_matched_and_paid_by_keyboard_alone(owner, product, shop):
    with shop.app.app_context(), shop.pharmacy.acting():
        supplier = add_supplier(shop.pharmacy)
        owe(shop.pharmacy, supplier, 83_700, number="SH-1")
        invoice = note_invoice(shop.pharmacy, supplier, 83_690)
    owner.goto(f"{product.url}/stock/payables/invoices/{invoice}")

    expect(owner.locator("[name=entry]")).to_be_focused()
    press(owner, "Space", "F9")
    expect(owner.get_by_role("alert")).to_contain_text("要写原因")
    expect(owner.locator("#reason")).to_be_focused()
    type_in(owner, "weicha")
    press(owner, "F9")
    expect(owner.get_by_role("link", name="去付款")).to_be_visible()
    press(owner, "F9")

    expect(owner.locator("[name=invoice]")).to_be_checked()
    expect(owner.locator("#amount")).to_have_value("836.90")
    expect(owner.locator("#reference")).to_be_focused()
    type_in(owner, "HD-1")
    press(owner, "F9")
    expect(owner.locator("tbody tr").first).to_contain_text("HD-1")
