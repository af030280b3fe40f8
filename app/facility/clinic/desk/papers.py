"""What the desk's papers show: a sheet with its people and lines as they were signed, and the visit they belong to. Row-level security picks the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound
from app.facility.db import run

if TYPE_CHECKING:
    from uuid import UUID

SHEET = """
select o.id, o.number, o.kind, o.tag, o.state, o.doses, o.usage, o.long_term, o.reason, o.signed_at, o.valid_until, o.version, o.visit_id, o.patient_id,
    o.reviewed_at, s.name as doctor, s.national_code as doctor_code, r.name as reviewer, d.name as department, f.name as facility, v.number as visit_number,
    v.visit_on, v.insutype, v.mdtrt_id
from clinic_order o
join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id
join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id
join department d on d.tenant_id = o.tenant_id and d.id = o.department_id
join facility f on f.tenant_id = o.tenant_id and f.id = o.facility_id
left join staff r on r.tenant_id = o.tenant_id and r.id = o.reviewer_id
where o.facility_id = :facility and o.id = :id
"""
LINES = """
select order_id, line_no, group_no, quantity, split, amount_fen, dose, dose_unit, frequency, route, days, handling, skin_test, note, described
from clinic_order_line where order_id = any(cast(:ids as uuid[])) order by order_id, line_no limit 800
"""
DIAGNOSES = "select kind, code, name from visit_diagnosis where visit_id = :visit and version = :version order by line_no limit 12"
VISIT = """
select v.id, v.number, v.patient_id, v.version, v.visit_on, v.began_at, v.signed_at, v.insutype, v.mdtrt_id, d.name as department, s.name as doctor,
    s.national_code as doctor_code, f.name as facility, r.target_name as referred_to, r.number as referral, r.valid_until as referred_until
from visit v
join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
join facility f on f.tenant_id = v.tenant_id and f.id = v.facility_id
left join staff s on s.tenant_id = v.tenant_id and s.id = v.doctor_id
left join lateral (
    select target_name, number, valid_until from referral where tenant_id = v.tenant_id and visit_id = v.id and state in ('sent', 'accepted', 'closed')
    order by asked_at desc limit 1
) r on true
where v.facility_id = :facility and v.id = :id and v.version > 0
"""
SHEETS = """
select id, number, kind, doses, usage from clinic_order where visit_id = :visit and state <> 'VOID' order by signed_at, number limit 100
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a prescription's paper looks (处方颜色): its tint and the mark at its corner."""

    tint: str
    mark: str


LOOKS = {
    "ordinary": Look("white", ""), "emergency": Look("yellow", "急诊"), "paediatric": Look("green", "儿科"), "narcotic": Look("red", "麻、精一"),
    "psychotropic_2": Look("white", "精二"),
}  # fmt: skip


def get_sheet(facility_id: int, sheet_id: UUID) -> tuple[Any, list[Any], list[Any]]:
    """A signed sheet with its lines and the diagnoses of its version. Raises NotFound."""
    head = run(SHEET, facility=facility_id, id=sheet_id).one_or_none()
    if head is None:
        raise NotFound
    lines = list(run(LINES, ids=[sheet_id]))
    return head, lines, list(run(DIAGNOSES, visit=head.visit_id, version=head.version))


def get_visit(facility_id: int, visit_id: UUID) -> tuple[Any, list[tuple[Any, list[Any]]], list[Any]]:
    """A signed visit with its sheets that stand, each with its lines, and its diagnoses. Raises NotFound."""
    head = run(VISIT, facility=facility_id, id=visit_id).one_or_none()
    if head is None:
        raise NotFound
    sheets = list(run(SHEETS, visit=visit_id))
    lines: dict[UUID, list[Any]] = {sheet.id: [] for sheet in sheets}
    for line in run(LINES, ids=[sheet.id for sheet in sheets]):
        lines[line.order_id].append(line)
    return head, [(sheet, lines[sheet.id]) for sheet in sheets], list(run(DIAGNOSES, visit=visit_id, version=head.version))  # fmt: skip
