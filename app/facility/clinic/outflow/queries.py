"""Sheets that may go out, and those that did. Row-level security picks the tenant."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import run

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

PAGE = 50
A_FORTNIGHT = timedelta(days=14)
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_WHO = """
from clinic_order c join staff s on s.tenant_id = c.tenant_id and s.id = c.doctor_id join patient p on p.tenant_id = c.tenant_id and p.id = c.patient_id
join visit v on v.tenant_id = c.tenant_id and v.id = c.visit_id
"""
_SHEET = """
c.id as order_id, c.number as sheet, c.tag, c.signed_at, c.valid_until as sheet_valid_until, c.visit_id, s.name as doctor, p.name_shown, p.sex, p.born_on,
    v.number as visit, v.ticket, (select count(*) from clinic_order_line l where l.tenant_id = c.tenant_id and l.order_id = c.id) as drugs
"""
READY = f"""
select {_SHEET} {_WHO}
where c.facility_id = :facility and c.state = 'PASSED' and c.kind = 'WESTERN' and c.bill_id is null and c.reviewer_id is not null and c.valid_until >= :today
    and c.signed_at >= :since and (c.signed_at, c.id) < (:at, cast(:last as uuid))
order by c.signed_at desc, c.id desc limit :most
"""
_OUT = f"o.*, r.name as sender, {_SHEET}"
_FROM_OUT = """
from outflow o join clinic_order c on c.tenant_id = o.tenant_id and c.id = o.order_id join staff r on r.tenant_id = o.tenant_id and r.id = o.staff_id
join staff s on s.tenant_id = c.tenant_id and s.id = c.doctor_id join patient p on p.tenant_id = c.tenant_id and p.id = c.patient_id
join visit v on v.tenant_id = c.tenant_id and v.id = c.visit_id
"""
SENT = f"""
select {_OUT} {_FROM_OUT} where o.facility_id = :facility and (o.asked_at, o.id) < (:at, cast(:last as uuid)) order by o.asked_at desc, o.id desc limit :most
"""
ONE = f"""
select {_OUT}, d.name as department, w.name as reviewer, c.reviewed_at, q.sealed, f.name as facility {_FROM_OUT}
join department d on d.tenant_id = c.tenant_id and d.id = c.department_id left join staff w on w.tenant_id = c.tenant_id and w.id = c.reviewer_id
join patient q on q.tenant_id = p.tenant_id and q.id = coalesce(p.merged_into, p.id)
join facility f on f.tenant_id = o.tenant_id and f.id = o.facility_id
where o.facility_id = :facility and o.id = :id
"""
DRUGS = """
select line_no, quantity, split, dose, dose_unit, frequency, route, days, handling, note, described from clinic_order_line where order_id = :order order by line_no limit 60
"""
FOUND = """
select g.name from visit_diagnosis g join clinic_order c on c.tenant_id = g.tenant_id and c.visit_id = g.visit_id and c.version = g.version
where c.id = :order order by g.line_no limit 12
"""


def list_ready(facility_id: int, before: tuple[datetime, str] | None = None) -> list[Any]:
    """Reviewed sheets that are neither charged nor out, newest first, one more than a page."""
    now = clock.now()
    at, last = before or (now + timedelta(minutes=1), LAST)
    return list(run(READY, facility=facility_id, today=clock.business_date(), since=now - A_FORTNIGHT, at=at, last=last, most=PAGE + 1))  # fmt: skip


def list_sent(facility_id: int, before: tuple[datetime, str] | None = None) -> list[Any]:
    """Sheets that were sent out, newest first, one more than a page."""
    at, last = before or (clock.now() + timedelta(minutes=1), LAST)
    return list(run(SENT, facility=facility_id, at=at, last=last, most=PAGE + 1))


def get_sent(facility_id: int, document: UUID) -> Any:
    """One that was sent out, with all that its print says. Raises NotFound."""
    row = run(ONE, facility=facility_id, id=document).one_or_none()
    if row is None:
        raise NotFound
    return row


def drugs_of(order_id: UUID) -> list[Any]:
    """What stands on a sheet."""
    return list(run(DRUGS, order=order_id))


def diagnoses_of(order_id: UUID) -> list[str]:
    """What the visit was found to be when the sheet was signed."""
    return [row.name for row in run(FOUND, order=order_id)]
