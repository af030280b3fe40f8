"""The ledger of the whole facility, turnover, and the passport of a code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.stock.shelf import ledger, passport
from tests.facility.stock.conftest import text
from tests.factories.shop import desk_of, make_goods, one, open_shift, sell


@pytest.fixture
def sold(at_work):
    goods = make_goods(at_work, 4, generic_name="连花清瘟颗粒")
    open_shift(desk_of(at_work))
    return goods, sell(desk_of(at_work), goods.codes[0])


def test_ledger_shows_both_ways_with_who_and_which_paper(clerk, at_work, sold):
    goods, sale = sold

    page = text(clerk.get("/stock/movements"))

    assert page.index("销售") < page.index("入库</span>")
    assert sale.receipt in page
    assert goods.name in page
    assert "王店长" in page


@pytest.mark.parametrize(
    ("asked", "kinds"), [("kind=SA", {"SA"}), ("kind=PI", {"PI"}), ("kind=DM", set()), ("kind=x", {"SA", "PI"}), ("staff=0", {"SA", "PI"})]
)  # fmt: skip
def test_ledger_is_asked_by_kind(at_work, sold, asked, kinds):
    span = ledger.Span.of(dict([asked.split("=")]))

    assert {row.kind for row in ledger.list_movements(at_work.facility_id, span)} == kinds


def test_ledger_is_asked_by_person_product_and_day(at_work, sold):
    goods, _ = sold
    today = clock.business_date()
    other = make_goods(at_work, 1)

    def kinds(**asked):
        return [
            row.kind
            for row in ledger.list_movements(at_work.facility_id, ledger.Span.of({k: str(v) for k, v in asked.items()}))
        ]

    assert kinds(staff=at_work.clerk) == ["SA"]
    assert kinds(product=other.product_id) == ["PI"]
    assert kinds(product=goods.product_id) == ["SA", "PI"]
    assert kinds(to=today - timedelta(days=1)) == []
    assert kinds(**{"from": today, "to": today}) == ["PI", "SA", "PI"]


def test_export_of_the_ledger_walks_through_all_parts(at_work, sold):
    for _ in range(5):
        make_goods(at_work, 1)
    span = ledger.Span.of({})

    assert len(list(ledger.walk(at_work.facility_id, span, 100, 2))) == 7
    assert len(list(ledger.walk(at_work.facility_id, span, 3, 2))) == 3


@pytest.mark.parametrize("odd", ["from=x", "to=9999-12-31", "from=0001-01-01", "before=x~1", "before=2026-01-01~1", "product=²", "staff=99999999999999999999", "from=2026-02-30"])  # fmt: skip
def test_strange_addresses_are_harmless(clerk, at_work, odd):
    assert clerk.get(f"/stock/movements?{odd}").status_code in {200, 404}
    assert clerk.get(f"/stock/turnover?after={odd}&order={odd}&days={odd}&q=%00").status_code == 200


def test_empty_ledger_says_what_to_try(clerk, at_work):
    assert "这段时间没有这样的进出" in text(clerk.get("/stock/movements"))


def test_turnover_says_what_sells_and_what_lies(clerk, at_work, sold):
    lying = make_goods(at_work, 2, generic_name="板蓝根颗粒")

    slow, gone = ([row.id for row in ledger.turnover(at_work.facility_id, 30, order)] for order in ("slow", "gone"))
    row = next(one for one in ledger.turnover(at_work.facility_id, 90, "fast") if one.id == sold[0].product_id)

    assert slow[0] == lying.product_id
    assert gone[0] == sold[0].product_id
    assert (row.gone, row.came, row.on_hand, row.days) == (24, 96, 72, 270)
    assert "没卖出" in text(clerk.get("/stock/turnover"))


@pytest.mark.parametrize(("path", "most"), [("/stock", 4), ("/stock?view=lots", 4), ("/stock?view=places", 4), ("/stock?view=codes", 4), ("/stock/movements", 2), ("/stock/turnover", 2), ("/stock?product={product}", 7)])  # fmt: skip
def test_screens_ask_few_questions(clerk, at_work, sold, path, most):
    asked = path.format(product=sold[0].product_id)
    clerk.get(asked)
    make_goods(at_work, 1)

    with statements() as ran:
        clerk.get(asked)

    assert len([each for each in ran if "from staff where id" not in each and "session_end" not in each]) <= most + 2


# ---- passport --------------------------------------------------------------------------------------------------------


def test_passport_tells_the_life_of_a_pack(clerk, at_work, sold):
    goods, sale = sold

    page = text(clerk.get(f"/stock/codes/{goods.codes[0]}"))

    assert page.index("入库</b>") < page.index("销售</b>")
    assert sale.receipt in page
    assert "没有矛盾" in page
    assert "已售出" in page


def test_passport_marks_a_sale_of_what_was_not_there():
    class Event:
        def __init__(self, kind, quantity, day):
            self.kind, self.quantity, self.at = kind, quantity, clock.now() + timedelta(days=day)

    first = [Event("PI", 24, 0), Event("SA", 24, 1)]

    assert [stop.bad for stop in passport.draw([*first, Event("SR", 24, 2), Event("SA", 24, 3)], 24)] == [False] * 4
    assert [stop.bad for stop in passport.draw([*first, Event("SA", 24, 3)], 24)] == [False, False, True]
    assert [stop.bad for stop in passport.draw([Event("PI", 24, 0), Event("SA", 10, 1), Event("SA", 14, 2)], 24)] == [
        False
    ] * 3
    assert passport.draw(first, 24)[0].seconds_to_next == 86_400


def test_a_scan_anywhere_opens_the_passport(clerk, at_work, sold):
    code = sold[0].codes[0]

    answer = clerk.get(f"/search?q={code}")

    assert answer.status_code == 303
    assert answer.location.endswith(f"/stock/codes/{code}")


def test_papers_open_by_their_numbers(clerk, at_work, sold):
    receipt = one(at_work, "select id, number from stock_receipt where tenant_id = %(t)s limit 1")

    answer = clerk.get(f"/search?q={receipt.number.lower()}")

    assert answer.status_code == 303
    assert answer.location.endswith(f"/stock/receipts/{receipt.id}")
    for unknown in (
        "R26-0101-9999",
        "K26-0101-0001",
        "T26-0101-0001",
        "P26-0101-0001",
        "J26-0101-0001",
        "X26-0101-0001",
    ):
        assert clerk.get(f"/search?q={unknown}").status_code == 200


def test_a_strangers_paper_does_not_open(stranger, at_work, sold):
    receipt = one(at_work, "select id, number from stock_receipt where tenant_id = %(t)s limit 1")

    assert str(receipt.id) not in str(stranger.get(f"/search?q={receipt.number}").location)


def test_a_held_lot_is_said_on_the_passport(clerk, at_work, sold):
    one(at_work, "update lot set hold = 'frozen', hold_reason = '包装破损' where tenant_id = %(t)s returning id")

    page = text(clerk.get(f"/stock/codes/{sold[0].codes[1]}"))

    assert "这个批号已冻结" in page
    assert "包装破损" in page
