"""The statements of stock papers. Goods move through the ledger only; these write and lock the papers around it."""

from app.facility.stock.statements import HELD_WITH_ORIGINAL

KNOWN = """
select number, digest, state from stock_document where tenant_id = %(tenant)s and id = %(document)s
"""

WRITE = """
insert into stock_document (tenant_id, id, facility_id, act, number, state, digest, reason, note, record, staff_id, asked_at, asked_on,
    decided_by, decided_at)
values (%(tenant)s, %(document)s, %(facility)s, %(act)s, %(number)s, %(state)s, %(digest)s, %(reason)s, %(note)s, %(record)s::jsonb, %(staff)s,
    %(at)s, %(today)s, %(second)s::bigint, case when %(second)s::bigint is null then null else %(at)s::timestamptz end)
"""
WRITE_LINES = """
insert into stock_document_line (tenant_id, document_id, line_no, lot_id, from_zone, to_zone, quantity)
select %(tenant)s, %(document)s, l.line_no, l.lot_id, l.from_zone, l.to_zone, l.quantity
from jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, lot_id bigint, from_zone text, to_zone text, quantity bigint)
"""
WRITE_CODES = """
insert into stock_document_code (tenant_id, document_id, code, line_no)
select %(tenant)s, %(document)s, c.code, c.line_no from jsonb_to_recordset(%(codes)s::jsonb) as c(code text, line_no int)
on conflict do nothing
"""
# The codes that went along unnamed, because all of a zone went: the posting left its document on them.
WRITE_TAKEN = """
insert into stock_document_code (tenant_id, document_id, code, line_no)
select %(tenant)s, %(document)s, t.code, min(n.line_no)
from stock_document_line n join trace_code t on t.tenant_id = n.tenant_id and t.lot_id = n.lot_id and t.document_id = n.document_id
where n.tenant_id = %(tenant)s and n.document_id = %(document)s
group by t.code
on conflict do nothing
"""

# A paper, locked before its lots.
LOCK = """
select d.number, d.state, d.act, d.reason, d.note, d.record, d.staff_id, d.decided_by, d.decision_note, s.number as staff_number, s.name as staff_name
from stock_document d join staff s on s.tenant_id = d.tenant_id and s.id = d.staff_id
where d.tenant_id = %(tenant)s and d.facility_id = %(facility)s and d.id = %(document)s for no key update of d
"""
LINES = """
select n.line_no, n.lot_id, n.from_zone, n.to_zone, n.quantity, array_remove(array_agg(c.code order by c.code), null) as codes
from stock_document_line n left join stock_document_code c
    on c.tenant_id = n.tenant_id and c.document_id = n.document_id and c.line_no = n.line_no
where n.tenant_id = %(tenant)s and n.document_id = %(document)s
group by n.line_no, n.lot_id, n.from_zone, n.to_zone, n.quantity order by n.line_no limit 500
"""
DECIDE = """
update stock_document set state = %(state)s, decided_by = %(second)s, decided_at = %(at)s, decision_note = %(note)s
where tenant_id = %(tenant)s and id = %(document)s and state = 'asked'
"""

STAFF = "select id, number, name from staff where tenant_id = %(tenant)s and id = %(staff_id)s"

# Who put each of these lots into quarantine last.
HOLDERS = """
select h.staff_id from unnest(%(lots)s::bigint[]) as wanted(lot_id) cross join lateral (
    select d.staff_id from stock_document_line n join stock_document d on d.tenant_id = n.tenant_id and d.id = n.document_id
    where n.tenant_id = %(tenant)s and n.lot_id = wanted.lot_id and d.act = 'hold' and d.state = 'posted' and d.facility_id = %(facility)s
    order by coalesce(d.decided_at, d.asked_at) desc limit 1
) h
"""

# Goods of lots on their way to whole packs: what does not fill packs, or was opened before.
OPENED = """
select p.generic_name as name, l.lot_number from jsonb_to_recordset(%(lines)s::jsonb) as n(lot_id bigint, from_zone text, quantity bigint, codes text[])
cross join lateral (select * from lot where tenant_id = %(tenant)s and id = n.lot_id limit 1) l
cross join lateral (select generic_name, pack_size from product where tenant_id = %(tenant)s and id = l.product_id limit 1) p
where n.quantity %% p.pack_size <> 0 or exists (
    select from trace_code t where t.tenant_id = %(tenant)s and t.lot_id = n.lot_id and t.zone = n.from_zone and t.remaining <> p.pack_size
        and t.state in ('FROZEN', 'RETURNED_QUARANTINE', 'SPLIT_OPEN') and (cardinality(n.codes) = 0 or t.code = any(n.codes)))
limit 1
"""

# ---- corrections ----

LOT = """
select l.*, p.generic_name as name, p.pack_size, p.base_unit from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
where l.tenant_id = %(tenant)s and l.facility_id = %(facility)s and l.id = %(lot)s
"""
GOODS = """
select b.zone, b.on_hand from lot_balance b
where b.tenant_id = %(tenant)s and b.lot_id = %(lot)s and b.on_hand > 0 and b.zone <> 'TRANSIT' order by b.zone limit 20
"""
CODES_OF_LOT = """
select code, zone from trace_code where tenant_id = %(tenant)s and lot_id = %(lot)s
    and state in ('IN_STOCK', 'RESERVED', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE') order by code limit 5000
"""
# The lot as it should have been written: the one that is there already, or a new one with the old one's cost and hold.
RIGHT_LOT = f"""
with copies as (
    insert into lot (tenant_id, facility_id, product_id, lot_number, produced_on, expires_on, hold, hold_reason, cost_price)
    select tenant_id, facility_id, product_id, coalesce(%(lot_number)s::text, lot_number),
        produced_on, coalesce(%(expires_on)s::date, expires_on), hold, hold_reason, cost_price
    from lot where tenant_id = %(tenant)s and id = %(lot)s
    on conflict on constraint lot_once do update set cost_price = coalesce(lot.cost_price, excluded.cost_price)
    returning id, facility_id, hold, hold_reason, (xmax = 0) as fresh, %(lot)s::bigint as original
), told as (
{HELD_WITH_ORIGINAL}
)
select id, hold from copies
"""
PRICE = "update lot set cost_price = %(price)s where tenant_id = %(tenant)s and id = %(lot)s"
CHANGED = """
insert into lot_change (tenant_id, facility_id, lot_id, what, before, after, reason, document_id, staff_id, second_id, changed_at)
values (%(tenant)s, %(facility)s, %(lot)s, %(what)s, %(before)s, %(after)s, %(reason)s, %(document)s, %(staff)s, %(second)s::bigint, %(at)s)
"""

# ---- herb drawers ----

LOCK_DRAWER = """
select name, product_id, lot_id from herb_drawer
where tenant_id = %(tenant)s and facility_id = %(facility)s and name = %(drawer)s for no key update
"""
HERB = """
select l.product_id, p.rx_class, p.generic_name as name from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
where l.tenant_id = %(tenant)s and l.id = %(lot)s
"""
FILL_DRAWER = """
update herb_drawer set product_id = %(product)s::bigint, lot_id = %(lot)s::bigint, cleaned_on = coalesce(%(cleaned_on)s::date, cleaned_on),
    staff_id = %(staff)s, changed_at = %(at)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and name = %(drawer)s
"""
ADD_DRAWER = """
insert into herb_drawer (tenant_id, facility_id, name, product_id, staff_id, changed_at)
values (%(tenant)s, %(facility)s, %(drawer)s, %(product)s::bigint, %(staff)s, %(at)s) on conflict do nothing returning name
"""

# ---- goods that went back to a supplier ----

SUPPLIER = "select id from supplier where tenant_id = %(tenant)s and name = %(name)s order by id limit 1"
# Who brought these lots, by the receipts that stand behind them; a lot of the old system was brought by nobody on file.
BROUGHT_BY = """
select l.id as lot_id, p.generic_name as name, l.lot_number, b.suppliers
from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
cross join lateral (
    select array_agg(distinct s.name) as suppliers from stock_movement m join stock_receipt r on r.tenant_id = m.tenant_id and r.id = m.document_id
    join supplier s on s.tenant_id = r.tenant_id and s.id = r.supplier_id
    where m.tenant_id = l.tenant_id and m.lot_id = l.id and m.kind = 'PI' limit 1
) b
where l.tenant_id = %(tenant)s and l.id = any(%(lots)s) and b.suppliers is not null order by l.id limit 200
"""
# What lots cost, and what of them was rejected on arrival and kept: it was never owed, and goes back or is destroyed first.
COSTS = """
select l.id, l.cost_price, p.pack_size, greatest(0, kept.units) as unowed from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
cross join lateral (
    select coalesce(sum(m.quantity), 0)::bigint as units from stock_movement m
    where m.tenant_id = l.tenant_id and m.lot_id = l.id and (m.kind = 'PR' or m.zone = 'REJECT' and m.kind in ('PI', 'DM')) limit 1
) kept
where l.tenant_id = %(tenant)s and l.id = any(%(lots)s) limit 200
"""
