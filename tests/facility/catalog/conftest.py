"""A pharmacy of one's own for each test of the catalog, and a quick way through an import."""

from __future__ import annotations

import io
import os
from pathlib import Path
from uuid import uuid4

import pytest

from app.core.tenancy import as_tenant
from app.facility.catalog import actions, import_queries, imports
from app.facility.catalog.rules import ProductDraft
from app.facility.db import db
from tests.factories.people import make_pharmacy, sign_in

REAL = os.environ.get("SUNMED_REAL_DATA", "")


@pytest.fixture
def pharmacy(facility_app):
    return make_pharmacy(facility_app)


@pytest.fixture
def at_work(facility_app, pharmacy):
    """Act inside the pharmacy, as jobs and commands do."""
    with facility_app.app_context(), as_tenant(pharmacy.tenant_id):
        yield pharmacy
        db.session.remove()


@pytest.fixture
def owner(facility_app, pharmacy):
    client = facility_app.test_client()
    sign_in(client, pharmacy, pharmacy.owner)
    return client


@pytest.fixture
def clerk(facility_app, pharmacy):
    client = facility_app.test_client()
    sign_in(client, pharmacy, pharmacy.clerk)
    return client


@pytest.fixture
def stranger(facility_app):
    other = make_pharmacy(facility_app, name="三号药店")
    client = facility_app.test_client()
    sign_in(client, other, other.owner)
    return client


def real_file(path: str) -> bytes:
    """A file of the world as it is; without the folder the test skips and says so."""
    if not REAL:
        pytest.skip("SUNMED_REAL_DATA does not name the folder with real files")
    return (Path(REAL) / path).read_bytes()


def preview(pharmacy, content: bytes | str, name: str = "目录.csv", **changes):
    """Upload a file, accept the guessed columns, check it; returns the import's id."""
    batch_id = uuid4()
    imports.upload_file(batch_id, name, content.encode() if isinstance(content, str) else content, pharmacy.owner)
    mapping = {**import_queries.get_batch(batch_id).mapping, **changes}
    imports.choose_columns(batch_id, mapping, pharmacy.owner)
    while not imports.check_next(batch_id):
        pass
    return batch_id


def take(pharmacy, content: bytes | str, **options):
    """Bring a file in whole; returns the import's id."""
    batch_id = preview(pharmacy, content)
    imports.decide(batch_id, **options)
    imports.take_import(batch_id, pharmacy.owner)
    return batch_id


def rows_of(batch_id, **filters):
    return import_queries.list_rows(batch_id, **filters)[0]


def codes(row):
    return [problem["code"] for problem in row.problems]


def product(pharmacy, code: str = "", price: str | None = "12.5", **facts):
    from decimal import Decimal

    draft = ProductDraft(**{"code": code, "generic_name": "阿莫西林胶囊", "spec": code or "0.25g×24粒", **facts})
    return actions.create_product(draft, pharmacy.owner, None if price is None else Decimal(price))


def file_of(content: bytes, name: str):
    return io.BytesIO(content), name
