"""Corrections: reversing rows with before and after, alone below the site's limit and by two above it."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import clock
from app.core.errors import DocumentChanged, NotFound
from app.facility.db import hot_action, transaction
from app.facility.organizations import actions as organizations
from app.facility.stock.errors import CodesDoNotFit, NotEnoughInZone
from app.facility.stock.keeping import actions, rules
from app.facility.stock.keeping.errors import LotTaken, PaperNotTaken, StockHasChanged
from app.facility.stock.keeping.rules import Correction
from app.facility.stock.recalls.actions import hold_lot
from app.facility.stock.recalls.queries import list_holds
from tests.facility.stock.keeping.conftest import facts, lot_of, packs_in, paper_of, state_of
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import check_books, desk_of, fill_basket, make_goods, one, plain, sell

REASON = rules.REASONS["correct"][0]


@pytest.fixture
def druggist(pharmacy, desk):
    return desk_of(pharmacy, pharmacy.pharmacist)


@hot_action
def cost(desk, lot, price):
    with transaction(settings=desk.settings) as hot:
        hot.run(
            "update lot set cost_price = %(p)s where tenant_id = %(tenant)s and id = %(lot)s",
            {**desk.keys, "lot": lot, "p": Decimal(price)},
        )


def priced(pharmacy, desk, packs=10, price="8.50", **more):
    goods = plain(pharmacy, packs, **more)
    if price:
        cost(desk, lot_of(pharmacy, goods), price)
    return goods


def correct(desk, lot, what, after, *, document=None, second=None, **more):
    return actions.ask_correction(desk, document or uuid4(), Correction(lot, what, str(after), REASON, **more), second)


def change(pharmacy):
    return one(pharmacy, "select * from lot_change where tenant_id = %(t)s order by id desc limit 1")


def test_a_small_quantity_is_corrected_by_one_person_at_once(pharmacy, desk):
    goods = priced(pharmacy, desk)
    lot = lot_of(pharmacy, goods)

    answer = correct(desk, lot, "quantity", 8 * goods.pack_size, zone="SALEABLE")

    assert (answer.state, packs_in(pharmacy, goods, "SALEABLE")) == ("posted", 8)
    row = change(pharmacy)
    assert (row.what, row.before, row.after, row.reason, row.second_id) == (
        "quantity",
        str(10 * goods.pack_size),
        str(8 * goods.pack_size),
        REASON,
        None,
    )
    assert facts(pharmacy)[-1]["act"] == "correct_out"
    assert correct(desk, lot, "quantity", 11 * goods.pack_size, zone="SALEABLE").state == "posted"
    assert facts(pharmacy)[-1]["act"] == "correct_in"
    check_books(pharmacy)


def test_above_the_limit_a_second_person_confirms(pharmacy, desk, druggist):
    goods, document = priced(pharmacy, desk, price="150"), uuid4()
    lot = lot_of(pharmacy, goods)

    asked = correct(desk, lot, "quantity", 8 * goods.pack_size, zone="SALEABLE", document=document)

    assert (asked.state, packs_in(pharmacy, goods, "SALEABLE")) == ("asked", 10)
    assert actions.decide_document(druggist, document, yes=True).state == "posted"
    assert packs_in(pharmacy, goods, "SALEABLE") == 8
    assert change(pharmacy).second_id == druggist.staff_id
    assert paper_of(pharmacy, document).act == "correct"


def test_the_site_sets_the_limit(pharmacy, desk):
    goods = priced(pharmacy, desk)
    organizations.set_parameter("correction_limit_fen", "0", None, pharmacy.owner)

    assert correct(desk, lot_of(pharmacy, goods), "quantity", 9 * goods.pack_size, zone="SALEABLE").state == "asked"


def test_unknown_cost_and_a_longer_expiry_always_take_two(pharmacy, desk, druggist):
    goods = priced(pharmacy, desk, price="")
    known = priced(pharmacy, desk, price="0.01")
    longer = clock.business_date() + timedelta(days=900)

    assert correct(desk, lot_of(pharmacy, goods), "quantity", 9 * goods.pack_size, zone="SALEABLE").state == "asked"
    assert correct(desk, lot_of(pharmacy, known), "expires_on", longer).state == "asked"
    assert correct(desk, lot_of(pharmacy, known), "expires_on", longer, second=druggist.staff_id).state == "posted"


def test_codes_of_packs_that_were_never_there_may_turn_up_again(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    lot = lot_of(pharmacy, goods)
    cost(desk, lot, "1")

    with pytest.raises(CodesDoNotFit):
        correct(desk, lot, "quantity", 2 * goods.pack_size, zone="SALEABLE")
    correct(desk, lot, "quantity", 2 * goods.pack_size, zone="SALEABLE", codes=goods.codes[:1])
    assert state_of(pharmacy, goods.codes[0])[0] == "LOST"
    with pytest.raises(CodesDoNotFit):
        correct(desk, lot, "quantity", 3 * goods.pack_size, zone="SALEABLE", codes=goods.codes[1:2])
    correct(desk, lot, "quantity", 3 * goods.pack_size, zone="SALEABLE", codes=goods.codes[:1])

    assert state_of(pharmacy, goods.codes[0]) == ("IN_STOCK", "SALEABLE")
    sell(desk, goods.codes[0])
    check_books(pharmacy)


def test_a_lot_number_is_corrected_with_goods_codes_and_cost(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    old = lot_of(pharmacy, goods)
    cost(desk, old, "1")
    sell(desk, goods.codes[2])

    answer = correct(desk, old, "lot_number", "B20260101")

    new = one(pharmacy, "select id, cost_price from lot where tenant_id = %(t)s and lot_number = 'B20260101'")
    assert answer.state == "posted"
    assert new.cost_price == 1
    rows = one(
        pharmacy,
        "select array_agg(lot_id order by code) as lots from trace_code where tenant_id = %(t)s and code = any(%(c)s)",
        c=list(goods.codes[:2]),
    )
    assert rows.lots == [new.id, new.id]
    assert (
        one(pharmacy, "select lot_id from trace_code where tenant_id = %(t)s and code = %(c)s", c=goods.codes[2]).lot_id
        == old
    )
    assert (
        one(pharmacy, "select on_hand from lot_balance where tenant_id = %(t)s and lot_id = %(l)s", l=old).on_hand == 0
    )
    assert [fact["act"] for fact in facts(pharmacy)[-2:]] == ["correct_out", "correct_in"]
    assert (change(pharmacy).lot_id, change(pharmacy).before, change(pharmacy).after) == (
        new.id,
        goods.lot_number,
        "B20260101",
    )
    sell(desk, goods.codes[0])
    check_books(pharmacy)


def test_an_expiry_is_corrected_and_rules_the_sale(pharmacy, desk):
    goods = priced(pharmacy, desk, packs=2)
    soon = clock.business_date() - timedelta(days=1)

    correct(desk, lot_of(pharmacy, goods), "expires_on", soon)

    row = one(
        pharmacy,
        "select expires_on from lot_balance where tenant_id = %(t)s and product_id = %(p)s and on_hand > 0",
        p=goods.product_id,
    )
    assert row.expires_on == soon


def test_a_held_lot_stays_held_under_its_right_number(pharmacy, desk):
    goods, other = priced(pharmacy, desk), priced(pharmacy, desk)
    lot = lot_of(pharmacy, goods)
    _hold(desk, lot)
    free = make_goods(pharmacy, 1, coded=False, product_id=goods.product_id)

    with pytest.raises(LotTaken):
        correct(desk, lot, "lot_number", free.lot_number)
    correct(desk, lot, "lot_number", "RIGHT-1")

    assert one(pharmacy, "select hold from lot where tenant_id = %(t)s and lot_number = 'RIGHT-1'").hold == "recalled"
    assert other


def test_a_lot_locked_under_a_wrong_number_was_locked_by_the_same_person(pharmacy, desk, druggist):
    goods = priced(pharmacy, desk)
    hold_lot(druggist, uuid4(), lot_of(pharmacy, goods), "变色")

    correct(desk, lot_of(pharmacy, goods), "lot_number", "RIGHT-4")

    held = next(row for row in list_holds(pharmacy.facility_id) if row.lot_number == "RIGHT-4")
    assert (held.held_by, held.hold_reason, held.copied) == (pharmacy.pharmacist, "变色", True)


def test_the_center_is_told_of_a_held_lot_under_its_right_number(pharmacy, desk):
    goods = priced(pharmacy, desk, packs=3)
    lot = lot_of(pharmacy, goods)
    _hold(desk, lot)

    correct(desk, lot, "lot_number", "RIGHT-2")

    told = facts(pharmacy, "lot.held")
    assert [(each["hold"], [part["lot"] for part in each["lots"]]) for each in told] == [("recalled", ["RIGHT-2"])]
    assert told[0]["lots"][0]["quantity"] == 3 * goods.pack_size
    correct(desk, lot_of(pharmacy, priced(pharmacy, desk)), "lot_number", "RIGHT-3")
    assert len(facts(pharmacy, "lot.held")) == 1  # Of a sound lot there is nothing to tell.


@hot_action
def _hold(desk, lot):
    with transaction(settings=desk.settings) as hot:
        hot.run(
            "update lot set hold = 'recalled' where tenant_id = %(tenant)s and id = %(lot)s", {**desk.keys, "lot": lot}
        )


def test_a_cost_is_corrected_with_its_history_and_nothing_moves(pharmacy, desk, druggist):
    goods, document = priced(pharmacy, desk, packs=2), uuid4()
    lot = lot_of(pharmacy, goods)

    answer = correct(desk, lot, "cost_price", "9", document=document)

    assert answer.state == "posted"
    assert one(pharmacy, "select cost_price from lot where tenant_id = %(t)s and id = %(l)s", l=lot).cost_price == 9
    assert (change(pharmacy).before, change(pharmacy).after) == ("8.500000", "9.000000")
    assert facts(pharmacy) == []
    assert correct(desk, lot, "cost_price", "200").state == "asked"
    assert one(pharmacy, "select cost_price from lot where tenant_id = %(t)s and id = %(l)s", l=lot).cost_price == 9
    assert correct(desk, lot, "cost_price", "200", second=druggist.staff_id).state == "posted"


def test_what_changed_meanwhile_is_asked_again(pharmacy, desk, druggist):
    goods, document = priced(pharmacy, desk, price="500"), uuid4()
    lot = lot_of(pharmacy, goods)
    correct(desk, lot, "quantity", 8 * goods.pack_size, zone="SALEABLE", document=document)
    correct(desk, lot, "quantity", 9 * goods.pack_size, zone="SALEABLE", second=druggist.staff_id)

    with pytest.raises(StockHasChanged):
        actions.decide_document(druggist, document, yes=True)


def test_reserved_goods_are_not_corrected_away(pharmacy, desk):
    goods = make_goods(pharmacy, 1)
    lot = lot_of(pharmacy, goods)
    cost(desk, lot, "1")
    fill_basket(desk, goods.codes[0])
    _reserve(desk, lot, goods.pack_size)

    with pytest.raises(NotEnoughInZone):
        correct(desk, lot, "lot_number", "ELSE-1")


@hot_action
def _reserve(desk, lot, units):
    with transaction(settings=desk.settings) as hot:
        hot.run(
            "update lot_balance set reserved = %(u)s where tenant_id = %(tenant)s and lot_id = %(lot)s",
            {**desk.keys, "lot": lot, "u": units},
        )


def test_the_same_correction_twice_is_one(pharmacy, desk):
    goods, document = priced(pharmacy, desk), uuid4()
    lot = lot_of(pharmacy, goods)

    first = correct(desk, lot, "quantity", 9 * goods.pack_size, zone="SALEABLE", document=document)

    assert correct(desk, lot, "quantity", 9 * goods.pack_size, zone="SALEABLE", document=document) == first
    assert packs_in(pharmacy, goods, "SALEABLE") == 9
    with pytest.raises(DocumentChanged):
        correct(desk, lot, "quantity", 8 * goods.pack_size, zone="SALEABLE", document=document)


@pytest.mark.parametrize(
    ("what", "after", "zone"),
    [
        ("quantity", "-1", "SALEABLE"), ("quantity", "一", "SALEABLE"), ("quantity", "9" * 12, "SALEABLE"), ("quantity", "5", "NOWHERE"), ("quantity", "5", "TRANSIT"),
        ("lot_number", "", ""), ("lot_number", "长" * 41, ""), ("expires_on", "2026-02-30", ""), ("expires_on", "1999-01-01", ""), ("cost_price", "-1", ""),
        ("cost_price", "NaN", ""), ("cost_price", "1e20", ""), ("cost_price", "8.5", ""), ("hold", "x", ""), ("id", "1", ""), ("quantity", "240", "SALEABLE"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(pharmacy, desk, what, after, zone):
    goods = priced(pharmacy, desk)

    with pytest.raises(PaperNotTaken):
        correct(desk, lot_of(pharmacy, goods), what, after, zone=zone)

    assert packs_in(pharmacy, goods, "SALEABLE") == 10


def test_another_organization_s_lot_is_no_lot(pharmacy, desk, facility_app, center_app):
    goods = priced(pharmacy, desk)
    stranger = desk_of(other := make_insured_pharmacy(facility_app, center_app), other.owner)

    with pytest.raises(NotFound):
        correct(stranger, lot_of(pharmacy, goods), "lot_number", "MINE")
