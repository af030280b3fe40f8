"""Deliveries of 20 lots with 5 coded packs each, accepted one after the other, beside plain SQL that writes the same rows.

One real acceptance is the pattern of the floor: its rows are written again and again under fresh keys, one statement a table,
in one transaction as the application's role. Nothing is looked up, checked against licences or approvals, or decided there.
"""

from __future__ import annotations

import json
import secrets
import statistics
import time
from datetime import timedelta
from uuid import uuid4

import psycopg

from app.core import clock, tenancy
from app.core.hot import statements
from app.facility.stock.purchasing import deliveries, rules
from tests.factories.shop import desk_of
from tests.factories.supply import approve_products, make_supplier

LINES, CODES = 20, 5
SAME = ("stock_receipt", "stock_receipt_line", "stock_movement", "trace_event", "supplier_entry")
MINE = {"stock_receipt": "id", "stock_receipt_line": "receipt_id"}


def measure_receipts(world, seconds: float) -> dict[str, float]:
    """`stock.receipt_20`: acceptances a second at one desk, the floor's, their ratio, statements of one."""
    pharmacy = world.pharmacy
    with world.app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        supplier = make_supplier(pharmacy)
        with world.owner() as owner:
            found = owner.execute(
                "select id from product where tenant_id = %s and state = 'active' and storage = 'NORMAL' and special_class is null and rx_class <> 'HERB' order by id limit 400",
                (pharmacy.tenant_id,),
            )
            products = [row[0] for row in found]
        approve_products(pharmacy, *products)
        desk = desk_of(pharmacy, pharmacy.owner)
        with world.owner() as owner:
            owner.execute("analyze")
        ready = iter([_prepare(desk, supplier, products) for _ in range(int(seconds * 60) + 30)])
        for _ in range(10):
            deliveries.accept_delivery(desk, *next(ready))
        floor = Floor(world, _accept(desk, next(ready))[1])
        ours, plain, ran = [], [], 0
        for _ in range(6):
            ends = time.perf_counter() + seconds / 12
            while time.perf_counter() < ends:
                taken, _document, ran = _accept(desk, next(ready))
                ours.append(taken)
            ends = time.perf_counter() + seconds / 12
            while time.perf_counter() < ends:
                plain.append(floor.accept())
    rate, floor_rate = len(ours) / sum(ours), len(plain) / sum(plain)
    return {
        "per_second": round(rate, 1), "floor_per_second": round(floor_rate, 1), "ratio": round(rate / floor_rate, 3),
        "p50_ms": round(statistics.median(ours) * 1000, 1), "p95_ms": round(sorted(ours)[int(len(ours) * 0.95)] * 1000, 1), "statements": ran,
    }  # fmt: skip


def _prepare(desk, supplier, products):
    """A delivery whose draft is complete; typing it is not what is measured."""
    delivery, lot = uuid4(), f"B{secrets.token_hex(5).upper()}"
    deliveries.open_delivery(desk, delivery, supplier, None)
    expires = str(clock.business_date() + timedelta(days=500))
    start = secrets.randbelow(len(products) - LINES)
    rows = [
        rules.Row(
            product, lot=lot, expires_on=expires, arrived=str(CODES), cost="8.5", codes=[f"83{secrets.randbelow(10**18):018d}" for _ in range(CODES)]
        )
        for product in products[start : start + LINES]
    ]  # fmt: skip
    return delivery, deliveries.save_delivery(desk, delivery, 1, rules.Draft(rows=rows, note_number=f"SH{lot}"))


def _accept(desk, prepared):
    delivery, version = prepared
    began = time.perf_counter()
    with statements() as ran:
        deliveries.accept_delivery(desk, delivery, version)
    return time.perf_counter() - began, delivery, len(ran)


class Floor:
    """Writes the rows of one acceptance again, under fresh keys."""

    def __init__(self, world, document) -> None:
        self.tenant, self.facility = world.pharmacy.tenant_id, world.pharmacy.facility_id
        with world.owner() as owner:
            self.rows = {
                table: owner.execute(
                    f"select coalesce(jsonb_agg(to_jsonb(x) - 'tenant_id' - 'id'), '[]') from {table} x where tenant_id = %s and {MINE.get(table, 'document_id')} = %s",
                    (self.tenant, document),
                ).fetchone()[0]
                for table in SAME
            }
            lots = sorted({row["lot_id"] for row in self.rows["stock_receipt_line"]})
            self.lots = owner.execute(
                "select jsonb_agg(to_jsonb(l) - 'tenant_id' - 'id' order by id) from lot l where tenant_id = %s and id = any(%s)",
                (self.tenant, lots),
            ).fetchone()[0]
            units = {row["lot_id"]: row["quantity"] for row in self.rows["stock_receipt_line"]}
            self.units = [units[lot] for lot in lots]
            self.place = {lot: place for place, lot in enumerate(lots)}
            self.codes = owner.execute(
                "select jsonb_agg(to_jsonb(c) - 'tenant_id') from trace_code c where tenant_id = %s and document_id = %s",
                (self.tenant, document),
            ).fetchone()[0]
            self.body = owner.execute(
                "select body from outbox where tenant_id = %s and facility_id = %s order by number desc limit 1",
                (self.tenant, self.facility),
            ).fetchone()[0]
        self.db = psycopg.connect(world.urls["facility"]["app"].replace("+psycopg", ""), autocommit=True)

    def accept(self) -> float:
        document, mark = str(uuid4()), secrets.token_hex(5)
        fresh = {row["code"]: f"84{secrets.randbelow(10**18):018d}" for row in self.codes}
        began = time.perf_counter()
        with self.db.transaction(), self.db.cursor() as cursor:
            cursor.execute("select set_config('app.tenant_id', %s, true)", (str(self.tenant),))
            ids = [
                row[0]
                for row in self._insert(
                    cursor, "lot", [{**row, "lot_number": mark} for row in self.lots], "returning id"
                )
            ]
            balances = [
                {"lot_id": ids[n], "zone": "SALEABLE", "facility_id": lot["facility_id"], "product_id": lot["product_id"], "expires_on": lot["expires_on"], "on_hand": self.units[n], "reserved": 0}
                for n, lot in enumerate(self.lots)
            ]  # fmt: skip
            self._insert(cursor, "lot_balance", balances)
            self._insert(cursor, "trace_code", [self._renewed(row, ids, document, fresh) for row in self.codes])
            for table in SAME:
                rows = [self._renewed(row, ids, document, fresh) for row in self.rows[table]]
                for row in rows:
                    row[MINE.get(table, "document_id")] = document
                    if "number" in row:
                        row["number"] = mark
                self._insert(cursor, table, rows)
            keys = {"t": self.tenant, "f": self.facility, "body": self.body}
            cursor.execute(HEAD, keys)
        return time.perf_counter() - began

    def _renewed(self, row, ids, document, fresh):
        changed = dict(row)
        if changed.get("lot_id") in self.place:
            changed["lot_id"] = ids[self.place[changed["lot_id"]]]
        if changed.get("code") in fresh:
            changed["code"] = fresh[changed["code"]]
        if "document_id" in changed:
            changed["document_id"] = document
        if "delivery_id" in changed:
            changed["delivery_id"] = None
        return changed

    def _insert(self, cursor, table, rows, returning=""):
        if not rows:
            return []
        names = ", ".join(rows[0])
        cursor.execute(
            f"insert into {table} (tenant_id, {names}) select %s, {names} from jsonb_populate_recordset(null::{table}, %s) {returning}",
            (self.tenant, json.dumps(rows)),
            prepare=True,
        )
        return cursor.fetchall() if returning else []


# What telling the center writes: one fact of the same size, chained by its hash, under the facility's head.
HEAD = """
with head as (
    update stream_head set number = number + 1, receipt_number = receipt_number + 1, hash = sha256(hash || %(body)s)
    where tenant_id = %(t)s and facility_id = %(f)s returning epoch, number, stream, hash
)
insert into outbox (tenant_id, facility_id, epoch, number, stream, kind, version, body, hash)
select %(t)s, %(f)s, epoch, number, stream, 'stock.received', 1, %(body)s, hash from head
"""
