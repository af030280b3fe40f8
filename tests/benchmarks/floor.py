"""The floor: the rows of an insured sale written by plain SQL, set-based, with the same three commits.

One real sale is taken as the pattern; its rows are written again and again with fresh keys. Nothing is looked up, nothing is
decided, encrypted, signed or sent: this is what the databases alone can do with these tables, indexes and policies.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from uuid import uuid4

import psycopg

FACILITY_TABLES = ("sale", "sale_line", "sale_pick", "sale_code", "insurance_attempt")
CENTER_TABLES = ("settlement", "settlement_line", "message")

ASK = """
with b as (
    update basket set state = 'asked', changed_at = now() where tenant_id = %(t)s and id = %(old)s
), k as (
    select lot_id, zone from lot_balance where tenant_id = %(t)s and lot_id = any(%(lots)s) order by lot_id for no key update
), r as (
    update lot_balance x set reserved = reserved + 24 from k where x.tenant_id = %(t)s and x.lot_id = k.lot_id and x.zone = k.zone returning x.lot_id
), c as (
    update trace_code set reserved = reserved + 24, state = 'RESERVED', document_id = %(id)s where tenant_id = %(t)s and code = any(%(codes)s) returning code
), h as (
    update stream_head set receipt_number = receipt_number + 1, message_number = message_number + 1 where tenant_id = %(t)s and facility_id = %(f)s returning 1
), s as (
    insert into sale select * from jsonb_populate_record(null::sale, %(sale)s::jsonb)
), l as (
    insert into sale_line select * from jsonb_populate_recordset(null::sale_line, %(sale_line)s::jsonb)
), p as (
    insert into sale_pick select * from jsonb_populate_recordset(null::sale_pick, %(sale_pick)s::jsonb)
), o as (
    insert into sale_code select * from jsonb_populate_recordset(null::sale_code, %(sale_code)s::jsonb)
)
insert into insurance_attempt select * from jsonb_populate_record(null::insurance_attempt, %(insurance_attempt)s::jsonb)
"""
SETTLE = """
with m as (
    insert into message select * from jsonb_populate_record(null::message, %(message)s::jsonb)
), y as (
    update person_year set inscope_fen = inscope_fen + 1 where psn_no = %(person)s and insutype = '310' and year = %(year)s
), a as (
    update account set current_fen = current_fen - 1 where psn_no = %(person)s
), s as (
    insert into settlement select * from jsonb_populate_record(null::settlement, %(settlement)s::jsonb)
), e as (
    insert into account_entry (psn_no, district, pot, amount_fen, balance_fen, reason, setl_id, entered_at)
    values (%(person)s, '330212', 'current', -1, 1, 'settled', %(setl)s, now())
), c as (
    insert into code_claim (code, institution_code, district, source, document, line, split, holds, duplicate, claimed_at)
    select code, %(institution)s, '330212', 'settlement', %(setl)s, '1', false, true, false, now() from unnest(%(codes)s::text[]) code
)
insert into settlement_line select * from jsonb_populate_recordset(null::settlement_line, %(settlement_line)s::jsonb)
"""
CONFIRM = """
with a as (
    update insurance_attempt set state = 'accepted', answered_at = now() where tenant_id = %(t)s and id = %(attempt)s
), s as (
    update sale set state = 'settled', settled_at = now(), money = %(money)s::jsonb, cash_fen = 0, stream_number = 1, stream_hash = '\\x00' where tenant_id = %(t)s and id = %(id)s
), k as (
    select lot_id, zone from lot_balance where tenant_id = %(t)s and lot_id = any(%(lots)s) order by lot_id for no key update
), b as (
    update lot_balance x set on_hand = on_hand - 24, reserved = reserved - 24 from k where x.tenant_id = %(t)s and x.lot_id = k.lot_id and x.zone = k.zone
    returning x.lot_id, x.zone, x.product_id, x.on_hand
), v as (
    insert into stock_movement (tenant_id, facility_id, lot_id, zone, product_id, kind, quantity, balance, document_id, line_no, staff_id, moved_at)
    select %(t)s, %(f)s, lot_id, zone, product_id, 'SA', -24, on_hand, %(id)s, 1, %(staff)s, now() from b
), c as (
    update trace_code set remaining = 0, reserved = 0, state = 'SOLD' where tenant_id = %(t)s and code = any(%(codes)s) returning code
), e as (
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select %(t)s, code, 'SA', 24, %(id)s, 1, %(f)s, %(staff)s, now() from c
), t as (
    insert into tender (tenant_id, document_id, shift_id, kind, amount_fen) values (%(t)s, %(id)s, %(shift)s, 'account', 3750)
), h as (
    update stream_head set number = number + 1, hash = sha256(hash || %(body)s) where tenant_id = %(t)s and facility_id = %(f)s returning epoch, number, stream, hash
)
insert into outbox (tenant_id, facility_id, epoch, number, stream, kind, version, body, hash)
select %(t)s, %(f)s, epoch, number, stream, 'sale.sold', 1, %(body)s, hash from h
"""


class Floor:
    """Eight connections to each database, in two processes, as the web server has them."""

    def __init__(self, world, till) -> None:
        self.world = world
        self.pattern = _pattern(world, till)
        with world.owner("facility") as connection:
            self.shifts = {
                row[0]: str(row[1])
                for row in connection.execute(
                    "select distinct on (tenant_id) tenant_id, id from shift order by tenant_id, opened_at"
                )
            }

    def run(self, seconds: float) -> tuple[list[float], float]:
        """Write sales for a while on floor-only facilities' rows; returns waits (ms) and sales per second."""
        context = multiprocessing.get_context("spawn")
        queue, together = context.Queue(), context.Barrier(8)
        urls = {
            wing: {role: url.replace("+psycopg", "") for role, url in roles.items()}
            for wing, roles in self.world.urls.items()
        }
        workers = [
            context.Process(target=_work, args=(urls, self._mine(number), self.pattern, seconds, queue, together))
            for number in range(8)
        ]
        [worker.start() for worker in workers]
        ended = [queue.get() for _ in workers]
        [worker.join() for worker in workers]
        waits = [wait for each, _ in ended for wait in each]
        assert waits, "the floor wrote nothing"
        return waits, sum(len(each) / took for each, took in ended)

    def _mine(self, number: int) -> dict:
        from tests.benchmarks.bench_counter import Till
        from tests.benchmarks.world import FACILITIES

        number += FACILITIES
        shop = self.world.shops[number]
        with Till.lock:
            start = Till.turn[number]
            Till.turn[number] += 3 * 600  # Boxes that the floor may sell in one turn.
        return {
            "tenant": shop.tenant,
            "facility": shop.facility,
            "staff": shop.staff,
            "code": shop.code,
            "products": shop.products,
            "start": start,
            "shift": self.shifts[shop.tenant],
            "person": f"3302{number:016d}",
        }


def _pattern(world, till) -> dict:
    """The rows of one real sale."""
    till.sell(9_998)
    with world.owner("facility") as facility, world.owner("center") as center:
        sale = facility.execute(
            "select id from sale where tenant_id = %s and state = 'settled' order by asked_at desc limit 1",
            (till.shop.tenant,),
        ).fetchone()[0]
        rows = {
            name: [
                row[0]
                for row in facility.execute(
                    f"select to_jsonb(x) from {name} x where tenant_id = %s and {'id' if name == 'sale' else 'document_id' if name == 'insurance_attempt' else 'sale_id'} = %s",
                    (till.shop.tenant, sale),
                )
            ]
            for name in FACILITY_TABLES
        }
        body = facility.execute(
            "select body from outbox where tenant_id = %s and kind = 'sale.sold' order by number desc limit 1",
            (till.shop.tenant,),
        ).fetchone()[0]
        setl = rows["sale"][0]["setl_id"]
        for name in CENTER_TABLES:
            rows[name] = [
                row[0] for row in center.execute(f"select to_jsonb(x) from {name} x where setl_id = %s", (setl,))
            ]
    return {"rows": rows, "body": bytes(body), "basket": str(sale)}


def _work(urls, mine, pattern, seconds, queue, together) -> None:
    facility = psycopg.connect(urls["facility"]["app"])
    center = psycopg.connect(urls["center"]["interface"])
    waits: list[float] = []
    baskets = _baskets(urls, mine, 600)
    turn = 0
    together.wait()
    started = time.perf_counter()
    until = started + seconds
    while time.perf_counter() < until and turn < 600:
        params = _params(mine, pattern, turn, baskets[turn])
        began = time.perf_counter()
        _commit(facility, mine["tenant"], ASK, params)
        _commit(center, None, SETTLE, params)
        _commit(facility, mine["tenant"], CONFIRM, params)
        waits.append((time.perf_counter() - began) * 1000)
        turn += 1
    queue.put((waits, time.perf_counter() - started))
    facility.close()
    center.close()


def _baskets(urls, mine, count) -> list[str]:
    """Baskets to be closed, so that the floor updates one as a sale does."""
    made = [str(uuid4()) for _ in range(count)]
    with psycopg.connect(urls["facility"]["owner"], autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        connection.cursor().executemany(
            "insert into basket (tenant_id, id, facility_id, station, staff_id, state, content) values (%s, %s, %s, 'floor', %s, 'held', '{}')",
            [(mine["tenant"], one, mine["facility"], mine["staff"]) for one in made],
        )
    return made


def _commit(connection, tenant, statement, params) -> None:
    with connection.pipeline():
        if tenant is not None:
            connection.execute("select set_config('app.tenant_id', %s, true)", (str(tenant),))
        connection.execute(statement, params)
        connection.commit()


def _params(mine, pattern, turn, old) -> dict:
    from tests.benchmarks.world import CODED, CODES, code_of

    sale, attempt, setl = str(uuid4()), str(uuid4()), f"floor{uuid4().hex[:24]}"
    places = [(mine["start"] + 3 * turn + n) for n in range(3)]
    assert places[-1] // CODED < CODES, "the floor has sold every box; raise CODES"
    picked = [(mine["products"][place % CODED], place // CODED + 1) for place in places]
    codes = [code_of(mine["tenant"], product[0], pack) for product, pack in picked]
    rows = {name: [dict(row) for row in found] for name, found in pattern["rows"].items()}
    for name in FACILITY_TABLES:
        for position, row in enumerate(rows[name]):
            row["tenant_id"] = mine["tenant"]
            if "facility_id" in row:
                row["facility_id"] = mine["facility"]
            if "sale_id" in row:
                row["sale_id"] = sale
            if name == "sale_pick":
                row["lot_id"] = picked[position][0][3]
            if name == "sale_code":
                row["code"] = codes[position]
            if name == "sale_line":
                row["product_id"] = picked[position][0][0]
    rows["sale"][0] |= {
        "id": sale,
        "state": "asked",
        "receipt": f"F{uuid4().hex[:12]}",
        "staff_id": mine["staff"],
        "setl_id": setl,
        "identification_id": None,
        "paid": "self",
    }
    rows["insurance_attempt"][0] |= {
        "id": attempt,
        "document_id": sale,
        "state": "asked",
        "message_id": uuid4().hex[:30],
        "answered_at": None,
        "deadline_at": "2099-01-01T00:00:00Z",
    }
    rows["settlement"][0] |= {
        "setl_id": setl,
        "mdtrt_id": setl,
        "msgid": uuid4().hex[:30],
        "institution_code": mine["code"],
        "psn_no": mine["person"],
    }
    for row in rows["settlement_line"]:
        row["setl_id"] = setl
    rows["message"][0] |= {"msgid": rows["settlement"][0]["msgid"], "institution_code": mine["code"], "setl_id": None}
    shift = mine["shift"]
    rows["sale"][0]["shift_id"] = shift
    single = {"sale", "insurance_attempt", "settlement", "message"}
    return {
        **{name: json.dumps(found[0] if name in single else found) for name, found in rows.items()},
        "t": mine["tenant"], "f": mine["facility"], "staff": mine["staff"], "id": sale, "attempt": attempt, "old": old, "setl": setl, "codes": codes, "shift": shift,
        "lots": [product[3] for product, _ in picked], "person": mine["person"], "institution": mine["code"], "year": rows["settlement"][0]["year"],
        "body": pattern["body"], "money": json.dumps(pattern["rows"]["sale"][0]["money"]),
    }  # fmt: skip
