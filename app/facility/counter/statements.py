"""The counter's hot statements: each takes all lines at once, locks in the agreed order (document, lots, codes, head).

ask      reserves the goods, writes the sale, its lines and, for an insured sale, the attempt with its message id
confirm  takes the goods off the shelf and closes the attempt; `told` then appends the fact, under the head's lock, last
release  gives the goods back and lets the basket live on under a new id
"""

from app.facility.insurance.machine import CLOSE_ATTEMPT, OPEN_ATTEMPT

# Everything that settling needs to know, read once.
LOAD = """
select b.content::text as content, b.version, b.state, sh.id as shift_id, i.id as identification_id, i.sealed, i.shown, i.identity, i.read_at, i.buyer,
    i.agent_sealed, i.matched_by, i.override_reason, i.sign_no,
    (select relay_state from stream_head h where h.tenant_id = b.tenant_id and h.facility_id = b.facility_id) as relay_state,
    (select jsonb_agg(jsonb_build_object('id', p.id, 'number', p.number, 'patient', encode(p.patient_sealed, 'hex')))
     from prescription p where p.tenant_id = b.tenant_id and p.id in (
        select (line ->> 'rx')::uuid from jsonb_array_elements(b.content -> 'lines') line where line ->> 'rx' is not null)) as prescriptions
from basket b
left join shift sh on sh.tenant_id = b.tenant_id and sh.station = b.station and sh.closed_at is null
left join identification i on i.tenant_id = b.tenant_id and i.id = (b.content ->> 'identification')::uuid
where b.tenant_id = %(tenant)s and b.id = %(document)s and b.facility_id = %(facility)s
"""

KNOWN_SALE = "select id, state, digest, receipt, refusal from sale where tenant_id = %(tenant)s and id = %(document)s and facility_id = %(facility)s"

# Whole packs leave the selling zones, single units the split zone; soonest to expire first; a pinned lot only its own.
# Lines of one product take one after the other from the same row of lots, so two lines never count the same pack twice.
ASK = f"""
with input as (
    select * from jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, product_id bigint, quantity bigint, split boolean, lot_id bigint,
        price numeric, amount_fen bigint, prescription_id uuid, scanned_at timestamptz, described jsonb)
), code_input as (
    select * from jsonb_to_recordset(%(codes)s::jsonb) as c(line_no int, code text, quantity bigint, split boolean)
), closed as (
    update basket set state = 'asked', changed_at = %(at)s
    where tenant_id = %(tenant)s and id = %(document)s and state = 'open' and version = %(version)s returning id
), shelf as (
    select b.lot_id, b.zone, b.product_id, b.zone = 'SPLIT' as split, b.expires_on, b.free, l.lot_number
    from (select distinct product_id from input) i
    cross join lateral (  -- One index look-up a product; a join would read the whole shelf.
        select lot_id, zone, product_id, expires_on, on_hand - reserved as free from lot_balance
        where tenant_id = %(tenant)s and facility_id = %(facility)s and product_id = i.product_id and on_hand > 0 and on_hand > reserved
            and expires_on >= %(today)s and zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT')
        order by expires_on, lot_id limit 200) b
    join lot l on l.tenant_id = %(tenant)s and l.id = b.lot_id and l.hold is null
), pinned as (
    select i.line_no, s.lot_id, s.zone, i.quantity
    from input i cross join lateral (
        select lot_id, zone from shelf where shelf.lot_id = i.lot_id and shelf.split = i.split order by free desc limit 1) s
    where i.lot_id is not null
), wants as (
    select line_no, product_id, split, sum(quantity) over w - quantity as from_unit, sum(quantity) over w as to_unit
    from input where lot_id is null window w as (partition by product_id, split order by line_no)
), offers as (
    select lot_id, zone, product_id, split, sum(free) over w - free as from_unit, sum(free) over w as to_unit
    from (
        select s.lot_id, s.zone, s.product_id, s.split, s.expires_on,
            s.free - coalesce((select sum(p.quantity) from pinned p where p.lot_id = s.lot_id and p.zone = s.zone), 0) as free
        from shelf s) left_over
    where free > 0 window w as (partition by product_id, split order by expires_on, lot_id, zone)
), picks as (
    select line_no, lot_id, zone, quantity from pinned
    union all
    select w.line_no, o.lot_id, o.zone, (least(w.to_unit, o.to_unit) - greatest(w.from_unit, o.from_unit))::bigint
    from wants w join offers o using (product_id, split)
    where least(w.to_unit, o.to_unit) > greatest(w.from_unit, o.from_unit)
), sums as (
    select lot_id, zone, sum(quantity) as quantity from picks group by lot_id, zone
), locked as (
    select b.lot_id, b.zone from lot_balance b join sums s on s.lot_id = b.lot_id and s.zone = b.zone
    where b.tenant_id = %(tenant)s and exists (select from closed)
    order by b.lot_id, b.zone for no key update of b
), reserved as (
    update lot_balance b set reserved = b.reserved + s.quantity
    from sums s join locked k on k.lot_id = s.lot_id and k.zone = s.zone
    where b.tenant_id = %(tenant)s and b.lot_id = s.lot_id and b.zone = s.zone and b.on_hand - b.reserved >= s.quantity
    returning b.lot_id
), code_locked as (
    select t.code from trace_code t join code_input c on c.code = t.code
    where t.tenant_id = %(tenant)s and exists (select from closed) and (select count(*) from reserved) >= 0
    order by t.code for no key update of t
), code_taken as (
    update trace_code t set reserved = t.reserved + c.quantity, document_id = %(document)s,
        state = case when t.state = 'IN_STOCK' then 'RESERVED' else t.state end
    from code_input c join code_locked k on k.code = c.code
    where t.tenant_id = %(tenant)s and t.code = c.code and t.facility_id = %(facility)s and t.remaining - t.reserved >= c.quantity
        and t.state = case when c.split then 'SPLIT_OPEN' else 'IN_STOCK' end
    returning t.code
), rx_taken as (
    update prescription p set state = 'used', sale_id = %(document)s
    where p.tenant_id = %(tenant)s and p.state = 'passed' and p.valid_until >= %(today)s and p.facility_id = %(facility)s
        and p.id in (select prescription_id from input where prescription_id is not null) and exists (select from closed)
    returning p.id
), head as (
    update stream_head set
        receipt_number = case when receipt_day = %(today)s then receipt_number + 1 else 1 end, receipt_day = %(today)s,
        message_number = message_number + 1
    where tenant_id = %(tenant)s and facility_id = %(facility)s and exists (select from closed)
        and (select count(*) from code_taken) >= 0 and (select count(*) from rx_taken) >= 0
    returning receipt_number, message_number
), document as (
    insert into sale (tenant_id, id, facility_id, station, terminal, shift_id, staff_id, state, paid, digest, receipt, sold_on, total_fen,
        identification_id, tendered, asked_at)
    select %(tenant)s, %(document)s, %(facility)s, %(station)s, %(terminal)s, %(shift)s, %(staff)s, 'asked', %(paid)s, %(digest)s,
        'S' || to_char(%(today)s::date, 'YY-MMDD') || '-' || lpad(head.receipt_number::text, 4, '0'), %(today)s, %(total_fen)s,
        %(identification)s::uuid, %(tendered)s::jsonb, %(at)s
    from head returning receipt
), lines as (
    insert into sale_line (tenant_id, sale_id, line_no, product_id, quantity, split, price, amount_fen, prescription_id, scanned_at, described)
    select %(tenant)s, %(document)s, line_no, product_id, quantity, split, price, amount_fen, prescription_id, scanned_at, described from input, document
), picked as (
    insert into sale_pick (tenant_id, sale_id, line_no, lot_id, zone, quantity)
    select %(tenant)s, %(document)s, line_no, lot_id, zone, quantity from picks, document
), coded as (
    insert into sale_code (tenant_id, sale_id, code, line_no, quantity)
    select %(tenant)s, %(document)s, k.code, c.line_no, c.quantity from code_taken k join code_input c on c.code = k.code, document
), {OPEN_ATTEMPT}
select (select receipt from document) as receipt, (select message_id from attempt) as message_id,
    (select count(*) from closed) as closed, (select count(*) from sums) as wanted_lots, (select count(*) from reserved) as reserved_lots,
    (select count(*) from code_input) as wanted_codes, (select coalesce(jsonb_agg(code), '[]') from code_taken) as taken_codes, (select count(*) from rx_taken) as taken_rx,
    (select jsonb_agg(jsonb_build_object('line_no', p.line_no, 'lot_id', p.lot_id, 'quantity', p.quantity, 'lot_number', s.lot_number,
        'expires_on', s.expires_on) order by p.line_no, s.expires_on)
     from picks p join shelf s on s.lot_id = p.lot_id and s.zone = p.zone) as picks
"""

_GOODS_LEAVE = """
), posted as (
    select post_movements(%(tenant)s, %(facility)s, %(document)s, %(staff)s, %(at)s, (
        select jsonb_agg(jsonb_build_object('line_no', p.line_no, 'lot_id', p.lot_id, 'zone', p.zone, 'kind', 'SA',
            'quantity', -p.quantity, 'release', p.quantity))
        from sale_pick p where p.tenant_id = %(tenant)s and p.sale_id = %(document)s)) as posted
    from document
), code_locked as (
    select t.code from trace_code t join sale_code c on c.tenant_id = t.tenant_id and c.code = t.code
    where t.tenant_id = %(tenant)s and c.sale_id = %(document)s and exists (select from posted)
    order by t.code for no key update of t
), codes as (
    update trace_code t set remaining = t.remaining - c.quantity, reserved = t.reserved - c.quantity,
        state = case when t.remaining = c.quantity then 'SOLD' else 'SPLIT_OPEN' end
    from sale_code c join code_locked k on k.code = c.code
    where t.tenant_id = %(tenant)s and t.code = c.code and c.tenant_id = %(tenant)s and c.sale_id = %(document)s
    returning t.code, c.quantity, c.line_no
), events as (
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select %(tenant)s, code, 'SA', quantity, %(document)s, line_no, %(facility)s, %(staff)s, %(at)s from codes
), tenders as (
    insert into tender (tenant_id, document_id, shift_id, kind, amount_fen, at)
    select %(tenant)s, %(document)s, document.shift_id, t.kind, t.amount_fen, %(at)s
    from document, jsonb_to_recordset(%(tenders)s::jsonb) as t(kind text, amount_fen bigint) where t.amount_fen <> 0
)
select document.id, posted.posted from document, posted
"""

CONFIRM = f"""
with {CLOSE_ATTEMPT}, document as (
    update sale set state = 'settled', settled_at = %(at)s, setl_id = %(setl_id)s, mdtrt_id = %(mdtrt_id)s, money = %(money)s::jsonb, cash_fen = %(cash_fen)s
    from attempt where sale.tenant_id = %(tenant)s and sale.id = attempt.document_id and sale.state = 'asked'
    returning sale.id, sale.shift_id
{_GOODS_LEAVE}"""

CONFIRM_CASH = f"""
with document as (
    update sale set state = 'settled', settled_at = %(at)s, cash_fen = %(cash_fen)s
    where tenant_id = %(tenant)s and id = %(document)s and state = 'asked'
    returning id, shift_id
{_GOODS_LEAVE}"""

# The fact, only for a sale that is settled and was not yet told; the head is locked here, last, until the commit that
# travels with it. A second confirmer finds the number already written and appends nothing.
TELL = """
with told as (
    select f.number, f.hash from sale s cross join lateral append_facts(%(tenant)s, %(facility)s, %(facts)s::jsonb) f
    where s.tenant_id = %(tenant)s and s.id = %(document)s and s.state = 'settled' and s.stream_number is null
)
update sale set stream_number = told.number, stream_hash = told.hash from told
where tenant_id = %(tenant)s and id = %(document)s returning stream_number
"""

RELEASE = f"""
with {CLOSE_ATTEMPT}, document as (
    update sale set state = 'refused', refusal = %(answer_text)s
    from attempt where sale.tenant_id = %(tenant)s and sale.id = attempt.document_id and sale.state = 'asked'
    returning sale.id, sale.station
), sums as (
    select p.lot_id, p.zone, sum(p.quantity) as quantity from sale_pick p
    where p.tenant_id = %(tenant)s and p.sale_id = %(document)s and exists (select from document) group by p.lot_id, p.zone
), locked as (
    select b.lot_id, b.zone from lot_balance b join sums s on s.lot_id = b.lot_id and s.zone = b.zone
    where b.tenant_id = %(tenant)s order by b.lot_id, b.zone for no key update of b
), freed as (
    update lot_balance b set reserved = b.reserved - s.quantity
    from sums s join locked k on k.lot_id = s.lot_id and k.zone = s.zone
    where b.tenant_id = %(tenant)s and b.lot_id = s.lot_id and b.zone = s.zone returning b.lot_id
), code_locked as (
    select t.code from trace_code t join sale_code c on c.tenant_id = t.tenant_id and c.code = t.code
    where t.tenant_id = %(tenant)s and c.sale_id = %(document)s and exists (select from document) and (select count(*) from freed) >= 0
    order by t.code for no key update of t
), codes as (
    update trace_code t set reserved = t.reserved - c.quantity, document_id = null, state = case when t.state = 'RESERVED' then 'IN_STOCK' else t.state end
    from sale_code c join code_locked k on k.code = c.code
    where t.tenant_id = %(tenant)s and t.code = c.code and c.tenant_id = %(tenant)s and c.sale_id = %(document)s
), rx as (
    update prescription set state = 'passed', sale_id = null
    where tenant_id = %(tenant)s and sale_id = %(document)s and state = 'used' and exists (select from document)
), old as (
    update basket set state = 'closed' where tenant_id = %(tenant)s and id = %(document)s and exists (select from document)
    returning facility_id, station, staff_id, content
), again as (
    insert into basket (tenant_id, id, facility_id, station, staff_id, state, content)
    select %(tenant)s, gen_random_uuid(), old.facility_id, old.station, old.staff_id,
        case when exists (select from basket b where b.tenant_id = %(tenant)s and b.station = old.station and b.state = 'open') then 'held' else 'open' end,
        old.content - 'preview'
    from old returning id
)
select document.id, (select id from again) as basket_id, (select count(*) from freed) as freed from document
"""

# What the fact and the receipt say of a sale's lots, when they are no longer at hand (a worker confirms).
PICKS = """
select p.line_no, p.lot_id, p.quantity, l.lot_number, l.expires_on
from sale_pick p join lot l on l.tenant_id = p.tenant_id and l.id = p.lot_id
where p.tenant_id = %(tenant)s and p.sale_id = %(document)s order by p.line_no, l.expires_on
"""
SALE_AS_ASKED = """
select s.id, s.receipt, s.terminal, s.shift_id, s.staff_id, s.total_fen, s.tendered, s.paid, s.asked_at, s.state, b.content::text as content,
    f.number || ' ' || f.name as who, i.shown
from sale s join basket b on b.tenant_id = s.tenant_id and b.id = s.id join staff f on f.tenant_id = s.tenant_id and f.id = s.staff_id
left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
where s.tenant_id = %(tenant)s and s.id = %(document)s
"""

# Says more of a line that could not be covered, and the state of the codes that were not taken.
WHY_SHORT = """
select coalesce(bool_or(l.hold is not null), false) as held, coalesce(bool_or(b.expires_on < %(today)s), false) as expired
from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.product_id = %(product)s and b.on_hand > 0
"""
WHY_CODE = "select code, state from trace_code where tenant_id = %(tenant)s and facility_id = %(facility)s and code = any(%(untaken)s)"
