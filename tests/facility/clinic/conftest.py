"""A clinic whose acts run as its people."""

import pytest

from app.core import tenancy
from tests.factories.clinic import make_clinic


@pytest.fixture
def clinic(facility_app):
    made = make_clinic(facility_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made
