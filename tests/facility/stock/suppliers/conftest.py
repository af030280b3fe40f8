"""One supplier with everything around it, people at browsers of their own, and what a form of ours sends."""

from __future__ import annotations

import contextvars
from uuid import uuid4

import pytest
from flask.globals import _cv_app
from flask.testing import FlaskClient

from app.facility.stock.suppliers.actions import Owner
from tests.factories.people import make_pharmacy, sign_in
from tests.factories.supply import make_supplier


class Browser(FlaskClient):
    """A browser whose requests begin as they do in the world: not inside the test's own application context."""

    def open(self, *args, **kwargs):
        return contextvars.copy_context().run(self._open, args, kwargs)

    def _open(self, args, kwargs):
        _cv_app.set(None)
        return super().open(*args, **kwargs)


def browser(app, pharmacy, staff_id):
    client = Browser(app, app.response_class, use_cookies=True)
    sign_in(client, pharmacy, staff_id)
    return client


@pytest.fixture
def owner(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.owner)


@pytest.fixture
def clerk(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.clerk)


@pytest.fixture
def pharmacist(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.pharmacist)


@pytest.fixture
def stranger(facility_app):
    other = make_pharmacy(facility_app, name="三号药店")
    return browser(facility_app, other, other.owner)


@pytest.fixture
def supplier(at_work):
    return make_supplier(at_work, name="鄞州医药有限公司", contact="顾联系", phone="13805741234", bank="工行", account="6222020200112233")  # fmt: skip


@pytest.fixture
def owner_of(supplier):
    return Owner("supplier", supplier)


def sent(**fields):
    """A form with a fresh document id."""
    return {"document": str(uuid4())} | fields
