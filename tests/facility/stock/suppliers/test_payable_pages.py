"""The owner's pages of what is owed: balances, accounts, invoices, payments; and the file of what is seen."""

from __future__ import annotations

import io
import re
from uuid import uuid4

import pytest
from python_calamine import CalamineWorkbook

from app.core import clock
from app.core.hot import statements
from app.facility.stock.suppliers import payables
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.suppliers.conftest import sent
from tests.factories.people import PASSWORD, post
from tests.factories.shop import desk_of, make_product, one
from tests.factories.supply import add_supplier, fill_supply, note_invoice, owe

HOME = "/stock/payables"


def rows_of(answer):
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()


def test_nothing_owed_says_so(owner):
    assert "现在不欠任何供应商" in text(owner.get(HOME))
    assert "没有这样的发票" in text(owner.get(f"{HOME}/invoices"))


def test_balances_are_shown_and_exported_as_seen(owner, at_work, supplier):
    owe(at_work, supplier, 123_456)
    quiet = add_supplier(at_work, name="=SUM(A1)公司")
    owe(at_work, quiet, 0)

    page = text(owner.get(HOME))
    assert "1,234.56" in page
    assert "=SUM(A1)公司" not in page
    assert "=SUM(A1)公司" in text(owner.get(f"{HOME}?all=1"))
    head, *rows = rows_of(owner.get(f"{HOME}?all=1&as=xlsx"))
    assert head[1] == "供应商"
    assert sorted((row[1], row[2]) for row in rows) == [("=SUM(A1)公司", 0.0), ("鄞州医药有限公司", 1234.56)]


def test_an_account_is_read_by_page_and_exported_whole(owner, at_work, supplier):
    for number in range(52):
        owe(at_work, supplier, 100, number=f"R{number:03d}")

    with statements() as ran:
        page = text(owner.get(f"{HOME}/{supplier}"))

    assert len([each for each in ran if "from supplier_entry" in each]) == 1
    assert "R051" in page
    assert "R001" not in page
    assert "R001" in text(owner.get(next_page(page)))
    rows = rows_of(owner.get(f"{HOME}/{supplier}?as=xlsx"))
    assert len(rows) == 53
    assert rows[1][2:5] == ["R051", 1.0, 52.0]


def test_a_line_of_goods_opens_what_came_or_went_back(owner, at_work, supplier):
    owe(at_work, supplier, 60_000, number="SH-1")
    owe(at_work, supplier, -5_000, "return", "K-2")
    invoice = note_invoice(at_work, supplier, 55_000)
    entries = "select document_id from supplier_entry where tenant_id = %(t)s and kind = %(k)s"
    came, back = (one(at_work, entries, k=kind).document_id for kind in ("receipt", "return"))

    for address in (f"{HOME}/{supplier}", f"{HOME}/invoices/{invoice}"):
        page = text(owner.get(address))
        assert f'href="/stock/deliveries/{came}">SH-1</a>' in page
        assert f'href="/stock/papers/{back}">K-2</a>' in page


def test_from_invoice_to_payment(owner, pharmacy, at_work, supplier):
    first, second = owe(at_work, supplier, 60_000, number="R1"), owe(at_work, supplier, 40_000, number="R2")
    form = sent(supplier=str(supplier), number="25332000000012345678", issued_on=str(clock.business_date()), amount="1000.50", tax="115")  # fmt: skip
    answer = post(owner, f"{HOME}/invoices/new", form)
    assert answer.status_code == 303
    invoice = answer.location
    page = text(owner.get(invoice))
    assert "未核验" in page
    assert 'data-fen="60000"' in page

    refused = post(owner, f"{invoice}/matches", {"entry": [str(first), str(second)]})
    assert refused.status_code == 422
    assert "票货相差 0.50 元" in text(refused)
    assert text(refused).count(" checked") == 2
    post(owner, f"{invoice}/matches", {"entry": [str(first), str(second)], "reason": "尾差"})
    matched = text(owner.get(invoice))
    to_pay = next(link for link in re.findall(r'href="([^"]+)"', matched) if "payments/new" in link)
    page = text(owner.get(to_pay))
    assert "1,000.50" in page
    assert page.count(" checked") == 1, "who comes from an invoice pays that one"
    assert " checked" not in text(owner.get(f"{HOME}/{supplier}/payments/new"))
    paid = sent(amount="1000.50", made_on=str(clock.business_date()), method="bank", reference="HD-1", invoice=invoice.rpartition("/")[2])  # fmt: skip
    assert post(owner, f"{HOME}/{supplier}/payments/new", paid).status_code == 303

    account = text(owner.get(f"{HOME}/{supplier}"))
    assert "HD-1" in account
    assert "尾差" in account
    assert one(pharmacy, "select balance_fen as b from supplier_account where tenant_id = %(t)s").b == 0
    assert "已付款" in text(owner.get(invoice))
    assert "已付款" in text(owner.get(f"{HOME}/invoices?state=paid"))


def test_a_large_difference_is_confirmed_by_another_person_with_a_password(owner, at_work, supplier):
    entry = owe(at_work, supplier, 60_000)
    invoice = f"{HOME}/invoices/{note_invoice(at_work, supplier, 61_000)}"
    form = {"entry": str(entry), "reason": "供应商调价"}

    assert "超过 1.00 元" in text(post(owner, f"{invoice}/matches", form))
    assert post(owner, f"{invoice}/matches", form | {"approver": "001", "approver_password": PASSWORD}).status_code == 422  # fmt: skip
    assert post(owner, f"{invoice}/matches", form | {"approver": "003", "approver_password": "wrong"}).status_code == 422  # fmt: skip
    assert post(owner, f"{invoice}/matches", form | {"approver": "002", "approver_password": PASSWORD}).status_code == 422  # fmt: skip
    assert post(owner, f"{invoice}/matches", form | {"approver": "003", "approver_password": PASSWORD}).status_code == 303  # fmt: skip
    assert "复核 赵药师" in text(owner.get(f"{HOME}/{supplier}"))


def test_who_confirms_does_not_take_over_the_browser(owner, at_work, supplier):
    form = sent(direction="more", amount="10", reason="期初", approver="003", approver_password=PASSWORD)

    assert post(owner, f"{HOME}/{supplier}/adjustments", form).status_code == 303

    assert "王店长" in text(owner.get("/account"))


def test_an_opening_balance_comes_in_as_an_adjustment(owner, at_work, supplier):
    form = sent(direction="more", amount="8,000", reason="旧系统期初余额", approver="003", approver_password=PASSWORD)

    alone = post(owner, f"{HOME}/{supplier}/adjustments", form | {"approver": "", "approver_password": ""})
    assert alone.status_code == 422
    assert "旧系统期初余额" in text(alone)
    assert post(owner, f"{HOME}/{supplier}/adjustments", form).status_code == 303
    assert "8,000.00" in text(owner.get(f"{HOME}/{supplier}"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"amount": "十元"}, "价税合计"), ({"number": "1"}, "发票号码"), ({"issued_on": ""}, "开票日期"), ({"tax": "200"}, "税额不能"), ({"document": "x"}, "页面不完整")],
)  # fmt: skip
def test_an_invoice_that_cannot_be_is_said_and_kept(owner, supplier, changes, words):
    form = sent(supplier=str(supplier), number="12345678", issued_on=str(clock.business_date()), amount="100", note="别丢")  # fmt: skip
    answer = post(owner, f"{HOME}/invoices/new", form | changes)

    assert answer.status_code == 422
    assert words in text(answer)
    assert "别丢" in text(answer)


def test_a_void_invoice_says_why(owner, at_work, supplier):
    invoice = f"{HOME}/invoices/{note_invoice(at_work, supplier, 5_000)}"

    assert post(owner, f"{invoice}/voids", {"reason": ""}).status_code == 422
    post(owner, f"{invoice}/voids", {"reason": "开错抬头"})

    assert "开错抬头" in text(owner.get(invoice))


def test_invoices_are_paged_by_time(owner, at_work, supplier):
    for _ in range(51):
        note_invoice(at_work, supplier, 100)

    page = text(owner.get(f"{HOME}/invoices"))

    assert page.count('data-label="价税合计 元"') == 50
    assert text(owner.get(next_page(page))).count('data-label="价税合计 元"') == 1


@pytest.mark.parametrize("page", ["", "?all=1", "/invoices", "/invoices/new"])
def test_money_is_the_owners(clerk, pharmacist, owner, page):
    assert owner.get(HOME + page).status_code == 200
    assert clerk.get(HOME + page).status_code == 403
    assert pharmacist.get(HOME + page).status_code == 403


def test_a_stranger_finds_no_account_and_no_invoice(owner, stranger, at_work):
    ids, marks = fill_supply(at_work, make_product(at_work))
    supplier, invoice = ids["supplier_id"], ids["invoice_id"]
    for address in (f"{HOME}/{supplier}", f"{HOME}/{supplier}?as=xlsx", f"{HOME}/{supplier}/payments/new", f"{HOME}/invoices/{invoice}", f"{HOME}/invoices/new?supplier={supplier}"):  # fmt: skip
        assert owner.get(address).status_code == 200, address
        assert stranger.get(address).status_code == 404, address
    assert marks[0] not in text(stranger.get(HOME))
    assert post(stranger, f"{HOME}/invoices/{invoice}/matches", {"entry": "1"}).status_code == 404
    assert post(stranger, f"{HOME}/invoices/{invoice}/voids", {"reason": "x"}).status_code == 404
    assert post(stranger, f"{HOME}/{supplier}/payments/new", sent(amount="1", made_on=str(clock.business_date()))).status_code == 404  # fmt: skip
    assert post(stranger, f"{HOME}/{supplier}/adjustments", sent(amount="1", reason="x")).status_code == 404


def test_an_invoice_paid_in_the_meantime_is_said(owner, at_work, supplier):
    invoice = note_invoice(at_work, supplier, 5_000)
    desk = desk_of(at_work, at_work.owner)
    payables.match_invoice(desk, invoice, [owe(at_work, supplier, 5_000)])
    form = sent(amount="50", made_on=str(clock.business_date()), method="bank", invoice=str(invoice))
    assert post(owner, f"{HOME}/{supplier}/payments/new", form).status_code == 303

    again = post(owner, f"{HOME}/{supplier}/payments/new", form | {"document": str(uuid4())})

    assert again.status_code == 422
    assert "已经付过" in text(again)
