"""A clinic whose acts run as its people."""

import time

import pytest

from app.core import tenancy
from app.core.errors import Outage
from app.facility.insurance import desk as desks
from tests.factories.clinic import make_clinic


@pytest.fixture
def clinic(facility_app):
    made = make_clinic(facility_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made


@pytest.fixture
def lost(facility_app, monkeypatch):
    """The center does what it is asked, but its answer is lost; the attempt is overdue at once."""
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)

    def lose(act):
        client = desks.national_client()
        really = client.ask

        def silent(call):
            really(call)
            raise Outage("silence after it was done")

        with monkeypatch.context() as patch:
            patch.setattr(client, "ask", silent)
            found = act()
        time.sleep(0.05)
        return found

    return lose
