"""What settling reads of a person is found by its key, however many readings of cards the years have left."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core import clock
from app.facility.counter import refund_statements, statements
from app.facility.db import transaction
from launcher.databases import connect
from tests.factories.people import make_pharmacy
from tests.factories.shop import desk_of

READS = {
    "load": statements.LOAD,
    "sale as asked": statements.SALE_AS_ASKED,
    "lock sale": refund_statements.LOCK_SALE,
}
READINGS = """
insert into identification (tenant_id, id, facility_id, staff_id, credential, read_how, person_hash, sealed, shown, identity)
select %(tenant)s, gen_random_uuid(), %(facility)s, %(staff)s, 'card', 'card', '\\x00', '\\x00', '{}', '{}' from generate_series(1, 3000)
"""


@pytest.fixture(scope="module")
def desk(facility_app, database_urls):
    desk = desk_of(make_pharmacy(facility_app))
    with connect(database_urls["facility"]["owner"]) as connection:
        connection.execute("select set_config('app.tenant_id', %s, false)", (str(desk.tenant_id),))
        connection.execute(READINGS, desk.keys)
        connection.execute("analyze identification")
    return desk


@pytest.mark.parametrize("name", READS)
def test_a_reading_is_found_by_its_key(facility_app, desk, name):
    keys = {**desk.keys, "document": uuid4(), "sale": uuid4(), "today": clock.business_date()}
    with facility_app.app_context(), transaction(settings=desk.settings) as hot:
        plan = [row[0] for row in hot.run(f"explain {READS[name]}", keys)]

    place = next(number for number, line in enumerate(plan) if "on identification" in line)
    assert "identification_pk" in plan[place]
    assert "id = " in plan[place + 1].partition(" AND ")[2]
