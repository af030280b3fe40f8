from __future__ import annotations

import pytest

from tests.factories.city import make_insured_pharmacy


@pytest.fixture
def pharmacy(facility_app, center_app):
    """A pharmacy that the center knows, so that its recalls arrive."""
    return make_insured_pharmacy(facility_app, center_app)
