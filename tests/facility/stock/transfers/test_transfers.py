"""Goods go from one shop to the other: in one place at every moment, told by both, by nobody else."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound
from app.core.hot import statements
from app.facility.db import hot_action, transaction
from app.facility.stock import actions as stock
from app.facility.stock.errors import CodesDoNotFit, NotEnoughInZone, StockNotMovable
from app.facility.stock.transfers import actions
from app.facility.stock.transfers.errors import (
    AlreadyReceived,
    ClaimNotSettled,
    NoSuchPlace,
    NotWithThisTransfer,
    TransferNotReceived,
    TransferNotSent,
)
from app.facility.stock.transfers.rules import Arrived, Sent
from tests.facility.stock.transfers.conftest import all_of
from tests.factories.people import make_pharmacy
from tests.factories.shop import desk_of, fill_basket, make_goods, open_shift, sell


def plain(pharmacy, packs, **fields):
    return make_goods(pharmacy, packs, coded=False, trace_required=False, **fields)


def test_what_was_sent_lies_in_transit_and_nobody_sells_it(town):
    goods = make_goods(town.here, 5)

    town.send(town.line(goods, 2), note="二店缺货")

    assert town.everywhere(goods) == (3, 2, 0)
    assert town.code(goods.codes[0]) == ("IN_TRANSIT", "TRANSIT", town.here.facility_id)
    [fact] = town.facts(town.here)
    assert (fact["act"], fact["counterpart"], fact["reason"]) == ("send", town.there.code, "二店缺货")
    assert fact["number"].startswith("B")
    assert fact["lines"][0]["codes"] == list(goods.codes[:2])
    open_shift(town.near)
    with pytest.raises(Exception, match="code_not_on_shelf"):
        fill_basket(town.near, goods.codes[0])
    town.check()


def test_what_arrived_stands_on_the_other_shelf_with_its_codes_and_both_tell_the_center(town):
    goods = make_goods(town.here, 3)
    transfer = town.send(town.line(goods, 3))

    town.receive(transfer, all_of(goods, 3))

    assert town.everywhere(goods) == (0, 0, 3)
    assert town.code(goods.codes[2]) == ("IN_STOCK", "SALEABLE", town.there.facility_id)
    assert town.state(transfer) == "received"
    handed, arrived = town.facts(town.here)[-1], town.facts(town.there)[-1]
    assert (handed["act"], handed["counterpart"]) == ("hand_over", town.there.code)
    assert (arrived["act"], arrived["counterpart"]) == ("arrive", town.here.code)
    assert handed["number"] == arrived["number"]
    assert arrived["lines"][0]["codes"] == list(goods.codes)
    town.check()


def test_the_other_shop_sells_what_it_received(town):
    goods = make_goods(town.here, 2)
    town.receive(town.send(town.line(goods, 2)), all_of(goods, 2))
    open_shift(town.far)

    sell(town.far, goods.codes[1])

    assert town.code(goods.codes[1])[0] == "SOLD"
    town.check()


def test_the_lot_is_found_there_or_made_alike(town):
    goods = plain(town.here, 6)
    town.receive(town.send(town.line(goods, 2)), all_of(goods, 2))
    lot = town.lot(goods, town.there)

    town.receive(town.send(town.line(goods, 1)), all_of(goods, 1))

    assert town.lot(goods, town.there) == lot
    both = town.rows(
        "select lot_number, expires_on, produced_on, cost_price from lot where tenant_id = %(t)s and product_id = %(p)s",
        p=goods.product_id,
    )
    assert len(both) == 2
    assert both[0] == both[1]
    assert town.everywhere(goods) == (3, 0, 3)


def test_sending_twice_sends_once_and_other_content_is_refused(town):
    goods = plain(town.here, 5)
    transfer, line = uuid4(), town.line(goods, 2)

    first = actions.send_transfer(town.near, transfer, town.there.facility_id, [line])
    again = actions.send_transfer(town.near, transfer, town.there.facility_id, [line])

    assert first == again
    assert town.everywhere(goods) == (3, 2, 0)
    with pytest.raises(DocumentChanged):
        actions.send_transfer(town.near, transfer, town.there.facility_id, [line], "改")


def test_receiving_twice_receives_once_and_another_count_is_refused_by_name(town):
    goods = plain(town.here, 5)
    transfer = town.send(town.line(goods, 2))

    town.receive(transfer, all_of(goods, 2))
    town.receive(transfer, all_of(goods, 2))

    with pytest.raises(AlreadyReceived, match="陈小妹"):
        town.receive(transfer, all_of(goods, 1, reason="missing"))
    assert town.everywhere(goods) == (3, 0, 2)


@pytest.mark.parametrize("packs", [0, 6])
def test_no_more_than_lies_there_is_sent_and_no_less_than_one(town, packs):
    goods = plain(town.here, 5)

    with pytest.raises((NotEnoughInZone, TransferNotSent)):
        town.send(town.line(goods, packs))

    assert town.everywhere(goods) == (5, 0, 0)


def test_half_a_pack_a_strange_lot_and_the_same_lot_twice_are_not_sent(town):
    goods = plain(town.here, 5)
    lot = town.lot(goods)

    for lines in (
        [Sent(lot, "SALEABLE", 5)],
        [Sent(10**9, "SALEABLE", 24)],
        [Sent(lot, "SALEABLE", 24)] * 2,
        [Sent(lot, "QUARANTINE", 24)],
        [],
    ):
        with pytest.raises(TransferNotSent):
            town.send(*lines)


def test_nothing_goes_to_oneself_to_nowhere_or_to_a_stranger(town, facility_app):
    goods, stranger = plain(town.here, 5), make_pharmacy(facility_app)

    for place in (town.here.facility_id, 10**9, stranger.facility_id):
        with pytest.raises(NoSuchPlace):
            actions.send_transfer(town.near, uuid4(), place, [town.line(goods, 1)])

    assert town.everywhere(goods) == (5, 0, 0)


def test_packs_with_codes_are_not_sent_without_them_except_all_together(town):
    goods = make_goods(town.here, 3)

    with pytest.raises(CodesDoNotFit):
        town.send(town.line(goods, 1, codes=()))
    transfer = town.send(town.line(goods, 3, codes=()))

    assert {town.code(code)[0] for code in goods.codes} == {"IN_TRANSIT"}
    with pytest.raises(TransferNotReceived):
        town.receive(transfer, all_of(goods, 3, codes=()))
    town.receive(transfer, all_of(goods, 3))
    town.check()


def test_expired_and_frozen_goods_are_not_sent(town, monkeypatch):
    old, held = plain(town.here, 2, expires_in=1), plain(town.here, 2)
    hold(town, town.lot(held), "frozen")
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)

    for goods in (old, held):
        with pytest.raises(StockNotMovable):
            town.send(town.line(goods, 1))


def test_what_was_recalled_on_its_way_arrives_in_quarantine_and_stays_recalled(town):
    goods = make_goods(town.here, 2)
    transfer = town.send(town.line(goods, 2))
    hold(town, town.lot(goods), "recalled")

    with pytest.raises(TransferNotReceived):
        town.receive(transfer, all_of(goods, 2))
    town.receive(transfer, all_of(goods, 2, zone="QUARANTINE"))

    assert town.packs(goods, town.there, "QUARANTINE") == 2
    assert (
        town.rows("select hold from lot where tenant_id = %(t)s and id = %(l)s", l=town.lot(goods, town.there))[0].hold
        == "recalled"
    )
    town.check()


def test_a_wrong_code_is_named_and_nothing_is_received(town):
    goods, other = make_goods(town.here, 2), make_goods(town.here, 1)
    transfer, second = town.send(town.line(goods, 2)), town.send(town.line(other, 1))

    with pytest.raises(NotWithThisTransfer, match=other.codes[0]):
        town.receive(transfer, all_of(goods, 2, codes=(goods.codes[0], other.codes[0])))

    assert town.everywhere(goods) == (0, 2, 0)
    assert town.state(second) == "sent"


def test_a_code_scanned_into_the_wrong_line_is_refused(town):
    one, two = make_goods(town.here, 1), make_goods(town.here, 1)
    transfer = town.send(town.line(one, 1), town.line(two, 1))

    with pytest.raises(NotWithThisTransfer):
        town.receive(transfer, all_of(one, 1, codes=two.codes), all_of(two, 1, line_no=2, codes=one.codes))


def test_only_the_facility_it_was_sent_to_receives_it(town, facility_app):
    goods = plain(town.here, 2)
    transfer = town.send(town.line(goods, 2))
    stranger = make_pharmacy(facility_app)

    for desk in (town.near, desk_of(stranger)):
        with pytest.raises(NotFound):
            town.receive(transfer, all_of(goods, 2), desk=desk)

    assert town.everywhere(goods) == (0, 2, 0)


def test_more_than_was_sent_and_less_without_a_reason_are_not_received(town):
    goods = plain(town.here, 4)
    transfer = town.send(town.line(goods, 2))

    for arrived in (
        [all_of(goods, 3)],
        [all_of(goods, 1)],
        [],
        [all_of(goods, 2), all_of(goods, 2, line_no=7)],
        [Arrived(1, 30, "SALEABLE")],
    ):
        with pytest.raises(TransferNotReceived):
            town.receive(transfer, *arrived)

    assert town.everywhere(goods) == (2, 2, 0)


def test_opened_packs_travel_with_their_code_and_stay_opened(town):
    goods = make_goods(town.here, 1)
    stock.open_pack(town.near, goods.product_id, goods.codes[0])
    transfer = town.send(town.line(goods, 1, zone="SPLIT"))

    with pytest.raises(TransferNotReceived):
        town.receive(transfer, all_of(goods, 1))
    town.receive(transfer, all_of(goods, 1, zone="SPLIT"))

    assert town.code(goods.codes[0])[:2] == ("SPLIT_OPEN", "SPLIT")
    town.check()


# ---- what did not arrive ----


def test_what_did_not_arrive_stays_in_transit_with_a_reason(town):
    goods = make_goods(town.here, 3)
    transfer = town.send(town.line(goods, 3))

    town.receive(transfer, all_of(goods, 2, reason="missing"))

    assert town.everywhere(goods) == (0, 1, 2)
    assert town.state(transfer) == "claimed"
    assert town.code(goods.codes[2])[:2] == ("IN_TRANSIT", "TRANSIT")
    town.check()


def test_nothing_at_all_arrived(town):
    goods = make_goods(town.here, 2)
    transfer = town.send(town.line(goods, 2))

    town.receive(transfer, all_of(goods, 0, zone="", reason="missing"))

    assert town.everywhere(goods) == (0, 2, 0)
    assert town.facts(town.there) == []
    town.check()


def settle(town, transfer, outcome, goods, packs, *, codes=(), desk=None, **more):
    desk = desk or (town.far if outcome == "found" else town.near)
    zone = more.pop("zone", "" if outcome == "lost" else "SALEABLE")
    return actions.settle_claim(
        desk,
        more.pop("id", None) or uuid4(),
        transfer,
        1,
        outcome,
        packs * goods.pack_size,
        "已查明",
        zone=zone,
        codes=codes,
        **more,
    )


def test_found_back_and_lost_close_a_claim(town):
    goods = make_goods(town.here, 4)
    transfer = town.send(town.line(goods, 4))
    town.receive(transfer, all_of(goods, 1, reason="missing"))

    settle(town, transfer, "found", goods, 1, codes=goods.codes[1:2])
    settle(town, transfer, "back", goods, 1, codes=goods.codes[2:3])
    assert town.state(transfer) == "claimed"
    settle(town, transfer, "lost", goods, 1, codes=goods.codes[3:], second_id=town.here.pharmacist)

    assert town.state(transfer) == "closed"
    assert town.everywhere(goods) == (1, 0, 2)
    assert [town.code(code)[0] for code in goods.codes] == ["IN_STOCK", "IN_STOCK", "IN_STOCK", "LOST"]
    assert [fact["act"] for fact in town.facts(town.here)] == [
        "send",
        "hand_over",
        "hand_over",
        "come_back",
        "lose_transit",
    ]
    assert town.facts(town.here)[-1]["approver"] == "003 赵*师"
    town.check()


def test_a_claim_settled_twice_is_settled_once(town):
    goods = plain(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    town.receive(transfer, all_of(goods, 0, reason="missing", zone=""))
    claim = uuid4()

    assert settle(town, transfer, "back", goods, 1, id=claim) == settle(town, transfer, "back", goods, 1, id=claim)

    assert town.everywhere(goods) == (1, 2, 0)
    with pytest.raises(DocumentChanged):
        settle(town, transfer, "back", goods, 2, id=claim)


def test_losing_takes_a_second_person_and_each_end_says_its_own(town):
    goods = plain(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    town.receive(transfer, all_of(goods, 1, reason="broken"))

    for outcome, more in (
        ("lost", {}), ("lost", {"second_id": town.here.clerk}), ("lost", {"second_id": 10**9}), ("found", {"desk": town.near}), ("back", {"desk": town.far}),
        ("lost", {"desk": town.far, "second_id": town.here.pharmacist}), ("back", {"zone": "REJECT"}), ("gone", {}),
    ):  # fmt: skip
        with pytest.raises(ClaimNotSettled):
            settle(town, transfer, outcome, goods, 1, **more)
    with pytest.raises(ClaimNotSettled):
        settle(town, transfer, "back", goods, 3)

    assert town.everywhere(goods) == (0, 2, 1)


def test_a_stranger_settles_nothing(town, facility_app):
    goods = plain(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    town.receive(transfer, all_of(goods, 1, reason="broken"))
    stranger = make_pharmacy(facility_app)

    with pytest.raises(NotFound):
        settle(town, transfer, "back", goods, 1, desk=desk_of(stranger))


# ---- whatever happens in between ----


def test_a_fall_between_the_two_houses_leaves_everything_as_it_was(town, monkeypatch):
    goods = make_goods(town.here, 2)
    transfer = town.send(town.line(goods, 2))

    def fall(name):
        assert name == "transfer.between"
        raise KeyboardInterrupt

    monkeypatch.setattr(faults, "at", fall)
    with pytest.raises(KeyboardInterrupt):
        town.receive(transfer, all_of(goods, 2))
    monkeypatch.undo()

    assert town.everywhere(goods) == (0, 2, 0)
    town.check()
    town.receive(transfer, all_of(goods, 2))
    assert town.everywhere(goods) == (0, 0, 2)
    town.check()


# ---- budgets ----


def test_sending_and_receiving_five_lines_take_few_statements(town):
    goods = [make_goods(town.here, 2) for _ in range(5)]
    lines = [town.line(each, 2) for each in goods]

    with statements() as ran:
        transfer = town.send(*lines)
    assert len(ran) == 8, ran
    with statements() as ran:
        town.receive(transfer, *(all_of(each, 2, line_no=n) for n, each in enumerate(goods, 1)))
    assert len(ran) == 12, ran


def test_without_codes_sending_takes_two_statements_less(town):
    goods = [plain(town.here, 2) for _ in range(5)]
    lines = [town.line(each, 1) for each in goods]

    with statements() as ran:
        town.send(*lines)

    assert len(ran) == 6, ran


@hot_action
def hold(town, lot, how):
    with transaction(settings=town.near.settings) as hot:
        hot.run(
            "update lot set hold = %(h)s where tenant_id = %(tenant)s and id = %(l)s",
            {**town.near.keys, "l": lot, "h": how},
        )
