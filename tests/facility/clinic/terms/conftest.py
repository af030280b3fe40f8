"""A pharmacy whose owner looks into the demo's list of diagnoses."""

from __future__ import annotations

import pytest

from app.facility.clinic.terms import demo
from tests.factories.people import make_pharmacy, sign_in
from tests.factories.shop import desk_of


@pytest.fixture(scope="module")
def place(facility_app):
    with facility_app.app_context():
        demo.load()
    return make_pharmacy(facility_app)


@pytest.fixture
def desk(facility_app, place):
    with facility_app.app_context(), place.acting():
        yield desk_of(place, place.owner)


@pytest.fixture
def client(facility_app, place):
    client = facility_app.test_client()
    sign_in(client, place, place.owner)
    return client
