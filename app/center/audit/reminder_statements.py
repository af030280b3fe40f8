"""The statements of the reminder: what is known of a patient and of the draft's drugs, and what was warned and answered."""

from __future__ import annotations

# One look for everything. Whose history it is comes from the registration here, never from the message; without a
# registration of the asking institution there is no history. Earlier supplies are found by person and day: however long the
# person has been ill, only what still lasts is read.
FACTS = """
with visited as (
    select v.mdtrt_id, v.psn_no, v.med_type from visit v
    where v.mdtrt_id = %(mdtrt_id)s and v.institution_code = %(institution)s and v.psn_no = %(psn_no)s and v.state = 'registered'
)
select
    (select jsonb_build_object('sex', p.sex, 'born_on', p.born_on)
    from visited v join person p on p.psn_no = v.psn_no) as person,
    (select coalesce(jsonb_object_agg(k.code, jsonb_build_object(
        'name', k.name, 'sex', k.sex_limit, 'age_from', k.age_from, 'age_to', k.age_to
    )), '{}')
    from catalog_item k
    where k.code = any(%(items)s) and k.valid_from <= %(today)s and (k.valid_until is null or k.valid_until >= %(today)s)) as items,
    (select coalesce(jsonb_agg(to_jsonb(s)), '[]')
    from visited v
    cross join lateral (
        select l.code, l.days, l.supply_until, (l.occurred_at at time zone 'Asia/Shanghai')::date as got_on,
            l.institution_code = %(institution)s as here
        from visit_line l
        where l.psn_no = v.psn_no and l.state = 'settled' and l.supply_until >= %(today)s and l.code = any(%(items)s)
            and l.mdtrt_id <> v.mdtrt_id
        order by l.supply_until desc limit 200
    ) s) as supplies,
    (select coalesce(jsonb_object_agg(name, value order by scope = '*' desc), '{}')
    from parameter
    where scope in ('*', %(institution)s) and name = any(%(parameters)s) and valid_from <= %(today)s
        and (valid_until is null or valid_until >= %(today)s)) as parameters
"""

WARN = """
insert into warning (jr_id, institution_code, district, psn_no, mdtrt_id, rule_id, rule_name, rx_id, code, severity, amount_fen,
    content_sealed, operator, warned_at)
select w.jr_id, %(institution)s, %(district)s, %(psn_no)s, %(mdtrt_id)s, w.rule_id, w.rule_name, w.rx_id, w.code, w.severity,
    w.amount_fen, w.content_sealed, %(operator)s, %(now)s
from jsonb_populate_recordset(null::warning, %(warnings)s::jsonb) as w
on conflict (jr_id) do nothing
"""

KNOWN = "select count(*) as many from warning where jr_id = any(%(warnings)s) and institution_code = %(institution)s"

# What was done with a warning; the same once more, as its latest, is not another act.
ANSWER = """
insert into warning_answer (jr_id, district, way, reason, operator, answered_at)
select a.jr_id, %(district)s, a.way, a.reason, %(operator)s, %(now)s
from jsonb_to_recordset(%(answers)s::jsonb) as a (jr_id text, way text, reason text)
where (a.way, a.reason) is distinct from (
    select (l.way, l.reason) from warning_answer l where l.jr_id = a.jr_id order by l.id desc limit 1
)
"""
