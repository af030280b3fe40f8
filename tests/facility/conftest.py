"""An insured pharmacy with a till open, and its people at their browsers; a room that needs another makes its own under the same name."""

from __future__ import annotations

import pytest

from app.core import tenancy
from tests.factories.city import make_insured_pharmacy
from tests.factories.people import browser, make_pharmacy
from tests.factories.shop import desk_of, open_shift


@pytest.fixture
def pharmacy(facility_app, center_app):
    return make_insured_pharmacy(facility_app, center_app)


@pytest.fixture
def desk(facility_app, pharmacy):
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        desk = desk_of(pharmacy)
        open_shift(desk)
        yield desk


@pytest.fixture
def at_work(facility_app, pharmacy):
    """Make goods and documents as jobs and commands do."""
    with facility_app.app_context(), pharmacy.acting():
        yield pharmacy


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
