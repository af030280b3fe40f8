"""The stock room's set-based statements. Each takes all lines at once."""

# Takes a whole receipt: lots found or made, balances and ledger through the one ledger function, codes, the document.
# The receipt number comes from the facility's head row, which is locked last. Each lot also brings which of the packs at hand
# running recalls name one by one.
MAKE_LOTS = """
with lines as (
    select * from jsonb_to_recordset(%(lines)s::jsonb) as l(product_id bigint, lot_number text, produced_on date, expires_on date, cost_price numeric)
), wanted as (
    select distinct on (product_id, lot_number, expires_on) * from lines order by product_id, lot_number, expires_on
), named as (
    select jsonb_agg(jsonb_build_object('code', c.code, 'id', r.id, 'number', r.number, 'origin', r.origin, 'reason', r.reason) order by r.id, c.code) as packs
    from recall r cross join lateral unnest(r.codes) as c (code)
    where r.tenant_id = %(tenant)s and r.state = 'open' and r.codes && %(given)s::text[] and c.code = any(%(given)s::text[])
)
insert into lot (tenant_id, facility_id, product_id, lot_number, produced_on, expires_on, cost_price)
select %(tenant)s, %(facility)s, product_id, lot_number, produced_on, expires_on, cost_price from wanted
on conflict on constraint lot_once do update set cost_price = coalesce(lot.cost_price, excluded.cost_price)
returning id, product_id, lot_number, expires_on, hold, (select packs from named) as recalled_packs, (
    select min(b.zone) from lot_balance b
    where b.tenant_id = lot.tenant_id and b.lot_id = lot.id and b.zone in ('SALEABLE', 'COLD', 'CONTROLLED') and b.on_hand > 0) as home
"""

# Which of these cannot be opened: a product that has moved otherwise, or a lot that was opened before.
MOVED = """
select p.generic_name as name from product p
where p.tenant_id = %(tenant)s and p.id = any(%(ids)s) and exists (
    select from stock_movement m where m.tenant_id = p.tenant_id and m.facility_id = %(facility)s and m.product_id = p.id
        and (m.kind <> 'AD' or m.lot_id = any(%(lots)s)))
order by p.id limit 100
"""

# The lives of codes begin, each with its first event. One row back per code that this tenant knew already.
BEGIN_CODES = """
with given as (
    select * from jsonb_to_recordset(%(codes)s::jsonb) as c(code text, product_id bigint, lot_id bigint, pack_size bigint, line_no int, zone text)
), made as (
    insert into trace_code (tenant_id, code, facility_id, product_id, lot_id, state, zone, remaining, document_id)
    select %(tenant)s, c.code, %(facility)s, c.product_id, c.lot_id,
        case when c.zone in ('SALEABLE', 'COLD', 'CONTROLLED') then 'IN_STOCK' else 'FROZEN' end, c.zone, c.pack_size, %(document)s
    from given c order by c.code
    on conflict do nothing
    returning code
), told as (
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select %(tenant)s, c.code, %(kind)s, c.pack_size, %(document)s, c.line_no, %(facility)s, %(staff)s, %(at)s
    from given c join made on made.code = c.code
)
select c.code from given c left join made on made.code = c.code where made.code is null order by c.code limit 20
"""

# A lot made like one that is held is held with it: whoever locked the original locked both, and releases neither; a recall that
# ends gives both what they were before. `copies` are the lots asked for, the new ones `fresh`, each with its `original`. What a
# running recall freezes as it comes in, its own trigger writes down.
HELD_WITH_ORIGINAL = """
insert into lot_change (tenant_id, facility_id, lot_id, what, before, after, reason, document_id, staff_id, second_id, changed_at)
select %(tenant)s, n.facility_id, n.id, 'hold', coalesce(c.before, ''), n.hold, '随原批号锁定', coalesce(c.document_id, %(document)s),
    case when c.id is null then %(staff)s else c.staff_id end, c.second_id, %(at)s
from copies n left join lateral (
    select c.id, c.before, c.document_id, c.staff_id, c.second_id from lot_change c
    where c.tenant_id = %(tenant)s and c.lot_id = n.original and c.what = 'hold' order by c.id desc limit 1
) c on true
where n.fresh and n.hold is not null and n.hold_reason is distinct from '召回中的批号到货'
"""

POST = "select post_movements(%(tenant)s, %(facility)s, %(document)s, %(staff)s, %(at)s, %(rows)s::jsonb) as posted"

# The document and its lines; the number from the head. A second arrival of the same id gets no row back.
WRITE_RECEIPT = """
with head as (
    update stream_head set
        receipt_number = case when receipt_day = %(today)s then receipt_number + 1 else 1 end, receipt_day = %(today)s
    where tenant_id = %(tenant)s and facility_id = %(facility)s returning receipt_number
), document as (
    insert into stock_receipt (tenant_id, id, facility_id, number, digest, supplier, note, staff_id, received_at, received_on,
        kind, supplier_id, delivery_id, note_number, invoice, second_id)
    select %(tenant)s, %(document)s, %(facility)s, 'R' || to_char(%(today)s::date, 'YY-MMDD') || '-' || lpad(receipt_number::text, 4, '0'),
        %(digest)s, %(supplier)s, %(note)s, %(staff)s, %(at)s, %(today)s,
        %(receipt_kind)s, %(supplier_id)s::bigint, %(delivery)s::uuid, %(note_number)s, %(invoice)s, %(second)s::bigint from head
    returning number
), lines as (
    insert into stock_receipt_line (tenant_id, receipt_id, line_no, lot_id, zone, quantity, cost_price, code_count)
    select %(tenant)s, %(document)s, l.line_no, l.lot_id, l.zone, l.quantity, l.cost_price, l.code_count
    from jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, lot_id bigint, zone text, quantity bigint, cost_price numeric, code_count int)
)
select number from document
"""

APPEND = "select number, hash from append_facts(%(tenant)s, %(facility)s, %(facts)s::jsonb)"

KNOWN_RECEIPT = "select number, digest from stock_receipt where tenant_id = %(tenant)s and id = %(document)s"

# The pack to open for single units: of the scanned code, else soonest to expire.
PACK_TO_OPEN = """
select b.lot_id, b.zone, p.pack_size, p.generic_name as name, p.split_allowed, l.lot_number, l.expires_on, (
    select t.code from trace_code t
    where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.state = 'IN_STOCK' and (%(code)s::text is null or t.code = %(code)s)
    order by t.code limit 1) as code
from product p
left join lot_balance b on b.tenant_id = p.tenant_id and b.product_id = p.id and b.facility_id = %(facility)s
    and b.zone in ('SALEABLE', 'COLD', 'CONTROLLED') and b.on_hand - b.reserved >= p.pack_size and b.expires_on >= %(today)s
    and (%(code)s::text is null or exists (
        select from trace_code t where t.tenant_id = b.tenant_id and t.code = %(code)s and t.lot_id = b.lot_id and t.state = 'IN_STOCK'))
left join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
where p.tenant_id = %(tenant)s and p.id = %(product)s and (l.id is null or l.hold is null)
order by b.expires_on nulls last, b.lot_id limit 1
"""

# ---- recalls that goods come in of: see recalled.py ----

RECALLS_OF_LOTS = """
select r.id, r.number, r.origin, r.reason, l.id as lot_id
from lot l join recall_target t on t.tenant_id = l.tenant_id and t.product_id = l.product_id and t.lot_number in ('', l.lot_number) and t.ended_at is null
join recall r on r.tenant_id = t.tenant_id and r.id = t.recall_id
where l.tenant_id = %(tenant)s and l.id = any(%(ids)s) order by r.id, l.id limit 2000
"""

# What facts say of lots: where they lie and how much of them there is.
NAMED_BY_ID = "l.tenant_id = %(tenant)s and l.id = any(%(ids)s)"
LOTS_IN_FACTS = f"""
select l.id, l.facility_id, l.lot_number, l.expires_on, p.code, coalesce(p.national_code, '') as national, coalesce(p.barcode, '') as barcode,
    p.generic_name as name, p.spec, p.maker, p.approval_number as approval, p.rx_class as rx,
    p.pack_size, z.zones, l.hold, coalesce(l.hold_reason, '') as hold_reason
from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('zone', b.zone, 'quantity', b.on_hand) order by b.zone) filter (where b.on_hand > 0), '[]'::jsonb) as zones
    from lot_balance b where b.tenant_id = l.tenant_id and b.lot_id = l.id
) z
where {NAMED_BY_ID} order by l.facility_id, l.id limit 2000
"""

# ---- the ledger's own: see ledger.py ----

# The number of a document from the facility's head row.
NUMBER = """
update stream_head set receipt_number = case when receipt_day = %(today)s then receipt_number + 1 else 1 end, receipt_day = %(today)s
where tenant_id = %(tenant)s and facility_id = %(facility)s
returning %(letter)s::text || to_char(%(today)s::date, 'YY-MMDD') || '-' || lpad(receipt_number::text, 4, '0') as number
"""

# All zones of the lots concerned, locked in the order of the house, each with what its codes hold.
LOCK_BALANCES = """
select b.lot_id, b.zone, b.on_hand, b.reserved, c.coded, c.in_codes
from lot_balance b cross join lateral (
    select count(*) as coded, coalesce(sum(t.remaining), 0)::bigint as in_codes from trace_code t
    where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.zone = b.zone
        and t.state in ('IN_STOCK', 'RESERVED', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'IN_TRANSIT')
) c
where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.lot_id = any(%(lots)s)
order by b.lot_id, b.zone for no key update of b
"""
READ_LOTS = """
select l.id, l.product_id, l.lot_number, l.produced_on, l.expires_on, l.hold, l.cost_price, p.code, coalesce(p.national_code, '') as national,
    coalesce(p.barcode, '') as barcode, p.generic_name as name, p.spec, p.maker, p.approval_number as approval, p.pack_size, p.base_unit,
    p.pack_unit, p.rx_class as rx
from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
where l.tenant_id = %(tenant)s and l.facility_id = %(facility)s and l.id = any(%(lots)s) order by l.id limit 500
"""
# Of which of these lots the asker may not read the book: their products are being counted blind, and whoever asks is not the owner.
COUNTED_BLIND = """
select distinct l.product_id from lot l
where l.tenant_id = %(tenant)s and l.facility_id = %(facility)s and l.id = any(%(lots)s) and exists (
        select from stock_count c join count_line n on n.tenant_id = c.tenant_id and n.count_id = c.id and n.product_id = l.product_id
        where c.tenant_id = l.tenant_id and c.facility_id = l.facility_id and c.state = 'open' and c.blind)
    and not exists (
        select from staff_role r where r.tenant_id = %(tenant)s and r.staff_id = %(staff)s and r.role = 'owner' and r.ended_at is null
            and %(today)s between r.valid_from and coalesce(r.valid_until, 'infinity'))
limit 500
"""
LOCK_CODES = """
select code, state, zone, lot_id, product_id, remaining, reserved from trace_code
where tenant_id = %(tenant)s and code = any(%(codes)s) order by code for no key update
"""
LOCK_CODES_OF_LOTS = """
select code, state, zone, lot_id, product_id, remaining, reserved from trace_code
where tenant_id = %(tenant)s and lot_id = any(%(lots)s)
    and state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'IN_TRANSIT')
order by code for no key update
"""

# Codes go where their goods went, and each gets its event. The codes are locked already.
PLACE_CODES = """
with placed as (
    update trace_code t set state = c.state, zone = c.zone, lot_id = c.lot_id, facility_id = %(facility)s, document_id = %(document)s,
        remaining = t.remaining - c.less
    from jsonb_to_recordset(%(codes)s::jsonb) as c(code text, lot_id bigint, zone text, state text, line_no int, kind text, quantity bigint, less bigint)
    where t.tenant_id = %(tenant)s and t.code = c.code
    returning t.code, c.kind, c.quantity, c.line_no
), told as (
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select %(tenant)s, code, kind, quantity, %(document)s, line_no, %(facility)s, %(staff)s, %(at)s from placed
    returning code
)
select count(*) as placed from told
"""
