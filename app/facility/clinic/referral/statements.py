"""The statements of referring. Locks: the visit first, then the referral, the head last."""

from __future__ import annotations

from app.facility.insurance.machine import CLOSE_ATTEMPT, OPEN_ATTEMPT

VISIT = "select id from visit where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(visit)s for no key update"
# Read after the lock: what is open now, and as what the visit was signed last.
STANDING = """
select v.id, v.number, v.state, v.version, v.doctor_id, v.patient_id, d.name as department, s.name as doctor, s.national_code as doctor_code, p.sealed,
    (select coalesce(jsonb_agg(jsonb_build_array(g.code, g.name) order by g.line_no), '[]') from visit_diagnosis g
        where g.tenant_id = v.tenant_id and g.visit_id = v.id and g.version = v.version and g.line_no <= 12) as diagnoses,
    exists (select from visit_diagnosis g where g.tenant_id = v.tenant_id and g.visit_id = v.id and g.version = v.version) as found,
    (select coalesce(nullif(r.target_name, ''), r.target_code) from referral r where r.tenant_id = v.tenant_id and r.visit_id = v.id
        and (r.state in ('asked', 'accepted') or (r.state = 'sent' and r.valid_until >= %(today)s)) limit 1) as open_name
from visit v join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
left join staff s on s.tenant_id = v.tenant_id and s.id = v.doctor_id
join patient q on q.tenant_id = v.tenant_id and q.id = v.patient_id
join patient p on p.tenant_id = q.tenant_id and p.id = coalesce(q.merged_into, q.id)
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.id = %(visit)s
"""
KNOWN = """
select r.*, s.name as doctor from referral r join staff s on s.tenant_id = r.tenant_id and s.id = r.doctor_id
where r.tenant_id = %(tenant)s and r.facility_id = %(facility)s and r.id = %(document)s
"""
ASK = f"""
with sent as (
    insert into referral (id, facility_id, visit_id, version, patient_id, doctor_id, target_code, target_name, urgent, valid_until, digest, sealed, state, asked_at, changed_at)
    values (%(document)s, %(facility)s, %(visit)s, %(version)s, %(patient)s, %(staff)s, %(target)s, %(target_name)s, %(urgent)s, %(valid_until)s, %(digest)s,
        %(letter)s, 'asked', %(at)s, %(at)s)
), head as (
    update stream_head set message_number = message_number + 1 where tenant_id = %(tenant)s and facility_id = %(facility)s returning message_number
), {OPEN_ATTEMPT}
select message_id from attempt
"""
SENT = f"""
with {CLOSE_ATTEMPT}
update referral r set state = %(state)s, number = %(number)s, target_name = %(target_name)s, changed_at = %(changed_at)s
from attempt where r.tenant_id = %(tenant)s and r.id = attempt.document_id and r.state = 'asked' returning r.id
"""
REFUSED = f"""
with {CLOSE_ATTEMPT}
update referral r set state = 'refused', refusal = %(answer_text)s, changed_at = %(at)s
from attempt where r.tenant_id = %(tenant)s and r.id = attempt.document_id and r.state = 'asked' returning r.id
"""
# What the center said of ours, in its own time to the second: what is older than what is known changes nothing, nor what it says again.
KEEP_STATES = """
update referral r set state = n.state, answer_sealed = coalesce(decode(n.answer, 'hex'), r.answer_sealed), changed_at = n.at
from jsonb_to_recordset(%(rows)s::jsonb) as n(id uuid, state text, answer text, at timestamptz)
where r.tenant_id = %(tenant)s and r.facility_id = %(facility)s and r.id = n.id and r.number is not null and date_trunc('second', r.changed_at) <= n.at
    and (r.state is distinct from n.state or (n.answer is not null and r.answer_sealed is null))
"""
# News carries no words: the answer is asked for when somebody looks.
TOLD = """
update referral set state = %(state)s, changed_at = %(at)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and number = %(number)s and changed_at <= %(at)s and state <> %(state)s
"""
