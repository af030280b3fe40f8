"""An insured pharmacy with a till open; a file that needs another makes its own under the same name."""

from __future__ import annotations

import pytest

from app.core import tenancy
from tests.factories.city import make_insured_pharmacy
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
