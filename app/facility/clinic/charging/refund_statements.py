"""The statements of refunds. Locks in the agreed order: bill, lines and picks, lots, the head last."""

from app.facility.insurance.machine import CLOSE_ATTEMPT, OPEN_ATTEMPT

KNOWN = "select id, state, digest, number, refusal from bill_refund where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(refund)s"
# ---- what may go back --------------------------------------------------------------------------------------------

LINES = """
select n.line_no, n.order_id, coalesce(g.name, o.number) as sheet, o.kind, o.state as sheet_state, n.quantity, n.split, n.price, n.amount_fen, n.described, n.handed_over, n.came_back,
    n.refunded, coalesce(b.freed, 0)::bigint as freed, coalesce(b.amount_fen, 0)::bigint as given_fen
from bill_line n join clinic_order o on o.tenant_id = n.tenant_id and o.id = n.order_id
left join charge_package g on g.tenant_id = n.tenant_id and g.id = n.package_id
left join lateral (
    select sum(l.freed) as freed, sum(l.amount_fen) as amount_fen from bill_refund_line l
    join bill_refund r on r.tenant_id = l.tenant_id and r.id = l.refund_id and r.state <> 'refused'
    where l.tenant_id = n.tenant_id and l.bill_id = n.bill_id and l.line_no = n.line_no) b on true
where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s order by n.line_no limit 500
"""
LOCK_LINES = f"{LINES} for no key update of n"
LOCK_PICKS = """
select p.line_no, p.lot_id, p.zone, p.held from bill_pick p join bill b on b.tenant_id = p.tenant_id and b.id = p.bill_id and b.version = p.version
where p.tenant_id = %(tenant)s and p.bill_id = %(bill)s and p.held > 0 order by p.line_no, p.lot_id desc, p.zone for no key update of p
"""
# What each means has paid by now, refunds taken off.
PAID_NOW = """
select kind, sum(amount_fen)::bigint as amount_fen from tender where tenant_id = %(tenant)s and (document_id = %(bill)s or document_id in (
    select id from bill_refund where tenant_id = %(tenant)s and bill_id = %(bill)s)) group by kind having sum(amount_fen) <> 0 order by kind
"""
PENDING = "select number from bill_refund where tenant_id = %(tenant)s and bill_id = %(bill)s and state in ('asked', 'reversed') limit 1"

# ---- ask ---------------------------------------------------------------------------------------------------------

# From now on nobody hands over what is to go back: it is held no more, though the shelf keeps it until the center has answered.
MAKE = """
with made as (
    insert into bill_refund (tenant_id, id, facility_id, bill_id, number, state, reason, digest, station, terminal, shift_id, staff_id, approver_id, refund_fen,
        reversed_setl_id, asked_at, whole, picks, preview, rest_batch, rest_fen)
    values (%(tenant)s, %(refund)s, %(facility)s, %(bill)s, %(number)s, 'asked', %(reason)s, %(digest)s, %(station)s, %(terminal)s, %(shift)s, %(staff)s,
        %(approver)s::bigint, %(refund_fen)s, %(reversed_setl_id)s::text, %(at)s, %(whole)s, %(picks)s::jsonb, %(preview)s::jsonb, %(rest_batch)s::text,
        %(rest_fen)s)
    returning id, bill_id
), lines as (
    insert into bill_refund_line (tenant_id, refund_id, bill_id, line_no, quantity, freed, amount_fen)
    select %(tenant)s, made.id, made.bill_id, l.line_no, l.quantity, l.freed, l.amount_fen
    from made, jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, quantity bigint, freed bigint, amount_fen bigint)
    returning line_no, quantity
), counted as (
    update bill_line n set refunded = n.refunded + l.quantity from lines l
    where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s and n.line_no = l.line_no
)
update bill_pick p set held = p.held - x.quantity
from bill b, jsonb_to_recordset(%(picks)s::jsonb) as x(line_no int, lot_id bigint, zone text, quantity bigint)
where b.tenant_id = %(tenant)s and b.id = %(bill)s and p.tenant_id = b.tenant_id and p.bill_id = b.id and p.version = b.version and p.line_no = x.line_no
    and p.lot_id = x.lot_id and p.zone = x.zone
"""
ASK = f"""
with head as (
    update stream_head set message_number = message_number + 1 where tenant_id = %(tenant)s and facility_id = %(facility)s returning message_number
), {OPEN_ATTEMPT}
select message_id from attempt
"""
# The batch of what stays lies at the center for a while; noted before it is sent, so that it is taken back some day.
NOTE_BATCH = """
update bill set left_batches = array_append(array_remove(left_batches, %(batch)s), %(batch)s)
where tenant_id = %(tenant)s and id = %(bill)s and state = 'settled' returning id
"""

# ---- the outcome -------------------------------------------------------------------------------------------------

AS_ASKED = """
select r.id, r.number, r.state, r.reason, r.refund_fen, r.reversed_setl_id, r.facility_id, r.whole, r.preview, r.rest_batch, r.rest_fen, r.terminal,
    b.id as bill_id, b.number as bill_number, b.visit_id, coalesce(b.batch, b.number) as batch, b.rest_money is not null as resettled, v.mdtrt_id, v.insutype, v.med_type, i.sealed, i.sign_no,
    f.number || ' ' || f.name as who
from bill_refund r join bill b on b.tenant_id = r.tenant_id and b.id = r.bill_id join visit v on v.tenant_id = b.tenant_id and v.id = b.visit_id
join staff f on f.tenant_id = r.tenant_id and f.id = r.staff_id
left join identification i on i.tenant_id = b.tenant_id and i.id = b.identification_id
where r.tenant_id = %(tenant)s and r.id = %(refund)s for no key update of b, r
"""
GOING_BACK = "select line_no, quantity, amount_fen from bill_refund_line where tenant_id = %(tenant)s and refund_id = %(refund)s order by line_no limit 500"
CLOSE = f"with {CLOSE_ATTEMPT} select document_id from attempt"
REVERSED = "update bill_refund set state = 'reversed' where tenant_id = %(tenant)s and id = %(refund)s and state = 'asked' returning id"
GIVE_BACK = """
with back as (
    update bill_refund set state = 'refunded', refunded_at = %(at)s, cash_fen = %(cash_fen)s, new_setl_id = %(new_setl_id)s::text, money = %(money)s::jsonb
    where tenant_id = %(tenant)s and id = %(refund)s and state in ('asked', 'reversed') returning id, bill_id, shift_id, picks
), sums as (
    select p.lot_id, p.zone, sum(p.quantity) as quantity from back, jsonb_to_recordset(back.picks) as p(lot_id bigint, zone text, quantity bigint)
    group by p.lot_id, p.zone
), locked as (
    select b.lot_id, b.zone from lot_balance b join sums s on s.lot_id = b.lot_id and s.zone = b.zone
    where b.tenant_id = %(tenant)s order by b.lot_id, b.zone for no key update of b
), freed as (
    update lot_balance b set reserved = b.reserved - s.quantity from sums s join locked k on k.lot_id = s.lot_id and k.zone = s.zone
    where b.tenant_id = %(tenant)s and b.lot_id = s.lot_id and b.zone = s.zone returning b.lot_id
), tenders as (
    insert into tender (tenant_id, document_id, shift_id, kind, amount_fen, at)
    select %(tenant)s, back.id, back.shift_id, t.kind, t.amount_fen, %(at)s
    from back, jsonb_to_recordset(%(tenders)s::jsonb) as t(kind text, amount_fen bigint) where t.amount_fen <> 0
)
update bill b set state = case when exists (
        select from bill_line n where n.tenant_id = b.tenant_id and n.bill_id = b.id and n.refunded < n.quantity) then 'settled' else 'refunded' end,
    rest_setl_id = %(new_setl_id)s::text, rest_money = %(money)s::jsonb, batch = %(batch)s::text, left_batches = (
        select coalesce(array_agg(distinct x), '{}') from unnest(b.left_batches || %(left)s::text[]) x where x is distinct from %(batch)s::text)
from back where b.tenant_id = %(tenant)s and b.id = back.bill_id and (select count(*) from freed) >= 0 returning b.id
"""
# What the sheets that are still on the bill owe the patient, however it stands with their refund.
STANDING = """
select n.order_id::text as order_id, o.kind, o.state, n.described ->> 'rx_class' as rx_class, n.quantity, n.handed_over, n.came_back, n.refunded,
    coalesce((select sum(k.held) from bill_pick k where k.tenant_id = n.tenant_id and k.bill_id = n.bill_id and k.line_no = n.line_no), 0)::bigint as left,
    case when n.described ->> 'rx_class' = 'SERVICE' then n.handed_over else coalesce((
        select sum(e.times) from execution e where e.tenant_id = n.tenant_id and e.order_id = n.order_id and e.order_line_no = n.order_line_no), 0)
    end::bigint as done, l.frequency, l.days
from bill_line n join clinic_order o on o.tenant_id = n.tenant_id and o.id = n.order_id and o.bill_id = n.bill_id
join clinic_order_line l on l.tenant_id = n.tenant_id and l.order_id = n.order_id and l.line_no = n.order_line_no
where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s and o.state in ('CHARGED', 'DISPENSING', 'DONE') order by n.line_no limit 500
"""
SHEETS = """
update clinic_order o set state = x.state, bill_id = case when x.state = 'PASSED' then null else o.bill_id end, changed_at = %(at)s
from jsonb_to_recordset(%(sheets)s::jsonb) as x(id uuid, state text)
where o.tenant_id = %(tenant)s and o.id = x.id and o.bill_id = %(bill)s
"""
TELL = """
with told as (select number from append_facts(%(tenant)s, %(facility)s, %(facts)s::jsonb))
update bill_refund set stream_number = told.number from told where bill_refund.tenant_id = %(tenant)s and bill_refund.id = %(refund)s
"""
# Refused before anything happened: the bill stands, and what was to go back is held for the patient again.
REFUSED = """
with gone as (
    update bill_refund set state = 'refused', refusal = %(answer_text)s where tenant_id = %(tenant)s and id = %(refund)s and state = 'asked'
    returning id, bill_id, picks
), counted as (
    update bill_line n set refunded = n.refunded - l.quantity from gone join bill_refund_line l on l.tenant_id = %(tenant)s and l.refund_id = gone.id
    where n.tenant_id = %(tenant)s and n.bill_id = gone.bill_id and n.line_no = l.line_no
)
update bill_pick p set held = p.held + x.quantity
from gone join bill b on b.tenant_id = %(tenant)s and b.id = gone.bill_id,
    jsonb_to_recordset(gone.picks) as x(line_no int, lot_id bigint, zone text, quantity bigint)
where p.tenant_id = %(tenant)s and p.bill_id = b.id and p.version = b.version and p.line_no = x.line_no and p.lot_id = x.lot_id and p.zone = x.zone
"""
