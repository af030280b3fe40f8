"""The registers on screen, on paper and as files: what happened stands in them, persons masked, a year without end refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import pytest
from flask import g
from python_calamine import CalamineWorkbook

from app.core import clock
from app.core.hot import statements
from app.facility.counter import baskets, discounts, specials
from app.facility.counter.registers import actions, queries
from app.facility.counter.registers.books import BOOKS
from app.facility.counter.registers.errors import OwnSplit
from tests.center.world import some_certno
from tests.facility.counter.test_special_drugs import fill_prescription, fresh, make_ephedrine, settle
from tests.facility.stock.conftest import next_page, text
from tests.factories.people import browser, make_pharmacy, post
from tests.factories.shop import desk_of, make_goods, one


@pytest.fixture
def owner(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.owner)


@pytest.fixture
def clerk(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.clerk)


@pytest.fixture
def stranger(facility_app):
    other = make_pharmacy(facility_app, name="三号药店")
    return browser(facility_app, other, other.owner)


def send(client, address, data=None):
    """Post as this person: the desk's open context would keep the form token of whoever posted before."""
    for kept in ("csrf_token", "csrf_valid"):
        g.pop(kept, None)
    return post(client, address, data)


def sell_special(pharmacy, desk, number=None):
    goods = make_ephedrine(pharmacy, expires_in=60)
    basket, _ = fresh(desk, goods.codes[0])
    specials.name_buyer(desk, basket, "张建明", number or some_certno())
    settle(desk, basket)
    return goods, basket


def sell_split(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    basket, _ = fresh(desk, goods.codes[0])
    baskets.split_line(desk, basket, 1)
    settle(desk, basket)
    return goods, basket


def sell_cheaper(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    basket, _ = fresh(desk, goods.codes[0])
    discounts.give_discount(desk, basket, 1, "percent", Decimal(10), "老顾客", pharmacy.owner)
    settle(desk, basket)
    return goods, basket


@pytest.mark.parametrize("book", BOOKS)
def test_an_empty_book_says_what_it_is_read_from(facility_app, book):
    other = make_pharmacy(facility_app, on_duty=False)
    page = browser(facility_app, other, other.clerk).get(f"/registers/{book}")

    assert page.status_code == 200
    assert "这段日期没有登记" in text(page)


def test_a_prescription_sale_stands_with_patient_masked_and_reviewer(pharmacy, desk, clerk):
    goods = make_goods(pharmacy, 2, rx_class="RX")
    number = some_certno("2", "19900101")
    settle(desk, fill_prescription(pharmacy, desk, goods, certno=number))

    page = text(clerk.get("/registers/prescriptions"))

    for said in (goods.name, goods.lot_number, "钱*多", "女", "郑医师", "第一医院", "赵*师", "1 盒"):
        assert said in page
    assert "钱多多" not in page


def test_the_ephedrine_book_names_the_buyer_masked_and_whole_for_a_reason_only(pharmacy, desk, clerk, owner):
    number = some_certno()
    goods, _ = sell_special(pharmacy, desk, number)

    page = text(clerk.get("/registers/ephedrine"))
    assert goods.name in page
    assert "张*明" in page
    assert number not in page
    assert "完整姓名证件号" not in page  # A clerk is not asked for a reason; they may not see it at all.
    assert send(clerk, "/registers/ephedrine/whole", {"reason": "药监局检查"}).status_code == 403
    assert send(owner, "/registers/ephedrine/whole", {"reason": "看"}).status_code == 422

    paper = text(send(owner, "/registers/ephedrine/whole", {"reason": "药监局检查"}))
    assert "张建明" in paper
    assert number in paper
    told = one(pharmacy, "select facts, object from audit_trail where tenant_id = %(t)s and act = 'register.revealed'")
    assert (told.object, told.facts["reason"]) == ("ephedrine", "药监局检查")
    assert send(owner, "/registers/near/whole", {"reason": "药监局检查"}).status_code == 404


def test_special_drugs_stand_in_their_own_book(pharmacy, desk, clerk):
    goods = make_goods(pharmacy, 2, special_class="TOXIC", rx_class="RX")
    settle(desk, fill_prescription(pharmacy, desk, goods))

    assert goods.name in text(clerk.get("/registers/special"))
    assert goods.name not in text(clerk.get("/registers/ephedrine"))


def test_a_split_is_checked_by_another_person_once(pharmacy, desk, clerk, owner):
    goods, basket = sell_split(pharmacy, desk)
    address = f"/registers/splits/{basket}/lines/1/check"

    assert "等同事复核" in text(clerk.get("/registers/splits"))
    assert send(clerk, address).status_code == OwnSplit.status
    assert send(owner, address).status_code == 303
    assert send(owner, address).status_code == 303

    page = text(clerk.get("/registers/splits"))
    assert "等同事复核" not in page
    assert "王店长" in page
    assert goods.lot_number in page
    assert str(clock.business_date()) in page  # The day the pack was opened.
    assert one(pharmacy, "select count(*) as n from split_check where tenant_id = %(t)s").n == 1


def test_a_stranger_checks_and_sees_nothing(pharmacy, desk, stranger):
    goods, basket = sell_split(pharmacy, desk)

    assert send(stranger, f"/registers/splits/{basket}/lines/1/check").status_code == 404
    assert goods.name not in text(stranger.get("/registers/splits"))
    assert stranger.get("/registers/nothing").status_code == 404


def test_near_expiry_discounts_and_duty_are_read_from_what_happened(pharmacy, desk, clerk):
    near, _ = sell_special(pharmacy, desk)
    cheap, _ = sell_cheaper(pharmacy, desk)

    assert near.name in text(clerk.get("/registers/near"))
    assert cheap.name not in text(clerk.get("/registers/near"))
    page = text(clerk.get("/registers/discounts"))
    for said in (cheap.name, "12.50", "11.25", "1.25", "10.00%", "老顾客", "李收银", "王店长"):
        assert said in page
    day = text(clerk.get("/registers/discount-days"))
    assert "李收银" in day
    assert "1.25" in day
    assert "赵药师" in text(clerk.get("/registers/duty"))


@pytest.mark.parametrize("book", BOOKS)
def test_every_book_is_printed_and_exported(pharmacy, desk, clerk, book):
    sell_special(pharmacy, desk)
    sell_split(pharmacy, desk)
    sell_cheaper(pharmacy, desk)

    paper, file = clerk.get(f"/registers/{book}/print"), clerk.get(f"/registers/{book}/excel")

    assert paper.status_code == 200
    assert "质量负责人" in text(paper)
    rows = CalamineWorkbook.from_filelike(BytesIO(file.data)).get_sheet_by_index(0).to_python()
    assert rows[0] == [str(name) for name, _class in BOOKS[book].columns]


@pytest.mark.parametrize("book", ["ephedrine", "splits", "discounts", "near"])
def test_a_long_book_has_pages_that_follow_each_other(pharmacy, desk, clerk, monkeypatch, book):
    monkeypatch.setattr(queries, "PAGE", 2)
    sold = [{"ephedrine": sell_special, "near": sell_special, "splits": sell_split, "discounts": sell_cheaper}[book](pharmacy, desk)[0].name for _ in range(3)]  # fmt: skip

    first = text(clerk.get(f"/registers/{book}"))
    second = text(clerk.get(next_page(first)))

    assert [name in first for name in sold] == [False, True, True]
    assert [name in second for name in sold] == [True, False, False]


def test_too_long_a_range_or_too_much_for_paper_is_refused(pharmacy, desk, clerk, monkeypatch):
    assert clerk.get("/registers/near?from=2020-01-01&to=2026-01-01").status_code == 422
    assert clerk.get("/registers/near?from=2026-02-01&to=2026-01-01").status_code == 422
    monkeypatch.setattr(queries, "MOST_ROWS", 1)
    sell_split(pharmacy, desk)
    sell_split(pharmacy, desk)
    assert clerk.get("/registers/splits/print").status_code == 422
    assert clerk.get("/registers/splits/excel").status_code == 422


@pytest.mark.parametrize(
    "query",
    ["from=x&to=y", "from=0001-01-01&to=0001-01-02", "to=9999-12-31", "after=x", "after=2026-01-01_1_2", "after=2026-11-22T00:00:00%2B00:00_1_99999999999999999999", "from=%00"],
)  # fmt: skip
@pytest.mark.parametrize("book", ["splits", "duty", "discount-days"])
def test_nonsense_in_the_address_breaks_nothing(clerk, book, query):
    assert clerk.get(f"/registers/{book}?{query}").status_code in {200, 422}


@pytest.mark.parametrize("book", BOOKS)
def test_a_page_of_a_book_is_one_reading(pharmacy, desk, clerk, book):
    sell_special(pharmacy, desk)
    sell_split(pharmacy, desk)
    clerk.get(f"/registers/{book}")
    with statements() as ran:
        clerk.get(f"/registers/{book}")

    head = {"prescriptions": "sale s", "near": "sale s", "splits": "sale s", "duty": "attendance a"}.get(book, "_line c" if book in {"ephedrine", "special"} else "sale_discount d")  # fmt: skip
    assert len([one for one in ran if head in one and "limit" in one]) == 1


def test_yesterday_is_not_today(pharmacy, desk, clerk):
    goods, _ = sell_split(pharmacy, desk)
    day = clock.business_date() - timedelta(days=1)

    assert goods.name not in text(clerk.get(f"/registers/splits?from={day}&to={day}"))


def test_nobody_checks_what_is_no_split(pharmacy, desk):
    _goods, basket = sell_cheaper(pharmacy, desk)
    from app.core.errors import NotFound

    for sale, line in ((basket, 1), (basket, 9), (uuid4(), 1)):
        with pytest.raises(NotFound):
            actions.check_split(desk_of(pharmacy, pharmacy.owner), sale, line)
