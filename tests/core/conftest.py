"""A pharmacy at the door of the facility wing, and somebody who knocks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from tests.factories import people

WRONG = "机构代码、姓名或密码不对"


@pytest.fixture(scope="module")
def pharmacy(facility_app):
    return people.make_pharmacy(facility_app)


@pytest.fixture
def client(facility_app):
    return facility_app.test_client()


@pytest.fixture
def somebody(facility_app, pharmacy):
    """A clerk of one's own, whose account a test may lock or disable."""
    return people.add_person(facility_app, pharmacy, "clerk")


def number_of(app, pharmacy, staff_id):
    from app.facility.organizations import queries

    with app.app_context(), pharmacy.acting():
        return queries.get_staff(staff_id).number


def knock(client, code, name, password, address="/signin", **options):
    token = people.form_token(client, "/signin")
    return client.post(address, data={"csrf_token": token, "code": code, "name": name, "password": password}, **options)


def is_in(client):
    return client.get("/account").status_code == 200


def later(**delta):
    return clock.at_moment(clock.now() + timedelta(**delta))


def add_newcomer(app, pharmacy, **more):
    from app.facility.organizations import actions
    from app.facility.organizations.rules import Grant

    with app.app_context(), pharmacy.acting():
        person = actions.NewStaff(f"d{people._letters(6)}", "新来的", **more)
        return person.number, actions.add_staff(person, [Grant("clerk", pharmacy.facility_id)])
