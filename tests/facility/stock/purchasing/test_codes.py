"""Codes on cases: learnt by hand and from receipts, expanded down to the packs."""

from __future__ import annotations

from app.facility.stock.purchasing import codes
from tests.factories.people import make_pharmacy
from tests.factories.purchase import approved_product as make_approved


def pack(number: int) -> str:
    return f"8100001{number:013d}"


def case(number: int) -> str:
    return f"8200002{number:013d}"


def test_a_case_scanned_by_hand_teaches_what_the_next_one_is(at_work, desk):
    product = make_approved(at_work)

    codes.learn_case(desk, case(1), product, [pack(1), pack(2)])

    assert codes.expand(case(1)).codes == (pack(1), pack(2))
    unknown = codes.expand(case(7))
    assert (unknown.codes, unknown.asks, unknown.product_id) == ((), True, product)


def test_a_receipt_teaches_which_product_a_prefix_belongs_to(at_work, supplier, desk):
    from uuid import uuid4

    from app.facility.stock.purchasing import deliveries
    from tests.facility.stock.purchasing.test_deliveries import line

    product = make_approved(at_work)
    deliveries.receive_purchase(desk, uuid4(), supplier, [line(product, codes=(pack(50),))])

    assert codes.expand(pack(51)) == codes.Expanded((pack(51),), 1, product, asks=False)


def test_a_stranger_knows_nothing_of_our_cases(facility_app, at_work, desk):
    product = make_approved(at_work)
    codes.learn_case(desk, case(1), product, [pack(1)])
    with make_pharmacy(facility_app, name="三号药店").acting():
        assert codes.expand(case(1)).codes == (case(1),)
