"""Two institutions of two tenants that the center knows, and their people at their browsers."""

import pytest

from app.core import tenancy
from tests.factories.clinic import make_clinic
from tests.factories.people import browser
from tests.factories.referral import signed_visit
from tests.factories.shop import desk_of


@pytest.fixture
def clinic(facility_app, center_app):
    made = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made


@pytest.fixture
def hospital(facility_app, center_app):
    return make_clinic(facility_app, center_app, name="城东医院")


@pytest.fixture
def desk(clinic):
    return desk_of(clinic, clinic.doctor)


@pytest.fixture
def visit(clinic):
    return signed_visit(clinic)


@pytest.fixture
def doctor(facility_app, clinic):
    return browser(facility_app, clinic, clinic.doctor)


@pytest.fixture
def receiver(facility_app, hospital):
    """The doctor of the other house."""
    return browser(facility_app, hospital, hospital.doctor)


@pytest.fixture
def stranger(facility_app, center_app):
    other = make_clinic(facility_app, center_app, name="别家诊所")
    return browser(facility_app, other, other.doctor)
