"""Discounts: who may give how much, and that every figure stays equal to the fen at both wings."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import clock
from app.facility.counter import baskets, discounts, refunds, settling
from app.facility.counter.errors import DiscountNeedsApproval, DiscountRefused, EmptyBasket, StaleBasket
from app.facility.counter.refund_plans import Back
from app.facility.organizations import actions as organizations
from app.facility.till.tenders import Tender
from tests.factories.city import at_center, identify_at, make_covered_goods, make_insured
from tests.factories.people import PASSWORD, browser, post
from tests.factories.shop import check_books, fill_basket, make_goods, one


def basket_of(desk, *codes):
    basket, _ = fill_basket(desk, *codes)
    return basket


def settle(desk, basket, tenders=(), seen=False):
    return settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version, tenders, seen=seen)


def give(desk, basket, line, how, value, approver=None, reason="老顾客"):
    discounts.give_discount(desk, basket, line, how, Decimal(value), reason, approver)


def lines(desk, basket):
    return baskets.get_basket(desk, basket).content.lines


def test_five_percent_off_a_line_lowers_its_price_and_stays_with_the_sale(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    basket = basket_of(desk, *goods.codes)
    give(desk, basket, 1, "percent", "5", pharmacy.owner)

    [line] = lines(desk, basket)
    assert (line.price, line.amount_fen, line.off_fen) == (Decimal("11.875"), 3563, 187)
    assert settle(desk, basket, [Tender("cash", 4000)]).kind == "settled"

    kept = one(pharmacy, "select * from sale_discount where tenant_id = %(t)s and sale_id = %(s)s", s=basket)
    assert (kept.list_price, kept.price, kept.list_fen, kept.amount_fen) == (
        Decimal("12.5"),
        Decimal("11.875"),
        3750,
        3563,
    )
    assert (kept.staff_id, kept.approver_id, kept.reason) == (pharmacy.clerk, pharmacy.owner, "老顾客")
    sold = one(pharmacy, "select total_fen from sale where tenant_id = %(t)s and id = %(s)s", s=basket)
    assert sold.total_fen == 3563
    check_books(pharmacy)


def test_an_agreed_total_is_shared_out_over_the_lines(pharmacy, desk):
    first, second = make_goods(pharmacy, 3), make_goods(pharmacy, 2, pack_price="7.30")
    basket = basket_of(desk, *first.codes, *second.codes)
    give(desk, basket, None, "price", "50", pharmacy.pharmacist)

    assert baskets.get_basket(desk, basket).content.total_fen == 5000
    assert all(line.discount for line in lines(desk, basket))


def test_a_cent_off_leaves_the_other_lines_as_they_are(pharmacy, desk):
    first, second = make_goods(pharmacy, 1), make_goods(pharmacy, 1)
    basket = basket_of(desk, first.codes[0], second.codes[0])
    give(desk, basket, None, "price", "24.99", pharmacy.owner)

    assert baskets.get_basket(desk, basket).content.total_fen == 2499
    assert [bool(line.discount) for line in lines(desk, basket)].count(True) == 1
    assert settle(desk, basket).kind == "settled"


def test_the_clerk_alone_gives_what_the_site_allows_and_no_more(pharmacy, desk):
    goods = make_goods(pharmacy, 1)
    basket = basket_of(desk, goods.codes[0])
    with pytest.raises(DiscountNeedsApproval):
        give(desk, basket, 1, "percent", "5")
    organizations.set_parameter("discount_percent", "10", None, pharmacy.owner)
    with clock.at_moment(clock.now() + timedelta(seconds=1)):
        give(desk, basket, 1, "price", "11.25")
        with pytest.raises(DiscountNeedsApproval):
            give(desk, basket, 1, "price", "11.24")
        with pytest.raises(DiscountNeedsApproval):  # Nobody confirms their own.
            give(desk, basket, 1, "percent", "11", pharmacy.clerk)

    [line] = lines(desk, basket)
    assert (line.amount_fen, line.discount.approver_id) == (1125, None)


@pytest.mark.parametrize(
    ("line", "how", "value"),
    [(1, "percent", "0"), (1, "percent", "100"), (1, "price", "12.50"), (1, "price", "13"), (1, "price", "0"), (None, "price", "12.50"), (1, "percent", "0.000001")],
)  # fmt: skip
def test_what_is_no_discount_is_refused(pharmacy, desk, line, how, value):
    basket = basket_of(desk, make_goods(pharmacy, 1).codes[0])

    with pytest.raises(DiscountRefused):
        give(desk, basket, line, how, value, pharmacy.owner)

    assert lines(desk, basket)[0].discount is None


def test_a_discount_has_a_reason_and_a_line(pharmacy, desk):
    basket = basket_of(desk, make_goods(pharmacy, 1).codes[0])
    with pytest.raises(DiscountRefused):
        give(desk, basket, 1, "percent", "5", pharmacy.owner, reason="  ")
    with pytest.raises(StaleBasket):
        give(desk, basket, 9, "percent", "5", pharmacy.owner)
    baskets.change_line(desk, basket, 1, delete=True)
    with pytest.raises(EmptyBasket):
        give(desk, basket, None, "percent", "5", pharmacy.owner)


def test_it_can_be_taken_back_and_falls_when_a_pack_is_split(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    basket = basket_of(desk, goods.codes[0])
    give(desk, basket, 1, "percent", "5", pharmacy.owner)
    discounts.take_discount_back(desk, basket, 1)
    assert lines(desk, basket)[0].discount is None

    give(desk, basket, 1, "percent", "5", pharmacy.owner)
    baskets.split_line(desk, basket, 1)
    assert lines(desk, basket)[0].discount is None


def test_parts_of_a_discounted_line_come_back_to_the_fen(pharmacy, desk):
    goods = make_goods(pharmacy, 5, pack_price="0.01")
    basket = basket_of(desk, *goods.codes)
    give(desk, basket, 1, "price", "0.005", pharmacy.owner)
    assert settle(desk, basket).kind == "settled"

    given = []
    for _ in range(5):
        refund = uuid4()
        refunds.refund_sale(desk, refund, basket, [Back(1, 1, "quarantine")], "quality")
        given.append(
            one(pharmacy, "select refund_fen from refund where tenant_id = %(t)s and id = %(r)s", r=refund).refund_fen
        )

    assert min(given) >= 0
    assert sum(given) == 3  # 5 × 0.005, half up.
    check_books(pharmacy)


def test_insured_with_a_discount_and_part_back_agree_with_the_center_to_the_fen(pharmacy, desk, center_app):
    person = make_insured(center_app)
    goods = make_covered_goods(center_app, pharmacy, 7, pack_price="12.35")
    basket = basket_of(desk, *goods.codes)
    give(desk, basket, 1, "price", "10.333333", pharmacy.owner)
    identify_at(desk, basket, person)
    assert baskets.preview(desk, basket).total_fen == 7233
    assert settle(desk, basket, seen=True).kind == "settled"

    assert center_total(center_app, pharmacy) == [7233]
    for back in (2, 3):
        refund = uuid4()
        ended = refunds.refund_sale(desk, refund, basket, [Back(1, back, "quarantine")], "quality", pharmacy.owner)
        assert ended.kind == "settled"

    rest = center_total(center_app, pharmacy)
    ours = one(
        pharmacy,
        "select s.total_fen - sum(r.refund_fen)::bigint as left_fen, s.money from sale s join refund r on r.tenant_id = s.tenant_id and r.sale_id = s.id where s.tenant_id = %(t)s and s.id = %(s)s group by s.total_fen, s.money",
        s=basket,
    )
    paid = one(pharmacy, "select sum(amount_fen)::bigint as fen from tender where tenant_id = %(t)s")
    assert rest[-1] == ours.left_fen == ours.money["total_fen"] == paid.fen == 2067
    check_books(pharmacy)


def center_total(center_app, pharmacy):
    """What the settlements of this pharmacy add up to at the center, each, in order."""
    rows = at_center(
        center_app,
        "select total_fen from settlement where institution_code = %(code)s and total_fen > 0 order by settled_at, setl_id",
        code=pharmacy.code,
    )
    return [row.total_fen for row in rows]


def test_who_confirms_does_not_take_the_clerks_place(facility_app, pharmacy, desk):
    """The owner's password opens one discount; the browser stays the clerk's."""
    basket = basket_of(desk, make_goods(pharmacy, 1).codes[0])
    clerk = browser(facility_app, pharmacy, pharmacy.clerk)
    form = {"scope": "line", "line": "1", "how": "percent", "value": "8", "reason": "老顾客"}

    assert post(clerk, f"/counter/baskets/{basket}/discount", form).status_code == 422
    assert (
        post(
            clerk, f"/counter/baskets/{basket}/discount", form | {"approver": "001", "approver_password": PASSWORD}
        ).status_code
        == 200
    )

    with clerk.session_transaction() as kept:
        assert kept["ticket"]["id"] == pharmacy.clerk
    assert lines(desk, basket)[0].discount.approver_id == pharmacy.owner
    assert post(clerk, f"/counter/baskets/{basket}/discount", form | {"value": ""}).status_code == 200
    assert lines(desk, basket)[0].discount is None
    for nonsense in ({"value": "abc"}, {"value": "1e999"}, {"value": "NaN"}, {"line": "x"}, {"line": "9"}):
        assert post(clerk, f"/counter/baskets/{basket}/discount", form | nonsense).status_code in {409, 422}
