import pytest

from app.core import tenancy
from app.facility.counter import baskets, settling
from app.facility.insurance import identify
from app.facility.insurance.errors import RefusedByCenter, WrongCredential
from tests.factories.city import at_center, make_covered_goods, make_insured, sell_insured
from tests.factories.shop import check_books, fill_basket, on_hand, one


def test_an_insured_sale_is_settled_on_both_sides(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy)
    person = make_insured(center_app)

    outcome = sell_insured(desk, person, goods.codes[0], goods.codes[1])

    sale = one(pharmacy, "select * from sale where tenant_id = %(t)s and id = %(s)s", s=outcome.sale_id)
    assert outcome.kind == "settled"
    assert (sale.total_fen, sale.money["account_fen"], sale.money["fund_fen"], sale.cash_fen) == (2500, 2500, 0, 0)
    center = at_center(
        center_app,
        "select total_fen, cash_fen, current_fen + prior_fen as account_fen from settlement where setl_id = %(s)s",
        s=sale.setl_id,
    )[0]
    assert (center.total_fen, center.account_fen, center.cash_fen) == (2500, 2500, 0)
    assert (
        at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)[0].current_fen
        == 7500
    )
    assert on_hand(pharmacy, goods) == (8 * 24, 0)
    assert baskets.get_basket(desk, outcome.sale_id).state == "closed"
    check_books(pharmacy)


def test_a_refused_card_names_the_reason_and_leaves_the_basket(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy)
    lost = make_insured(center_app, status="lost")
    basket, _ = fill_basket(desk, goods.codes[0])

    with pytest.raises(RefusedByCenter) as refused:
        identify.identify(desk, basket, lost.card, "card")

    assert "挂失" in refused.value.message
    assert baskets.get_basket(desk, basket).state == "open"


def test_a_wrong_citizen_id_is_refused_before_anything_is_asked(desk):
    with pytest.raises(WrongCredential):
        identify.identify(desk, __import__("uuid").uuid4(), "330212198001010113", "typed")


def test_the_center_refusing_frees_the_goods_and_the_basket_lives_on(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy)
    person = make_insured(center_app)
    basket, version = fill_basket(desk, goods.codes[0])
    from tests.factories.city import identify_at

    identify_at(desk, basket, person)
    baskets.preview(desk, basket)
    version = baskets.get_basket(desk, basket).version
    with center_app.app_context():
        from app.center.registry import actions as registry

        with tenancy.acting_as(district="33"):
            registry.set_status(person.psn_no, "frozen", "F02")

    outcome = settling.settle_basket(desk, basket, version, seen=True)

    assert outcome.kind == "refused"
    assert on_hand(pharmacy, goods) == (240, 0)
    again = baskets.find_open(desk)
    assert again is not None
    assert again.id != basket
    assert [line.codes[0].code for line in again.content.lines] == [goods.codes[0]]
    assert (
        one(pharmacy, "select state from trace_code where tenant_id = %(t)s and code = %(c)s", c=goods.codes[0]).state
        == "IN_STOCK"
    )
