"""The statements of sending out. Locks: the sheet first, then the outflow, the head last."""

from __future__ import annotations

from app.facility.insurance.machine import CLOSE_ATTEMPT, OPEN_ATTEMPT

SHEET = """
select o.id, o.number, o.kind, o.tag, o.state, o.bill_id, o.valid_until, o.signed_at, o.reviewed_at, o.reviewer_id, o.visit_id, o.version, o.usage,
    d.name as department, s.national_code as doctor_code, s.name as doctor, r.national_code as reviewer_code, r.name as reviewer, p.sealed
from clinic_order o join department d on d.tenant_id = o.tenant_id and d.id = o.department_id
join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id left join staff r on r.tenant_id = o.tenant_id and r.id = o.reviewer_id
join patient q on q.tenant_id = o.tenant_id and q.id = o.patient_id
join patient p on p.tenant_id = q.tenant_id and p.id = coalesce(q.merged_into, q.id)
where o.tenant_id = %(tenant)s and o.facility_id = %(facility)s and o.id = %(order)s for no key update of o
"""
LINES = """
select line_no, quantity, split, dose, dose_unit, frequency, route, days, handling, note, described from clinic_order_line
where tenant_id = %(tenant)s and order_id = %(order)s order by line_no limit 60
"""
DIAGNOSES = """
select g.code, g.name from visit_diagnosis g join clinic_order o on o.tenant_id = g.tenant_id and o.visit_id = g.visit_id and o.version = g.version
where o.tenant_id = %(tenant)s and o.id = %(order)s order by g.line_no limit 12
"""
KNOWN = "select id, order_id, state from outflow where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(document)s"
ASK = f"""
with sent as (
    insert into outflow (id, facility_id, order_id, state, staff_id, asked_at, changed_at)
    values (%(document)s, %(facility)s, %(order)s, 'asked', %(staff)s, %(at)s, %(at)s) returning id
), sheet as (
    update clinic_order set state = 'OUT', changed_at = %(at)s from sent where clinic_order.tenant_id = %(tenant)s and clinic_order.id = %(order)s
), head as (
    update stream_head set message_number = message_number + 1 where tenant_id = %(tenant)s and facility_id = %(facility)s returning message_number
), {OPEN_ATTEMPT}
select message_id from attempt
"""
OUT = """
select o.*, c.number as sheet from outflow o join clinic_order c on c.tenant_id = o.tenant_id and c.id = o.order_id
where o.tenant_id = %(tenant)s and o.facility_id = %(facility)s and o.id = %(document)s for no key update of c, o
"""
ASK_VOID = f"""
with going as (
    update outflow set state = 'voiding', void_reason = %(reason)s, refusal = '', changed_at = %(at)s where tenant_id = %(tenant)s and id = %(document)s
), head as (
    update stream_head set message_number = message_number + 1 where tenant_id = %(tenant)s and facility_id = %(facility)s returning message_number
), {OPEN_ATTEMPT}
select message_id from attempt
"""
ISSUED = f"""
with {CLOSE_ATTEMPT}
update outflow o set state = 'out', number = %(number)s, code_sealed = %(code)s, valid_until = %(valid_until)s, center_state = %(center_state)s, changed_at = %(at)s
from attempt where o.tenant_id = %(tenant)s and o.id = attempt.document_id and o.state = 'asked' returning o.id
"""
REFUSED = f"""
with {CLOSE_ATTEMPT}, gone as (
    update outflow o set state = 'refused', refusal = %(answer_text)s, changed_at = %(at)s
    from attempt where o.tenant_id = %(tenant)s and o.id = attempt.document_id and o.state = 'asked' returning o.id, o.order_id
), sheet as (
    update clinic_order c set state = 'PASSED', changed_at = %(at)s from gone where c.tenant_id = %(tenant)s and c.id = gone.order_id and c.state = 'OUT'
)
select id from gone
"""
# Nothing was had of it: the sheet may be paid here again. Else it stays out.
VOID = f"""
with {CLOSE_ATTEMPT}, gone as (
    update outflow o set state = 'void', center_state = 'VOID', had = %(had)s::jsonb, changed_at = %(at)s
    from attempt where o.tenant_id = %(tenant)s and o.id = attempt.document_id and o.state = 'voiding' returning o.id, o.order_id
), sheet as (
    update clinic_order c set state = 'PASSED', changed_at = %(at)s from gone
    where c.tenant_id = %(tenant)s and c.id = gone.order_id and c.state = 'OUT' and %(untouched)s
)
select id from gone
"""
NOT_VOID = f"""
with {CLOSE_ATTEMPT}
update outflow o set state = 'out', refusal = %(answer_text)s, changed_at = %(at)s
from attempt where o.tenant_id = %(tenant)s and o.id = attempt.document_id and o.state = 'voiding' returning o.id
"""
KEEP_STATES = """
update outflow o set center_state = r.state, keeper = r.keeper, had = r.had
from jsonb_to_recordset(%(rows)s::jsonb) as r(id uuid, state text, keeper text, had jsonb)
where o.tenant_id = %(tenant)s and o.facility_id = %(facility)s and o.id = r.id and (o.center_state, o.keeper, o.had) is distinct from (r.state, r.keeper, r.had)
"""
