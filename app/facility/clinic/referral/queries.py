"""Referrals that this house sent. Row-level security picks the tenant."""

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
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_ROW = """
select r.*, p.name_shown, p.sex, p.born_on, s.name as doctor, v.number as visit, d.name as department
from referral r join visit v on v.tenant_id = r.tenant_id and v.id = r.visit_id join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
join staff s on s.tenant_id = r.tenant_id and s.id = r.doctor_id join patient p on p.tenant_id = r.tenant_id and p.id = r.patient_id
"""
SENT = f"{_ROW} where r.facility_id = :facility and (r.asked_at, r.id) < (:at, cast(:last as uuid)) order by r.asked_at desc, r.id desc limit :most"
ONE = f"{_ROW} where r.facility_id = :facility and r.id = :id"
OF_VISIT = f"{_ROW} where r.facility_id = :facility and r.visit_id = :visit order by r.asked_at desc limit 6"
FOUND = "select name from visit_diagnosis where visit_id = :visit and version = :version order by line_no limit 12"
RECENT = """
select target_code, max(target_name) as target_name from (
    select target_code, target_name from referral where facility_id = :facility and number is not null order by asked_at desc limit 200
) latest group by target_code order by count(*) desc, target_code limit 8
"""


def list_sent(facility_id: int, before: tuple[datetime, str] | None = None) -> list[Any]:
    """What was sent, newest first, one more than a page."""
    at, last = before or (clock.now() + timedelta(minutes=1), LAST)
    return list(run(SENT, facility=facility_id, at=at, last=last, most=PAGE + 1))


def get_sent(facility_id: int, document: UUID) -> Any:
    """One that was sent. Raises NotFound."""
    row = run(ONE, facility=facility_id, id=document).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_of_visit(facility_id: int, visit_id: UUID) -> list[Any]:
    """The referrals of a visit, newest first."""
    return list(run(OF_VISIT, facility=facility_id, visit=visit_id))


def diagnoses_of(visit_id: UUID, version: int) -> list[str]:
    """What the visit was found to be as it was signed then."""
    return [one.name for one in run(FOUND, visit=visit_id, version=version)]


def list_recent_targets(facility_id: int) -> list[Any]:
    """Where people were sent lately, most often first: for when the center does not answer."""
    return list(run(RECENT, facility=facility_id))
