"""A clinic that the center knows, a reviewed sheet in it, and its people at their browsers."""

import pytest

from app.core import tenancy
from tests.factories.clinic import make_clinic
from tests.factories.outflow import ready_sheet
from tests.factories.people import browser
from tests.factories.shop import desk_of


@pytest.fixture
def clinic(facility_app, center_app):
    made = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made


@pytest.fixture
def pharmacy(clinic):
    """Whose people the owner and the clerk of the wing's tests are."""
    return clinic


@pytest.fixture
def desk(clinic):
    return desk_of(clinic, clinic.doctor)


@pytest.fixture
def order(clinic):
    return ready_sheet(clinic)


@pytest.fixture
def doctor(facility_app, clinic):
    return browser(facility_app, clinic, clinic.doctor)


@pytest.fixture
def stranger(facility_app):
    other = make_clinic(facility_app, name="别家诊所")
    return browser(facility_app, other, other.owner)
