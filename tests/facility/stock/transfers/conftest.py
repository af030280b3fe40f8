"""Two shops of one organization, and what can be asked about goods between them."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from app.core import tenancy
from app.facility.db import hot_action, transaction
from app.facility.stock.transfers import actions
from app.facility.stock.transfers.rules import Arrived, Sent
from tests.factories.branches import make_branch
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import desk_of


class Town:
    """一号药店 and its second shop, each with a clerk at the desk."""

    def __init__(self, here, there):
        self.here, self.there = here, there
        self.near, self.far = desk_of(here), desk_of(there)

    def rows(self, statement, **params):
        with transaction(settings=self.here.scope) as hot:
            return list(hot.run_last(statement, {"t": self.here.tenant_id, **params}))

    def lot(self, goods, at=None):
        found = self.rows(
            "select id from lot where tenant_id = %(t)s and product_id = %(p)s and lot_number = %(l)s and facility_id = %(f)s",
            p=goods.product_id, l=goods.lot_number, f=(at or self.here).facility_id,
        )  # fmt: skip
        return found[0].id if found else None

    def packs(self, goods, at, zone):
        row = self.rows(
            "select coalesce(sum(on_hand), 0)::bigint as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s and facility_id = %(f)s and zone = %(z)s",
            p=goods.product_id, f=at.facility_id, z=zone,
        )[0]  # fmt: skip
        return row.n // goods.pack_size

    def everywhere(self, goods):
        """Packs on the sender's shelf, on their way, at the receiver."""
        return (
            self.packs(goods, self.here, "SALEABLE"),
            self.packs(goods, self.here, "TRANSIT"),
            self.packs(goods, self.there, "SALEABLE"),
        )

    def code(self, code):
        row = self.rows(
            "select state, zone, facility_id from trace_code where tenant_id = %(t)s and code = %(c)s", c=code
        )[0]
        return row.state, row.zone, row.facility_id

    def state(self, transfer):
        return self.rows("select state from transfer where tenant_id = %(t)s and id = %(i)s", i=transfer)[0].state

    def facts(self, at, kind="stock.moved"):
        rows = self.rows(
            "select kind, convert_from(body, 'UTF8') as body from outbox where tenant_id = %(t)s and facility_id = %(f)s order by number",
            f=at.facility_id,
        )
        return [json.loads(row.body) for row in rows if row.kind == kind]

    def line(self, goods, packs, codes=None, zone="SALEABLE"):
        named = goods.codes[:packs] if codes is None else codes
        return Sent(self.lot(goods), zone, packs * goods.pack_size, tuple(named))

    def send(self, *lines, back=False, **more):
        transfer = uuid4()
        actions.send_transfer(
            self.far if back else self.near, transfer, (self.here if back else self.there).facility_id, lines, **more
        )
        return transfer

    def receive(self, transfer, *arrived, desk=None, **more):
        return actions.receive_transfer(desk or self.far, transfer, arrived, **more)

    def settle(self, transfer, outcome, goods, packs, *, codes=(), desk=None, **more):
        """Say where packs went that had not arrived."""
        desk = desk or (self.far if outcome == "found" else self.near)
        zone = more.pop("zone", "" if outcome == "lost" else "SALEABLE")
        claim, units = more.pop("id", None) or uuid4(), packs * goods.pack_size
        return actions.settle_claim(desk, claim, transfer, 1, outcome, units, "已查明", zone=zone, codes=codes, **more)

    @hot_action
    def hold(self, lot, how):
        with transaction(settings=self.near.settings) as hot:
            hot.run(
                "update lot set hold = %(h)s where tenant_id = %(tenant)s and id = %(l)s",
                {**self.near.keys, "l": lot, "h": how},
            )

    def check(self):
        """Balances are the sums of their movements, streams are whole, what is in transit is what transfers say is open."""
        wrong = self.rows(
            """
            select count(*) as n from lot_balance b where b.tenant_id = %(t)s and b.on_hand <> coalesce((
                select sum(quantity) from stock_movement m where m.tenant_id = b.tenant_id and m.lot_id = b.lot_id and m.zone = b.zone), 0)
            """
        )[0].n  # fmt: skip
        assert wrong == 0, "a balance differs from its ledger"
        streams = self.rows(
            """
            select h.number, count(o.number) as facts from stream_head h left join outbox o on o.tenant_id = h.tenant_id and o.facility_id = h.facility_id
            where h.tenant_id = %(t)s group by h.facility_id, h.number
            """
        )
        assert all(row.number == row.facts for row in streams)
        lying = self.rows(
            "select coalesce(sum(on_hand), 0)::bigint as n from lot_balance where tenant_id = %(t)s and zone = 'TRANSIT'"
        )[0].n
        open_ = self.rows(
            "select coalesce(sum(quantity - received - found - back - lost), 0)::bigint as n from transfer_line where tenant_id = %(t)s"
        )[0].n
        assert lying == open_, "what lies in transit is not what the transfers say"
        astray = self.rows(
            """
            select count(*) as n from trace_code c join lot l on l.tenant_id = c.tenant_id and l.id = c.lot_id
            where c.tenant_id = %(t)s and l.facility_id <> c.facility_id
            """
        )[0].n
        assert astray == 0, "a code stands at another facility than its lot"


@pytest.fixture
def pharmacy(facility_app, center_app):
    return make_insured_pharmacy(facility_app, center_app)


@pytest.fixture
def town(facility_app, center_app, pharmacy):
    there = make_branch(facility_app, center_app, pharmacy)
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        yield Town(pharmacy, there)


def all_of(goods, packs, line_no=1, zone="SALEABLE", codes=None, reason=""):
    """What arrived of a line."""
    named = goods.codes[:packs] if codes is None else codes
    return Arrived(line_no, packs * goods.pack_size, zone, tuple(named), reason)
