"""Closing and approving a count: who may, what is posted, and what the center is told."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.errors import WrongInput
from app.facility.stock import ledger, receiving
from app.facility.stock.counts import actions, entering, rules
from app.facility.stock.counts.actions import Reason
from app.facility.stock.counts.errors import (
    BookCorrected,
    CountChanged,
    CountNotWaiting,
    DifferencesUnexplained,
    NothingCounted,
    NotYourCount,
    OwnCount,
)
from app.facility.stock.counts.rules import Counted
from app.facility.stock.errors import NotEnoughInZone
from tests.facility.stock.counts.conftest import on_hand_in
from tests.facility.stock.counts.world import barcode, correct, last_fact
from tests.factories.shop import check_books, make_product, one, plain, sell


def test_a_loss_and_a_gain_are_posted_in_one_document_with_their_worth(pharmacy, desk, open_count):
    from decimal import Decimal

    from app.facility.stock.rules import ReceiptLine

    less, more = make_product(pharmacy, trace_required=False), make_product(pharmacy, trace_required=False)
    day = clock.business_date() + timedelta(days=300)
    lines = [ReceiptLine(product, "W1", day, 10, cost_price=Decimal("8.50")) for product in (less, more)]
    receiving.open_stock(desk, uuid4(), lines)
    count = open_count()
    by_product = {
        product: one(pharmacy, "select * from count_line where tenant_id = %(t)s and count_id = %(c)s and product_id = %(p)s", c=count.id, p=product)
        for product in (less, more)
    }  # fmt: skip
    entering.enter_count(count.clerk, uuid4(), count.id, by_product[less].line_no, Counted(8 * 24))
    entering.enter_count(count.colleague, uuid4(), count.id, by_product[more].line_no, Counted(11 * 24))
    assert count.close() == 2
    with pytest.raises(DifferencesUnexplained):
        count.approve()
    actions.explain_differences(
        count.leader,
        count.id,
        [Reason(by_product[less].line_no, "damaged"), Reason(by_product[more].line_no, "other", "上次漏点")],
    )

    count.approve()
    count.approve(version=1)  # Again by the same person: nothing happens.

    assert (count.head.loss_fen, count.head.gain_fen) == (1700, 850)
    moved = one(
        pharmacy,
        "select string_agg(kind || quantity, ' ' order by kind) as said, count(distinct document_id) as papers from stock_movement where tenant_id = %(t)s and document_id = %(c)s",
        c=count.id,
    )
    assert (moved.said, moved.papers) == ("CI24 CO-48", 1)
    fact = last_fact(pharmacy)
    assert fact["approver"].startswith("003")
    assert fact["operator"].startswith("001")
    assert {line["act"] for line in fact["lines"]} == {"gain", "loss"}
    check_books(pharmacy)


def test_after_approval_the_balance_is_what_was_counted_plus_what_happened_since(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    code = barcode(pharmacy, goods)
    count = open_count()
    count.enter(goods, 8)
    sell(desk, code)
    count.close()
    count.explain(goods)
    sell(desk, code, code)

    count.approve()

    assert on_hand_in(pharmacy, goods) == 5 * goods.pack_size
    check_books(pharmacy)


def test_what_was_sold_meanwhile_is_refused_with_a_sentence(pharmacy, desk, open_count):
    goods = plain(pharmacy, 3)
    count = open_count()
    count.enter(goods, 1)
    count.close()
    count.explain(goods)
    code = barcode(pharmacy, goods)
    sell(desk, code, code)

    with pytest.raises(NotEnoughInZone) as refused:
        count.approve()

    assert goods.name in refused.value.message
    assert count.head.state == "closed"


def test_nobody_approves_a_count_of_their_own(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    count.enter(goods, 10, by=count.pharmacist)
    count.close()

    for own in (count.leader, count.pharmacist):
        with pytest.raises(OwnCount):
            count.approve(by=own)


def test_an_approval_is_of_what_was_shown(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    first = count.enter(goods, 9)
    count.close()
    seen = count.head.version
    actions.reopen_count(count.leader, count.id)
    with pytest.raises(CountNotWaiting):
        count.approve()
    count.enter(goods, 2, replaces=first)
    count.close()
    count.explain(goods)

    with pytest.raises(CountChanged):
        count.approve(version=seen)


def test_a_book_corrected_after_closing_asks_for_closing_again_and_not_for_counting(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    count.enter(goods, 9)
    count.close()
    count.explain(goods)
    correct(desk, goods, count.line(goods).lot_id, goods.pack_size, "correct_out")

    with pytest.raises(BookCorrected):
        count.approve()
    actions.reopen_count(count.leader, count.id)

    assert count.close() == 0
    count.approve()
    assert on_hand_in(pharmacy, goods) == 9 * goods.pack_size


def test_lines_nobody_counted_stay_or_count_as_nothing(pharmacy, desk, open_count):
    seen, gone = plain(pharmacy, 2), plain(pharmacy, 3)
    count = open_count()
    with pytest.raises(NothingCounted):
        count.close()
    count.enter(seen, 2)
    assert count.close() == 0
    assert count.line(gone).counted is None
    actions.reopen_count(count.leader, count.id)

    assert count.close(rest_is_gone=True) == 1
    assert count.difference(gone) == -3 * gone.pack_size


def test_only_who_leads_closes_and_withdraws(pharmacy, desk, open_count):
    goods = plain(pharmacy, 2)
    count = open_count()
    count.enter(goods, 2)

    for act in (actions.close_count, actions.withdraw_count):
        with pytest.raises(NotYourCount):
            act(count.clerk, count.id)
    actions.withdraw_count(count.clerk, count.id, senior=True)

    with pytest.raises(CountNotWaiting):
        count.close()


def test_a_herb_within_its_tolerance_explains_itself_and_beyond_it_does_not(pharmacy, desk, open_count):
    herb = plain(pharmacy, 10, rx_class="HERB", base_unit="0.01g", pack_size=1000)
    count = open_count()
    first = count.enter(herb, 9, rest=800)
    count.close()

    assert (count.difference(herb), count.line(herb).reason) == (-200, "weighing")
    actions.reopen_count(count.leader, count.id)
    count.enter(herb, 9, replaces=first)
    count.close()
    assert count.line(herb).reason == ""
    with pytest.raises(WrongInput, match="称量损耗"):
        count.explain(herb, "weighing")
    with pytest.raises(WrongInput):
        count.explain(herb, "other")


def test_more_differences_than_a_fact_takes_are_told_in_several(pharmacy, desk, open_count, monkeypatch):
    goods = [plain(pharmacy, 2) for _ in range(5)]
    count = open_count()
    for one_of in goods:
        count.enter(one_of, 1)
    count.close()
    for one_of in goods:
        count.explain(one_of)
    monkeypatch.setattr(ledger, "MOST_MOVES", 2)

    count.approve()

    told = one(
        pharmacy,
        "select count(*) as n from outbox where tenant_id = %(t)s and kind = 'stock.moved' and convert_from(body, 'UTF8') like %(c)s",
        c=f"%{count.id}%",
    )
    assert told.n == 3
    assert {on_hand_in(pharmacy, one_of) for one_of in goods} == {goods[0].pack_size}
    check_books(pharmacy)


def test_the_reasons_are_data():
    assert {"damaged", "wrong_item", "not_recorded", "weighing", "missing", "other"} == set(rules.REASONS)
