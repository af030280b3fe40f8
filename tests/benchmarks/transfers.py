"""Transfers of five lines, sent and received through the acts, beside the same rows written by plain SQL in the same run.

Both write in one process on one connection, turn by turn, so that a neighbour's load falls on both. The floor takes the
receipt's own rows: balances, movements, codes with their events, the paper, both streams. It looks nothing up, checks
nothing and composes no facts: it appends bytes that are ready.
"""

from __future__ import annotations

import json
import time
from uuid import uuid4

LINES = 5
ROUNDS = 30

SEND = """
with b as (
    update lot_balance set on_hand = on_hand - 24 where tenant_id = %(t)s and lot_id = any(%(lots)s) and zone = 'SALEABLE' returning lot_id, on_hand, product_id
), g as (
    insert into lot_balance (tenant_id, lot_id, zone, facility_id, product_id, expires_on, on_hand)
    select %(t)s, id, 'TRANSIT', %(f)s, product_id, expires_on, 24 from lot where tenant_id = %(t)s and id = any(%(lots)s)
    on conflict (tenant_id, lot_id, zone) do update set on_hand = lot_balance.on_hand + 24 returning lot_id, on_hand, product_id
), m as (
    insert into stock_movement (tenant_id, facility_id, lot_id, zone, product_id, kind, quantity, balance, document_id, line_no, staff_id, moved_at)
    select %(t)s, %(f)s, lot_id, 'SALEABLE', product_id, 'TO', -24, on_hand, %(id)s, 1, %(staff)s, now() from b
    union all select %(t)s, %(f)s, lot_id, 'TRANSIT', product_id, 'TO', 24, on_hand, %(id)s, 1, %(staff)s, now() from g
), c as (
    update trace_code set state = 'IN_TRANSIT', zone = 'TRANSIT', document_id = %(id)s where tenant_id = %(t)s and code = any(%(codes)s) returning code
), e as (
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select %(t)s, code, 'TO', 24, %(id)s, 1, %(f)s, %(staff)s, now() from c
), h as (
    insert into transfer (tenant_id, id, from_facility_id, to_facility_id, number, digest, line_count, staff_id, sent_at, sent_on)
    values (%(t)s, %(id)s, %(f)s, %(g)s, %(id)s::text, '\\x00', 5, %(staff)s, now(), current_date)
), l as (
    insert into transfer_line (tenant_id, transfer_id, line_no, product_id, from_lot_id, from_zone, quantity, in_codes)
    select %(t)s, %(id)s, row_number() over (order by lot_id), product_id, lot_id, 'SALEABLE', 24, 24 from b returning line_no
)
insert into transfer_code (tenant_id, transfer_id, code, line_no, quantity)
select %(t)s, %(id)s, code, row_number() over (order by code), 24 from c
"""
RECEIVE = """
with b as (
    update lot_balance set on_hand = on_hand - 24 where tenant_id = %(t)s and lot_id = any(%(lots)s) and zone = 'TRANSIT' returning lot_id, on_hand, product_id
), n as (
    insert into lot (tenant_id, facility_id, product_id, lot_number, produced_on, expires_on, cost_price)
    select tenant_id, %(g)s, product_id, lot_number, produced_on, expires_on, cost_price from lot where tenant_id = %(t)s and id = any(%(lots)s)
    on conflict on constraint lot_once do update set cost_price = lot.cost_price returning id, product_id, expires_on
), g as (
    insert into lot_balance (tenant_id, lot_id, zone, facility_id, product_id, expires_on, on_hand)
    select %(t)s, id, 'SALEABLE', %(g)s, product_id, expires_on, 24 from n
    on conflict (tenant_id, lot_id, zone) do update set on_hand = lot_balance.on_hand + 24 returning lot_id, on_hand, product_id
), m as (
    insert into stock_movement (tenant_id, facility_id, lot_id, zone, product_id, kind, quantity, balance, document_id, line_no, staff_id, moved_at)
    select %(t)s, %(f)s, lot_id, 'TRANSIT', product_id, 'TO', -24, on_hand, %(id)s, 1, %(staff)s, now() from b
    union all select %(t)s, %(g)s, lot_id, 'SALEABLE', product_id, 'TI', 24, on_hand, %(id)s, 1, %(staff)s, now() from g
), c as (
    update trace_code x set state = 'IN_STOCK', zone = 'SALEABLE', facility_id = %(g)s, lot_id = n.id from n
    where x.tenant_id = %(t)s and x.code = any(%(codes)s) and x.product_id = n.product_id returning x.code
), e as (
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select %(t)s, code, 'TI', 24, %(id)s, 1, %(g)s, %(staff)s, now() from c
), h as (
    update transfer set state = 'received', received_by = %(staff)s, received_at = now(), received_digest = '\\x00' where tenant_id = %(t)s and id = %(id)s
), k as (
    update transfer_code set state = 'received' where tenant_id = %(t)s and transfer_id = %(id)s
)
update transfer_line l set received = 24, to_lot_id = n.id, to_zone = 'SALEABLE' from n
where l.tenant_id = %(t)s and l.transfer_id = %(id)s and l.product_id = n.product_id
"""
TELL = "select append_facts(%(t)s, %(at)s, %(fact)s::jsonb)"


def measure_transfer(pharmacy, branch, goods, *, rounds: int = ROUNDS) -> dict[str, float]:
    """Send and receive five coded packs again and again; `goods` are five goods with two packs for every round and a few to spare.

    Returns transfers per second (sent and received), the floor's, and their ratio.
    """
    from app.facility.db import transaction
    from app.facility.stock.transfers import actions
    from app.facility.stock.transfers.rules import Arrived, Sent
    from tests.factories.shop import desk_of

    here, there = desk_of(pharmacy), desk_of(branch)
    lots = _lots(transaction, pharmacy, goods)
    facts = None
    ours, floor = [], []
    for turn in range(rounds + 3):
        packs = [each.codes[2 * turn] for each in goods]
        sent = [Sent(lot, "SALEABLE", 24, (code,)) for lot, code in zip(lots, packs, strict=True)]
        arrived = [Arrived(number, 24, "SALEABLE", (code,)) for number, code in enumerate(packs, 1)]
        document, began = uuid4(), time.perf_counter()
        actions.send_transfer(here, document, branch.facility_id, sent)
        actions.receive_transfer(there, document, arrived)
        took = time.perf_counter() - began
        facts = facts or _facts(transaction, pharmacy)
        plain = _plain(transaction, pharmacy, branch, here, lots, [each.codes[2 * turn + 1] for each in goods], facts)
        if turn >= 3:  # The first ones prepare their statements.
            ours.append(took)
            floor.append(plain)
    rate, bare = (rounds / sum(times) for times in (ours, floor))
    return {"per_second": round(rate, 1), "floor_per_second": round(bare, 1), "ratio": round(rate / bare, 3)}


def _lots(transaction, pharmacy, goods) -> list[int]:
    with transaction(settings=pharmacy.scope) as hot:
        rows = hot.run_last(
            "select id, lot_number from lot where tenant_id = %(t)s and facility_id = %(f)s and lot_number = any(%(n)s)",
            {"t": pharmacy.tenant_id, "f": pharmacy.facility_id, "n": [each.lot_number for each in goods]},
        )
    found = {row.lot_number: row.id for row in rows}
    return [found[each.lot_number] for each in goods]


def _facts(transaction, pharmacy) -> str:
    with transaction(settings=pharmacy.scope) as hot:
        row = hot.run_last(
            "select convert_from(body, 'UTF8') as body from outbox where tenant_id = %(t)s and kind = 'stock.moved' order by number desc limit 1",
            {"t": pharmacy.tenant_id},
        )[0]
    return json.dumps([{"kind": "stock.moved", "version": 1, "body": row.body}])


def _plain(transaction, pharmacy, branch, desk, lots, codes, fact) -> float:
    keys = {
        "t": pharmacy.tenant_id, "f": pharmacy.facility_id, "g": branch.facility_id, "staff": desk.staff_id, "id": uuid4(), "lots": lots, "codes": codes,
        "fact": fact,
    }  # fmt: skip
    began = time.perf_counter()
    with transaction(settings=pharmacy.scope) as hot:
        hot.run_all([(SEND, keys), (TELL, {**keys, "at": pharmacy.facility_id})], last=True)
    with transaction(settings=pharmacy.scope) as hot:
        tells = [(TELL, {**keys, "at": facility}) for facility in sorted((pharmacy.facility_id, branch.facility_id))]
        hot.run_all([(RECEIVE, keys), *tells], last=True)
    return time.perf_counter() - began
