"""One trace code on the shelves of two organizations: only the center can know."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.center.registry.actions import set_parameter
from app.core import tenancy
from launcher.databases import connect
from tests.factories.city import at_center, make_insured
from tests.factories.shop import check_books, make_code, on_hand
from tests.guards.filled import deliver


@pytest.fixture
def code():
    return make_code()


@pytest.fixture
def alerts(database_urls, code):
    def look():
        with connect(database_urls["center"]["owner"]) as owner:
            return owner.execute("select kind from alert where code = %s and cleared_at is null", (code,)).fetchall()

    return look


def claims(center_app, code):
    rows = at_center(
        center_app,
        "select holds, duplicate from code_claim where code = %(c)s and released_at is null order by id",
        c=code,
    )
    return sorted((row.holds, row.duplicate) for row in rows)


def tell(center_app, database_urls, *pharmacies):
    """Both facilities' facts arrive at the same time."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pharmacy: deliver(center_app, database_urls, pharmacy), pharmacies))


def test_two_tenants_selling_one_code_for_cash_are_two_sales_and_one_alert(
    at_once, open_shop, prepared, center_app, database_urls, code, alerts
):
    (ours, desk, goods), (theirs, other, others) = open_shop(code), open_shop(code)
    _, sell = prepared(ours, desk, None, code)
    _, resell = prepared(theirs, other, None, code)

    ended = at_once((ours, sell), (theirs, resell))

    assert [outcome.kind for outcome in ended] == ["settled", "settled"]
    assert alerts() == []
    tell(center_app, database_urls, ours, theirs)
    assert len(alerts()) == 1
    assert claims(center_app, code) == [(False, True), (True, False)]
    for pharmacy, left in ((ours, goods), (theirs, others)):
        check_books(pharmacy)
        assert on_hand(pharmacy, left) == (24, 0)


def test_two_tenants_selling_one_code_by_card_are_flagged_where_the_parameter_says_flag(
    at_once, open_shop, prepared, center_app, database_urls, code, alerts
):
    shops = [open_shop(code), open_shop(code)]
    jobs = [(pharmacy, prepared(pharmacy, desk, make_insured(center_app), code)[1]) for pharmacy, desk, _ in shops]

    ended = at_once(*jobs)

    assert [outcome.kind for outcome in ended] == ["settled", "settled"]
    assert claims(center_app, code) == [(False, True), (True, False)]
    tell(center_app, database_urls, *(pharmacy for pharmacy, *_ in shops))
    assert len(alerts()) == 1
    assert len(claims(center_app, code)) == 2


def test_where_the_parameter_says_refuse_one_sells_and_the_other_keeps_its_goods(
    at_once, open_shop, prepared, center_app, code
):
    shops = [open_shop(code), open_shop(code)]
    with center_app.app_context(), tenancy.acting_as(district="33"):
        for pharmacy, *_ in shops:
            set_parameter("duplicate_code", "refuse", scope=pharmacy.code)
    people = [make_insured(center_app) for _ in shops]
    jobs = [
        (pharmacy, prepared(pharmacy, desk, person, code)[1])
        for (pharmacy, desk, _), person in zip(shops, people, strict=True)
    ]

    ended = at_once(*jobs)

    assert sorted(outcome.kind for outcome in ended) == ["refused", "settled"]
    assert claims(center_app, code) == [(True, False)]
    for outcome, person, (pharmacy, _desk, goods) in zip(ended, people, shops, strict=True):
        check_books(pharmacy)
        sold = outcome.kind == "settled"
        assert on_hand(pharmacy, goods) == (24 if sold else 48, 0)
        [account] = at_center(center_app, "select current_fen from account where psn_no = %(p)s", p=person.psn_no)
        assert account.current_fen == (8750 if sold else 10_000)


def test_the_parameter_does_not_stop_a_cash_sale_and_the_alert_names_it(
    at_once, open_shop, prepared, center_app, database_urls, code, alerts
):
    (ours, desk, _), (theirs, other, _) = open_shop(code), open_shop(code)
    _, by_card = prepared(ours, desk, make_insured(center_app), code)
    _, for_cash = prepared(theirs, other, None, code)

    ended = at_once((ours, by_card), (theirs, for_cash))

    assert [outcome.kind for outcome in ended] == ["settled", "settled"]
    tell(center_app, database_urls, ours, theirs)
    assert len(alerts()) == 1
