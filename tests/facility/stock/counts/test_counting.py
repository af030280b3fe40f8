"""Counting while the shop sells: what differs, what does not, who may say so, and what is posted."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound, WrongInput
from app.core.hot import statements
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, receiving, rulebook
from app.facility.stock.counts import actions, approving, entering, rules
from app.facility.stock.counts.actions import Reason, Scope
from app.facility.stock.counts.errors import (
    AlreadyBeingCounted,
    BookCorrected,
    CodeCountedTwice,
    CodesUntold,
    CountChanged,
    CountNotOpen,
    CountNotWaiting,
    DifferencesUnexplained,
    EntryNotTaken,
    NothingCounted,
    NothingToCount,
    NotYourCount,
    OwnCount,
    PlaceCountedMeanwhile,
    SheetNotTaken,
)
from app.facility.stock.counts.rules import Counted, SheetRow
from app.facility.stock.errors import NotEnoughInZone
from app.facility.stock.ledger import Move, Story
from tests.facility.stock.counts.conftest import on_hand_in, state_of
from tests.factories.people import make_pharmacy
from tests.factories.shop import check_books, desk_of, make_code, make_goods, make_product, one, sell


def plain(pharmacy, packs=10, **fields):
    return make_goods(pharmacy, packs, coded=False, trace_required=False, **fields)


def barcode(pharmacy, goods):
    return one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id
    ).barcode


def last_fact(pharmacy):
    return json.loads(
        one(
            pharmacy,
            "select convert_from(body, 'UTF8') as body from outbox where tenant_id = %(t)s and kind = 'stock.moved' order by number desc limit 1",
        ).body
    )


@hot_action
def correct(desk, goods, lot_id, units, act="correct_in"):
    """The book is put right: no goods move."""
    zones = ("", "SALEABLE") if act == "correct_in" else ("SALEABLE", "")
    with transaction(settings=desk.settings) as hot:
        ledger.post(
            hot, desk, rulebook.ACTS[act], uuid4(), clock.now(), [Move(1, lot_id, units, *zones)], Story("抄错")
        )


# ---- opening ---------------------------------------------------------------------------------------------------------


def test_a_full_count_lists_every_lot_in_every_zone(pharmacy, desk, open_count):
    shelf, aside = plain(pharmacy, 3), plain(pharmacy, 2, zone="QUARANTINE")

    count = open_count()

    assert count.number.startswith("P")
    assert (count.line(shelf).book, count.line(aside, "QUARANTINE").book) == (3 * shelf.pack_size, 2 * aside.pack_size)
    assert count.head.line_count == 2


def test_counts_of_a_shelf_of_products_and_of_controlled_goods_list_just_those(pharmacy, desk, open_count):
    goods, drawer, strict = plain(pharmacy, 1), plain(pharmacy, 1), plain(pharmacy, 1, special_class="EPHEDRINE")
    with transaction(settings=pharmacy.scope) as hot:
        hot.run(
            "insert into product_shelf (tenant_id, facility_id, product_id, shelf, staff_id, changed_at) values (%(tenant)s, %(facility)s, %(p)s, 'B02', %(staff)s, now())",
            {**desk.keys, "p": drawer.product_id},
        )

    for scope, wanted in ((Scope("shelf", "B02"), drawer), (Scope("product", products=(goods.product_id,)), goods), (Scope("controlled"), strict)):  # fmt: skip
        count = open_count(scope)
        assert count.head.line_count == 1
        assert count.line(wanted) is not None


def test_an_empty_scope_is_no_count(pharmacy, desk, open_count):
    with pytest.raises(NothingToCount):
        open_count(Scope("shelf", "Z99"))
    for wrong in (Scope("shelf"), Scope("product"), Scope("everything")):
        with pytest.raises(WrongInput):
            open_count(wrong)


def test_one_lot_stands_in_one_unfinished_count(pharmacy, desk, open_count):
    goods = plain(pharmacy)
    first = open_count()

    with pytest.raises(AlreadyBeingCounted) as refused:
        open_count(Scope("product", products=(goods.product_id,)))
    assert first.number in refused.value.message
    actions.withdraw_count(first.leader, first.id)

    open_count(Scope("product", products=(goods.product_id,)))


def test_opening_twice_opens_once_and_other_content_is_refused(pharmacy, desk, open_count):
    plain(pharmacy)
    count = open_count()

    assert actions.open_count(count.leader, count.id, Scope("full")) == count.number
    with pytest.raises(DocumentChanged):
        actions.open_count(count.leader, count.id, Scope("full"), blind=False)


# ---- entering --------------------------------------------------------------------------------------------------------


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


# ---- goods that are not on the list ----------------------------------------------------------------------------------


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


# ---- codes -----------------------------------------------------------------------------------------------------------


def test_missing_codes_are_written_off_and_come_back_when_found(pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 4)
    count = open_count()
    count.enter(goods, 3, codes=goods.codes[:3])
    count.close()
    count.explain(goods)
    count.approve()

    assert [state_of(pharmacy, code) for code in goods.codes] == ["IN_STOCK"] * 3 + ["LOST"]
    assert last_fact(pharmacy)["lines"][0]["codes"] == [goods.codes[3]]
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


# ---- closing and approving -------------------------------------------------------------------------------------------


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


# ---- the sheet -------------------------------------------------------------------------------------------------------


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


# ---- size ------------------------------------------------------------------------------------------------------------


def test_opening_and_closing_take_few_statements_however_many_lines(pharmacy, desk, open_count):
    for _ in range(12):
        plain(pharmacy, 1)
    with statements() as opening:
        count = open_count()
    with statements() as closing:
        count.close(rest_is_gone=True)

    assert count.head.line_count == 12
    assert len(opening) <= 4
    assert len(closing) <= 7


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
