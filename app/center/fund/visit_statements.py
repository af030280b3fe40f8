"""The statements of an outpatient visit: registered, described, charged. Whoever changes a visit locks its row first."""

from __future__ import annotations

# Who may not prescribe or be booked here today, of the doctors named. A doctor who is not registered is not judged.
BARRED = """
select p.code, p.name, p.eligible_from, p.eligible_until, p.suspended_until, p.suspended_why
from practitioner p
where p.institution_code = %(institution)s and p.code = any(%(doctors)s)
    and (p.eligible_from > %(today)s or p.eligible_until < %(today)s or p.suspended_until >= %(today)s)
order by p.code limit 1
"""

REGISTER = """
insert into visit (mdtrt_id, institution_code, district, psn_no, insutype, number, department, department_name, caty, doctor,
    doctor_name, begun_at, registered_at, operator)
values (%(mdtrt_id)s, %(institution)s, %(district)s, %(psn_no)s, %(insutype)s, %(number)s, %(department)s, %(department_name)s,
    %(caty)s, %(doctor)s, %(doctor_name)s, %(begun_at)s, %(now)s, %(operator)s)
on conflict (institution_code, number) do nothing
returning mdtrt_id
"""

BY_NUMBER = """
select mdtrt_id, psn_no, insutype, department, doctor, begun_at, state from visit
where institution_code = %(institution)s and number = %(number)s
"""

LOCK = """
select mdtrt_id, psn_no, insutype, number, med_type, disease, settlements, state from visit
where mdtrt_id = %(mdtrt_id)s and institution_code = %(institution)s
for no key update
"""

CANCEL = """
with cancelled as (
    update visit set state = 'cancelled', cancelled_at = %(now)s where mdtrt_id = %(mdtrt_id)s and state = 'registered'
)
update visit_line set state = 'cancelled', cancelled_at = %(now)s where mdtrt_id = %(mdtrt_id)s and state = 'uploaded'
"""

DESCRIBE = """
with described as (
    update visit set med_type = %(med_type)s, disease = %(disease)s, disease_name = %(disease_name)s,
        condition_sealed = %(condition)s, seen_at = %(seen_at)s
    where mdtrt_id = %(mdtrt_id)s
)
insert into visit_diagnosis (mdtrt_id, kind, code, district, position, name, department, doctor, doctor_name, diagnosed_at, valid)
select %(mdtrt_id)s, d.kind, d.code, %(district)s, d.position, d.name, d.department, d.doctor, d.doctor_name, d.diagnosed_at, d.valid
from jsonb_to_recordset(%(diagnoses)s::jsonb) as d (
    kind text, code text, position int, name text, department text, doctor text, doctor_name text, diagnosed_at timestamptz, valid boolean
)
on conflict (mdtrt_id, kind, code) do update set position = excluded.position, name = excluded.name,
    department = excluded.department, doctor = excluded.doctor, doctor_name = excluded.doctor_name,
    diagnosed_at = excluded.diagnosed_at, valid = excluded.valid
"""

# The person, the catalog of today, and what stands in the batches and under the numbers that are sent.
CHARGE_FACTS = """
select
    (select jsonb_build_object(
        'name', p.name, 'sex', p.sex, 'ethnicity', p.ethnicity, 'born_on', p.born_on
    ) from person p where p.psn_no = %(psn_no)s) as person,
    (select coalesce(jsonb_object_agg(k.code, jsonb_build_object(
        'name', k.name, 'grade', k.grade, 'selfpay', k.selfpay, 'ceiling', k.ceiling::text, 'sex', k.sex_limit,
        'age_from', k.age_from, 'age_to', k.age_to, 'diseases', k.diseases, 'restriction', k.restriction
    )), '{}')
    from catalog_item k
    where k.code = any(%(items)s) and k.valid_from <= %(today)s and (k.valid_until is null or k.valid_until >= %(today)s)) as items,
    (select coalesce(jsonb_agg(jsonb_build_object('batch', l.batch, 'number', l.number, 'digest', encode(l.digest, 'hex'))), '[]')
    from visit_line l
    where l.mdtrt_id = %(mdtrt_id)s and l.state <> 'cancelled'
        and (l.batch = any(%(batches)s) or l.number = any(%(numbers)s))) as standing
"""

UPLOAD = """
insert into visit_line (mdtrt_id, institution_code, district, psn_no, batch, number, code, own_code, name, price, quantity, amount_fen,
    rxno, dose, frequency, route, days, occurred_at, supply_until, department, department_name, doctor, doctor_name,
    performing_department, performer, digest, uploaded_at)
select %(mdtrt_id)s, %(institution)s, %(district)s, %(psn_no)s, l.batch, l.number, l.code, l.own_code, l.name, l.price, l.quantity,
    l.amount_fen, l.rxno, l.dose, l.frequency, l.route, l.days, l.occurred_at, l.supply_until, l.department, l.department_name,
    l.doctor, l.doctor_name, l.performing_department, l.performer, l.digest, %(now)s
from jsonb_populate_recordset(null::visit_line, %(lines)s::jsonb) as l
"""

BATCH_STATES = """
select l.state, count(*) as many from visit_line l
where l.mdtrt_id = %(mdtrt_id)s and (l.batch = %(batch)s or %(batch)s = '0000')
group by l.state limit 3
"""

CANCEL_LINES = """
update visit_line set state = 'cancelled', cancelled_at = %(now)s
where mdtrt_id = %(mdtrt_id)s and state = 'uploaded' and (batch = %(batch)s or %(batch)s = '0000')
"""

# A visit with the lines of one batch that wait to be settled; one row, whatever their number.
BILL = """
select v.psn_no, v.insutype, v.med_type, v.disease, v.state,
    (select coalesce(jsonb_agg(jsonb_build_object(
        'id', l.id, 'number', l.number, 'code', l.code, 'own_code', l.own_code, 'price', l.price::text,
        'quantity', l.quantity::text, 'amount_fen', l.amount_fen, 'rxno', l.rxno
    ) order by l.id), '[]')
    from visit_line l where l.mdtrt_id = v.mdtrt_id and l.batch = %(batch)s and l.state = 'uploaded') as lines,
    exists (select from visit_line l where l.mdtrt_id = v.mdtrt_id and l.batch = %(batch)s and l.state = 'settled') as settled
from visit v where v.mdtrt_id = %(mdtrt_id)s and v.institution_code = %(institution)s
"""

WRITE_SETTLEMENT = """
select write_visit_settlement(
    %(settlement)s::jsonb, %(answer)s, %(entries)s::jsonb, %(claims)s::jsonb, %(lines)s::jsonb, %(token)s, %(visit_lines)s::bigint[]
)
"""
