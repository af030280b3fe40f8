from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from tests.center.supervision.world import Institution


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

    def make(district="330212", name="一号药店"):
        return Institution(center_owner, inbox_engine, district, name)

    return make
