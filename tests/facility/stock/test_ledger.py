"""The one way of moving goods: the rulebook holds, balances and codes follow, the center is told."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from app.core import clock
from app.facility.db import hot_action, transaction
from app.facility.stock import actions, ledger, rulebook
from app.facility.stock.errors import CodesDoNotFit, NotEnoughInZone, StockNotMovable
from app.facility.stock.ledger import Move, Story
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import check_books, make_goods, one, sell


@hot_action
def do(desk, act, *moves, **more):
    with transaction(settings=desk.settings) as hot:
        return ledger.post(hot, desk, rulebook.ACTS[act], uuid4(), clock.now(), moves, Story("试"), **more)


def lot_of(pharmacy, goods):
    return one(
        pharmacy,
        "select id from lot where tenant_id = %(t)s and product_id = %(p)s and lot_number = %(l)s order by id",
        p=goods.product_id,
        l=goods.lot_number,
    ).id


def zone_of(pharmacy, goods, zone):
    row = one(
        pharmacy,
        "select coalesce(sum(on_hand), 0)::bigint as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s and zone = %(z)s",
        p=goods.product_id,
        z=zone,
    )
    return row.n // goods.pack_size


def state_of(pharmacy, code):
    row = one(pharmacy, "select state, zone from trace_code where tenant_id = %(t)s and code = %(c)s", c=code)
    return row.state, row.zone


def last_fact(pharmacy):
    row = one(
        pharmacy,
        "select kind, convert_from(body, 'UTF8') as body from outbox where tenant_id = %(t)s order by number desc limit 1",
    )
    return row.kind, json.loads(row.body)


def test_a_held_pack_lies_in_quarantine_with_its_code_and_the_center_is_told(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    lot, size = lot_of(pharmacy, goods), goods.pack_size

    posted = do(desk, "hold", Move(1, lot, size, "SALEABLE", "QUARANTINE", goods.codes[:1]))

    assert posted.number.startswith("K")
    assert (zone_of(pharmacy, goods, "SALEABLE"), zone_of(pharmacy, goods, "QUARANTINE")) == (2, 1)
    assert state_of(pharmacy, goods.codes[0]) == ("FROZEN", "QUARANTINE")
    kind, body = last_fact(pharmacy)
    assert kind == "stock.moved"
    assert body["act"] == "hold"
    line = body["lines"][0]
    assert (line["from_zone"], line["to_zone"], line["codes"]) == ("SALEABLE", "QUARANTINE", [goods.codes[0]])
    check_books(pharmacy)


def test_the_rest_of_a_held_lot_can_still_be_sold_and_the_held_pack_cannot(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    do(desk, "hold", Move(1, lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "QUARANTINE", goods.codes[:1]))

    with pytest.raises(Exception, match="code_not_on_shelf"):
        sell(desk, goods.codes[0])
    sell(desk, goods.codes[1])

    check_books(pharmacy)


def test_all_of_a_zone_takes_its_codes_along_unnamed(pharmacy, desk):
    goods = make_goods(pharmacy, 4)

    do(desk, "reject", Move(1, lot_of(pharmacy, goods), 4 * goods.pack_size, "SALEABLE", "REJECT"))

    assert {state_of(pharmacy, code) for code in goods.codes} == {("FROZEN", "REJECT")}


def test_coded_packs_do_not_move_without_their_codes(pharmacy, desk):
    goods = make_goods(pharmacy, 4)

    with pytest.raises(CodesDoNotFit):
        do(desk, "hold", Move(1, lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "QUARANTINE"))

    assert zone_of(pharmacy, goods, "SALEABLE") == 4


def test_codes_must_fit_the_quantity_the_lot_and_their_state(pharmacy, desk):
    goods, other = make_goods(pharmacy, 4), make_goods(pharmacy, 1)
    lot, size = lot_of(pharmacy, goods), goods.pack_size
    sell(desk, goods.codes[3])

    for codes in (goods.codes[:2], other.codes, (goods.codes[3],), ("99999999999999999999",)):
        with pytest.raises(CodesDoNotFit):
            do(desk, "hold", Move(1, lot, size, "SALEABLE", "QUARANTINE", codes))

    assert zone_of(pharmacy, goods, "QUARANTINE") == 0
    check_books(pharmacy)


def test_one_code_on_two_lines_is_refused(pharmacy, desk):
    goods = make_goods(pharmacy, 4)
    lot, size = lot_of(pharmacy, goods), goods.pack_size

    with pytest.raises(CodesDoNotFit):
        do(desk, "hold", *(Move(n, lot, size, "SALEABLE", "QUARANTINE", goods.codes[:1]) for n in (1, 2)))

    check_books(pharmacy)


def test_no_more_leaves_a_zone_than_is_free_in_it(pharmacy, desk):
    goods = make_goods(pharmacy, 2, coded=False, trace_required=False)
    lot, size = lot_of(pharmacy, goods), goods.pack_size

    with pytest.raises(NotEnoughInZone):
        do(desk, "reject", *(Move(n, lot, size * n, "SALEABLE", "REJECT") for n in (1, 2)))

    assert zone_of(pharmacy, goods, "SALEABLE") == 2


def test_expired_goods_may_be_destroyed_by_way_of_reject_and_nothing_else(pharmacy, desk, monkeypatch):
    goods = make_goods(pharmacy, 2, coded=False, trace_required=False, expires_in=1)
    lot, size = lot_of(pharmacy, goods), goods.pack_size
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)

    for act, zone in (("send", "TRANSIT"), ("split", "SPLIT"), ("move", "COLD")):
        with pytest.raises(StockNotMovable):
            do(desk, act, Move(1, lot, size, "SALEABLE", zone))
    do(desk, "reject", Move(1, lot, size, "SALEABLE", "REJECT"))
    do(desk, "destroy", Move(1, lot, size, "REJECT"))

    assert (zone_of(pharmacy, goods, "SALEABLE"), zone_of(pharmacy, goods, "REJECT")) == (1, 0)
    check_books(pharmacy)


def test_whole_packs_of_a_lot_lie_in_one_selling_zone(pharmacy, desk):
    goods = make_goods(pharmacy, 2, coded=False, trace_required=False)
    lot, size = lot_of(pharmacy, goods), goods.pack_size

    with pytest.raises(StockNotMovable):
        do(desk, "move", Move(1, lot, size, "SALEABLE", "COLD"))
    do(desk, "move", Move(1, lot, 2 * size, "SALEABLE", "COLD"))

    assert zone_of(pharmacy, goods, "COLD") == 2


@pytest.mark.parametrize(("hold", "act"), [("frozen", "send"), ("recalled", "move"), ("recalled", "split")])
def test_what_is_held_stays(pharmacy, desk, hold, act):
    goods = make_goods(pharmacy, 1, coded=False, trace_required=False)
    lot = lot_of(pharmacy, goods)
    _hold(desk, lot, hold)
    to = {"send": "TRANSIT", "move": "COLD", "split": "SPLIT"}[act]

    with pytest.raises(StockNotMovable):
        do(desk, act, Move(1, lot, goods.pack_size, "SALEABLE", to))
    do(desk, "return_out", Move(1, lot, goods.pack_size, "SALEABLE"))

    check_books(pharmacy)


@hot_action
def _hold(desk, lot, hold):
    with transaction(settings=desk.settings) as hot:
        hot.run("update lot set hold = %(hold)s where tenant_id = %(tenant)s and id = %(lot)s", {**desk.keys, "lot": lot, "hold": hold})  # fmt: skip


def test_another_organization_s_lot_is_no_lot(pharmacy, desk, facility_app, center_app):

    stranger = make_insured_pharmacy(facility_app, center_app)
    with facility_app.app_context():
        goods = make_goods(stranger, 1, coded=False, trace_required=False)

    with pytest.raises(StockNotMovable):
        do(desk, "hold", Move(1, lot_of(stranger, goods), 1, "SALEABLE", "QUARANTINE"))


def test_an_opened_pack_is_told_to_the_center_with_its_code(pharmacy, desk):
    goods = make_goods(pharmacy, 1)

    actions.open_pack(desk, goods.product_id, goods.codes[0])

    kind, body = last_fact(pharmacy)
    assert (kind, body["act"], body["lines"][0]["codes"], body["lines"][0]["split"]) == ("stock.moved", "split", [goods.codes[0]], True)  # fmt: skip
    assert state_of(pharmacy, goods.codes[0]) == ("SPLIT_OPEN", "SPLIT")


def test_units_of_an_opened_pack_go_without_the_pack(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    lot = lot_of(pharmacy, goods)
    for code in goods.codes:
        actions.open_pack(desk, goods.product_id, code)
    first, second = sorted(goods.codes)

    do(desk, "use", Move(1, lot, 4, "SPLIT", "", (second,)))
    do(desk, "loss", Move(1, lot, goods.pack_size + 1, "SPLIT"))

    rows = {code: one(pharmacy, "select state, zone, remaining from trace_code where tenant_id = %(t)s and code = %(c)s", c=code) for code in goods.codes}  # fmt: skip
    assert (rows[first].state, rows[first].zone) == ("LOST", "SPLIT")
    assert (rows[second].state, rows[second].remaining) == ("SPLIT_OPEN", goods.pack_size - 5)
    check_books(pharmacy)


def test_what_is_used_up_whole_is_empty(pharmacy, desk):
    goods = make_goods(pharmacy, 1)

    do(desk, "use", Move(1, lot_of(pharmacy, goods), goods.pack_size, "SALEABLE", "", goods.codes))

    row = one(
        pharmacy, "select state, remaining from trace_code where tenant_id = %(t)s and code = %(c)s", c=goods.codes[0]
    )
    assert (row.state, row.remaining) == ("SOLD", 0)


def test_the_rules_say_what_may_never_be_sold():
    selling = [act for act in rulebook.ACTS.values() if act.code in {"sell", "split", "send", "use", "move", "release", "fill_drawer"}]  # fmt: skip

    assert len(selling) == 7
    assert all(not act.takes for act in selling)
    assert all(set(act.leaves) <= {*rulebook.SELLING, "SPLIT", "RECEIVING", "QUARANTINE"} for act in selling)


def test_the_page_of_rules_shows_the_table_of_rules():
    """`docs/stock-rules.md` is written from the rulebook; the row to put there stands in the failure."""
    page = (Path(__file__).parents[3] / "docs" / "stock-rules.md").read_text()
    rows = [row(act) for act in rulebook.ACTS.values()]

    assert [line for line in page.splitlines() if line.startswith("| ") and "`" in line] == rows


def row(act):
    def zones(names):
        return "、".join(rulebook.ZONE_WORDS[name] for name in names) or "店外"

    words = {"expired": "过期", "frozen": "锁定", "recalled": "召回"}
    takes = "、".join(words[each] for each in act.takes) or "—"
    return f"| {act.word} `{act.code}` | {act.kind} | {zones(act.leaves)} | {zones(act.enters)} | {takes} | {'是' if act.second else '—'} |"
