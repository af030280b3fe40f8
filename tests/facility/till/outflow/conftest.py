"""A clinic that sends prescriptions out, and a pharmacy of another tenant where the patient has them."""

import pytest

from app.core import tenancy
from tests.factories.city import make_covered_goods, make_insured_pharmacy
from tests.factories.clinic import make_clinic
from tests.factories.people import browser
from tests.factories.shop import desk_of, open_shift


@pytest.fixture
def clinic(facility_app, center_app):
    made = make_clinic(facility_app, center_app)
    with facility_app.app_context():
        yield made


@pytest.fixture
def pharmacy(facility_app, center_app):
    return make_insured_pharmacy(facility_app, center_app)


@pytest.fixture
def other(facility_app, center_app):
    """Another pharmacy, with its desk."""
    made = make_insured_pharmacy(facility_app, center_app, name="九号药店")
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        open_shift(desk_of(made))
    return made


@pytest.fixture
def goods(center_app, pharmacy, desk):
    """A prescription drug that the pharmacy carries and insurance pays for."""
    return make_covered_goods(center_app, pharmacy, rx_class="RX", pack_price="50.00")


@pytest.fixture
def clerk(facility_app, pharmacy, desk):
    return browser(facility_app, pharmacy, pharmacy.clerk)
