"""Paper and outside prescriptions at a pharmacy: entered by one person, reviewed by a pharmacist who is another (审方).

One use, the pharmacy's own review. Those that come through the center (处方外流) are made in `till.outflow` and end here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, personal
from app.core.errors import NotFound, Several, words
from app.facility.db import hot_action, run, transaction
from app.facility.organizations import parameters
from app.facility.stock.ledger import as_json
from app.facility.till.errors import AlreadyReviewed, OwnPrescription, PrescriptionIncomplete, PrescriptionKnown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.organizations.parameters import Parameters

PAGE = 50
RESULTS = {"passed": "PASS", "refused": "REFUSE"}

INSERT = """
with head as (
    insert into prescription (tenant_id, id, facility_id, number, patient_sealed, patient_shown, patient_hash, prescriber, institution, diagnosis,
        issued_on, valid_until, staff_id, entered_at)
    values (%(tenant)s, %(id)s, %(facility)s, %(number)s, %(patient_sealed)s, %(patient_shown)s, %(patient_hash)s, %(prescriber)s, %(institution)s,
        %(diagnosis)s, %(issued_on)s, %(valid_until)s, %(staff)s, %(at)s)
    on conflict (tenant_id, id) do nothing returning id
), lines as (
    insert into prescription_line (tenant_id, prescription_id, line_no, product_id, quantity, dosage)
    select %(tenant)s, head.id, l.line_no, l.product_id, l.packs * p.pack_size, l.dosage
    from head, jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, product_id bigint, packs bigint, dosage text)
    join product p on p.tenant_id = %(tenant)s and p.id = l.product_id and p.state = 'active'
    returning line_no
)
select (select count(*) from head) as heads, (select count(*) from lines) as lines
"""
REVIEW = """
update prescription set state = %(state)s, reviewer_id = %(staff)s, reviewer_name = %(name)s, reviewed_at = %(at)s, review_note = %(note)s
where tenant_id = %(tenant)s and id = %(id)s and facility_id = %(facility)s and state = 'pending' and staff_id <> %(staff)s returning id
"""
STATE = "select number, state, staff_id from prescription where tenant_id = %(tenant)s and id = %(id)s and facility_id = %(facility)s"


@dataclass(frozen=True)
class Wanted:
    """One drug of a prescription: whole packs and how to take it."""

    product_id: int
    packs: int
    dosage: str = ""


@dataclass(frozen=True)
class Paper:
    """What stands on the prescription."""

    number: str
    patient: str
    prescriber: str
    institution: str
    issued_on: date
    diagnosis: str = ""
    patient_certno: str = ""


@hot_action
def enter_prescription(desk: Desk, prescription_id: UUID, paper: Paper, wanted: Sequence[Wanted]) -> None:
    """Enter a prescription for review (处方登记). Sent again it changes nothing. Raises PrescriptionIncomplete, PrescriptionKnown."""
    said = parameters.of(desk.tenant_id)
    _check(paper, wanted, said)
    tenant = str(desk.tenant_id)
    params = {
        **desk.keys, "id": prescription_id, "number": paper.number.strip(), "prescriber": paper.prescriber.strip(), "institution": paper.institution.strip(),
        "patient_sealed": personal.seal(tenant, msgspec.json.encode({"name": paper.patient, "certno": paper.patient_certno})),
        "patient_shown": personal.mask_name(paper.patient.strip()),
        "patient_hash": personal.lookup(paper.patient_certno) if paper.patient_certno else None, "diagnosis": paper.diagnosis.strip(),
        "issued_on": paper.issued_on, "valid_until": paper.issued_on + timedelta(days=said.days("prescription_days")), "at": clock.now(),
        "lines": as_json([{"line_no": number, "product_id": line.product_id, "packs": line.packs, "dosage": line.dosage} for number, line in enumerate(wanted, 1)]),
    }  # fmt: skip
    try:
        with transaction(settings=desk.settings) as hot:
            written = hot.run(INSERT, params)[0]
            if written.heads and written.lines != len(wanted):
                raise PrescriptionIncomplete(why="有药品不在目录里或已停用")
    except pg.UniqueViolation as known:
        raise PrescriptionKnown(number=paper.number.strip()) from known


def _check(paper: Paper, wanted: Sequence[Wanted], said: Parameters) -> None:
    names = {
        "处方号": paper.number,
        "患者姓名": paper.patient,
        "开方医师": paper.prescriber,
        "开方机构": paper.institution,
    }
    if empty := [name for name, value in names.items() if not value.strip()]:
        raise PrescriptionIncomplete(why=words("没有填{fields}", fields=Several(empty)))
    if long := [name for name, value in names.items() if len(value) > 60]:
        raise PrescriptionIncomplete(why=words("{fields}超过 60 个字", fields=Several(long)))
    today, days, most = clock.business_date(), said.days("prescription_days"), said.count("prescription_drugs")
    if not today - timedelta(days=days) <= paper.issued_on <= today:
        raise PrescriptionIncomplete(
            why=words(
                "开具日期 {day} 已过期或在今天之后（处方当日有效，最长 {days} 天）", day=paper.issued_on, days=days
            )
        )
    if not 1 <= len(wanted) <= most:
        raise PrescriptionIncomplete(why=words("药品要有 1 到 {most} 种", most=most))
    if len({line.product_id for line in wanted}) < len(wanted):
        raise PrescriptionIncomplete(why="同一种药写了两行")
    if any(not 1 <= line.packs <= 999 or len(line.dosage) > 200 for line in wanted):
        raise PrescriptionIncomplete(why="数量要在 1 到 999 盒之间，用法最多 200 字")


@hot_action
def review_prescription(desk: Desk, prescription_id: UUID, name: str, *, passed: bool, note: str = "") -> None:
    """A pharmacist passes or refuses a prescription (审方). Raises OwnPrescription, AlreadyReviewed, NotFound; a refusal needs a note."""
    if not passed and not note.strip():
        raise PrescriptionIncomplete(why="不通过时要写原因")
    keys = {**desk.keys, "id": prescription_id}
    with transaction(settings=desk.settings) as hot:
        params = {
            **keys,
            "state": "passed" if passed else "refused",
            "name": name,
            "at": clock.now(),
            "note": note.strip()[:500],
        }
        if hot.run(REVIEW, params):
            return
        known = hot.run(STATE, keys)
    if not known:
        raise NotFound
    if known[0].staff_id == desk.staff_id:
        raise OwnPrescription
    raise AlreadyReviewed(number=known[0].number)


def list_prescriptions(
    facility_id: int, state: str = "pending", before: tuple[datetime, str] | None = None
) -> list[Any]:
    """The queue, newest first, 50 a page, with the drugs of each."""
    at, last = before or (clock.now() + timedelta(minutes=1), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    rows = run(
        """
        select p.id, p.number, p.patient_shown, p.prescriber, p.institution, p.diagnosis, p.issued_on, p.valid_until, p.state, p.entered_at, p.staff_id,
            p.reviewer_name, p.reviewed_at, p.review_note, p.outflow_number, p.given_back_at, s.name as staff,
            (select count(*) from prescription_line l where l.tenant_id = p.tenant_id and l.prescription_id = p.id) as count, (
            select jsonb_agg(jsonb_build_object('name', d.generic_name, 'spec', d.spec, 'unit', d.pack_unit, 'packs', l.quantity / d.pack_size,
                'dosage', l.dosage) order by l.line_no)
            from prescription_line l join product d on d.tenant_id = l.tenant_id and d.id = l.product_id
            where l.tenant_id = p.tenant_id and l.prescription_id = p.id) as drugs
        from prescription p join staff s on s.tenant_id = p.tenant_id and s.id = p.staff_id
        where p.facility_id = :facility and p.state = :state and (p.entered_at, p.id) < (:at, cast(:last as uuid))
        order by p.entered_at desc, p.id desc limit :page
        """,
        facility=facility_id, state=state, at=at, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def ready_to_take(facility_id: int) -> list[Any]:
    """Prescriptions passed and still valid, soonest to expire first."""
    rows = run(
        """
        select p.id, number, patient_shown, prescriber, institution, issued_on, reviewer_name, reviewed_at,
            (select count(*) from prescription_line l where l.tenant_id = p.tenant_id and l.prescription_id = p.id) as count
        from prescription p
        where facility_id = :facility and state = 'passed' and valid_until >= :today order by entered_at desc, p.id desc limit 50
        """,
        facility=facility_id,
        today=clock.business_date(),
    )
    return list(rows)


def get_passed(facility_id: int, prescription_id: UUID) -> tuple[Any, list[Any]]:
    """A passed, valid prescription and its drugs. Raises NotFound."""
    head = run(
        "select * from prescription where id = :id and facility_id = :facility and state = 'passed' and valid_until >= :today",
        id=prescription_id,
        facility=facility_id,
        today=clock.business_date(),
    ).one_or_none()
    if head is None:
        raise NotFound
    lines = run(
        "select product_id, quantity, dosage, outflow_line from prescription_line where prescription_id = :id order by line_no limit 20",
        id=prescription_id,
    )
    return head, list(lines)
