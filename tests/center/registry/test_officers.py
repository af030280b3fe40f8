"""The center's people: who manages whom, and what nobody can."""

from __future__ import annotations

import pytest

from tests.factories import people


@pytest.fixture
def administrator(center_app):
    return people.make_officer(center_app, "administrator", name="郑管理")


@pytest.fixture
def client(center_app, administrator):
    made = people.center_client(center_app)
    people.sign_in_officer(made, administrator)
    return made


def test_pages_open(client, administrator):
    assert client.get("/registry/officers").status_code == 200
    assert client.get("/registry/officers/new").status_code == 200
    assert client.get(f"/registry/officers/{administrator.id}").status_code == 200
    assert client.get("/account").status_code == 200
