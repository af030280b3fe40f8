"""The statements of bills. Locks in the agreed order: bill (and its sheets), lots, the head last."""

from app.facility.insurance.machine import CLOSE_ATTEMPT, OPEN_ATTEMPT

# ---- open, cancel ------------------------------------------------------------------------------------------------

LOCK_SHEETS = """
select o.id, o.number, o.kind, o.state, o.bill_id, o.valid_until, b.number as bill, f.name as cashier
from clinic_order o left join bill b on b.tenant_id = o.tenant_id and b.id = o.bill_id
left join staff f on f.tenant_id = b.tenant_id and f.id = b.staff_id
where o.tenant_id = %(tenant)s and o.facility_id = %(facility)s and o.visit_id = %(visit)s and o.id = any(%(sheets)s)
order by o.id for no key update of o
"""
SHEET_LINES = """
select l.order_id, l.line_no, l.product_id, l.quantity, l.split, l.price, l.amount_fen, l.self_paid, l.described
from clinic_order_line l join clinic_order o on o.tenant_id = l.tenant_id and o.id = l.order_id
where l.tenant_id = %(tenant)s and l.order_id = any(%(sheets)s) order by o.number, l.line_no limit 501
"""
VISIT = """
select v.id, v.patient_id, v.mdtrt_id, v.identification_id, v.state from visit v
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.id = %(visit)s
"""
KNOWN = "select number, opened_digest from bill where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(bill)s"
OPEN = """
with made as (
    insert into bill (tenant_id, id, facility_id, visit_id, patient_id, number, state, paid, total_fen, opened_digest, staff_id, opened_at, identification_id)
    values (%(tenant)s, %(bill)s, %(facility)s, %(visit)s, %(patient)s, %(number)s, 'open', %(paid)s, %(total_fen)s, %(digest)s, %(staff)s, %(at)s,
        %(identification)s::uuid)
    returning id
), lines as (
    insert into bill_line (tenant_id, bill_id, line_no, order_id, order_line_no, product_id, quantity, split, price, amount_fen, self_paid, described, package_id)
    select %(tenant)s, made.id, l.* from made, jsonb_to_recordset(%(lines)s::jsonb)
        as l(line_no int, order_id uuid, order_line_no int, product_id bigint, quantity bigint, split boolean, price numeric, amount_fen bigint,
            self_paid boolean, described jsonb, package_id bigint)
)
update clinic_order set bill_id = made.id, changed_at = %(at)s from made
where clinic_order.tenant_id = %(tenant)s and clinic_order.id = any(%(sheets)s)
"""
CANCEL = """
with gone as (
    update bill set state = 'cancelled', version = version + 1, taken_back_at = case when %(taken_back)s then %(at)s else taken_back_at end
    where tenant_id = %(tenant)s and id = %(bill)s returning id
)
update clinic_order set bill_id = null, changed_at = %(at)s from gone where clinic_order.tenant_id = %(tenant)s and clinic_order.bill_id = gone.id
"""

# ---- read --------------------------------------------------------------------------------------------------------

READ = """
select b.*, v.number as visit_number, v.mdtrt_id, v.insutype, v.med_type, v.dise_code, v.dise_name, v.began_at, v.signed_at, v.version as visit_version,
    v.identification_id as visit_identification, i.sealed, i.shown, i.identity, i.read_at, i.buyer, i.agent_sealed, i.matched_by, i.override_reason, i.sign_no,
    case when b.rest_money is null then b.setl_id else b.rest_setl_id end as standing_setl_id, coalesce(b.rest_money, b.money) as standing, coalesce(b.batch, b.number) as batch_now,
    (select relay_state from stream_head h where h.tenant_id = b.tenant_id and h.facility_id = b.facility_id) as relay_state,
    (select s.id from shift s where s.tenant_id = b.tenant_id and s.station = %(station)s and s.closed_at is null limit 1) as open_shift
from bill b join visit v on v.tenant_id = b.tenant_id and v.id = b.visit_id
left join identification i on i.tenant_id = b.tenant_id and i.id = b.identification_id
where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.id = %(bill)s
"""
LOCK = f"{READ} for no key update of b"
LINES = """
select n.line_no, o.number as order_number, o.kind, n.product_id, n.quantity, n.split, n.price, n.amount_fen, n.self_paid, n.described, n.order_id::text as order_id,
    l.dose, l.dose_unit, l.frequency, l.route, l.days, l.handling, l.note, o.usage, n.package_id, g.name as package,
    l.amount_fen as list_fen
from bill_line n join clinic_order o on o.tenant_id = n.tenant_id and o.id = n.order_id
join clinic_order_line l on l.tenant_id = n.tenant_id and l.order_id = n.order_id and l.line_no = n.order_line_no
left join charge_package g on g.tenant_id = n.tenant_id and g.id = n.package_id
where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s order by n.line_no limit 500
"""
_SHELF = """
select coalesce(jsonb_agg(jsonb_build_array(s.product_id, s.lot_id, s.zone, s.free, s.expires_on) order by s.expires_on, s.lot_id, s.zone), '[]') as shelf
from (
    select o.product_id, o.lot_id, o.zone, o.free, o.expires_on
    from (NAMED) named
    cross join lateral (
        select product_id, lot_id, zone, on_hand - reserved as free, expires_on from lot_balance
        where tenant_id = %(tenant)s and facility_id = %(facility)s and product_id = named.product_id and on_hand > 0 and on_hand > reserved
            and expires_on >= %(today)s and zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT')
        order by expires_on, lot_id limit 200) o
    join lot l on l.tenant_id = %(tenant)s and l.id = o.lot_id and l.hold is null) s
"""
SHELF = _SHELF.replace(
    "NAMED", "select distinct product_id from bill_line where tenant_id = %(tenant)s and bill_id = %(bill)s"
)
SHELF_OF = _SHELF.replace("NAMED", "select unnest(%(products)s::bigint[]) as product_id")
# Who wrote the visit's sheets and what it was found to be, for the center.
DOCTORS = """
select o.id::text as order_id, o.signed_at, o.doctor_id, f.national_code, f.name, d.code as department, d.name as department_name, d.caty
from clinic_order o join staff f on f.tenant_id = o.tenant_id and f.id = o.doctor_id
join department d on d.tenant_id = o.tenant_id and d.id = o.department_id
where o.tenant_id = %(tenant)s and o.bill_id = %(bill)s order by o.number limit 50
"""
DIAGNOSES = """
select line_no, kind, code, name from visit_diagnosis
where tenant_id = %(tenant)s and visit_id = %(visit)s and version = %(version)s order by line_no limit 50
"""
# Batches of this visit that lie at the center although nothing came of them; not those that a refund is about to settle.
LEFT_THERE = """
select b.id, coalesce(b.batch, b.number) as batch from bill b where b.tenant_id = %(tenant)s and b.visit_id = %(visit)s and b.state in ('cancelled', 'refunded')
    and b.uploaded_at is not null and b.taken_back_at is null
union
select b.id, x.batch from bill b cross join lateral unnest(b.left_batches) as x(batch) where b.tenant_id = %(tenant)s and b.visit_id = %(visit)s
    and not exists (select from bill_refund r where r.tenant_id = b.tenant_id and r.bill_id = b.id and r.state in ('asked', 'reversed') and r.rest_batch = x.batch)
limit 20
"""
TAKEN_BACK = """
update bill set left_batches = array_remove(left_batches, %(batch)s),
    taken_back_at = case when state in ('cancelled', 'refunded') and coalesce(batch, number) = %(batch)s then %(at)s else taken_back_at end
where tenant_id = %(tenant)s and id = %(bill)s
"""
UPLOADED = "update bill set uploaded_at = %(at)s where tenant_id = %(tenant)s and id = %(bill)s and state = 'open' returning id"
KEEP_PREVIEW = """
update bill set preview = %(preview)s::jsonb, version = version + 1, refusal = null
where tenant_id = %(tenant)s and id = %(bill)s and state = 'open' and version = %(version)s returning version
"""
PAY_BY = """
update bill set paid = %(paid)s, identification_id = coalesce(%(identification)s::uuid, identification_id), preview = null, version = version + 1, refusal = null
where tenant_id = %(tenant)s and id = %(bill)s returning version
"""
PERSON = "select person_hash from identification where tenant_id = %(tenant)s and facility_id = %(facility)s and id = any(%(ids)s)"

# ---- settle ------------------------------------------------------------------------------------------------------

HOLD = """
with wanted as (
    select x.lot_id, x.zone, w.quantity from jsonb_to_recordset(%(balances)s::jsonb) as w(lot_id bigint, zone text, quantity bigint)
    join lot_balance x on x.tenant_id = %(tenant)s and x.facility_id = %(facility)s and x.lot_id = w.lot_id and x.zone = w.zone
    order by x.lot_id, x.zone for no key update of x
)
update lot_balance b set reserved = b.reserved + w.quantity from wanted w
where b.tenant_id = %(tenant)s and b.lot_id = w.lot_id and b.zone = w.zone and b.on_hand - b.reserved >= w.quantity returning b.lot_id
"""
_ASKED = """
    update bill set state = %(state)s, version = version + 1, digest = %(digest)s, station = %(station)s, terminal = %(terminal)s, shift_id = %(shift)s,
        cashier_id = %(staff)s, tendered = %(tendered)s::jsonb, asked_at = %(at)s, refusal = null,
        consented_by = case when %(consent)s then %(staff)s else null end, consented_at = case when %(consent)s then %(at)s else null end
    where tenant_id = %(tenant)s and id = %(bill)s and state = 'open' returning id, version
), picks as (
    insert into bill_pick (tenant_id, bill_id, version, line_no, lot_id, zone, quantity, held)
    select %(tenant)s, document.id, document.version, p.line_no, p.lot_id, p.zone, p.quantity, p.quantity
    from document, jsonb_to_recordset(%(picks)s::jsonb) as p(line_no int, lot_id bigint, zone text, quantity bigint)
"""
ASK = f"""
with document as (
{_ASKED}
), head as (
    update stream_head set message_number = message_number + 1 where tenant_id = %(tenant)s and facility_id = %(facility)s returning message_number
), {OPEN_ATTEMPT}
select message_id from attempt
"""
TAKE_CASH = f"""
with document as (
{_ASKED}
)
select id from document
"""
_PAID = """
), sheets as (
    update clinic_order set state = case when kind = 'FEE' then 'DONE' else 'CHARGED' end, changed_at = %(at)s from document
    where clinic_order.tenant_id = %(tenant)s and clinic_order.bill_id = document.id
), tenders as (
    insert into tender (tenant_id, document_id, shift_id, kind, amount_fen, at)
    select %(tenant)s, document.id, document.shift_id, t.kind, t.amount_fen, %(at)s
    from document, jsonb_to_recordset(%(tenders)s::jsonb) as t(kind text, amount_fen bigint) where t.amount_fen <> 0
"""
CONFIRM_CASH = f"""
with document as (
    update bill set state = 'settled', settled_at = %(at)s, cash_fen = %(cash_fen)s
    where tenant_id = %(tenant)s and id = %(bill)s and state = 'asked' returning id, shift_id
{_PAID}
)
select id from document
"""
CONFIRM = f"""
with {CLOSE_ATTEMPT}, document as (
    update bill set state = 'settled', settled_at = %(at)s, cash_fen = %(cash_fen)s, setl_id = %(setl_id)s, money = %(money)s::jsonb
    from attempt where bill.tenant_id = %(tenant)s and bill.id = attempt.document_id and bill.state = 'asked' returning bill.id, bill.shift_id
{_PAID}
)
select id from document
"""
# The last statement of a settlement: it takes the head's lock.
TELL = """
with told as (select number, hash from append_facts(%(tenant)s, %(facility)s, %(facts)s::jsonb))
update bill set stream_number = told.number, stream_hash = told.hash from told where bill.tenant_id = %(tenant)s and bill.id = %(bill)s
"""
_FREE = """
), held as (
    select p.bill_id, p.version, p.line_no, p.lot_id, p.zone, p.held from bill_pick p
    join document on document.id = p.bill_id and document.version = p.version where p.tenant_id = %(tenant)s and p.held > 0 for no key update of p
), emptied as (
    update bill_pick p set held = 0 from held h where p.tenant_id = %(tenant)s and p.bill_id = h.bill_id and p.version = h.version
    and p.line_no = h.line_no and p.lot_id = h.lot_id and p.zone = h.zone
), sums as (
    select lot_id, zone, sum(held) as quantity from held group by lot_id, zone
), locked as (
    select b.lot_id, b.zone from lot_balance b join sums s on s.lot_id = b.lot_id and s.zone = b.zone
    where b.tenant_id = %(tenant)s order by b.lot_id, b.zone for no key update of b
), freed as (
    update lot_balance b set reserved = b.reserved - s.quantity from sums s join locked k on k.lot_id = s.lot_id and k.zone = s.zone
    where b.tenant_id = %(tenant)s and b.lot_id = s.lot_id and b.zone = s.zone returning b.lot_id
"""
# The version moves on only after the picks of the version that was asked for are free: a row is changed once in one statement.
RELEASE = f"""
with {CLOSE_ATTEMPT}, document as (
    select bill.id, bill.version from bill join attempt on attempt.document_id = bill.id
    where bill.tenant_id = %(tenant)s and bill.state = 'asked' for no key update of bill
{_FREE}
)
update bill set state = 'open', version = bill.version + 1, refusal = %(answer_text)s, preview = null from document
where bill.tenant_id = %(tenant)s and bill.id = document.id and (select count(*) from freed) >= 0 returning bill.id
"""
AS_ASKED = """
select b.id, b.number, b.total_fen, b.tendered, b.terminal, v.number as visit_number, f.number || ' ' || f.name as who
from bill b join visit v on v.tenant_id = b.tenant_id and v.id = b.visit_id join staff f on f.tenant_id = b.tenant_id and f.id = b.cashier_id
where b.tenant_id = %(tenant)s and b.id = %(bill)s
"""
TENDERS_OF = "select kind, amount_fen from tender where tenant_id = %(tenant)s and document_id = %(bill)s order by id"
