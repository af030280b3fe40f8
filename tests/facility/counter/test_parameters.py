"""What an organization's parameters change at the counter, in prescriptions, in recovery and on paper."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import msgspec
import pytest
from flask import render_template

from app.core import clock
from app.core.hot import statements
from app.facility.counter import baskets, refunds, screens, settling
from app.facility.counter.refund_plans import Back
from app.facility.insurance import identify, machine
from app.facility.insurance.errors import IdentificationExpired, MatchNotConfirmed
from app.facility.organizations import actions as organizations
from app.facility.organizations import parameters
from app.facility.organizations import queries as people_on_duty
from app.facility.till import prescriptions
from app.facility.till.errors import PrescriptionIncomplete
from tests.factories.city import identify_at, make_covered_goods, make_insured, make_insured_pharmacy, sell_insured
from tests.factories.people import sign_in
from tests.factories.shop import desk_of, fill_basket, make_goods, make_product, sell


def change(pharmacy, name, typed, days=None):
    day = None if days is None else clock.business_date() + timedelta(days=days)
    organizations.set_parameter(name, typed, day, pharmacy.owner)


# ---- reading a card ------------------------------------------------------------------------------------------------


def settle_later(desk, center_app, pharmacy, minutes):
    goods = make_covered_goods(center_app, pharmacy)
    basket, _ = fill_basket(desk, goods.codes[0])
    identify_at(desk, basket, make_insured(center_app))
    with clock.at_moment(clock.now() + timedelta(minutes=minutes)):
        version = baskets.get_basket(desk, basket).version
        return settling.settle_basket(desk, basket, version).kind


def test_a_reading_older_than_the_site_allows_does_not_pay(pharmacy, desk, center_app):
    change(pharmacy, "identification_valid", "10")

    with pytest.raises(IdentificationExpired) as refused:
        settle_later(desk, center_app, pharmacy, 11)

    assert "超过 10 分钟" in refused.value.message


def test_a_change_from_tomorrow_leaves_todays_readings_alone(pharmacy, desk, center_app):
    change(pharmacy, "identification_valid", "10", days=2)

    assert settle_later(desk, center_app, pharmacy, 11) == "settled"


def test_another_shops_change_leaves_ours_alone(facility_app, pharmacy, desk, center_app):
    other = make_insured_pharmacy(facility_app, center_app, name="三号药店")
    with other.acting():
        change(other, "identification_valid", "10")

    assert settle_later(desk, center_app, pharmacy, 11) == "settled"


# ---- person and credential -----------------------------------------------------------------------------------------


def test_above_the_sites_amount_somebody_looks_at_the_person(pharmacy, desk, center_app):
    change(pharmacy, "match_above", "20")
    goods = make_covered_goods(center_app, pharmacy)

    assert sell_insured(desk, make_insured(center_app), goods.codes[0]).kind == "settled"
    with pytest.raises(MatchNotConfirmed) as refused:
        sell_insured(desk, make_insured(center_app), *goods.codes[1:3])

    assert "20.00 元" in refused.value.message


@pytest.mark.parametrize(("score", "said"), [(29, ""), (30, "查验身份证件"), (49, "查验身份证件"), (50, "由主管核验")])
def test_scores_ask_from_where_the_site_says(pharmacy, desk, score, said):
    change(pharmacy, "ask_from", "30")
    change(pharmacy, "hold_from", "50")

    why = identify.needs_match(desk, {"score": score}, 100, None, None)

    assert said in why
    assert bool(why) == bool(said)


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (
            {"score": 0, "band": "ask", "elsewhere": "10:42 曾在 23 公里外使用"},
            "10:42 曾在 23 公里外使用，须查验身份证件",
        ),
        ({"score": 10, "band": "hold"}, "须由主管核验"),
        ({"score": 10, "band": "pass"}, ""),
    ],
)
def test_what_the_center_calls_doubtful_is_asked_about_whatever_the_score(pharmacy, desk, identity, said):
    why = identify.needs_match(desk, identity, 100, None, None)

    assert said in why
    assert bool(why) == bool(said)
    assert not identify.needs_match(desk, identity, 100, desk.staff_id, "证件相符，刚从外地回来")


# ---- prescriptions -------------------------------------------------------------------------------------------------


def enter(desk, pharmacy, days_ago, drugs=1):
    issued = clock.business_date() - timedelta(days=days_ago)
    paper = prescriptions.Paper(f"RX{uuid4().hex[:8]}", "钱多多", "郑医师", "第一医院", issued)
    wanted = [prescriptions.Wanted(make_product(pharmacy, rx_class="RX"), 1) for _ in range(drugs)]
    made = uuid4()
    prescriptions.enter_prescription(desk, made, paper, wanted)
    return made, issued


def test_a_stricter_site_takes_no_prescription_of_yesterday(pharmacy, desk):
    enter(desk, pharmacy, 3)
    change(pharmacy, "prescription_days", "0")

    with pytest.raises(PrescriptionIncomplete) as refused:
        enter(desk, pharmacy, 1)
    made, issued = enter(desk, pharmacy, 0)

    assert "最长 0 天" in refused.value.message
    prescriptions.review_prescription(desk_of(pharmacy, pharmacy.pharmacist), made, "赵*师", passed=True)
    assert prescriptions.get_passed(desk.facility_id, made)[0].valid_until == issued


def test_a_stricter_site_takes_fewer_drugs(pharmacy, desk):
    enter(desk, pharmacy, 0, drugs=5)
    change(pharmacy, "prescription_drugs", "2")

    with pytest.raises(PrescriptionIncomplete):
        enter(desk, pharmacy, 0, drugs=3)
    enter(desk, pharmacy, 0, drugs=2)


# ---- expiry, duty, recovery, paper ---------------------------------------------------------------------------------


def test_each_product_warns_as_it_says_and_an_old_basket_as_the_site_says(facility_app, pharmacy, desk):
    goods = make_goods(pharmacy, expires_in=100, expiry_warning_days=90)
    basket, _ = fill_basket(desk, goods.codes[0])
    [line] = baskets.get_basket(desk, basket).content.lines
    old = msgspec.structs.replace(line, about=msgspec.structs.replace(line.about, expiry_warning_days=None))

    assert expiry(facility_app, pharmacy, line) == ""
    assert expiry(facility_app, pharmacy, old) == "near"
    change(pharmacy, "near_expiry_days", "60")
    assert expiry(facility_app, pharmacy, old) == ""


def expiry(facility_app, pharmacy, line):
    with facility_app.test_request_context(), pharmacy.acting():
        return screens.line_part(line)["expiry"]


def test_who_forgot_to_leave_is_on_duty_as_long_as_the_site_says(pharmacy, desk):
    later = clock.now() + timedelta(hours=9)

    assert people_on_duty.pharmacist_on_duty(desk.facility_id, later) is not None
    change(pharmacy, "duty_hours", "8")
    assert people_on_duty.pharmacist_on_duty(desk.facility_id, later) is None


@pytest.mark.parametrize(("minutes", "late"), [(3, False), (7, True)])
def test_a_late_acceptance_counts_as_long_as_the_site_says(pharmacy, desk, minutes, late):
    change(pharmacy, "confirm_within", "5")
    asked = clock.now() - timedelta(minutes=minutes)
    attempt = machine.Attempt(
        uuid4(), pharmacy.tenant_id, pharmacy.facility_id, "sale", uuid4(), "2102", "x" * 30, asked, b"", "P1"
    )

    assert machine._too_late(attempt) == late


def test_the_hotline_of_the_site_stands_on_the_receipt(facility_app, pharmacy, desk):
    goods = make_goods(pharmacy)
    sold = sell(desk, goods.codes[0])
    client = facility_app.test_client()
    sign_in(client, pharmacy, pharmacy.clerk)
    for size in ("80", "a5"):
        assert "医保热线 12393" in client.get(f"/till/receipts/{sold.sale_id}?size={size}").get_data(as_text=True)

    change(pharmacy, "hotline", "0574-12393")

    for size in ("80", "a5"):
        page = client.get(f"/till/receipts/{sold.sale_id}?size={size}").get_data(as_text=True)
        assert "医保热线 0574-12393" in page


def test_new_products_begin_with_the_sites_days(facility_app, pharmacy, desk):
    change(pharmacy, "near_expiry_days", "77")
    client = facility_app.test_client()
    sign_in(client, pharmacy, pharmacy.owner)

    assert 'value="77"' in client.get("/catalog/products/new").get_data(as_text=True)


# ---- the hot path --------------------------------------------------------------------------------------------------


def test_a_sale_asks_nothing_for_parameters(facility_app, pharmacy, desk, center_app):
    goods, person = make_covered_goods(center_app, pharmacy), make_insured(center_app)
    basket, _ = fill_basket(desk, goods.codes[0])
    identify_at(desk, basket, person)
    baskets.preview(desk, basket)
    version = baskets.get_basket(desk, basket).version
    parameters.of(pharmacy.tenant_id)

    with facility_app.test_request_context(), pharmacy.acting(), statements() as ran:
        screens.counter_page(desk)
        assert settling.settle_basket(desk, basket, version, seen=True).kind == "settled"

    assert ran
    assert [each for each in ran if "from parameter p where tenant_id" in each] == []


@pytest.mark.parametrize(("waited", "offered"), [(59, False), (60, True)])
def test_a_sale_may_be_given_up_as_soon_as_the_site_says(facility_app, pharmacy, desk, waited, offered):
    change(pharmacy, "surrender_after", "1")
    change(pharmacy, "hotline", "0574-12393")
    asked = clock.now() - timedelta(seconds=waited)
    row = SimpleNamespace(
        id=uuid4(),
        receipt="S26-1122-0001",
        asked_at=asked,
        attempt="asked",
        deadline_at=asked,
        tries=1,
        given_up_at=None,
        content="{}",
    )

    with facility_app.test_request_context(), pharmacy.acting():
        page = render_template("facility/counter/_unknown.html", unknown=screens._unknown(row))

    assert ("放弃这一单" in page) is offered
    assert "满 01:00 仍无结果时" in page
    assert "0574-12393" in page


@pytest.mark.parametrize(("days", "alone"), [(0, True), (2, True), (3, False)])
def test_one_person_may_refund_as_many_days_as_the_site_says(pharmacy, desk, days, alone):
    sold = sell(desk, make_goods(pharmacy).codes[0])
    change(pharmacy, "refund_alone_days", "2")

    with clock.at_moment(clock.now() + timedelta(days=days)):
        needs = refunds.net_of(desk, sold.sale_id, [Back(1, 1, "kept")], "quality")["approval"]

    assert bool(needs) is not alone
