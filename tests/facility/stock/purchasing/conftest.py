"""A pharmacy that may buy: an approved supplier and approved products."""

from __future__ import annotations

import pytest

from tests.facility.stock.conftest import at_work, clerk, owner, pharmacist, pharmacy, stranger, text  # noqa: F401
from tests.factories.purchase import approved_product as make_approved  # noqa: F401
from tests.factories.purchase import make_delivery, make_order, row  # noqa: F401
from tests.factories.shop import desk_of, one
from tests.factories.supply import make_supplier


@pytest.fixture
def supplier(at_work):  # noqa: F811
    return make_supplier(at_work)


@pytest.fixture
def desk(at_work):  # noqa: F811
    return desk_of(at_work, at_work.owner)


def value(pharmacy, statement, **params):  # noqa: F811
    """One value as the pharmacy sees it."""
    found = one(pharmacy, statement, **params)
    return found[0] if found else None
