"""What settling reads is found by keys: no statement of it may grow with the sales that were ever made.

Without a way to an index, the database reads a whole table even where that is forbidden; so a plan that still does shows it.
"""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core import clock
from app.facility.counter import refund_statements, statements
from app.facility.db import transaction
from tests.factories.people import make_pharmacy
from tests.factories.shop import desk_of

READS = {
    "load": statements.LOAD,
    "known sale": statements.KNOWN_SALE,
    "sale as asked": statements.SALE_AS_ASKED,
    "picks": statements.PICKS,
    "known refund": refund_statements.KNOWN,
    "lock sale": refund_statements.LOCK_SALE,
}


@pytest.mark.parametrize("name", READS)
def test_no_table_is_read_whole(facility_app, name):
    desk = desk_of(make_pharmacy(facility_app))
    keys = {**desk.keys, "document": uuid4(), "sale": uuid4(), "refund": uuid4(), "today": clock.business_date()}
    with facility_app.app_context(), transaction(settings={**desk.settings, "enable_seqscan": "off"}) as hot:
        plan = [row[0] for row in hot.run(f"explain {READS[name]}", keys)]

    assert plan
    assert not [line for line in plan if "Seq Scan" in line]
