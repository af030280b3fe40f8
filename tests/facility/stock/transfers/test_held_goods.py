"""Goods that may not be sold do not go to another shop; what was held on its way arrives held, by whoever held it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.facility.stock.errors import StockNotMovable
from app.facility.stock.recalls import actions as recalls
from app.facility.stock.recalls import queries
from app.facility.stock.recalls.errors import ReleasedByOthersOnly
from app.facility.stock.recalls.rules import Wanted
from app.facility.stock.transfers import actions
from app.facility.stock.transfers.errors import (
    TransferNotReceived,
)
from tests.facility.stock.transfers.conftest import all_of
from tests.factories.shop import desk_of, make_goods, plain


def test_expired_and_frozen_goods_are_not_sent(town, monkeypatch):
    old, held = plain(town.here, 2, expires_in=1), plain(town.here, 2)
    town.hold(town.lot(held), "frozen")
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)

    for goods in (old, held):
        with pytest.raises(StockNotMovable):
            town.send(town.line(goods, 1))


def test_what_was_recalled_on_its_way_arrives_in_quarantine_and_stays_recalled(town):
    goods = make_goods(town.here, 2)
    transfer = town.send(town.line(goods, 2))
    town.hold(town.lot(goods), "recalled")

    with pytest.raises(TransferNotReceived):
        town.receive(transfer, all_of(goods, 2))
    town.receive(transfer, all_of(goods, 2, zone="QUARANTINE"))

    assert town.packs(goods, town.there, "QUARANTINE") == 2
    assert (
        town.rows("select hold from lot where tenant_id = %(t)s and id = %(l)s", l=town.lot(goods, town.there))[0].hold
        == "recalled"
    )
    town.check()


@pytest.mark.parametrize("how", ["frozen", "recalled"])
def test_the_center_is_told_once_of_a_lot_that_arrived_held(town, how):
    goods, sound = make_goods(town.here, 2), plain(town.here, 1)
    transfer = town.send(town.line(goods, 2), town.line(sound, 1))
    town.hold(town.lot(goods), how)
    arrived = (all_of(goods, 2, zone="QUARANTINE"), all_of(sound, 1, line_no=2))

    town.receive(transfer, *arrived)
    town.receive(transfer, *arrived)

    told = town.facts(town.there, "lot.held")
    assert [(each["document"], each["act"], each["hold"], each["recall"]) for each in told] == [
        (str(transfer), "held", how, None)
    ]
    assert [(lot["lot"], lot["zones"]) for lot in told[0]["lots"]] == [
        (goods.lot_number, [{"zone": "QUARANTINE", "quantity": 2 * goods.pack_size}])
    ]
    kinds = town.rows("select kind from outbox where facility_id = %(f)s order by number", f=town.there.facility_id)
    assert [row.kind for row in kinds][-2:] == ["stock.moved", "lot.held"]
    assert town.facts(town.here, "lot.held") == []
    town.check()


def test_the_center_is_told_of_a_held_lot_that_is_found_later(town):
    goods = plain(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    town.hold(town.lot(goods), "frozen")
    town.receive(transfer, all_of(goods, 0, zone="QUARANTINE", reason="missing"))
    assert town.facts(town.there, "lot.held") == []

    actions.settle_claim(town.far, uuid4(), transfer, 1, "found", 3 * goods.pack_size, "车上找到", zone="QUARANTINE")

    told = town.facts(town.there, "lot.held")
    assert [(each["hold"], each["lots"][0]["quantity"]) for each in told] == [("frozen", 3 * goods.pack_size)]
    town.check()


@pytest.mark.parametrize("found_later", [False, True])
def test_a_lot_that_was_locked_on_its_way_is_locked_there_by_whoever_locked_it(town, found_later):
    goods, boss = plain(town.here, 3), desk_of(town.here, town.here.owner)
    transfer = town.send(town.line(goods, 3))
    recalls.hold_lot(boss, uuid4(), town.lot(goods), "变色")

    if found_later:
        town.receive(transfer, all_of(goods, 0, zone="QUARANTINE", reason="missing"))
        town.settle(transfer, "found", goods, 3, zone="QUARANTINE")
    else:
        town.receive(transfer, all_of(goods, 3, zone="QUARANTINE"))

    [held] = queries.list_holds(town.there.facility_id)
    assert (held.hold, held.hold_reason, held.held_by, held.copied) == ("frozen", "变色", town.here.owner, True)
    assert held.changed_at is not None
    copy = town.lot(goods, town.there)
    with pytest.raises(ReleasedByOthersOnly):
        recalls.release_lot(desk_of(town.there, town.here.owner), uuid4(), copy, "已复检")
    recalls.release_lot(desk_of(town.there, town.here.pharmacist), uuid4(), copy, "已复检")
    assert queries.list_holds(town.there.facility_id) == []


def test_a_lot_that_was_locked_before_it_was_recalled_is_locked_there_too_when_the_recall_ends(town):
    goods, recall = plain(town.here, 2), uuid4()
    boss, druggist = (desk_of(town.here, who) for who in (town.here.owner, town.here.pharmacist))
    transfer = town.send(town.line(goods, 2))
    recalls.hold_lot(boss, uuid4(), town.lot(goods), "变色")
    recalls.issue_recall(boss, recall, Wanted(goods.product_id, (goods.lot_number,), 1, "有异物"))
    town.receive(transfer, all_of(goods, 2, zone="QUARANTINE"))

    recalls.close_recall(druggist, recall, "已查清")

    assert [row.hold for row in queries.list_holds(town.here.facility_id)] == ["frozen"]
    assert [row.hold for row in queries.list_holds(town.there.facility_id)] == ["frozen"]


def test_a_lot_that_was_there_already_is_not_held_with_the_one_that_arrives(town):
    goods = plain(town.here, 4)
    town.receive(town.send(town.line(goods, 1)), all_of(goods, 1))
    transfer = town.send(town.line(goods, 1))
    recalls.hold_lot(desk_of(town.here, town.here.owner), uuid4(), town.lot(goods), "变色")

    town.receive(transfer, all_of(goods, 1, zone="QUARANTINE"))

    assert queries.list_holds(town.there.facility_id) == []
