"""What is used up at several places at once is used up once."""

from uuid import uuid4

import pytest

from app.core.errors import Refusal
from app.facility.counter import refunds
from app.facility.counter.refund_plans import Back
from tests.factories.city import at_center, make_insured
from tests.factories.shop import check_books, on_hand, one


def test_one_account_at_eight_pharmacies_is_never_overdrawn(at_once, open_shop, prepared, center_app):
    person = make_insured(center_app, current_fen=5_000)
    shops = [open_shop(packs=1, price="20.00") for _ in range(8)]
    jobs = [(pharmacy, prepared(pharmacy, desk, person, goods.codes[0])[1]) for pharmacy, desk, goods in shops]

    ended = at_once(*jobs)

    kinds = [outcome.kind for outcome in ended]
    assert set(kinds) <= {"settled", "refused"}  # Where the center was busy the goods are free again at once.
    assert kinds.count("settled") >= 3
    [account] = at_center(
        center_app, "select current_fen, prior_fen, mutual_fen from account where psn_no = %(p)s", p=person.psn_no
    )
    assert (account.current_fen, account.prior_fen, account.mutual_fen) == (0, 0, 0)
    paid = 0
    for (pharmacy, _desk, goods), kind in zip(shops, kinds, strict=True):
        check_books(pharmacy)
        assert on_hand(pharmacy, goods) == (0 if kind == "settled" else 24, 0)
        row = one(
            pharmacy,
            "select coalesce(sum(amount_fen) filter (where kind = 'account'), 0)::bigint as own, coalesce(sum(amount_fen), 0)::bigint as whole from tender where tenant_id = %(t)s",
        )
        assert row.whole == (2000 if kind == "settled" else 0)
        paid += row.own
    [settled] = at_center(
        center_app,
        "select sum(current_fen + prior_fen)::bigint as own, count(*) as many from settlement where psn_no = %(p)s",
        p=person.psn_no,
    )
    assert paid == settled.own == 5_000
    assert settled.many == kinds.count("settled")


@pytest.mark.parametrize("paid", ["cash", "card"])
def test_two_refunds_of_one_sale_at_once_give_back_what_was_sold(at_once, open_shop, prepared, center_app, paid):
    person = make_insured(center_app) if paid == "card" else None
    pharmacy, desk, goods = open_shop(packs=2)
    basket, settle = prepared(pharmacy, desk, person, *goods.codes)
    [sold] = at_once((pharmacy, settle))
    assert sold.kind == "settled"

    def refund():
        return refunds.refund_sale(desk, uuid4(), basket, [Back(1, 2, "kept")], "billing_error")

    ended = at_once((pharmacy, refund), (pharmacy, refund))

    assert sorted(isinstance(each, Refusal) for each in ended) == [False, True], ended
    assert one(pharmacy, "select sum(amount_fen)::bigint as fen from tender where tenant_id = %(t)s").fen == 0
    assert one(pharmacy, BACK).quantity == 48
    check_books(pharmacy)
    if person is not None:
        [account] = at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)
        assert account.current_fen == 10_000


BACK = """
select sum(l.quantity)::bigint as quantity from refund_line l join refund r on r.tenant_id = l.tenant_id and r.id = l.refund_id
where l.tenant_id = %(t)s and r.state = 'refunded'
"""


def test_six_refunds_of_one_box_each_find_three_boxes(at_once, open_shop, prepared):
    pharmacy, desk, goods = open_shop(packs=3)
    basket, settle = prepared(pharmacy, desk, None, *goods.codes)
    at_once((pharmacy, settle))

    ended = at_once(
        *[(pharmacy, lambda: refunds.refund_sale(desk, uuid4(), basket, [Back(1, 1, "quarantine")], "quality"))] * 6
    )

    given = [each for each in ended if not isinstance(each, Refusal)]
    assert len(given) == 3
    assert one(pharmacy, "select sum(amount_fen)::bigint as fen from tender where tenant_id = %(t)s").fen == 0
    assert (
        one(
            pharmacy,
            "select sum(on_hand)::bigint as q from lot_balance where tenant_id = %(t)s and zone = 'QUARANTINE'",
        ).q
        == 72
    )
    check_books(pharmacy)
