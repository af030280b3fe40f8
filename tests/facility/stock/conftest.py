"""A pharmacy of one's own and its people at their browsers, for the pages of stock and till."""

from __future__ import annotations

import pytest

from launcher import translations
from tests.factories.people import make_pharmacy, sign_in

translations.prepare()  # The English pages are looked at too.


@pytest.fixture
def pharmacy(facility_app):
    return make_pharmacy(facility_app)


@pytest.fixture
def at_work(facility_app, pharmacy):
    """Make goods and documents as jobs and commands do."""
    with facility_app.app_context(), pharmacy.acting():
        yield pharmacy


def browser(facility_app, pharmacy, staff_id):
    client = facility_app.test_client()
    sign_in(client, pharmacy, staff_id)
    return client


@pytest.fixture
def owner(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.owner)


@pytest.fixture
def clerk(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.clerk)


@pytest.fixture
def pharmacist(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.pharmacist)


@pytest.fixture
def stranger(facility_app):
    other = make_pharmacy(facility_app, name="三号药店")
    return browser(facility_app, other, other.owner)


def text(answer):
    return answer.get_data(as_text=True)


def next_page(page: str) -> str:
    """The address of the page that follows."""
    before, found, _after = page.partition('" rel="next"')
    assert found, "this page has no next one"
    return before.rpartition('href="')[2].replace("&amp;", "&")
