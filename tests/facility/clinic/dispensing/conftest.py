"""A clinic with a till, whose sheets are charged; a pharmacist who hands over and a nurse who checks."""

import pytest

from app.core import tenancy
from tests.factories.billing import charged_visit
from tests.factories.clinic import make_clinic, sheet
from tests.factories.shop import desk_of, make_goods, open_shift


@pytest.fixture
def clinic(facility_app):
    made = make_clinic(facility_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        open_shift(desk_of(made))
        yield made


@pytest.fixture
def desk(clinic):
    """The pharmacist."""
    return desk_of(clinic, clinic.pharmacist)


@pytest.fixture
def checker(clinic):
    return clinic.nurse, "005 林*燕"


@pytest.fixture
def goods(clinic):
    return make_goods(clinic, 10)


@pytest.fixture
def order(clinic, goods):
    """Two packs, paid."""
    made = sheet("WESTERN", (goods.product_id, 48))
    charged_visit(clinic, made)
    return made.id
