"""Drugs under special control: registered buyers, the two-box limit at every till of the organization, prescriptions."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.hot import statements
from app.facility.counter import baskets, refunds, settling, specials
from app.facility.counter.errors import (
    BuyerNeeded,
    BuyerUnreadable,
    EphedrineLimit,
    EphedrineLimitReached,
    NeverAtRetail,
    NotToMinors,
    SpecialNeedsPrescription,
)
from app.facility.counter.refund_plans import Back
from app.facility.organizations import actions as organizations
from app.facility.till import prescriptions
from tests.center.world import some_certno
from tests.factories.city import identify_at, make_covered_goods, make_insured, sell_insured
from tests.factories.people import make_code, make_pharmacy
from tests.factories.shop import check_books, desk_of, fill_basket, make_goods, one, open_shift


def make_ephedrine(pharmacy, packs=6, **fields):
    return make_goods(pharmacy, packs, special_class="EPHEDRINE", **fields)


def fresh(desk, *codes):
    """A new basket at a till where the last one may have been refused."""
    if left := baskets.find_open(desk):
        baskets.drop(desk, left.id)
    return fill_basket(desk, *codes)


def buy(desk, number, *codes, name="张建明"):
    """Sell boxes for cash to somebody whose identity document was seen."""
    basket, _ = fresh(desk, *codes)
    if number:
        specials.name_buyer(desk, basket, name, number)
    return settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version)


def prescribe(pharmacy, goods, packs=1, certno=""):
    paper = uuid4()
    said = prescriptions.Paper(f"RX{paper.hex[:10]}", "钱多多", "郑医师", "第一医院", clock.business_date(), "", certno)
    prescriptions.enter_prescription(desk_of(pharmacy), paper, said, [prescriptions.Wanted(goods.product_id, packs)])
    prescriptions.review_prescription(desk_of(pharmacy, pharmacy.pharmacist), paper, "赵*师", passed=True)
    return paper


def fill_prescription(pharmacy, desk, goods, packs=1, certno=""):
    basket = uuid4()
    baskets.add_prescription(desk, basket, prescribe(pharmacy, goods, packs, certno))
    fill_basket(desk, *goods.codes[:packs], basket_id=basket)
    return basket


def settle(desk, basket):
    return settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version)


def born_years_ago(years):
    day = clock.business_date() - timedelta(days=years * 366)
    return some_certno("1", f"{day:%Y%m%d}")


def book(pharmacy):
    return one(
        pharmacy,
        "select count(*) as lines, coalesce(sum(quantity), 0)::bigint as quantity from special_sale_line where tenant_id = %(t)s",
    )


# ---- ephedrine compounds ---------------------------------------------------------------------------------------------


def test_without_a_registered_buyer_no_ephedrine_is_sold(pharmacy, desk):
    goods = make_ephedrine(pharmacy)

    with pytest.raises(BuyerNeeded) as refused:
        buy(desk, None, goods.codes[0])

    assert goods.name in refused.value.message
    assert book(pharmacy).lines == 0


def test_two_boxes_are_sold_and_stand_in_the_book_with_the_buyer_sealed(pharmacy, desk):
    goods, number = make_ephedrine(pharmacy), some_certno()

    assert buy(desk, number, *goods.codes[:2]).kind == "settled"

    row = one(
        pharmacy,
        "select s.special_class, s.quantity, b.shown, b.sealed from special_sale_line s join buyer_check b on b.tenant_id = s.tenant_id and b.id = s.buyer_check_id where s.tenant_id = %(t)s",
    )
    assert (row.special_class, row.quantity) == ("EPHEDRINE", 48)
    assert row.shown == {"name": "张*明", "certno": f"{number[:6]}********{number[-4:]}"}
    assert number.encode() not in bytes(row.sealed)
    check_books(pharmacy)


def test_a_third_box_in_one_sale_is_refused(pharmacy, desk):
    goods, other = make_ephedrine(pharmacy), make_ephedrine(pharmacy)

    with pytest.raises(EphedrineLimit):
        buy(desk, some_certno(), *goods.codes[:2], other.codes[0])


def test_single_units_count_as_parts_of_a_box(pharmacy, desk):
    goods = make_ephedrine(pharmacy)
    basket, _ = fill_basket(desk, *goods.codes[:2])
    fill_basket(desk, goods.codes[2], basket_id=basket)
    other = make_ephedrine(pharmacy)
    baskets.change_line(desk, basket, 1, quantity=2)
    fill_basket(desk, other.codes[0], basket_id=basket)
    baskets.split_line(desk, basket, 2)
    specials.name_buyer(desk, basket, "张建明", some_certno())

    with pytest.raises(EphedrineLimit):
        settle(desk, basket)


def test_the_same_person_gets_no_more_today_however_many_sales(pharmacy, desk):
    goods, number = make_ephedrine(pharmacy), some_certno()
    buy(desk, number, goods.codes[0])
    buy(desk, number, goods.codes[1])

    with pytest.raises(EphedrineLimitReached) as refused:
        buy(desk, number.lower(), goods.codes[2], name="张三")

    assert "已买含麻黄碱类复方制剂 2 个" in refused.value.message
    assert buy(desk, some_certno(), goods.codes[2]).kind == "settled"
    check_books(pharmacy)


def test_another_facility_of_the_organization_knows_what_was_bought(pharmacy, desk):
    goods, number = make_ephedrine(pharmacy), some_certno()
    buy(desk, number, *goods.codes[:2])
    branch = add_branch(pharmacy)
    shelf = make_ephedrine(branch)
    there = desk_of(branch, branch.owner)
    open_shift(there)

    with pytest.raises(EphedrineLimitReached):
        buy(there, number, shelf.codes[0])


def test_another_organization_knows_nothing(facility_app, pharmacy, desk):
    goods, number = make_ephedrine(pharmacy), some_certno()
    buy(desk, number, *goods.codes[:2])
    stranger = make_pharmacy(facility_app, name="三号药店")
    with tenancy.as_tenant(stranger.tenant_id):
        there = desk_of(stranger)
        open_shift(there)
        assert buy(there, number, make_ephedrine(stranger).codes[0]).kind == "settled"


def test_tomorrow_counts_anew_unless_the_site_counts_more_days(pharmacy, desk):
    goods, number = make_ephedrine(pharmacy, 8), some_certno()
    buy(desk, number, *goods.codes[:2])
    with clock.at_moment(clock.now() + timedelta(days=1)):
        assert buy(desk, number, goods.codes[2]).kind == "settled"
        organizations.set_parameter("ephedrine_days", "2", None, pharmacy.owner)
    with clock.at_moment(clock.now() + timedelta(days=1, minutes=1)), pytest.raises(EphedrineLimitReached):
        buy(desk, number, goods.codes[3])


def test_a_stricter_site_sells_one(pharmacy, desk):
    organizations.set_parameter("ephedrine_packs", "1", None, pharmacy.owner)
    goods = make_ephedrine(pharmacy)

    with clock.at_moment(clock.now() + timedelta(seconds=1)), pytest.raises(EphedrineLimit):
        buy(desk, some_certno(), *goods.codes[:2])


def test_a_box_that_came_back_counts_no_more(pharmacy, desk):
    goods, number = make_ephedrine(pharmacy), some_certno()
    sold = buy(desk, number, *goods.codes[:2])
    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality")

    assert buy(desk, number, goods.codes[2]).kind == "settled"
    with pytest.raises(EphedrineLimitReached):
        buy(desk, number, goods.codes[3])


def test_two_tills_at_once_pass_no_more_than_two_boxes(facility_app, pharmacy, desk):
    goods, number = make_ephedrine(pharmacy, 12), some_certno()
    desks = [desk] + [desk_of(pharmacy, who) for who in (pharmacy.owner, pharmacy.pharmacist)]
    for other in desks[1:]:
        open_shift(other)
    pressed = []
    for place, who in enumerate(desks):
        basket, _ = fill_basket(who, *goods.codes[place * 2 : place * 2 + 2])
        specials.name_buyer(who, basket, "张建明", number)
        pressed.append((who, basket, baskets.get_basket(who, basket).version))
    gate, ended = threading.Barrier(len(pressed)), []

    def press(who, basket, version):
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            gate.wait(20)
            try:
                ended.append(settling.settle_basket(who, basket, version).kind)
            except EphedrineLimitReached:
                ended.append("refused")

    threads = [threading.Thread(target=press, args=args) for args in pressed]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert sorted(ended) == ["refused", "refused", "settled"]
    assert book(pharmacy).quantity == 48
    check_books(pharmacy)


def test_the_same_basket_pressed_four_times_is_one_sale_of_two_boxes(facility_app, pharmacy, desk):
    goods = make_ephedrine(pharmacy)
    basket, _ = fill_basket(desk, *goods.codes[:2])
    specials.name_buyer(desk, basket, "张建明", some_certno())
    version, ended = baskets.get_basket(desk, basket).version, []

    def press():
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            ended.append(settling.settle_basket(desk, basket, version).receipt)

    threads = [threading.Thread(target=press) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert len(ended) == 4
    assert len(set(ended)) == 1
    assert book(pharmacy).lines == 1


def test_an_insured_person_is_known_already_and_counts_with_what_they_bought_for_cash(pharmacy, desk, center_app):
    person, goods = make_insured(center_app), make_covered_goods(center_app, pharmacy, 6, special_class="EPHEDRINE")

    assert sell_insured(desk, person, goods.codes[0]).kind == "settled"
    assert buy(desk, person.certno, goods.codes[1]).kind == "settled"
    with pytest.raises(EphedrineLimitReached):
        sell_insured(desk, person, goods.codes[2])


def test_a_prescription_lifts_the_limit_and_names_the_patient(pharmacy, desk):
    goods = make_ephedrine(pharmacy)
    basket = fill_prescription(pharmacy, desk, goods, 4)

    assert settle(desk, basket).kind == "settled"
    row = one(
        pharmacy,
        "select prescription_id, person_hash from special_sale_line where tenant_id = %(t)s and sale_id = %(s)s",
        s=basket,
    )
    assert row.prescription_id is not None
    assert row.person_hash is None


@pytest.mark.parametrize(
    ("name", "number"),
    [("", "330205198001011234"), ("张三", ""), ("张三", "33020519800101123"), ("张" * 51, "x"), ("张\x00三", "x")],
)
def test_a_buyer_who_cannot_be_read_is_not_registered(pharmacy, desk, name, number):
    basket, _ = fill_basket(desk, make_ephedrine(pharmacy).codes[0])

    with pytest.raises(BuyerUnreadable):
        specials.name_buyer(desk, basket, name, number)

    assert baskets.get_basket(desk, basket).content.buyer is None


def test_yesterdays_check_of_a_held_basket_holds_no_more(pharmacy, desk):
    basket, _ = fill_basket(desk, make_ephedrine(pharmacy).codes[0])
    specials.name_buyer(desk, basket, "张建明", some_certno())

    with clock.at_moment(clock.now() + timedelta(days=1)), pytest.raises(BuyerNeeded):
        settle(desk, basket)


# ---- the other classes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("special", ["NARCOTIC", "PSYCHOTROPIC_1"])
def test_what_retail_may_never_sell_does_not_enter(pharmacy, desk, special):
    goods = make_goods(pharmacy, 2, special_class=special, rx_class="RX")

    with pytest.raises(NeverAtRetail):
        fill_basket(desk, goods.codes[0])
    with pytest.raises(NeverAtRetail):
        baskets.add_prescription(desk, uuid4(), prescribe(pharmacy, goods))


@pytest.mark.parametrize("special", ["PSYCHOTROPIC_2", "TOXIC", "SPECIAL_COMPOUND"])
def test_special_drugs_are_sold_on_a_prescription_only(pharmacy, desk, special):
    goods = make_goods(pharmacy, 2, special_class=special, rx_class="OTC_B")

    with pytest.raises(SpecialNeedsPrescription):
        fill_basket(desk, goods.codes[0])

    assert settle(desk, fill_prescription(pharmacy, desk, goods)).kind == "settled"
    assert book(pharmacy).lines == 1


@pytest.mark.parametrize(("special", "sold"), [("PSYCHOTROPIC_2", False), ("TOXIC", False), ("SPECIAL_COMPOUND", True)])
def test_a_minor_gets_no_psychotropics(pharmacy, desk, special, sold):
    goods = make_goods(pharmacy, 2, special_class=special, rx_class="RX")
    basket = fill_prescription(pharmacy, desk, goods, certno=born_years_ago(12))

    if sold:
        assert settle(desk, basket).kind == "settled"
    else:
        with pytest.raises(NotToMinors):
            settle(desk, basket)


def test_a_grown_up_gets_them(pharmacy, desk):
    goods = make_goods(pharmacy, 2, special_class="PSYCHOTROPIC_2", rx_class="RX")

    assert settle(desk, fill_prescription(pharmacy, desk, goods, certno=born_years_ago(40))).kind == "settled"


# ---- what it costs -------------------------------------------------------------------------------------------------------


def test_an_ordinary_sale_asks_nothing_more(pharmacy, desk):
    plain, special = make_goods(pharmacy, 4), make_ephedrine(pharmacy)
    basket, version = fill_basket(desk, plain.codes[0])
    with statements() as ran:
        settling.settle_basket(desk, basket, version)
    assert not [statement for statement in ran if "special" in statement or "discount" in statement]
    ordinary = len(ran)

    basket, _ = fill_basket(desk, special.codes[0])
    specials.name_buyer(desk, basket, "张建明", some_certno())
    version = baskets.get_basket(desk, basket).version
    with statements() as ran:
        settling.settle_basket(desk, basket, version)
    assert len(ran) == ordinary + 2  # Who buys, and the special book.


def add_branch(pharmacy):
    made = organizations.open_facility(organizations.NewFacility(make_code(), "一号药店分店", "330212", "鄞州区"))
    return replace(pharmacy, facility_id=made.facility_id)


def test_the_card_of_another_person_buying_for_somebody_counts_for_the_agent(pharmacy, desk, center_app):
    person, goods = make_insured(center_app), make_covered_goods(center_app, pharmacy, 6, special_class="EPHEDRINE")
    agent = {"name": "李代购", "certno": some_certno(), "relation": "spouse", "reason": "agent"}
    basket, _ = fill_basket(desk, *goods.codes[:2])
    from app.facility.insurance import identify

    baskets.set_person(desk, basket, identify.identify(desk, uuid4(), person.card, "card", "agent", agent))
    assert settle(desk, basket).kind == "settled"

    with pytest.raises(EphedrineLimitReached):
        buy(desk, agent["certno"], goods.codes[2], name="李代购")
    basket, _ = fresh(desk, goods.codes[3])
    identify_at(desk, basket, person)
    assert settle(desk, basket).kind == "settled"
