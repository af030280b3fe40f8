"""Who is expected when, one person's care, whose drugs soon end. Row-level security picks the tenant.

When somebody is next expected is the later of what was last said and the plan's interval after the last visit signed with a
diagnosis of the plan; only visits that could move the day are looked at.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock, personal, tenancy
from app.facility.clinic.care import rules
from app.facility.db import run

if TYPE_CHECKING:
    from uuid import UUID

PAGE = 50
FIRST_DAY, FIRST_ID = date(1, 1, 1), "00000000-0000-0000-0000-000000000000"
LAST_DAY, LAST_ID = date(9999, 12, 31), "ffffffff-ffff-ffff-ffff-ffffffffffff"
Place = tuple[date, str]

_PLANS = """
plans as materialized (
    select distinct on (code) code, name, codes, entitlement, days, due from care_plan where begins_on <= :today order by code, begins_on desc, id desc
)"""
# The file a person stands under and those merged into it: two look-ups, where an "or" would read every file.
_FAMILY = """
select coalesce(p.merged_into, p.id) union all select f.id from patient f where f.tenant_id = p.tenant_id and f.merged_into = coalesce(p.merged_into, p.id)
"""
# The last visit of a person that moves the day; `person` is the file that others were merged into.
_SEEN = f"""
left join lateral (
    select max(v.visit_on) as visit_on from visit v
    where v.tenant_id = e.tenant_id and v.version > 0 and v.visit_on > e.next_on - pl.days and v.visit_on >= e.begun_on
        and v.patient_id = any (array({_FAMILY}))
        and exists (select from visit_diagnosis d where d.tenant_id = v.tenant_id and d.visit_id = v.id and d.version = v.version
            and exists (select from unnest(pl.codes) one where starts_with(d.code, one)))
) seen on true"""
_NEXT = "greatest(e.next_on, coalesce(seen.visit_on + pl.days, e.next_on))"
_LAST_NOTE = """
left join lateral (
    select n.at, n.kind, n.outcome, s.name as staff from care_note n join staff s on s.tenant_id = n.tenant_id and s.id = n.staff_id
    where n.tenant_id = {person}.tenant_id and n.patient_id = {person}.id order by n.at desc, n.id desc limit 1
) note on true
left join lateral (
    select n.systolic, n.diastolic, n.glucose_tenths, (n.at at time zone 'Asia/Shanghai')::date as day from care_note n
    where n.tenant_id = {person}.tenant_id and n.patient_id = {person}.id and (n.systolic is not null or n.glucose_tenths is not null)
    order by n.at desc, n.id desc limit 1
) reading on true"""
EXPECTED = f"""
with {_PLANS}, due as (
    select e.tenant_id, coalesce(p.merged_into, p.id) as person, pl.name, {_NEXT} as next_on
    from care_enrolment e join patient p on p.tenant_id = e.tenant_id and p.id = e.patient_id join plans pl on pl.code = e.plan_code and pl.days is not null
    {_SEEN}
    where e.facility_id = :facility and e.ended_on is null and e.next_on <= :horizon
), people as (
    select tenant_id, person, min(next_on) as next_on, string_agg(name, '、' order by next_on, name) as plans from due
    where next_on <= :horizon group by tenant_id, person
), page as materialized (
    select * from people where (next_on, person) > (:day, cast(:last as uuid)) order by next_on, person limit :page
)
select page.next_on, page.plans, q.id, q.number, q.name_shown, q.sex, q.born_on, note.at as noted_at, note.outcome, note.staff,
    reading.systolic, reading.diastolic, reading.glucose_tenths, reading.day as read_on
from page cross join lateral (select * from patient x where x.tenant_id = page.tenant_id and x.id = page.person limit 1) q {_LAST_NOTE.format(person="q")}
order by page.next_on, page.person limit :page
"""
REGISTER = f"""
with {_PLANS}, page as materialized (
    select e.* from care_enrolment e
    where e.facility_id = :facility and (e.ended_on is not null) = :ended and (:plan = '' or e.plan_code = :plan)
        and (e.made_at, e.id) < (:at, cast(:last as uuid)) order by e.made_at desc, e.id desc limit :page
)
select e.id, e.begun_on, e.made_at, e.ended_on, e.ended_why, s.name as staff, pl.code, pl.name as plan, pl.days, q.id as patient_id, q.number, q.name_shown, q.sex, q.born_on,
    case when e.ended_on is null then {_NEXT} end as next_on, reading.systolic, reading.diastolic, reading.glucose_tenths, reading.day as read_on
from page e join patient p on p.tenant_id = e.tenant_id and p.id = e.patient_id
cross join lateral (select * from patient x where x.tenant_id = p.tenant_id and x.id = coalesce(p.merged_into, p.id) limit 1) q
join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id join plans pl on pl.code = e.plan_code
{_SEEN} {_LAST_NOTE.format(person="q")}
order by e.made_at desc, e.id desc limit :page
"""
OF_PERSON = f"""
with {_PLANS}
select e.id, e.begun_on, e.ended_on, e.ended_why, e.facility_id, s.name as staff, pl.code, pl.name as plan, pl.days, pl.due, pl.entitlement,
    f.name as facility_name, seen.visit_on as seen_on, case when e.ended_on is null then {_NEXT} end as next_on
from care_enrolment e join patient p on p.tenant_id = e.tenant_id and p.id = e.patient_id join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
join facility f on f.tenant_id = e.tenant_id and f.id = e.facility_id join plans pl on pl.code = e.plan_code
{_SEEN}
where coalesce(p.merged_into, p.id) = :patient and e.patient_id in (select f.id from patient f where f.id = :patient or f.merged_into = :patient)
order by e.ended_on is not null, e.made_at desc limit 50
"""
# All that the desk shows of one person, in one row: plans that stand, the family doctor's contract, the last readings.
BESIDE = f"""
with {_PLANS}, file as materialized (
    select p.tenant_id, coalesce(p.merged_into, p.id) as id from patient p where p.id = :patient
), family as materialized (
    select id from file union all select f.id from file join patient f on f.tenant_id = file.tenant_id and f.merged_into = file.id
)
select file.id as patient_id, (
        select jsonb_agg(jsonb_build_object('plan', x.name, 'next_on', x.next_on) order by x.next_on, x.name) from (
            select pl.name, {_NEXT} as next_on from care_enrolment e join patient p on p.tenant_id = e.tenant_id and p.id = e.patient_id
            join plans pl on pl.code = e.plan_code {_SEEN} where e.ended_on is null and e.patient_id in (select id from family) order by 2 limit 5) x
    ) as plans, (
        select jsonb_build_object('until_on', c.until_on, 'facility', f.name, 'here', c.facility_id = :facility)
        from care_contract c join facility f on f.tenant_id = c.tenant_id and f.id = c.facility_id
        where c.patient_id in (select id from family) and c.ended_on is null and :today between c.from_on and c.until_on order by c.until_on desc limit 1
    ) as contract, (
        select array_agg(y.said order by y.at desc) from (
            select n.at, n.systolic || '/' || n.diastolic as said from care_note n
            where n.patient_id in (select id from family) and n.systolic is not null order by n.at desc limit 3) y
    ) as pressures, (
        select jsonb_build_object('tenths', n.glucose_tenths, 'day', (n.at at time zone 'Asia/Shanghai')::date) from care_note n
        where n.patient_id in (select id from family) and n.glucose_tenths is not null order by n.at desc limit 1
    ) as glucose
from file
"""
NOTES = """
select n.id, n.at, n.kind, n.outcome, n.systolic, n.diastolic, n.glucose_tenths, n.next_on, n.sealed, s.name as staff
from care_note n join staff s on s.tenant_id = n.tenant_id and s.id = n.staff_id
where n.patient_id in (select f.id from patient f where f.id = :patient or f.merged_into = :patient) order by n.at desc, n.id desc limit 30
"""
# What the card said when it was last read here (1101).
ENTITLED = """
select i.shown -> 'entitlements' as told, i.read_at from visit v join identification i on i.tenant_id = v.tenant_id and i.id = v.identification_id
where v.patient_id in (select f.id from patient f where f.id = :patient or f.merged_into = :patient) and v.identification_id is not null
order by v.made_at desc, v.id limit 1
"""
# Each drug of a long prescription by the day its supply ends; whoever got it again since needs no call.
SUPPLY = f"""
select x.*, q.number as patient_number, q.name_shown, q.sex, q.born_on, note.at as noted_at, note.outcome, note.staff from (
    select o.id, o.number, coalesce(p.merged_into, p.id) as person, o.tenant_id, s.name as doctor, (o.signed_at at time zone 'Asia/Shanghai')::date as signed_on,
        (o.signed_at at time zone 'Asia/Shanghai')::date + l.days as ends_on, string_agg(l.described ->> 'name', '、' order by l.line_no) as names
    from clinic_order o join clinic_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
    join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id
    where o.facility_id = :facility and o.long_term and o.signed_at > :since and o.state in ('CHARGED', 'DISPENSING', 'DONE') and l.days is not null
        and (o.signed_at at time zone 'Asia/Shanghai')::date + l.days between :first and :horizon
        and not exists (
            select from clinic_order a join clinic_order_line b on b.tenant_id = a.tenant_id and b.order_id = a.id
            where a.tenant_id = o.tenant_id and a.patient_id = any (array({_FAMILY}))
                and a.signed_at > o.signed_at and a.state not in ('VOID', 'RETURNED', 'REFUSED') and b.product_id = l.product_id)
    group by o.id, o.number, p.merged_into, p.id, o.tenant_id, s.name, o.signed_at, l.days
) x cross join lateral (select * from patient y where y.tenant_id = x.tenant_id and y.id = x.person limit 1) q {_LAST_NOTE.format(person="q")}
where (x.ends_on, x.id) > (:day, cast(:last as uuid)) order by x.ends_on, x.id limit :page
"""
LONGEST_SUPPLY = timedelta(days=120)
LATE_SUPPLY = timedelta(days=30)  # Whose drugs ended longer ago stands among the missed, if anywhere.


def list_expected(facility_id: int, after: Place | None = None) -> list[Any]:
    """People whose day has passed or is within a week, the longest overdue first; one row a person."""
    today, (day, last) = clock.business_date(), after or (FIRST_DAY, FIRST_ID)
    return list(run(EXPECTED, facility=facility_id, today=today, horizon=today + rules.SOON, day=day, last=last, page=PAGE + 1))  # fmt: skip


def list_register(facility_id: int, plan: str, after: tuple[Any, str] | None = None, *, ended: bool = False) -> list[Any]:  # fmt: skip
    """Who is cared for by which plan, newest first; or who was let go."""
    at, last = after or (clock.now() + timedelta(minutes=1), LAST_ID)
    return list(run(REGISTER, facility=facility_id, today=clock.business_date(), plan=plan, ended=ended, at=at, last=last, page=PAGE + 1))  # fmt: skip


def list_enrolments(patient_id: UUID) -> list[Any]:
    """Every plan of a person at any facility of the organization, those that stand first."""
    return list(run(OF_PERSON, patient=patient_id, today=clock.business_date()))


def get_beside(facility_id: int, patient_id: UUID) -> Any | None:
    """What the desk shows of a person's care; None of whoever has neither plan nor family doctor."""
    row = run(BESIDE, facility=facility_id, patient=patient_id, today=clock.business_date()).one_or_none()
    return row if row and (row.plans or row.contract) else None


def list_notes(patient_id: UUID) -> list[tuple[Any, str]]:
    """The last follow-ups with their words."""
    tenant = dict(tenancy.scope())["app.tenant_id"]
    return [(row, personal.unseal(tenant, bytes(row.sealed)) if row.sealed else "") for row in run(NOTES, patient=patient_id)]  # fmt: skip


def entitlements(patient_id: UUID) -> tuple[list[str], Any]:
    """What the person's card last said here of chronic diseases, family doctor and the like, and when; empty when no card was read."""
    row = run(ENTITLED, patient=patient_id).one_or_none()
    return (list(row.told or []), row.read_at) if row else ([], None)


def list_supply(facility_id: int, after: Place | None = None) -> list[Any]:
    """Whose drugs of a long prescription end within a week or ended in the last month, the earliest first."""
    today, (day, last) = clock.business_date(), after or (FIRST_DAY, FIRST_ID)
    return list(
        run(
            SUPPLY, facility=facility_id, since=clock.now() - LONGEST_SUPPLY, first=today - LATE_SUPPLY, horizon=today + rules.SOON, day=day, last=last,
            page=PAGE + 1,
        )
    )  # fmt: skip
