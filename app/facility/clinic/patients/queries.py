"""Files of patients as they are found and shown: masked. Row-level security picks the tenant."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock, personal, tenancy
from app.core.errors import NotFound
from app.facility.clinic.patients import rules
from app.facility.db import run
from app.national import certno

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from app.facility.clinic.patients.rules import Person

MOST = 20
PAGE = 50
SHOWN = "p.id, p.number, p.name_shown, p.sex, p.born_on, p.registered_at, p.version, p.certno_hash is not null as has_certno, p.merged_into, p.sealed"
# Also by the papers of a file that was merged into this one.
OF_PAPER = "select coalesce(m.merged_into, m.id) from patient m where m.certno_hash = any(cast(:papers as bytea[]))"
BY_PAPER = f"p.id in ({OF_PAPER})"
# How a visit stands today: a booking of a day that is over is one that nobody came to (爽约).
STATE = "case when v.state = 'BOOKED' and v.visit_on < :today then 'MISSED' else v.state end as state"
ROWS = "select {shown} from patient p where {where} and p.merged_into is null order by p.number desc limit :most"


def find_patients(text: str, most: int = MOST) -> list[Any]:
    """Files by citizen id, telephone, number, whole name, or the first letters of the name's pinyin; newest first."""
    typed = text.strip()
    if not typed:
        return []
    where, params = _where(typed)
    return list(run(ROWS.format(shown=SHOWN, where=where), most=most, **params))


def find_alike(name: str, sex: str, born_on: date | None, but: UUID) -> list[Any]:
    """Files of the same name, sex and day of birth, other than this one: perhaps the same person, who showed no paper."""
    if not (name and sex and born_on):
        return []
    where = "p.name_hash = :hash and p.sex = :sex and p.born_on = :born_on and p.id <> :but"
    told = {"hash": personal.lookup(f"name:{name}"), "sex": sex, "born_on": born_on, "but": but}
    return list(run(ROWS.format(shown=SHOWN, where=where), most=MOST, **told))


def _where(typed: str) -> tuple[str, dict[str, Any]]:
    papers = [personal.lookup(key) for key in rules.document_keys(typed)]
    if certno.is_valid(rules.normal(typed)):
        return BY_PAPER, {"papers": papers}
    if re.fullmatch(r"[\d-]{10,13}", typed):
        return "p.phone_hash = :hash", {"hash": personal.lookup(f"phone:{typed}")}
    if typed.isascii() and typed.isdigit():
        return f"p.id in (select n.id from patient n where n.number = :number union all {OF_PAPER})", {
            "number": int(typed[:9]),
            "papers": papers,
        }
    if papers:
        return BY_PAPER, {"papers": papers}
    if typed.isascii():
        first = typed.lower()
        return 'p.initials collate "C" >= :first and p.initials collate "C" < :last', {
            "first": first,
            "last": f"{first}\U0010ffff",
        }
    return "p.name_hash = :hash", {"hash": personal.lookup(f"name:{typed}")}


def find_by_person(psn_no: str, number: str = "", cert_type: str = rules.CITIZEN) -> Any | None:
    """The file of somebody whom the center named, by insured person number or paper."""
    papers = [personal.lookup(rules.document_key(cert_type, rules.normal(number)))] if number else []
    rows = run(
        ROWS.format(shown=SHOWN, where=f"p.id in (select coalesce(n.merged_into, n.id) from patient n where n.psn_hash = :psn union all {OF_PAPER})"),
        psn=personal.lookup(f"psn:{psn_no}"), papers=papers, most=1,
    ).all()  # fmt: skip
    return rows[0] if rows else None


def get_patient(patient_id: UUID) -> Any:
    """One file, masked; of a merged one the file it was merged into. Raises NotFound."""
    row = run(
        f"select {SHOWN} from patient m join patient p on p.tenant_id = m.tenant_id and p.id = coalesce(m.merged_into, m.id) where m.id = :id",
        id=patient_id,
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound
    return row


def unseal(row: Any) -> Person:
    """Who it is, whole: for forms and messages, never for lists."""
    tenant = dict(tenancy.scope())["app.tenant_id"]
    return rules.opened(tenant, row.sealed)


# Everybody who is one person with a patient: the file, and those merged into it.
FAMILY = "(select f.id from patient f where f.id = :patient or f.merged_into = :patient)"


def list_allergies(patient_id: UUID) -> list[Any]:
    """What somebody cannot bear, the severe first; what was withdrawn stays, struck out."""
    return list(
        run(
            f"""
            select a.id, a.substance, a.reaction, a.severity, a.told_by, a.noted_at, a.withdrawn_at, a.withdrawn_why, s.name as staff
            from allergy a join staff s on s.tenant_id = a.tenant_id and s.id = a.noted_by
            where a.patient_id in {FAMILY} order by a.withdrawn_at is not null, a.severity = 'severe' desc, a.noted_at desc limit 50
            """,
            patient=patient_id,
        )
    )


def list_merged(patient_id: UUID) -> list[Any]:
    """The files that were merged into one: which, when, by whom, why."""
    return list(
        run(
            """
            select m.number, m.merged_at, m.merge_reason, s.name as staff from patient m
            join staff s on s.tenant_id = m.tenant_id and s.id = m.merged_by where m.merged_into = :patient order by m.merged_at desc, m.number limit 20
            """,
            patient=patient_id,
        )
    )


def list_visits(patient_id: UUID, before: tuple[datetime, str] | None = None) -> list[Any]:
    """Somebody's visits at any facility of the organization, newest first, 50 a page."""
    at, last = before or (clock.now() + timedelta(minutes=1), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    return list(
        run(
            f"""
            select {STATE}, v.id, v.number, v.visit_on, v.period, v.ticket, v.made_at, v.kind, v.facility_id, v.mdtrt_id, d.name as department, s.name as doctor, f.name as facility_name
            from visit v join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
            join facility f on f.tenant_id = v.tenant_id and f.id = v.facility_id
            left join staff s on s.tenant_id = v.tenant_id and s.id = v.doctor_id
            where v.patient_id in {FAMILY} and (v.made_at, v.id) < (:at, cast(:last as uuid))
            order by v.made_at desc, v.id desc limit :page
            """,
            patient=patient_id,
            today=clock.business_date(),
            at=at,
            last=last,
            page=PAGE + 1,
        )
    )


def count_missed(patient_id: UUID) -> int:
    """How many bookings of the last year somebody did not come to (爽约)."""
    today = clock.business_date()
    return int(run(
        f"select count(*) from visit v where v.patient_id in {FAMILY} and v.state = 'BOOKED' and v.visit_on < :today and v.visit_on >= :since",
        patient=patient_id, today=today, since=today - timedelta(days=365),
    ).scalar_one())  # fmt: skip
