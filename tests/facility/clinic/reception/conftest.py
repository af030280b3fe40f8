"""People of a clinic at their browsers."""

import pytest

from launcher import translations
from tests.factories.clinic import make_clinic
from tests.factories.people import browser

translations.prepare()


@pytest.fixture
def pharmacy(clinic):
    """Whose people the owner and the clerk of the wing's tests are."""
    return clinic


@pytest.fixture
def doctor(facility_app, clinic):
    return browser(facility_app, clinic, clinic.doctor)


@pytest.fixture
def stranger(facility_app):
    other = make_clinic(facility_app, name="别家诊所")
    return browser(facility_app, other, other.owner)
