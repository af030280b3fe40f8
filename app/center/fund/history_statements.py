"""The statements of a person's history for a doctor: what was seen and settled in a year, and that somebody looked."""

from __future__ import annotations

# Nothing without a registration of today at the asking institution. Both lists end; both are found by person and day.
HISTORY = """
with visited as (
    select v.psn_no from visit v
    where v.mdtrt_id = %(mdtrt_id)s and v.institution_code = %(institution)s and v.psn_no = %(psn_no)s
        and v.state = 'registered' and v.registered_at >= %(midnight)s
)
select
    (select count(*) from visited) as registered,
    (select coalesce(jsonb_agg(to_jsonb(r)), '[]')
    from visited w
    cross join lateral (
        select v.mdtrt_id, v.institution_code, i.name as institution_name, v.begun_at, v.med_type, v.department_name, v.doctor_name,
            v.disease, v.disease_name,
            (select coalesce(jsonb_agg(to_jsonb(g)), '[]') from (
                select d.kind, d.code, d.name, d.diagnosed_at from visit_diagnosis d
                where d.mdtrt_id = v.mdtrt_id and d.valid order by d.position, d.kind, d.code limit 10
            ) g) as diagnoses
        from visit v join institution i on i.code = v.institution_code
        where v.psn_no = w.psn_no and v.registered_at >= %(since)s and v.state = 'registered' and v.mdtrt_id <> %(mdtrt_id)s
        order by v.registered_at desc limit 50
    ) r) as visits,
    (select coalesce(jsonb_agg(to_jsonb(r)), '[]')
    from visited w
    cross join lateral (
        select s.mdtrt_id, s.institution_code, s.institution_name, s.settled_at, l.code, l.name, l.quantity::text as quantity, l.rxno,
            t.dose, t.frequency, t.route, t.days, t.supply_until
        from (
            select s.setl_id, s.mdtrt_id, s.institution_code, i.name as institution_name, s.settled_at
            from settlement s join institution i on i.code = s.institution_code
            where s.psn_no = w.psn_no and s.settled_at >= %(since)s and s.reverses_setl_id is null
                and not exists (select from settlement r where r.reverses_setl_id = s.setl_id)
            order by s.settled_at desc limit 100
        ) s
        join settlement_line l on l.setl_id = s.setl_id
        left join visit_line t on t.setl_id = s.setl_id and t.number = l.number
        where l.code !~ '^[0-9]'
        order by s.settled_at desc, l.position limit 200
    ) r) as drugs
"""

# Every look at another institution's records is written down; the first of a visit is told that institution. Heads of
# news are taken in the order of codes.
LOOK = """
with seen as (
    select s.* from jsonb_to_recordset(%(seen)s::jsonb) as s (institution text, visits int, drugs int, body text)
), fresh as materialized (
    select s.institution, s.body from seen s
    where not exists (
        select from history_look h where h.mdtrt_id = %(mdtrt_id)s and h.seen_institution = s.institution
    )
    order by s.institution limit 200
), told as materialized (
    select p.stream, p.number from fresh f
    cross join lateral publish_news(array[f.institution], 'record.viewed', 1, convert_to(f.body, 'UTF8')) as p
)
insert into history_look (mdtrt_id, institution_code, district, operator, operator_name, psn_no, seen_institution, visits, drugs,
    news_number, looked_at)
select %(mdtrt_id)s, %(institution)s, %(district)s, %(operator)s, %(operator_name)s, %(psn_no)s, s.institution, s.visits, s.drugs,
    t.number, %(now)s
from seen s left join told t on t.stream = s.institution
"""
