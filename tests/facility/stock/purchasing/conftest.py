"""A pharmacy that may buy: an approved supplier and approved products."""

from __future__ import annotations

import pytest

from tests.factories.shop import desk_of, one
from tests.factories.supply import make_supplier


@pytest.fixture
def supplier(at_work):
    return make_supplier(at_work)


@pytest.fixture
def desk(at_work):
    return desk_of(at_work, at_work.owner)


def value(pharmacy, statement, **params):
    """One value as the pharmacy sees it."""
    found = one(pharmacy, statement, **params)
    return found[0] if found else None
