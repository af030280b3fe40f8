"""A pharmacy of one's own, as in the stock room."""

from __future__ import annotations

import pytest

from tests.factories.people import make_pharmacy


@pytest.fixture
def pharmacy(facility_app):
    return make_pharmacy(facility_app)
