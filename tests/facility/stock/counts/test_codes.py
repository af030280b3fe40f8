"""Trace codes in a count: missing, sold meanwhile, found again, at two places."""

from __future__ import annotations

import pytest

from app.facility.stock.counts import queries
from app.facility.stock.counts.errors import (
    CodeCountedTwice,
    CodesUntold,
    EntryNotTaken,
)
from tests.facility.stock.counts.conftest import on_hand_in, state_of
from tests.facility.stock.counts.world import last_fact
from tests.factories.shop import check_books, make_code, make_goods, sell


def test_missing_codes_are_written_off_and_come_back_when_found(pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 4)
    count = open_count()
    count.enter(goods, 3, codes=goods.codes[:3])
    count.close()
    count.explain(goods)
    count.approve()

    assert [state_of(pharmacy, code) for code in goods.codes] == ["IN_STOCK"] * 3 + ["LOST"]
    assert last_fact(pharmacy)["lines"][0]["codes"] == [goods.codes[3]]
    assert [row["missing"] for row in queries.differences(desk, count.id)] == [
        [goods.codes[3]]
    ]  # The paper goes on saying it.
    again = open_count()
    again.enter(goods, 4, codes=goods.codes)
    again.close()
    again.explain(goods, "not_recorded")
    again.approve()

    assert state_of(pharmacy, goods.codes[3]) == "IN_STOCK"
    assert on_hand_in(pharmacy, goods) == 4 * goods.pack_size
    check_books(pharmacy)


def test_a_code_sold_during_the_count_is_not_missing(pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 5)
    count = open_count()
    sell(desk, goods.codes[0])
    count.enter(goods, 3, codes=goods.codes[2:])  # One is gone.
    sell(desk, goods.codes[4])
    count.close()
    count.explain(goods)
    count.approve()

    assert [state_of(pharmacy, code) for code in goods.codes] == ["SOLD", "LOST", "IN_STOCK", "IN_STOCK", "SOLD"]
    check_books(pharmacy)


def test_a_code_that_came_after_its_line_was_counted_is_not_missing(pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 3)
    count = open_count()
    count.enter(goods, 2, codes=goods.codes[:2])
    later = make_goods(pharmacy, 2, product_id=goods.product_id, lot_number=goods.lot_number)
    count.close()
    count.explain(goods)
    count.approve()

    assert {state_of(pharmacy, code) for code in later.codes} == {"IN_STOCK"}
    assert state_of(pharmacy, goods.codes[2]) == "LOST"


def test_a_short_coded_lot_is_not_posted_before_its_codes_are_told(pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 4)
    count = open_count()
    count.enter(goods, 3)
    count.close()
    count.explain(goods)

    assert [row["untold"] for row in queries.differences(desk, count.id)] == [True]  # Said before anybody approves.
    with pytest.raises(CodesUntold):
        count.approve()

    assert on_hand_in(pharmacy, goods) == 4 * goods.pack_size


def test_a_pack_is_counted_at_one_place(pharmacy, desk, open_count):
    goods, other = make_goods(pharmacy, 4), make_goods(pharmacy, 1)
    count = open_count()
    count.enter(goods, 2, "货架", goods.codes[:2])

    with pytest.raises(CodeCountedTwice):
        count.enter(goods, 2, "后库", goods.codes[1:3])
    with pytest.raises(EntryNotTaken):
        count.enter(goods, 1, "后库", other.codes)
    count.enter(goods, 2, "后库", goods.codes[2:])

    assert count.close() == 0


def test_an_unknown_code_counts_as_a_pack(pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 2)
    count = open_count()
    count.enter(goods, 3, codes=(*goods.codes, make_code()))

    count.close()

    assert count.difference(goods) == goods.pack_size
