"""Counting while the shop sells: what differs, what does not, and what is not on the list."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound
from app.facility.db import transaction
from app.facility.stock.counts import actions, approving, entering
from app.facility.stock.counts.actions import Reason, Scope
from app.facility.stock.counts.errors import (
    AlreadyBeingCounted,
    CountNotOpen,
    EntryNotTaken,
    PlaceCountedMeanwhile,
    SheetNotTaken,
)
from app.facility.stock.counts.rules import Counted, SheetRow
from tests.facility.stock.counts.conftest import on_hand_in
from tests.facility.stock.counts.world import barcode, last_fact
from tests.factories.people import make_pharmacy
from tests.factories.shop import check_books, desk_of, make_goods, make_product, one, plain, sell


def test_what_agrees_with_the_book_is_no_difference_and_nothing_is_posted(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    count.enter(goods, 10)

    assert count.close() == 0
    count.approve()

    assert count.head.state == "approved"
    assert (
        one(
            pharmacy,
            "select count(*) as n from stock_movement where tenant_id = %(t)s and document_id = %(c)s",
            c=count.id,
        ).n
        == 0
    )


def test_places_add_up_and_a_recount_replaces(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    first = count.enter(goods, 4, "货架")
    count.enter(goods, 5, "后库", by=count.colleague)

    count.enter(goods, 5, "货架", replaces=first)

    assert count.close() == 0


def test_a_sale_before_between_and_after_entries_is_no_difference(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    code = barcode(pharmacy, goods)
    count = open_count()
    sell(desk, code)  # 9 left.
    count.enter(goods, 6, "货架")
    sell(desk, code)  # From the shelf that is counted already: 5 there, 3 in the back.
    count.enter(goods, 3, "后库", by=count.colleague)
    sell(desk, code)

    assert count.close() == 0
    assert count.line(goods).unsure == goods.pack_size
    count.approve()
    assert on_hand_in(pharmacy, goods) == 7 * goods.pack_size
    check_books(pharmacy)


def test_a_receipt_between_entries_is_no_difference_wherever_it_was_put(pharmacy, desk, open_count):
    for shelf_first in (True, False):
        goods = plain(pharmacy, 4)
        count = open_count(Scope("product", products=(goods.product_id,)))
        count.enter(goods, 4, "货架")
        make_goods(pharmacy, 2, coded=False, product_id=goods.product_id, lot_number=goods.lot_number)
        count.enter(goods, 0 if shelf_first else 2, "后库")

        assert count.close() == 0


def test_what_is_certainly_gone_stays_gone_though_goods_moved_meanwhile(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    count.enter(goods, 3, "货架")
    sell(desk, barcode(pharmacy, goods))
    count.enter(goods, 3, "后库")  # 6 at most, the book says 9.

    assert count.close() == 1
    assert count.difference(goods) == -3 * goods.pack_size


def test_a_box_in_an_unfinished_basket_is_no_difference(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    lot = count.line(goods).lot_id
    with transaction(settings=pharmacy.scope) as hot:
        hot.run(
            "update lot_balance set reserved = %(u)s where tenant_id = %(tenant)s and lot_id = %(l)s",
            {**desk.keys, "l": lot, "u": goods.pack_size},
        )
    count.enter(goods, 9)

    assert count.close() == 0


def test_nobody_overwrites_a_colleague_unseen(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    first = count.enter(goods, 4, "货架")

    with pytest.raises(PlaceCountedMeanwhile, match="place_counted_meanwhile"):
        count.enter(goods, 6, "货架", by=count.colleague)
    count.enter(goods, 10, "货架", by=count.colleague, replaces=first)

    assert count.close() == 0


def test_an_entry_sent_twice_counts_once(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    entry = count.enter(goods, 10)

    count.enter(goods, 10, entry=entry)
    with pytest.raises(DocumentChanged):
        count.enter(goods, 9, entry=entry)

    assert count.close() == 0


def test_two_people_count_the_same_line_at_once(facility_app, pharmacy, desk, open_count):
    goods = plain(pharmacy, 12)
    count = open_count()
    line, said = count.line(goods).line_no, []
    gate = threading.Barrier(8)

    def go(number):
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            who = count.clerk if number % 2 else count.colleague
            place = f"{number // 2}排"  # Two people meet at each place.
            gate.wait()
            try:
                entering.enter_count(who, uuid4(), count.id, line, Counted(3 * goods.pack_size, place))
                said.append("taken")
            except PlaceCountedMeanwhile:
                said.append("told")

    threads = [threading.Thread(target=go, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == ["taken"] * 4 + ["told"] * 4
    assert count.close() == 0


@pytest.mark.parametrize(
    "wrong",
    [Counted(-1), Counted(10**9), Counted(5, "很长的地点" * 5), Counted(24, "", ("8" * 20, "8" * 20)), Counted(3, "", ("8" * 20,)), Counted(0, "", (), str(uuid4()))],
)  # fmt: skip
def test_a_wrong_entry_is_said_to_be_wrong(pharmacy, desk, open_count, wrong):
    goods = plain(pharmacy)
    count = open_count()

    with pytest.raises(EntryNotTaken):
        entering.enter_count(count.clerk, uuid4(), count.id, count.line(goods).line_no, wrong)


def test_nothing_is_entered_after_closing_and_counting_goes_on_after_reopening(pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    first = count.enter(goods, 9)
    count.close()

    with pytest.raises(CountNotOpen):
        count.enter(goods, 10, "后库")
    actions.reopen_count(count.pharmacist, count.id, senior=True)
    count.enter(goods, 10, replaces=first)

    assert count.close() == 0


def test_strangers_find_no_count(facility_app, pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    stranger = make_pharmacy(facility_app, name="三号药店")
    other = desk_of(stranger, stranger.owner)

    for act in (
        lambda: entering.enter_count(other, uuid4(), count.id, count.line(goods).line_no, Counted(1)),
        lambda: actions.close_count(other, count.id, senior=True),
        lambda: actions.withdraw_count(other, count.id, senior=True),
        lambda: approving.approve_count(other, count.id, 1),
    ):
        with tenancy.as_tenant(stranger.tenant_id), pytest.raises(NotFound):
            act()


def test_found_goods_come_onto_the_list_and_into_the_book(pharmacy, desk, open_count):
    plain(pharmacy, 1)
    product = make_product(pharmacy, trace_required=False)
    count = open_count()
    day = clock.business_date() + timedelta(days=300)

    line = entering.find_goods(count.clerk, count.id, product, "F-001", day, "SALEABLE")
    assert entering.find_goods(count.clerk, count.id, product, "F-001", day, "SALEABLE") == line
    entering.enter_count(count.clerk, uuid4(), count.id, line, Counted(48, "柜台下"))
    count.close()
    actions.explain_differences(count.leader, count.id, [Reason(line, "not_recorded")])
    count.approve()

    row = one(
        pharmacy,
        "select sum(on_hand)::bigint as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s",
        p=product,
    )
    assert row.n == 48
    fact = last_fact(pharmacy)
    assert (fact["number"], fact["lines"][0]["act"], fact["lines"][0]["lot"]) == (count.number, "gain", "F-001")
    check_books(pharmacy)


def test_a_found_lot_that_another_count_has_is_refused(pharmacy, desk, open_count):
    goods, other = plain(pharmacy, 1), plain(pharmacy, 1)
    lot = open_count(Scope("product", products=(goods.product_id,))).line(goods).lot_id
    count = open_count(Scope("product", products=(other.product_id,)))

    with pytest.raises(AlreadyBeingCounted):
        entering.add_lot(count.clerk, count.id, lot, "SALEABLE")


def test_a_sheet_is_judged_by_the_book_of_the_time_it_was_filled_in(pharmacy, desk, open_count):
    goods, other = plain(pharmacy, 10), plain(pharmacy, 4)
    code = barcode(pharmacy, goods)
    count = open_count()
    since = clock.now()
    until = clock.now()
    sell(desk, code)  # After the sheet was filled in, before it is sent.
    rows = [
        SheetRow(count.line(goods).line_no, 10 * goods.pack_size, "表"),
        SheetRow(count.line(other).line_no, 3 * other.pack_size, "表"),
    ]
    upload = uuid4()

    assert entering.take_sheet(count.clerk, upload, count.id, rows, since, until) == 2
    assert entering.take_sheet(count.clerk, upload, count.id, rows, since, until) == 2

    assert count.close() == 1
    assert (count.difference(goods), count.difference(other)) == (0, -other.pack_size)


def test_a_sheet_names_lines_that_are_not_there(pharmacy, desk, open_count):
    plain(pharmacy, 10)
    count = open_count()
    now = clock.now()

    with pytest.raises(SheetNotTaken):
        entering.take_sheet(count.clerk, uuid4(), count.id, [SheetRow(77, 1)], now, now)
    with pytest.raises(SheetNotTaken):
        entering.take_sheet(count.clerk, uuid4(), count.id, [SheetRow(1, 1)], now, now - timedelta(hours=1))
