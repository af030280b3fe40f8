"""Suppliers in the browser: everybody can use the pages, the difference is in sight while receipts are ticked."""

from __future__ import annotations

import secrets

import pytest
from playwright.sync_api import expect

from app.facility.organizations import actions
from app.facility.organizations.rules import Grant
from tests.browser.hands import PASSWORD
from tests.browser.scenes import look
from tests.factories.shop import make_product
from tests.factories.supply import add_supplier, fill_supply, note_invoice, owe


@pytest.fixture
def owner(shop, sign_in):
    """An owner nobody else is: the account of what is owed is theirs."""
    number = f"9{secrets.randbelow(90_000) + 10_000}"
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
    owner.keyboard.press("F9")
    expect(owner.get_by_text("待付款").first).to_be_visible()
