"""What the doctor's desk shows: today's people, one visit, and what was before. Row-level security picks the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.clinic.practice import fees
from app.facility.db import run

if TYPE_CHECKING:
    from uuid import UUID

MOST = 100
RECENT = 6
QUEUE = """
select v.id, v.ticket, v.state, v.arrived_at, v.doctor_id, p.name_shown, p.sex, p.born_on, (
    select min(o.state) from clinic_order o where o.tenant_id = v.tenant_id and o.visit_id = v.id and o.state in ('RETURNED', 'REFUSED')) as came_back
from visit v join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id
where v.facility_id = :facility and v.visit_on = :today and v.state = any(cast(:states as text[])) and (v.doctor_id is null or v.doctor_id = :staff)
order by v.priority desc, v.ticket, v.id limit :most
"""
HEAD = f"""
select v.id, v.number, v.ticket, v.state, v.patient_id, v.doctor_id, v.insutype, v.mdtrt_id, v.allergies_asked_at, v.version, v.identification_id, v.med_type, v.began_at, v.dise_code, v.dise_name, p.name_shown, p.sex, p.born_on,
    d.name as department, f.id as visit_service_id, f.pack_size as fee_units
from visit v join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id
join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
left join product f on f.tenant_id = v.tenant_id and f.id = {fees.OF_VISIT} and f.state = 'active'
where v.facility_id = :facility and v.id = :visit
"""
BEFORE = """
select v.visit_on, v.number, dx.name as diagnosis
from visit v left join lateral (
    select name from visit_diagnosis where tenant_id = v.tenant_id and visit_id = v.id and version = v.version and kind = 'WESTERN' order by line_no limit 1
) dx on true
where v.patient_id = :patient and v.id <> :visit and v.version > 0 order by v.made_at desc, v.id limit :most
"""
SHEETS = """
select o.id, o.number, o.kind, o.tag, o.state, o.review_note, o.reviewed_at, o.valid_until, o.bill_id, r.name as reviewer, (
    select sum(l.amount_fen) from clinic_order_line l where l.tenant_id = o.tenant_id and l.order_id = o.id)::bigint as amount_fen
from clinic_order o left join staff r on r.tenant_id = o.tenant_id and r.id = o.reviewer_id
where o.visit_id = :visit and o.state <> 'VOID' order by o.signed_at, o.number limit :most
"""
NOW = ("WAITING", "CALLED", "PASSED", "IN_VISIT", "SIGNED", "CLOSED")
TAKEN = ("CALLED", "WAITING")


def list_queue(facility_id: int, staff_id: int, states: tuple[str, ...] = NOW) -> list[Any]:
    """Today's people of a doctor, with those who are for any doctor; priority first, then by ticket."""
    return list(run(QUEUE, facility=facility_id, staff=staff_id, today=clock.business_date(), states=list(states), most=MOST))  # fmt: skip


def get_visit(facility_id: int, visit_id: UUID) -> Any:
    """One visit with its patient, masked. Raises NotFound."""
    row = run(HEAD, facility=facility_id, visit=visit_id).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_sheets(visit_id: UUID) -> list[Any]:
    """The sheets of a visit that stand, with what the pharmacist said of them."""
    return list(run(SHEETS, visit=visit_id, most=MOST))


def list_before(patient_id: UUID, visit_id: UUID) -> list[Any]:
    """The visits of a patient that were signed before, newest first."""
    return list(run(BEFORE, patient=patient_id, visit=visit_id, most=RECENT))
