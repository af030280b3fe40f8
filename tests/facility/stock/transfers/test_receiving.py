"""Goods go from one shop to the other: in one place at every moment, told by both, by nobody else."""

import pytest

from app.core import faults
from app.core.errors import NotFound
from app.core.hot import statements
from app.facility.stock import actions as stock
from app.facility.stock.transfers.errors import (
    AlreadyReceived,
    NotWithThisTransfer,
    TransferNotReceived,
)
from app.facility.stock.transfers.rules import Arrived
from tests.facility.stock.transfers.conftest import all_of
from tests.factories.people import make_pharmacy
from tests.factories.shop import desk_of, make_goods, open_shift, plain, sell


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


def test_receiving_twice_receives_once_and_another_count_is_refused_by_name(town):
    goods = plain(town.here, 5)
    transfer = town.send(town.line(goods, 2))

    town.receive(transfer, all_of(goods, 2))
    town.receive(transfer, all_of(goods, 2))

    with pytest.raises(AlreadyReceived, match="陈小妹"):
        town.receive(transfer, all_of(goods, 1, reason="missing"))
    assert town.everywhere(goods) == (3, 0, 2)


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


def test_sending_and_receiving_five_lines_take_few_statements(town):
    goods = [make_goods(town.here, 2) for _ in range(5)]
    lines = [town.line(each, 2) for each in goods]

    with statements() as ran:
        transfer = town.send(*lines)
    assert len(ran) == 8, ran
    with statements() as ran:
        town.receive(transfer, *(all_of(each, 2, line_no=n) for n, each in enumerate(goods, 1)))
    assert len(ran) == 12, ran
