"""What is sent to another shop: it lies in transit, once, and only what lies there and may go."""

from uuid import uuid4

import pytest

from app.core.errors import DocumentChanged
from app.core.hot import statements
from app.facility.stock.errors import CodesDoNotFit, NotEnoughInZone
from app.facility.stock.transfers import actions
from app.facility.stock.transfers.errors import (
    NoSuchPlace,
    TransferNotReceived,
    TransferNotSent,
)
from app.facility.stock.transfers.rules import Sent
from tests.facility.stock.transfers.conftest import all_of
from tests.factories.people import make_pharmacy
from tests.factories.shop import fill_basket, make_goods, open_shift, plain


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


def test_sending_twice_sends_once_and_other_content_is_refused(town):
    goods = plain(town.here, 5)
    transfer, line = uuid4(), town.line(goods, 2)

    first = actions.send_transfer(town.near, transfer, town.there.facility_id, [line])
    again = actions.send_transfer(town.near, transfer, town.there.facility_id, [line])

    assert first == again
    assert town.everywhere(goods) == (3, 2, 0)
    with pytest.raises(DocumentChanged):
        actions.send_transfer(town.near, transfer, town.there.facility_id, [line], "改")


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


def test_without_codes_sending_takes_two_statements_less(town):
    goods = [plain(town.here, 2) for _ in range(5)]
    lines = [town.line(each, 1) for each in goods]

    with statements() as ran:
        town.send(*lines)

    assert len(ran) == 6, ran
