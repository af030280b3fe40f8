"""Counts for tests: opened, entered, closed and approved through the actions."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.facility.stock.counts import actions, approving, entering
from app.facility.stock.counts.actions import Reason, Scope
from app.facility.stock.counts.rules import Counted
from tests.factories.people import add_person
from tests.factories.shop import desk_of, one


class Count:
    """One count, led by the owner; the clerk and a colleague count, the pharmacist approves."""

    def __init__(self, pharmacy, scope=None, *, blind=True, colleague=None):
        self.pharmacy, self.id = pharmacy, uuid4()
        self.leader, self.clerk = desk_of(pharmacy, pharmacy.owner), desk_of(pharmacy)
        self.colleague, self.pharmacist = (
            desk_of(pharmacy, colleague or pharmacy.clerk),
            desk_of(pharmacy, pharmacy.pharmacist),
        )
        self.number = actions.open_count(self.leader, self.id, scope or Scope("full"), blind=blind)

    def line(self, goods, zone="SALEABLE"):
        return one(
            self.pharmacy,
            """select n.* from count_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
            where n.tenant_id = %(t)s and n.count_id = %(c)s and n.product_id = %(p)s and l.lot_number = %(l)s and n.zone = %(z)s""",
            c=self.id, p=goods.product_id, l=goods.lot_number, z=zone,
        )  # fmt: skip

    def enter(self, goods, packs, place="货架", codes=(), *, by=None, replaces="", zone="SALEABLE", rest=0, entry=None):
        entry = entry or uuid4()
        counted = Counted(packs * goods.pack_size + rest, place, tuple(codes), str(replaces))
        entering.enter_count(by or self.clerk, entry, self.id, self.line(goods, zone).line_no, counted)
        return entry

    def close(self, **more):
        return actions.close_count(self.leader, self.id, **more)

    def explain(self, goods, reason="missing", note="", zone="SALEABLE"):
        actions.explain_differences(self.leader, self.id, [Reason(self.line(goods, zone).line_no, reason, note)])

    def approve(self, by=None, version=None):
        approving.approve_count(by or self.pharmacist, self.id, version or self.head.version)

    @property
    def head(self):
        return one(self.pharmacy, "select * from stock_count where tenant_id = %(t)s and id = %(c)s", c=self.id)

    def difference(self, goods, zone="SALEABLE"):
        return self.line(goods, zone).difference


def on_hand_in(pharmacy, goods, zone="SALEABLE"):
    return one(
        pharmacy,
        "select coalesce(sum(on_hand), 0)::bigint as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s and zone = %(z)s",
        p=goods.product_id,
        z=zone,
    ).n


def state_of(pharmacy, code):
    return one(pharmacy, "select state from trace_code where tenant_id = %(t)s and code = %(c)s", c=code).state


@pytest.fixture
def colleague(facility_app, pharmacy):
    return add_person(facility_app, pharmacy, "clerk", name="孙小盘")


@pytest.fixture
def open_count(pharmacy, desk, colleague):
    """Make a count of what is on the shelf now."""

    def make(scope=None, **more):
        return Count(pharmacy, scope, colleague=colleague, **more)

    return make
