"""The counter's hot statements: each takes all lines at once, locks in the agreed order (document, lots, codes, head).

load     reads the basket, who pays, and what is free on the shelf; the lots are chosen from that, in Python
ask      reserves the goods, writes the sale, its lines and, for an insured sale, the attempt with its message id
confirm  takes the goods off the shelf, closes the attempt and appends the fact, under the head's lock, last
release  gives the goods back and lets the basket live on under a new id
"""

from app.facility.insurance.machine import CLOSE_ATTEMPT

# Everything that settling needs to know, read once. What a basket's JSON names is looked up by laterals, one index look-up
# each: as plain joins, row-level security made them read all readings of cards, all prescriptions and the whole shelf.
LOAD = """
select b.content::text as content, b.version, b.state, sh.id as shift_id, i.id as identification_id, i.sealed, i.shown, i.identity, i.read_at, i.buyer,
    i.agent_sealed, i.matched_by, i.override_reason, i.sign_no,
    (select relay_state from stream_head h where h.tenant_id = b.tenant_id and h.facility_id = b.facility_id) as relay_state,
    (select jsonb_agg(jsonb_build_object('id', p.id, 'number', p.number, 'patient', encode(p.patient_sealed, 'hex')))
     from (select distinct (line ->> 'rx')::uuid as id from jsonb_array_elements(b.content -> 'lines') line where line ->> 'rx' is not null) named
     cross join lateral (select id, number, patient_sealed from prescription where tenant_id = %(tenant)s and id = named.id limit 1) p) as prescriptions,
    (select jsonb_agg(jsonb_build_array(s.product_id, s.lot_id, s.zone, s.free, s.lot_number, s.expires_on, s.produced_on) order by s.expires_on, s.lot_id, s.zone)
     from (
        select o.product_id, o.lot_id, o.zone, o.free, l.lot_number, o.expires_on, l.produced_on
        from (select distinct (line -> 'about' ->> 'product_id')::bigint as product_id from jsonb_array_elements(b.content -> 'lines') line) named
        cross join lateral (
            select product_id, lot_id, zone, on_hand - reserved as free, expires_on from lot_balance
            where tenant_id = %(tenant)s and facility_id = %(facility)s and product_id = named.product_id and on_hand > 0 and on_hand > reserved
                and expires_on >= %(today)s and zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT')
            order by expires_on, lot_id limit 200) o
        join lot l on l.tenant_id = %(tenant)s and l.id = o.lot_id and l.hold is null) s) as shelf
from basket b
left join lateral (
    select id from shift where tenant_id = %(tenant)s and station = b.station and closed_at is null limit 1) sh on true
left join lateral (
    select * from identification where tenant_id = %(tenant)s and id = (b.content ->> 'identification')::uuid limit 1) i on true
where b.tenant_id = %(tenant)s and b.id = %(document)s and b.facility_id = %(facility)s
"""

KNOWN_SALE = "select id, state, digest, receipt, refusal from sale where tenant_id = %(tenant)s and id = %(document)s and facility_id = %(facility)s"

# One call each; the steps, their locks and their order are in the migration that makes the functions.
ASK = "select * from ask_sale(%(sale)s::jsonb, %(digest)s, %(message_digest)s, %(sealed)s)"
CONFIRM = "select * from confirm_sale(%(sale)s::jsonb, %(facts)s::jsonb)"

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
select p.line_no, p.lot_id, p.zone, p.quantity, l.lot_number, l.expires_on, l.produced_on
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
