from uuid import uuid4

import pytest

from app.core import clock
from app.facility.counter import baskets, settling
from app.facility.counter.errors import PrescriptionNotReady
from app.facility.till import prescriptions
from app.facility.till.errors import OwnPrescription
from tests.factories.city import identify_at, make_covered_goods, make_insured
from tests.factories.shop import check_books, desk_of, fill_basket, on_hand, one


def a_prescription(pharmacy, desk, goods, *, patient="王小明", packs=2, certno=""):
    """Entered by the clerk, passed by the pharmacist."""
    document = uuid4()
    paper = prescriptions.Paper(
        f"CF-{document.hex[:8]}", patient, "江医师", "二号诊所", clock.business_date(), "高血压", certno
    )
    prescriptions.enter_prescription(desk, document, paper, [prescriptions.Wanted(goods.product_id, packs, "一日一次")])
    prescriptions.review_prescription(desk_of(pharmacy, pharmacy.pharmacist), document, "赵*师", passed=True)
    return document


def basket_with(desk, document, goods, person, packs=2):
    basket = uuid4()
    baskets.add_prescription(desk, basket, document)
    fill_basket(desk, *goods.codes[:packs], basket_id=basket)
    identify_at(desk, basket, person)
    baskets.preview(desk, basket)
    return basket, baskets.get_basket(desk, basket).version


def test_the_pooled_fund_pays_for_a_reviewed_prescription(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy, rx_class="RX", pack_price="50.00")
    person = make_insured(center_app)
    basket, version = basket_with(desk, a_prescription(pharmacy, desk, goods), goods, person)

    outcome = settling.settle_basket(desk, basket, version, seen=True)

    sale = one(pharmacy, "select money, cash_fen from sale where tenant_id = %(t)s and id = %(s)s", s=basket)
    assert outcome.kind == "settled"
    assert (sale.money["pooled_fen"], sale.money["account_fen"]) == (
        8000,
        2000,
    )  # 80 % of 100.00, the rest from the account.
    check_books(pharmacy)


def test_the_fund_does_not_pay_for_somebody_elses_prescription(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy, rx_class="RX", pack_price="50.00")
    basket, version = basket_with(
        desk, a_prescription(pharmacy, desk, goods, patient="别人"), goods, make_insured(center_app)
    )

    with pytest.raises(PrescriptionNotReady) as refused:
        settling.settle_basket(desk, basket, version, seen=True)

    assert "不是同一人" in refused.value.message
    assert on_hand(pharmacy, goods) == (240, 0)


def test_a_prescription_is_good_for_one_sale(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy, rx_class="RX", pack_price="50.00")
    person = make_insured(center_app)
    document = a_prescription(pharmacy, desk, goods)
    first = basket_with(desk, document, goods, person)
    settling.settle_basket(desk, *first, seen=True)

    from app.core.errors import NotFound

    with pytest.raises(NotFound):
        baskets.add_prescription(desk, uuid4(), document)


def test_nobody_reviews_what_they_entered(pharmacy, desk, center_app):
    goods = make_covered_goods(center_app, pharmacy, rx_class="RX")
    both = desk_of(pharmacy, pharmacy.pharmacist)
    document = uuid4()
    paper = prescriptions.Paper("CF-own", "王小明", "江医师", "二号诊所", clock.business_date())
    prescriptions.enter_prescription(both, document, paper, [prescriptions.Wanted(goods.product_id, 1)])

    with pytest.raises(OwnPrescription):
        prescriptions.review_prescription(both, document, "赵*师", passed=True)
