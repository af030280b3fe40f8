from uuid import uuid4

import pytest

from app.facility.counter import refunds
from app.facility.counter.errors import ApprovalNeeded, RefundNotPossible, RefundTooMuch
from app.facility.counter.refund_plans import Back
from app.facility.stock.actions import open_pack
from tests.factories.city import at_center, make_covered_goods, make_insured, sell_insured
from tests.factories.shop import check_books, make_goods, on_hand, one, sell


def code_state(pharmacy, code):
    return one(pharmacy, "select state from trace_code where tenant_id = %(t)s and code = %(c)s", c=code).state


def paid(pharmacy, document):
    row = one(
        pharmacy,
        "select jsonb_object_agg(kind, amount_fen) as kinds from tender where tenant_id = %(t)s and document_id = %(d)s",
        d=document,
    )
    return row.kinds


def test_goods_of_bad_quality_go_to_quarantine_and_the_money_back(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    sold = sell(desk, goods.codes[0], goods.codes[1])

    ended = refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality")

    assert ended.kind == "settled"
    assert paid(pharmacy, ended.sale_id) == {"cash": -1250}
    zone = one(
        pharmacy,
        "select on_hand from lot_balance where tenant_id = %(t)s and product_id = %(p)s and zone = 'QUARANTINE'",
        p=goods.product_id,
    )
    assert zone.on_hand == 24
    assert sorted(code_state(pharmacy, code) for code in goods.codes) == ["IN_STOCK", "RETURNED_QUARANTINE", "SOLD"]
    check_books(pharmacy)


def test_what_was_never_handed_over_goes_back_to_the_shelf(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    sold = sell(desk, goods.codes[0])

    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "shelf")], "not_handed_over")

    assert on_hand(pharmacy, goods) == (72, 0)
    assert code_state(pharmacy, goods.codes[0]) == "IN_STOCK"
    assert sell(desk, goods.codes[0]).kind == "settled"
    check_books(pharmacy)


def test_a_unit_of_an_opened_pack_comes_back_without_the_code_of_what_is_still_on_the_shelf(pharmacy, desk):
    goods = make_goods(pharmacy, 1)
    open_pack(desk, goods.product_id, goods.codes[0])
    sold = sell(desk, goods.codes[0])

    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality")

    row = one(
        pharmacy,
        "select state, zone, remaining from trace_code where tenant_id = %(t)s and code = %(c)s",
        c=goods.codes[0],
    )
    assert (row.state, row.zone, row.remaining) == ("SPLIT_OPEN", "SPLIT", goods.pack_size - 1)
    assert on_hand(pharmacy, goods) == (goods.pack_size, 0)
    sell(desk, goods.codes[0])
    check_books(pharmacy)


def test_never_more_than_was_sold_comes_back(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    sold = sell(desk, goods.codes[0], goods.codes[1])
    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "kept")], "billing_error")

    with pytest.raises(RefundTooMuch):
        refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 2, "kept")], "billing_error")

    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "kept")], "billing_error")
    total = one(
        pharmacy, "select sum(amount_fen)::bigint as fen from tender where tenant_id = %(t)s", t=pharmacy.tenant_id
    )
    assert total.fen == 0


def test_the_same_refund_sent_twice_is_done_once(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    sold = sell(desk, goods.codes[0])
    document = uuid4()

    first = refunds.refund_sale(desk, document, sold.sale_id, [Back(1, 1, "kept")], "billing_error")
    second = refunds.refund_sale(desk, document, sold.sale_id, [Back(1, 1, "kept")], "billing_error")

    assert first.receipt == second.receipt
    assert paid(pharmacy, document) == {"cash": -1250}


def test_goods_that_were_handed_over_never_go_straight_to_the_shelf(pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    sold = sell(desk, goods.codes[0])

    with pytest.raises(RefundNotPossible):
        refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "shelf")], "quality")


def test_a_whole_card_sale_is_cancelled_at_the_center(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy)
    person = make_insured(center_app)
    sold = sell_insured(desk, person, goods.codes[0])

    ended = refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality")

    assert ended.kind == "settled"
    assert paid(pharmacy, ended.sale_id) == {"account": -1250}
    assert (
        at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)[0].current_fen
        == 10_000
    )
    check_books(pharmacy)


def test_a_part_of_a_card_sale_is_reversed_and_the_rest_settled_anew(pharmacy, desk, center_app):
    goods, other = (
        make_covered_goods(center_app, pharmacy, pack_price="30.00"),
        make_covered_goods(center_app, pharmacy, pack_price="90.00"),
    )
    person = make_insured(center_app)
    sold = sell_insured(desk, person, goods.codes[0], other.codes[0])  # 120.00: 100.00 account, 20.00 cash.

    net = refunds.net_of(desk, sold.sale_id, [Back(1, 1, "quarantine")], "quality")
    with pytest.raises(ApprovalNeeded):
        refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality")
    ended = refunds.refund_sale(
        desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality", approver_id=pharmacy.owner
    )

    assert ended.kind == "settled"
    assert (net["account_fen"], net["cash_fen"]) == (1000, 2000)
    assert paid(pharmacy, ended.sale_id) == {"account": -1000, "cash": -2000}
    sale = one(pharmacy, "select setl_id, money from sale where tenant_id = %(t)s and id = %(s)s", s=sold.sale_id)
    assert sale.money["total_fen"] == 9000
    live = at_center(
        center_app, "select sum(total_fen)::bigint as fen from settlement where psn_no = %(p)s", p=person.psn_no
    )[0]
    assert live.fen == 9000
    assert (
        at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)[0].current_fen
        == 1000
    )
    check_books(pharmacy)


def test_after_a_partial_refund_the_rest_can_be_given_back_too(pharmacy, desk, center_app):
    goods, other = (
        make_covered_goods(center_app, pharmacy, pack_price="30.00"),
        make_covered_goods(center_app, pharmacy, pack_price="90.00"),
    )
    person = make_insured(center_app)
    sold = sell_insured(desk, person, goods.codes[0], other.codes[0])
    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "kept")], "billing_error", approver_id=pharmacy.owner)

    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(2, 1, "kept")], "billing_error")

    total = one(pharmacy, "select coalesce(sum(amount_fen), 0)::bigint as fen from tender where tenant_id = %(t)s")
    assert total.fen == 0
    assert (
        at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)[0].current_fen
        == 10_000
    )
