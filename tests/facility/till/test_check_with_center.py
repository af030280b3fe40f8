import pytest

from app.core import tenancy
from app.facility.insurance import identify
from tests.factories.city import make_covered_goods, make_insured, make_insured_pharmacy, sell_insured
from tests.factories.people import make_pharmacy, sign_in
from tests.factories.shop import desk_of, one, open_shift


@pytest.fixture
def sold(facility_app, center_app):
    pharmacy = make_insured_pharmacy(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        desk = desk_of(pharmacy)
        open_shift(desk)
        goods = make_covered_goods(center_app, pharmacy)
        outcome = sell_insured(desk, make_insured(center_app), goods.codes[0])
    return pharmacy, desk, outcome


def test_both_sides_of_a_settlement_stand_side_by_side(facility_app, sold):
    pharmacy, _desk, outcome = sold
    client = facility_app.test_client()
    sign_in(client, pharmacy, pharmacy.clerk)

    page = client.get(f"/till/receipts/{outcome.sale_id}/center").get_data(as_text=True)

    assert "两边一致" in page


def test_a_cent_of_difference_is_said(facility_app, sold):
    pharmacy, _desk, outcome = sold
    statement = "update sale set money = jsonb_set(money, '{account_fen}', '1249') where tenant_id = %(t)s and id = %(s)s returning id"
    with facility_app.app_context():
        one(pharmacy, statement, s=outcome.sale_id)
    client = facility_app.test_client()
    sign_in(client, pharmacy, pharmacy.clerk)

    assert "两边金额不一致" in client.get(f"/till/receipts/{outcome.sale_id}/center").get_data(as_text=True)


def test_a_stranger_learns_nothing(facility_app, sold):
    _pharmacy, _desk, outcome = sold
    stranger = make_pharmacy(facility_app, name="三号药店")
    client = facility_app.test_client()
    sign_in(client, stranger, stranger.clerk)

    assert client.get(f"/till/receipts/{outcome.sale_id}/center").status_code == 404


def test_the_center_hears_that_the_day_is_over(facility_app, sold):
    _pharmacy, desk, _outcome = sold
    with facility_app.app_context(), tenancy.as_tenant(desk.tenant_id):
        assert identify.sign_out(desk) is True
