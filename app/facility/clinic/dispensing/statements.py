"""The statements of dispensing. Locks in the agreed order: bill and sheet, lines and picks, lots, codes, the head last."""

SHEET = """
select o.id, o.number, o.kind, o.tag, o.state, o.doctor_id, o.visit_id, o.patient_id, o.bill_id, o.reviewer_id, o.doses, o.usage, o.signed_at,
    b.state as bill_state, b.paid, b.number as bill, b.settled_at, v.number as visit, v.ticket, p.name_shown, p.sex, p.born_on, s.name as doctor,
    d.name as department, r.name as reviewer, (
        select case when x.begins then x.reason end from dispensing_pause x where x.tenant_id = o.tenant_id and x.order_id = o.id order by x.at desc limit 1
    ) as paused
from clinic_order o join bill b on b.tenant_id = o.tenant_id and b.id = o.bill_id
join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id
join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id
join department d on d.tenant_id = o.tenant_id and d.id = o.department_id
left join staff r on r.tenant_id = o.tenant_id and r.id = o.reviewer_id
where o.tenant_id = %(tenant)s and o.facility_id = %(facility)s and o.id = %(order)s
"""
LOCK = f"{SHEET} for no key update of b, o"
LINES = """
select n.line_no, n.order_line_no, coalesce(w.product_id, n.product_id) as product_id, n.quantity, n.handed_over, n.came_back, n.refunded, n.split, n.price,
    coalesce(w.described, n.described) as described, n.described as ordered, n.product_id as ordered_id, coalesce(w.swaps, '[]') as swaps, n.self_paid, l.skin_test, l.dose,
    l.dose_unit, l.frequency, l.route, l.days, l.handling, l.note, l.group_no, g.trace_required,
    case when g.rx_class = 'SERVICE' then n.handed_over else coalesce((
        select sum(e.times) from execution e where e.tenant_id = l.tenant_id and e.order_id = l.order_id and e.order_line_no = l.line_no), 0)
    end::bigint as done,
    coalesce((select t.result from skin_test t where t.tenant_id = l.tenant_id and t.order_id = l.order_id and t.order_line_no = l.line_no
        and (t.result = 'positive' or w.since is null or t.at > w.since) order by t.at desc limit 1), '') as tested,
    coalesce((
        select jsonb_agg(jsonb_build_object('version', k.version, 'lot_id', k.lot_id, 'zone', k.zone, 'held', k.held, 'lot_number', x.lot_number,
            'expires_on', x.expires_on, 'hold', x.hold) order by x.expires_on, k.lot_id, k.zone)
        from bill_pick k join lot x on x.tenant_id = k.tenant_id and x.id = k.lot_id
        where k.tenant_id = n.tenant_id and k.bill_id = n.bill_id and k.line_no = n.line_no and k.held > 0), '[]') as picks
from bill_line n join clinic_order_line l on l.tenant_id = n.tenant_id and l.order_id = n.order_id and l.line_no = n.order_line_no
left join lateral (
    select max(a.at) filter (where a.answer = 'consented') as since, (array_agg(s.product_id order by a.at desc) filter (where a.answer = 'consented'))[1] as product_id,
        (array_agg(s.described order by a.at desc) filter (where a.answer = 'consented'))[1] as described,
        jsonb_agg(jsonb_build_object('id', s.id, 'product_id', s.product_id, 'described', s.described, 'quantity', s.quantity, 'reason', s.reason, 'note', s.note,
            'at', s.at, 'by', p.number || ' ' || p.name, 'answer', a.answer, 'answered_at', a.at, 'answered_by', c.number || ' ' || c.name, 'answer_note', a.note) order by s.at) as swaps
    from substitution s join staff p on p.tenant_id = s.tenant_id and p.id = s.staff_id
    left join substitution_answer a on a.tenant_id = s.tenant_id and a.substitution_id = s.id
    left join staff c on c.tenant_id = a.tenant_id and c.id = a.staff_id
    where s.tenant_id = n.tenant_id and s.bill_id = n.bill_id and s.bill_line_no = n.line_no) w on true
join product g on g.tenant_id = n.tenant_id and g.id = coalesce(w.product_id, n.product_id)
where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s and n.order_id = %(order)s order by n.line_no limit 200
"""
LOCK_LINES = """
select n.line_no from bill_line n where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s and n.order_id = %(order)s order by n.line_no for no key update
"""
CODES = """
select c.code, c.product_id, c.lot_id, c.zone, c.state, x.lot_number, x.expires_on
from trace_code c join lot x on x.tenant_id = c.tenant_id and x.id = c.lot_id
where c.tenant_id = %(tenant)s and c.facility_id = %(facility)s and c.code = any(%(codes)s)
"""
LOCK_LOTS = """
select lot_id from lot_balance where tenant_id = %(tenant)s and facility_id = %(facility)s and lot_id = any(%(lots)s) order by lot_id, zone for no key update
"""

# ---- hand over ---------------------------------------------------------------------------------------------------

KNOWN = (
    "select digest, number from dispensing where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s"
)
_ENDED = """
    update bill_pick k set held = k.held - e.quantity
    from jsonb_to_recordset(%(ended)s::jsonb) as e(line_no int, version int, lot_id bigint, zone text, quantity bigint)
    where k.tenant_id = %(tenant)s and k.bill_id = %(bill)s and k.version = e.version and k.line_no = e.line_no and k.lot_id = e.lot_id and k.zone = e.zone
"""
HAND_OVER = f"""
with ended as (
{_ENDED}
), freed as (
    update lot_balance b set reserved = b.reserved - f.quantity
    from jsonb_to_recordset(%(freed)s::jsonb) as f(lot_id bigint, zone text, quantity bigint)
    where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.lot_id = f.lot_id and b.zone = f.zone
), lines as (
    update bill_line n set handed_over = n.handed_over + t.quantity
    from jsonb_to_recordset(%(takes)s::jsonb) as t(line_no int, quantity bigint)
    where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s and n.line_no = t.line_no
), made as (
    insert into dispensing (tenant_id, id, facility_id, order_id, bill_id, number, staff_id, checker_id, rest, at, digest)
    values (%(tenant)s, %(id)s, %(facility)s, %(order)s, %(bill)s, %(number)s, %(staff)s, %(checker)s, %(rest)s, %(at)s, %(digest)s) returning id
), given as (
    insert into dispensing_line (tenant_id, dispensing_id, line_no, bill_id, bill_line_no, lot_id, zone, quantity, codes, passed_lot_id, lot_reason, lot_note, substitution_id)
    select %(tenant)s, made.id, p.n, %(bill)s, p.line_no, p.lot_id, p.zone, p.quantity, p.codes, p.passed, p.lot_reason, p.lot_note, p.substitution
    from made, jsonb_to_recordset(%(parts)s::jsonb) as p(n int, line_no int, lot_id bigint, zone text, quantity bigint, codes text[],
        passed bigint, lot_reason text, lot_note text, substitution uuid)
)
update clinic_order set state = %(state)s, changed_at = %(at)s where tenant_id = %(tenant)s and id = %(order)s
"""

# ---- open a pack -------------------------------------------------------------------------------------------------

# What the shelf holds of closed packs for lines that go by units, the own line first.
LOOSE_PICKS = """
select k.bill_id, k.version, k.line_no, k.lot_id, k.zone, k.held from bill_pick k
join bill_line n on n.tenant_id = k.tenant_id and n.bill_id = k.bill_id and n.line_no = k.line_no
where k.tenant_id = %(tenant)s and k.lot_id = %(lot)s and k.zone = %(zone)s and k.held > 0 and n.split
order by k.bill_id <> %(bill)s, k.line_no <> %(line)s, k.bill_id, k.line_no limit 500 for no key update of k
"""
BALANCE = (
    "select on_hand, reserved from lot_balance where tenant_id = %(tenant)s and lot_id = %(lot)s and zone = %(zone)s"
)
PACK_CODE = """
select code from trace_code where tenant_id = %(tenant)s and lot_id = %(lot)s and zone = %(zone)s and state = 'IN_STOCK' and reserved = 0 order by code limit 1
"""
# What was held in the closed pack is held in the opened one. The pack's own release ends the old reservation.
REPICK = """
with moved as (
    select * from jsonb_to_recordset(%(moved)s::jsonb) as m(bill_id uuid, version int, line_no int, quantity bigint)
), old as (
    update bill_pick k set held = k.held - m.quantity from moved m
    where k.tenant_id = %(tenant)s and k.bill_id = m.bill_id and k.version = m.version and k.line_no = m.line_no and k.lot_id = %(lot)s and k.zone = %(zone)s
), held as (
    update lot_balance set reserved = reserved + (select sum(quantity) from moved)
    where tenant_id = %(tenant)s and lot_id = %(lot)s and zone = 'SPLIT'
)
insert into bill_pick as p (tenant_id, bill_id, version, line_no, lot_id, zone, quantity, held)
select %(tenant)s, m.bill_id, m.version, m.line_no, %(lot)s, 'SPLIT', m.quantity, m.quantity from moved m
on conflict on constraint bill_pick_pkey do update set held = p.held + excluded.held, quantity = greatest(p.quantity, p.held + excluded.held)
"""

# ---- tests, pauses, executions, returns --------------------------------------------------------------------------

PAUSE = """
insert into dispensing_pause (tenant_id, id, facility_id, order_id, staff_id, at, digest, begins, reason)
values (%(tenant)s, %(id)s, %(facility)s, %(order)s, %(staff)s, %(at)s, %(digest)s, %(begins)s, %(reason)s)
"""
KNOWN_PAUSE = "select digest from dispensing_pause where tenant_id = %(tenant)s and id = %(id)s"
TEST = """
insert into skin_test (tenant_id, id, facility_id, order_id, order_line_no, staff_id, second_id, at, digest, result, note)
values (%(tenant)s, %(id)s, %(facility)s, %(order)s, %(line)s, %(staff)s, %(second)s, %(at)s, %(digest)s, %(result)s, %(note)s)
"""
KNOWN_TEST = "select digest from skin_test where tenant_id = %(tenant)s and id = %(id)s"
POSITIVE = """
insert into allergy (tenant_id, id, patient_id, substance, reaction, severity, told_by, noted_at, noted_by)
values (%(tenant)s, %(id)s, %(patient)s, %(substance)s, %(note)s, 'unknown', 'test', %(at)s, %(staff)s)
"""
EXECUTE = """
with done as (
    insert into execution (tenant_id, id, facility_id, order_id, order_line_no, staff_id, at, digest, times, note)
    select %(tenant)s, %(id)s, %(facility)s, %(order)s, e.order_line_no, %(staff)s, %(at)s, %(digest)s, e.times, %(note)s
    from jsonb_to_recordset(%(done)s::jsonb) as e(order_line_no int, times int)
), services as (
    update bill_line n set handed_over = n.handed_over + e.times
    from jsonb_to_recordset(%(services)s::jsonb) as e(line_no int, times int)
    where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s and n.line_no = e.line_no
)
update clinic_order set state = %(state)s, changed_at = %(at)s where tenant_id = %(tenant)s and id = %(order)s
"""
KNOWN_EXECUTION = "select digest from execution where tenant_id = %(tenant)s and id = %(id)s limit 1"
GIVEN = """
select g.dispensing_id, g.line_no, g.bill_line_no, g.lot_id, g.zone, g.quantity, g.codes, coalesce(s.described, n.described) as described, n.split, x.lot_number, x.expires_on,
    g.lot_reason, g.lot_note, y.lot_number as passed_lot, s.reason as swap_reason, case when s.id is not null then n.described end as instead_of,
    coalesce(b.quantity, 0)::bigint as back, coalesce(b.codes, '{}') as codes_back
from dispensing h join dispensing_line g on g.tenant_id = h.tenant_id and g.dispensing_id = h.id
join bill_line n on n.tenant_id = g.tenant_id and n.bill_id = g.bill_id and n.line_no = g.bill_line_no
join lot x on x.tenant_id = g.tenant_id and x.id = g.lot_id
left join lot y on y.tenant_id = g.tenant_id and y.id = g.passed_lot_id
left join substitution s on s.tenant_id = g.tenant_id and s.id = g.substitution_id
left join lateral (
    select sum(r.quantity) as quantity, (
        select array_agg(c) from dispensing_return_line y cross join lateral unnest(y.codes) as c
        where y.tenant_id = g.tenant_id and y.dispensing_id = g.dispensing_id and y.dispensing_line_no = g.line_no) as codes
    from dispensing_return_line r where r.tenant_id = g.tenant_id and r.dispensing_id = g.dispensing_id and r.dispensing_line_no = g.line_no
) b on true
where h.tenant_id = %(tenant)s and h.facility_id = %(facility)s and h.order_id = %(order)s order by h.at, g.line_no limit 500
"""
KNOWN_RETURN = "select digest, number from dispensing_return where tenant_id = %(tenant)s and id = %(id)s"
TAKE_BACK = """
with ended as (
    update clinic_order set state = %(state)s, changed_at = %(at)s
    where tenant_id = %(tenant)s and id = %(order)s and state <> %(state)s
), lines as (
    update bill_line n set came_back = n.came_back + t.quantity
    from jsonb_to_recordset(%(back)s::jsonb) as t(line_no int, quantity bigint)
    where n.tenant_id = %(tenant)s and n.bill_id = %(bill)s and n.line_no = t.line_no
), made as (
    insert into dispensing_return (tenant_id, id, facility_id, order_id, bill_id, number, staff_id, second_id, at, digest, reason, note)
    values (%(tenant)s, %(id)s, %(facility)s, %(order)s, %(bill)s, %(number)s, %(staff)s, %(second)s, %(at)s, %(digest)s, %(reason)s, %(note)s) returning id
)
insert into dispensing_return_line (tenant_id, return_id, line_no, dispensing_id, dispensing_line_no, quantity, codes)
select %(tenant)s, made.id, p.n, p.dispensing_id, p.line_no, p.quantity, p.codes
from made, jsonb_to_recordset(%(parts)s::jsonb) as p(n int, dispensing_id uuid, line_no int, quantity bigint, codes text[])
"""

# ---- another product instead -------------------------------------------------------------------------------------

PROPOSAL = """
select s.id, s.order_id, s.bill_id, s.bill_line_no, s.product_id, s.quantity, s.staff_id, s.described ->> 'name' as name, a.answer, a.staff_id as answered_by, a.digest
from substitution s left join substitution_answer a on a.tenant_id = s.tenant_id and a.substitution_id = s.id
where s.tenant_id = %(tenant)s and s.facility_id = %(facility)s and s.id = %(id)s
"""
KNOWN_PROPOSAL = "select digest from substitution where tenant_id = %(tenant)s and id = %(id)s"
PROPOSE = """
insert into substitution (tenant_id, id, facility_id, order_id, staff_id, at, digest, bill_id, bill_line_no, product_id, instead_of_id, quantity, reason, note, described)
values (%(tenant)s, %(id)s, %(facility)s, %(order)s, %(staff)s, %(at)s, %(digest)s, %(bill)s, %(line)s, %(product)s, %(instead)s, %(quantity)s, %(reason)s, %(note)s,
    %(described)s::jsonb)
"""
ANSWER = """
insert into substitution_answer (tenant_id, substitution_id, proposer_id, staff_id, at, digest, answer, note)
values (%(tenant)s, %(id)s, %(proposer)s, %(staff)s, %(at)s, %(digest)s, %(answer)s, %(note)s)
"""
# The substitute is held for what is left of the line, what was held before is free; HOLD has reserved it already.
REPLACE = """
with ended as (
    update bill_pick set held = 0 where tenant_id = %(tenant)s and bill_id = %(bill)s and line_no = %(line)s and held > 0
), freed as (
    update lot_balance b set reserved = b.reserved - f.quantity
    from jsonb_to_recordset(%(freed)s::jsonb) as f(lot_id bigint, zone text, quantity bigint)
    where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.lot_id = f.lot_id and b.zone = f.zone
)
insert into bill_pick as p (tenant_id, bill_id, version, line_no, lot_id, zone, quantity, held)
select %(tenant)s, %(bill)s, %(version)s, %(line)s, m.lot_id, m.zone, m.quantity, m.quantity
from jsonb_to_recordset(%(picks)s::jsonb) as m(lot_id bigint, zone text, quantity bigint)
on conflict on constraint bill_pick_pkey do update set held = p.held + excluded.held, quantity = greatest(p.quantity, p.held + excluded.held)
"""
LIKE = "select id from product where tenant_id = %(tenant)s and generic_name = %(name)s and id <> %(product)s and state = 'active' order by id limit 50"
