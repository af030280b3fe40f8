"""One supplier with everything around it, and what a form of ours sends."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.facility.stock.suppliers.actions import Owner
from tests.factories.supply import make_supplier


@pytest.fixture
def supplier(at_work):
    return make_supplier(at_work, name="鄞州医药有限公司", contact="顾联系", phone="13805741234", bank="工行", account="6222020200112233")  # fmt: skip


@pytest.fixture
def owner_of(supplier):
    return Owner("supplier", supplier)


def sent(**fields):
    """A form with a fresh document id."""
    return {"document": str(uuid4())} | fields
