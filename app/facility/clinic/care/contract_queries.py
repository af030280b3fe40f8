"""Contracts as they are listed and shown: what was promised, what was done, with which paper."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.clinic.care import rules
from app.facility.clinic.care.queries import FIRST_DAY, FIRST_ID, PAGE
from app.facility.db import run

if TYPE_CHECKING:
    from uuid import UUID

    from app.facility.clinic.care.queries import Place

LISTS = ("standing", "renew", "ended")
_ROW = """
select c.id, c.from_on, c.until_on, c.ended_on, c.ended_why, c.facility_id, q.id as patient_id, q.number, q.name_shown, q.sex, q.born_on, k.name as package, k.items, k.fee_fen,
    k.fund_fen, k.public_fen, k.self_fen, k.id as package_id, d.id as doctor_id, d.name as doctor, n.id as nurse_id, n.name as nurse, f.name as facility_name, (
        select jsonb_object_agg(t.item, t.n) from (
            select s.item, count(*) as n from care_service s where s.tenant_id = c.tenant_id and s.contract_id = c.id and s.withdrawn_at is null group by s.item) t
    ) as done
from care_contract c join patient p on p.tenant_id = c.tenant_id and p.id = c.patient_id
cross join lateral (select * from patient x where x.tenant_id = p.tenant_id and x.id = coalesce(p.merged_into, p.id) limit 1) q
join care_package k on k.tenant_id = c.tenant_id and k.id = c.package_id join staff d on d.tenant_id = c.tenant_id and d.id = c.doctor_id
join facility f on f.tenant_id = c.tenant_id and f.id = c.facility_id
left join staff n on n.tenant_id = c.tenant_id and n.id = c.nurse_id
"""
_LATER = "exists (select from care_contract x where x.tenant_id = c.tenant_id and x.patient_id = c.patient_id and x.from_on > c.from_on and x.ended_on is null)"
WHICH = {
    "standing": "c.ended_on is null and c.until_on >= :today",
    "renew": f"c.ended_on is null and c.until_on between :today - 60 and :soon and not {_LATER}",
    "ended": "(c.ended_on is not null or c.until_on < :today)",
}
ORDERED = {name: f"{_ROW} where c.facility_id = :facility and {where} and (c.until_on, c.id) > (:day, cast(:last as uuid)) order by c.until_on, c.id limit :page" for name, where in WHICH.items()}  # fmt: skip
# The newest first.
ORDERED["ended"] = (
    f"{_ROW} where c.facility_id = :facility and {WHICH['ended']} and (c.until_on, c.id) < (:day, cast(:last as uuid)) order by c.until_on desc, c.id desc limit :page"
)
ONE = f"{_ROW} where c.facility_id = :facility and c.id = :contract limit 1"
OF_PERSON = f"{_ROW} where c.patient_id in (select f.id from patient f where f.id = :patient or f.merged_into = :patient) order by c.from_on desc limit 20"
SERVICES = """
select s.id, s.item, s.done_on, s.at, w.name as staff, s.withdrawn_at, s.withdrawn_why, v.number as visit, o.number as sheet, n.kind as note
from care_service s join staff w on w.tenant_id = s.tenant_id and w.id = s.staff_id
left join visit v on v.tenant_id = s.tenant_id and v.id = s.visit_id left join clinic_order o on o.tenant_id = s.tenant_id and o.id = s.order_id
left join care_note n on n.tenant_id = s.tenant_id and n.id = s.note_id
where s.contract_id = :contract order by s.done_on desc, s.at desc limit 100
"""
# What may show that a service was done: visits, follow-ups and sheets of the contract's days.
PAPERS = """
(select 'visit' as kind, v.id, v.number as name, v.visit_on as day from visit v
    where v.patient_id in (select f.id from patient f where f.id = :patient or f.merged_into = :patient) and v.version > 0 and v.visit_on between :first and :last
    order by v.made_at desc limit 20)
union all
(select 'note', n.id, n.kind, (n.at at time zone 'Asia/Shanghai')::date from care_note n
    where n.patient_id in (select f.id from patient f where f.id = :patient or f.merged_into = :patient) and n.outcome = 'reached'
    and (n.at at time zone 'Asia/Shanghai')::date between :first and :last order by n.at desc limit 20)
union all
(select 'order', o.id, o.number, (o.signed_at at time zone 'Asia/Shanghai')::date from clinic_order o
    where o.patient_id in (select f.id from patient f where f.id = :patient or f.merged_into = :patient) and o.kind in ('TREATMENT', 'TEST')
    and o.state not in ('VOID', 'RETURNED', 'REFUSED') and (o.signed_at at time zone 'Asia/Shanghai')::date between :first and :last
    order by o.signed_at desc limit 20)
"""


def list_contracts(facility_id: int, which: str, after: Place | None = None) -> list[Any]:
    """Contracts that stand, those to renew (the earliest end first), those that ended (the latest first); 50 a page."""
    today = clock.business_date()
    first = (today + timedelta(days=36600), "ffffffff-ffff-ffff-ffff-ffffffffffff") if which == "ended" else (FIRST_DAY, FIRST_ID)  # fmt: skip
    day, last = after or first
    told = {"facility": facility_id, "today": today, "day": day, "last": last, "page": PAGE + 1}
    return list(run(ORDERED[which], **told, **({"soon": today + rules.RENEW_WITHIN} if which == "renew" else {})))


def get_contract(facility_id: int, contract_id: UUID) -> Any:
    """One contract of this facility. Raises NotFound."""
    row = run(ONE, facility=facility_id, contract=contract_id).one_or_none()
    if row is None:
        raise NotFound
    return row


def contracts_of(patient_id: UUID) -> list[Any]:
    """Somebody's contracts at any facility of the organization, newest first."""
    return list(run(OF_PERSON, patient=patient_id))


def list_services(contract_id: UUID) -> list[Any]:
    """What was done under a contract, newest first; what was struck out stays."""
    return list(run(SERVICES, contract=contract_id))


def list_papers(contract: Any) -> list[Any]:
    """What may be named as showing that a service was done, newest first."""
    last = contract.ended_on or contract.until_on
    rows = run(PAPERS, patient=contract.patient_id, first=contract.from_on, last=last).all()
    return sorted(rows, key=lambda row: (row.day, row.name), reverse=True)
