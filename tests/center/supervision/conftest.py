from __future__ import annotations

import secrets

import pytest
from sqlalchemy import create_engine

from tests.center.supervision.world import HERE, MORNING, Institution, new_code, received, sold
from tests.factories import people


@pytest.fixture(scope="session")
def center_owner(database_urls):
    engine = create_engine(database_urls["center"]["owner"])
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def inbox_engine(database_urls):
    engine = create_engine(database_urls["center"]["inbox"])
    yield engine
    engine.dispose()


@pytest.fixture
def new_institution(center_owner, inbox_engine):
    """Registers an institution of a district."""

    def make(district=HERE, name="一号药店"):
        return Institution(center_owner, inbox_engine, district, name)

    return make


@pytest.fixture
def sign_in(center_app):
    """A browser of an officer of a district."""

    def make(district=HERE, role="officer"):
        client = people.center_client(center_app)
        people.sign_in_officer(client, people.make_officer(center_app, role, district=district))
        return client

    return make


@pytest.fixture
def twice_sold(new_institution):
    """A box bought and sold by card at one pharmacy, then sold again at another one of the district."""
    first, second, code = new_institution(HERE, "二号药店"), new_institution(HERE, "九号药店"), new_code()
    lot = "GM" + secrets.token_hex(3).upper()
    first.tell(received(MORNING, code, lot=lot), sold(first.moment(), code, insured=True, lot=lot))
    second.tell(sold(second.moment(60 * 24 * 70 + 60), code, lot=lot, receipt="S26-1030-0041"))
    return first, second, code, lot
