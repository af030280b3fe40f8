"""A clinic that the center knows, with a cashier whose till is open."""

import pytest

from app.core import tenancy
from tests.factories.clinic import make_clinic
from tests.factories.shop import desk_of, open_shift


@pytest.fixture
def clinic(facility_app, center_app):
    return make_clinic(facility_app, center_app)


@pytest.fixture
def desk(facility_app, clinic):
    with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
        desk = desk_of(clinic)
        open_shift(desk)
        yield desk
