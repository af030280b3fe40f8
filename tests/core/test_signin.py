"""The door of the facility wing, driven through its pages."""

from __future__ import annotations

import pytest

from tests.factories import people


@pytest.fixture(scope="module")
def pharmacy(facility_app):
    return people.make_pharmacy(facility_app)


@pytest.fixture
def client(facility_app):
    return facility_app.test_client()


def knock(client, code, name, password, **options):
    token = people.form_token(client, "/signin")
    return client.post(
        "/signin", data={"csrf_token": token, "code": code, "name": name, "password": password}, **options
    )


def test_owner_signs_in_by_name_and_by_number(client, pharmacy):
    by_name = knock(client, pharmacy.code, "王店长", people.PASSWORD)

    assert by_name.status_code == 303
    assert client.get("/account").status_code == 200
    assert people.post(client, "/signout").status_code == 303
    assert knock(client, pharmacy.code, "001", people.PASSWORD).status_code == 303
