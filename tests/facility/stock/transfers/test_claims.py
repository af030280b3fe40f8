"""What did not arrive: it stays in transit with a reason until somebody says where it went."""

from uuid import uuid4

import pytest

from app.core.errors import DocumentChanged, NotFound
from app.facility.stock.transfers.errors import (
    ClaimNotSettled,
)
from tests.facility.stock.transfers.conftest import all_of
from tests.factories.people import make_pharmacy
from tests.factories.shop import desk_of, make_goods, plain


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


def test_what_is_lost_altogether_need_not_be_scanned(town):
    goods = make_goods(town.here, 4)
    transfer = town.send(town.line(goods, 4))
    town.receive(transfer, all_of(goods, 1, reason="missing"))

    with pytest.raises(ClaimNotSettled):
        town.settle(transfer, "lost", goods, 2, second_id=town.here.pharmacist)  # Which two?
    town.settle(transfer, "lost", goods, 3, second_id=town.here.pharmacist)

    assert [town.code(code)[0] for code in goods.codes] == ["IN_STOCK", "LOST", "LOST", "LOST"]
    assert town.state(transfer) == "closed"
    town.check()


def test_found_back_and_lost_close_a_claim(town):
    goods = make_goods(town.here, 4)
    transfer = town.send(town.line(goods, 4))
    town.receive(transfer, all_of(goods, 1, reason="missing"))

    town.settle(transfer, "found", goods, 1, codes=goods.codes[1:2])
    town.settle(transfer, "back", goods, 1, codes=goods.codes[2:3])
    assert town.state(transfer) == "claimed"
    town.settle(transfer, "lost", goods, 1, codes=goods.codes[3:], second_id=town.here.pharmacist)

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

    assert town.settle(transfer, "back", goods, 1, id=claim) == town.settle(transfer, "back", goods, 1, id=claim)

    assert town.everywhere(goods) == (1, 2, 0)
    with pytest.raises(DocumentChanged):
        town.settle(transfer, "back", goods, 2, id=claim)


def test_losing_takes_a_second_person_and_each_end_says_its_own(town):
    goods = plain(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    town.receive(transfer, all_of(goods, 1, reason="broken"))

    for outcome, more in (
        ("lost", {}), ("lost", {"second_id": town.here.clerk}), ("lost", {"second_id": 10**9}), ("found", {"desk": town.near}), ("back", {"desk": town.far}),
        ("lost", {"desk": town.far, "second_id": town.here.pharmacist}), ("back", {"zone": "REJECT"}), ("gone", {}),
    ):  # fmt: skip
        with pytest.raises(ClaimNotSettled):
            town.settle(transfer, outcome, goods, 1, **more)
    with pytest.raises(ClaimNotSettled):
        town.settle(transfer, "back", goods, 3)

    assert town.everywhere(goods) == (0, 2, 1)


def test_a_stranger_settles_nothing(town, facility_app):
    goods = plain(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    town.receive(transfer, all_of(goods, 1, reason="broken"))
    stranger = make_pharmacy(facility_app)

    with pytest.raises(NotFound):
        town.settle(transfer, "back", goods, 1, desk=desk_of(stranger))
