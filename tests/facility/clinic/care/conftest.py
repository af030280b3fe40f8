"""A clinic with plans and packages, and its people at their browsers."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.facility.clinic.care import actions, plans
from app.facility.db import transaction
from tests.factories.clinic import make_clinic, make_patient
from tests.factories.people import browser
from tests.factories.shop import desk_of


@pytest.fixture
def pharmacy(clinic):
    """Whose people the owner and the clerk of the wing's tests are."""
    return clinic


@pytest.fixture
def nurse(clinic):
    plans.take_starters(desk_of(clinic, clinic.owner))
    return desk_of(clinic, clinic.nurse)


@pytest.fixture
def at_browser(facility_app, clinic, nurse):
    return browser(facility_app, clinic, clinic.nurse)


@pytest.fixture
def stranger(facility_app):
    other = make_clinic(facility_app, name="别家诊所")
    return browser(facility_app, other, other.owner)


@pytest.fixture
def put_on(clinic, nurse):
    """Somebody put on a plan, whose day passed so many days ago; returns (patient, enrolment)."""

    def make(late=10, plan="hypertension", patient=None, **fields):
        today, enrolment = clock.business_date(), uuid4()
        patient = patient or make_patient(clinic, **fields)
        actions.enrol(nurse, enrolment, patient, plan, today - timedelta(days=400))
        move("care_enrolment", "next_on", today - timedelta(days=late), enrolment)
        return patient, enrolment

    def move(table, column, day, key):
        with transaction(role="owner", settings=clinic.scope) as hot:
            hot.run_last(f"update {table} set {column} = %(day)s where tenant_id = %(t)s and id = %(id)s", {"day": day, "t": clinic.tenant_id, "id": key})  # fmt: skip

    return make
