"""The statements of recalls and holds. Lots are locked in the order of their ids, as everywhere."""

from app.facility.stock import statements as stock

# Which of our products a recall of the center means: what it names must be the same here.
MATCH = """
select id from product
where tenant_id = %(tenant)s and (
    national_code = %(national)s::text
    or (%(national)s::text is null and %(approval)s::text is not null and approval_number = %(approval)s::text)
    or (%(national)s::text is null and %(approval)s::text is null and generic_name = %(name)s::text and maker = %(maker)s::text))
    and (%(spec)s::text is null or spec = %(spec)s::text)
order by id limit 50
"""

_MEANT = """l.tenant_id = %(tenant)s and l.product_id = any(%(products)s)
    and (cardinality(%(lots)s::text[]) = 0 or l.lot_number = any(%(lots)s::text[]))
    and (%(only)s::bigint is null or l.facility_id = %(only)s::bigint)"""

# Freezes every lot meant and writes down what it was before.
HOLD = f"""
with found as (
    select l.id, l.facility_id, l.hold from lot l where {_MEANT} order by l.id for no key update
), held as (
    update lot l set hold = 'recalled', hold_reason = %(why)s from found f
    where l.tenant_id = %(tenant)s and l.id = f.id and f.hold is distinct from 'recalled' returning l.id
)
insert into lot_change (tenant_id, facility_id, lot_id, what, before, after, reason, document_id, staff_id, changed_at)
select %(tenant)s, f.facility_id, f.id, 'hold', coalesce(f.hold, ''), 'recalled', %(why)s, %(recall)s, %(by)s::bigint, %(at)s
from found f join held h on h.id = f.id order by f.id
"""

# Gives back what this recall froze, unless another recall still means it; a lot that was locked before is locked again.
RELEASE = """
with found as (
    select l.id, l.facility_id, l.lot_number, coalesce((
        select c.before from lot_change c
        where c.tenant_id = l.tenant_id and c.lot_id = l.id and c.what = 'hold' and c.document_id = %(recall)s order by c.id desc limit 1), '') as before
    from recall_target t join lot l on l.tenant_id = t.tenant_id and l.product_id = t.product_id and t.lot_number in ('', l.lot_number)
    where t.tenant_id = %(tenant)s and t.recall_id = %(recall)s and l.hold = 'recalled' and (%(only)s::bigint is null or l.facility_id = %(only)s::bigint)
        and not exists (
            select from recall_target o where o.tenant_id = l.tenant_id and o.product_id = l.product_id and o.lot_number in ('', l.lot_number)
                and o.ended_at is null and o.recall_id <> %(recall)s)
    order by l.id for no key update of l
), freed as (
    update lot l set hold = case when f.before = 'frozen' then 'frozen' end, hold_reason = case when f.before = 'frozen' then l.hold_reason end
    from found f where l.tenant_id = %(tenant)s and l.id = f.id returning l.id, l.hold
), changed as (
    insert into lot_change (tenant_id, facility_id, lot_id, what, before, after, reason, document_id, staff_id, changed_at)
    select %(tenant)s, f.facility_id, f.id, 'hold', 'recalled', coalesce(d.hold, ''), %(why)s, %(recall)s, %(by)s::bigint, %(at)s
    from found f join freed d on d.id = f.id order by f.id
)
select f.id from found f order by f.id
"""
END_TARGETS = "update recall_target set ended_at = %(at)s where tenant_id = %(tenant)s and recall_id = %(recall)s and ended_at is null"

# What facts say of the lots meant.
LOTS = stock.LOTS_IN_FACTS.replace(stock.NAMED_BY_ID, _MEANT)
LOTS_BY_ID = stock.LOTS_IN_FACTS

# The packs named that are in the house and may be taken hold of, lot by lot and zone by zone.
PACKS = """
select t.code, t.lot_id, t.zone, t.remaining from trace_code t
where t.tenant_id = %(tenant)s and t.facility_id = %(facility)s and t.code = any(%(codes)s)
    and t.state in ('IN_STOCK', 'SPLIT_OPEN') and t.reserved = 0
order by t.lot_id, t.zone, t.code limit 2000
"""

WRITE = """
insert into recall (tenant_id, id, origin, number, level, issuer, product, lots, codes, reason, instructions, issued_at, deadline_at, arrived_at,
    facility_id, staff_id, digest)
values (%(tenant)s, %(recall)s, %(origin)s, %(number)s, %(level)s::int, %(issuer)s, %(product)s::jsonb, %(lots)s::text[], %(codes)s::text[], %(reason)s, %(instructions)s,
    %(issued_at)s, %(deadline_at)s, %(at)s, %(started_at_facility)s::bigint, %(by)s::bigint, %(digest)s)
on conflict (tenant_id, id) do nothing returning id
"""
TARGETS = """
insert into recall_target (tenant_id, recall_id, product_id, lot_number)
select %(tenant)s, %(recall)s, p.id, n.lot_number
from unnest(%(products)s::bigint[]) as p (id)
cross join unnest(case when cardinality(%(lots)s::text[]) = 0 then array[''] else %(lots)s::text[] end) as n (lot_number)
on conflict do nothing
"""
PLACES = """
insert into recall_place (tenant_id, recall_id, facility_id, arrived_at, held_lots, held_quantity, acknowledged_at, acknowledged_by)
select %(tenant)s, %(recall)s, r.facility_id, %(at)s, r.lots, r.quantity,
    case when r.facility_id = %(seen_at)s::bigint then %(at)s end, case when r.facility_id = %(seen_at)s::bigint then %(by)s::bigint end
from jsonb_to_recordset(%(places)s::jsonb) as r(facility_id bigint, lots int, quantity bigint)
on conflict do nothing returning facility_id
"""
FACILITIES = "select id from facility where tenant_id = %(tenant)s order by id limit 500"
KNOWN = "select number, digest, state, origin, staff_id from recall where tenant_id = %(tenant)s and id = %(recall)s"
KNOWN_PLACE = """
select 1 as known from recall_place where tenant_id = %(tenant)s and recall_id = %(recall)s and facility_id = %(facility)s
"""
LOCK = "select number, state, origin, staff_id, lots from recall where tenant_id = %(tenant)s and id = %(recall)s for update"
CLOSE = """
update recall set state = 'closed', closed_at = %(at)s, closed_by = %(by)s::bigint, summary = %(summary)s
where tenant_id = %(tenant)s and id = %(recall)s and state = 'open' returning number
"""
ACKNOWLEDGE = """
update recall_place set acknowledged_at = %(at)s, acknowledged_by = %(staff)s
where tenant_id = %(tenant)s and recall_id = %(recall)s and facility_id = %(facility)s and acknowledged_at is null returning facility_id
"""
NOTE_CALL = """
insert into recall_call (tenant_id, recall_id, facility_id, sale_id, dispensing_id, outcome, note, staff_id, called_at)
select %(tenant)s, %(recall)s, %(facility)s, b.sale_id, b.dispensing_id, %(outcome)s, %(note)s, %(staff)s, %(at)s
from (
    select s.id as sale_id, null::uuid as dispensing_id from sale s
    where s.tenant_id = %(tenant)s and s.id = %(buyer)s and s.facility_id = %(facility)s
    union all
    select null, h.id from dispensing h where h.tenant_id = %(tenant)s and h.id = %(buyer)s and h.facility_id = %(facility)s
) b where exists (
    select from recall_place p where p.tenant_id = %(tenant)s and p.recall_id = %(recall)s and p.facility_id = %(facility)s)
returning id
"""
REPORT = """
update recall_place set reported_at = %(at)s, reported_by = %(staff)s, report = %(report)s::jsonb
where tenant_id = %(tenant)s and recall_id = %(recall)s and facility_id = %(facility)s returning facility_id
"""

# ---- one lot on suspicion ------------------------------------------------------------------------------------------
LOCK_LOT = """
select l.id, l.lot_number, l.hold, (
    select c.staff_id from lot_change c where c.tenant_id = l.tenant_id and c.lot_id = l.id and c.what = 'hold' order by c.id desc limit 1) as held_by
from lot l where l.tenant_id = %(tenant)s and l.facility_id = %(facility)s and l.id = %(lot)s for no key update of l
"""
SET_HOLD = """
with changed as (
    insert into lot_change (tenant_id, facility_id, lot_id, what, before, after, reason, document_id, staff_id, second_id, changed_at)
    values (%(tenant)s, %(facility)s, %(lot)s, 'hold', %(before)s, %(after)s, %(why)s, %(document)s, %(staff)s, %(second)s::bigint, %(at)s)
)
update lot set hold = nullif(%(after)s, ''), hold_reason = nullif(%(kept)s, '')
where tenant_id = %(tenant)s and id = %(lot)s
"""
KNOWN_CHANGE = "select lot_id, after from lot_change where tenant_id = %(tenant)s and lot_id = %(lot)s and document_id = %(document)s limit 1"
