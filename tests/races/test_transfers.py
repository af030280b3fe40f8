"""Goods between two shops under several hands at once: never in two places, never in none."""

from functools import partial
from uuid import uuid4

import pytest

from app.core import tenancy
from app.core.errors import Refusal
from app.facility.stock.transfers import actions
from tests.facility.stock.transfers.conftest import Town, all_of
from tests.factories.branches import make_branch
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import desk_of, make_goods


@pytest.fixture
def town(facility_app, center_app):
    here = make_insured_pharmacy(facility_app, center_app)
    there = make_branch(facility_app, center_app, here)
    with facility_app.app_context(), tenancy.as_tenant(here.tenant_id):
        yield Town(here, there)


def test_two_people_receiving_at_once_receive_once(town, at_once):
    goods = make_goods(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    other = desk_of(town.there, town.there.pharmacist)

    ended = at_once(
        (town.here, lambda: town.receive(transfer, all_of(goods, 3))),
        (town.here, lambda: town.receive(transfer, all_of(goods, 2, reason="missing"), desk=other)),
    )

    assert sorted(isinstance(each, Refusal) for each in ended) == [False, True]
    shelf, way, there = town.everywhere(goods)
    assert shelf == 0
    assert way + there == 3
    town.check()


def test_the_same_receipt_four_times_at_once_is_one(town, at_once):
    goods = make_goods(town.here, 2)
    transfer = town.send(town.line(goods, 2))

    ended = at_once(*[(town.here, lambda: town.receive(transfer, all_of(goods, 2)))] * 4)

    assert len(set(ended)) == 1
    assert town.everywhere(goods) == (0, 0, 2)
    town.check()


def test_two_transfers_of_one_pack_send_it_once(town, at_once):
    goods = make_goods(town.here, 1)

    ended = at_once(*[(town.here, lambda: town.send(town.line(goods, 1)))] * 4)

    assert sum(isinstance(each, Refusal) for each in ended) == 3
    assert town.everywhere(goods) == (0, 1, 0)
    town.check()


def test_transfers_that_cross_each_other_all_arrive(town, at_once):
    """The same lots go both ways at the same moment: whoever waits for the other is let through."""
    goods = [make_goods(town.here, 12, coded=False, trace_required=False) for _ in range(3)]
    first = town.send(*(town.line(each, 8) for each in goods))
    town.receive(first, *(all_of(each, 8, line_no=n) for n, each in enumerate(goods, 1)))

    def one_way(line, back):
        transfer = town.send(*(line(each) for each in (reversed(goods) if back else goods)), back=back)
        order = list(reversed(goods)) if back else goods
        arrived = [all_of(each, 1, line_no=n) for n, each in enumerate(order, 1)]
        return town.receive(transfer, *arrived, desk=town.near if back else town.far)

    def from_there(each):
        from app.facility.stock.transfers.rules import Sent

        return Sent(town.lot(each, town.there), "SALEABLE", each.pack_size)

    jobs = [partial(one_way, lambda each: town.line(each, 1), False), partial(one_way, from_there, True)] * 3
    ended = at_once(*((town.here, job) for job in jobs))

    assert not [each for each in ended if isinstance(each, Refusal)], ended
    assert [town.everywhere(each) for each in goods] == [(4, 0, 8)] * 3
    town.check()


def test_two_people_settling_the_same_difference_settle_it_once(town, at_once):
    goods = make_goods(town.here, 1)
    transfer = town.send(town.line(goods, 1))
    town.receive(transfer, all_of(goods, 0, zone="", codes=(), reason="missing"))

    def settle(desk, outcome):
        return actions.settle_claim(
            desk, uuid4(), transfer, 1, outcome, goods.pack_size, "查明", zone="SALEABLE", codes=goods.codes
        )

    ended = at_once((town.here, lambda: settle(town.near, "back")), (town.here, lambda: settle(town.far, "found")))

    assert sorted(isinstance(each, Refusal) for each in ended) == [False, True]
    shelf, way, there = town.everywhere(goods)
    assert (shelf + there, way) == (1, 0)
    town.check()
