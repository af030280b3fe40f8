"""The statements of out-flow prescriptions. Locks in one order: the prescription first, its lines after it."""

from __future__ import annotations

LIMITS = """
select coalesce(jsonb_object_agg(name, value order by scope = '*' desc), '{}') as told,
    (select count(*) from (select from eprescription_miss where institution_code = %(institution)s and at > %(hour_ago)s limit 1000) m) as misses
from parameter
where scope in ('*', %(institution)s) and name = any(%(parameters)s) and valid_from <= %(today)s and (valid_until is null or valid_until >= %(today)s)
"""
MISSED = """
insert into eprescription_miss (institution_code, district, operator, at) values (%(institution)s, %(district)s, %(operator)s, %(now)s)
"""
_HEAD = """
select p.*, i.name as institution, i.district as institution_district, k.name as keeper from eprescription p
join institution i on i.code = p.institution_code left join institution k on k.code = coalesce(p.lock_institution, p.dispensed_by)
"""
BY_CODE = f"{_HEAD} where p.code_lookup = %(lookup)s"
BY_CODE_LOCKED = f"{BY_CODE} for no key update of p"
BY_NUMBER = f"{_HEAD} where p.number = %(number)s for no key update of p"
BY_DOCUMENT = f"{_HEAD} where p.institution_code = %(institution)s and p.document = %(document)s"
BY_DOCUMENT_LOCKED = f"{BY_DOCUMENT} for no key update of p"
OWN = f"{_HEAD} where p.institution_code = %(institution)s and p.document = any(%(documents)s) limit 50"
LINES = (
    "select * from eprescription_line where prescription_id = any(%(ids)s) order by prescription_id, line_no limit 1000"
)

ISSUE = """
with made as (
    insert into eprescription (code_lookup, code_sealed, institution_code, district, document, digest, rxno, patient_sealed, patient_shown,
        department, doctor, doctor_name, reviewer, reviewer_name, signed_at, reviewed_at, issued_at, issued_on, valid_until, changed_at)
    values (%(lookup)s, %(code_sealed)s, %(institution)s, %(district)s, %(document)s, %(digest)s, %(rxno)s, %(patient_sealed)s, %(patient_shown)s, %(department)s, %(doctor)s,
        %(doctor_name)s, %(reviewer)s, %(reviewer_name)s, %(signed_at)s, %(reviewed_at)s, %(now)s, %(today)s, %(valid_until)s, %(now)s)
    on conflict (institution_code, document) do nothing returning id, number, valid_until
), lines as (
    insert into eprescription_line (prescription_id, line_no, district, code, name, spec, form, quantity, pack_size, pack_unit, base_unit, dose, frequency,
        route, days, note)
    select made.id, l.line_no, %(district)s, l.code, l.name, l.spec, l.form, l.quantity, l.pack_size, l.pack_unit, l.base_unit, l.dose, l.frequency,
        l.route, l.days, l.note
    from made, jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, code text, name text, spec text, form text, quantity bigint, pack_size bigint,
        pack_unit text, base_unit text, dose text, frequency text, route text, days int, note text)
), events as (
    insert into eprescription_event (prescription_id, district, kind, institution_code, operator, at)
    select made.id, %(district)s, e.kind, %(institution)s, e.who, e.at
    from made, (values ('ISSUED', %(doctor_name)s, %(signed_at)s::timestamptz), ('REVIEWED', %(reviewer_name)s, %(reviewed_at)s::timestamptz)) as e(kind, who, at)
)
select number, valid_until from made
"""
LOCK = """
with document as (
    update eprescription set state = 'LOCKED', lock_institution = %(institution)s, lock_no = lock_no + 1, locked_until = %(until)s, frees_at = %(frees_at)s,
        changed_at = %(now)s
    where id = %(id)s returning id, district, lock_no
), event as (
    insert into eprescription_event (prescription_id, district, kind, institution_code, operator, at)
    select id, district, 'LOCKED', %(institution)s, %(operator_name)s, %(now)s from document
)
select lock_no from document
"""
FREE = """
with document as (
    update eprescription set state = case when dispensed_at is null then 'REVIEWED' else 'DISPENSED' end, lock_institution = null, locked_until = null,
        frees_at = null, changed_at = %(now)s
    where id = %(id)s returning id, district
)
insert into eprescription_event (prescription_id, district, kind, institution_code, operator, at)
select id, district, 'FREED', %(institution)s, %(operator_name)s, %(now)s from document
"""
VOID = """
with document as (
    update eprescription set state = 'VOID', lock_institution = null, locked_until = null, frees_at = null, changed_at = %(now)s
    where id = %(id)s returning id, district
)
insert into eprescription_event (prescription_id, district, kind, institution_code, operator, at, note)
select id, district, 'VOID', %(institution)s, %(operator_name)s, %(now)s, %(reason)s from document
"""
