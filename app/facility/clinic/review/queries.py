"""What the review shows: the queue, one sheet with everything a pharmacist looks at, and what was said before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.catalog import queries as catalog
from app.facility.clinic.desk import answers, checking, limits, reminders, signing
from app.facility.clinic.desk.rules import MEDICINES
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.review import rules
from app.facility.db import run, transaction
from app.facility.organizations import parameters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.clinic.desk.rules import Record
    from app.facility.clinic.desk.wire import Finding

PAGE = 50
LISTS = ("waiting", "late", "returned", "done")
ROW = """
select o.id, o.number, o.kind, o.tag, o.state, o.signed_at, v.ticket, v.state as visit_state, p.name_shown, p.sex, p.born_on, s.name as doctor{more}
from {source}
join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id
join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id
"""
# Emergencies first, then whoever waits longest.
_WAITING = (
    ROW.format(source="clinic_order o", more="")
    + """
where o.facility_id = :facility and {which} and ((o.tag <> 'emergency')::int, o.signed_at, o.id) > (:later, :at, cast(:last as uuid))
order by (o.tag <> 'emergency')::int, o.signed_at, o.id limit :page
"""
)
# `state = 'SIGNED'` and the unreviewed each have an index of their own.
WAITING = _WAITING.format(which="o.state = 'SIGNED'")
LATE = _WAITING.format(
    which="o.reviewer_id is null and o.kind in ('WESTERN', 'HERB', 'INFUSION') and o.state in ('PASSED', 'CHARGED', 'DISPENSING', 'DONE')"
)
_SAID = (
    ROW.format(
        source="review_event e join clinic_order o on o.tenant_id = e.tenant_id and o.id = e.order_id join staff r on r.tenant_id = e.tenant_id and r.id = e.staff_id",
        more=", e.result, e.at, e.id as event_id, e.note, r.name as reviewer",
    )
    + """
where e.facility_id = :facility and {which} and (e.at, e.id) < (:at, cast(:last as uuid))
order by e.at desc, e.id desc limit :page
"""
)
SAID = {
    "returned": _SAID.format(which="e.result in ('RETURN', 'REFUSE') and o.state in ('RETURNED', 'REFUSED')"),
    "done": _SAID.format(which="true"),
}
COUNTS = """
select (select count(*) from clinic_order where facility_id = :facility and state = 'SIGNED') as waiting,
    (select count(*) from clinic_order where facility_id = :facility and reviewer_id is null and kind in ('WESTERN', 'HERB', 'INFUSION')
        and state in ('PASSED', 'CHARGED', 'DISPENSING', 'DONE')) as late
"""
HEAD = """
select o.id, o.number, o.kind, o.tag, o.state, o.doses, o.usage, o.long_term, o.reason, o.signed_at, o.valid_until, o.version, o.visit_id, o.patient_id, o.doctor_id,
    o.reviewer_id, o.reviewed_at, o.review_note, o.bill_id, v.number as visit_number, v.ticket, v.state as visit_state, v.version as visit_version,
    v.allergies_asked_at, p.name_shown, p.sex, p.born_on, d.name as department, s.name as doctor, coalesce(t.prescribes, false) as prescribes, t.title
from clinic_order o
join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id
join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
join department d on d.tenant_id = o.tenant_id and d.id = o.department_id
join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id
left join practitioner t on t.tenant_id = o.tenant_id and t.staff_id = o.doctor_id and t.facility_id = o.facility_id
where o.tenant_id = %(tenant)s and o.facility_id = %(facility)s and o.id = %(order)s
"""
LINES = """
select line_no, group_no, product_id, quantity, split, amount_fen, dose, dose_unit, frequency, route, days, handling, skin_test, self_paid, note, described
from clinic_order_line where tenant_id = %(tenant)s and order_id = %(order)s order by line_no limit 500
"""
DIAGNOSES = """
select kind, code, name from visit_diagnosis where tenant_id = %(tenant)s and visit_id = %(visit)s and version = %(version)s order by line_no limit 50
"""
OTHERS = """
select o.id, o.number, o.kind, o.state, string_agg(l.described ->> 'name', '、' order by l.line_no) as names
from clinic_order o join clinic_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
where o.tenant_id = %(tenant)s and o.visit_id = %(visit)s and o.id <> %(order)s and o.state <> 'VOID' group by o.id, o.number, o.kind, o.state order by o.number limit 20
"""
EVENTS = """
select e.result, e.concerns, e.note, e.at, e.late, s.name as who from review_event e join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
where e.tenant_id = %(tenant)s and e.order_id = %(order)s order by e.at desc limit 20
"""


@dataclass(frozen=True)
class Paper:
    """One sheet with all that a pharmacist looks at."""

    head: Any
    lines: Sequence[Any]
    diagnoses: Sequence[Any]
    others: Sequence[Any]
    events: Sequence[Any]
    allergies: Sequence[Any]
    record: Record
    in_use: Sequence[reminders.InUse]
    notes: list[tuple[reminders.Reminder, Any]]  # What the desk reminded of, with the doctor's answer.
    checks: list[rules.Check]

    @property
    def is_late(self) -> bool:
        """It went through in an emergency and nobody has looked at it yet."""
        return self.head.reviewer_id is None and self.head.state in {"PASSED", "CHARGED", "DISPENSING", "DONE"}


def list_sheets(facility_id: int, which: str, after: tuple[int, datetime, str] | None = None) -> list[Any]:
    """Sheets of one list, 50 a page: what waits (emergencies and the oldest first), or what was said (newest first)."""
    if which in SAID:
        _first, at, last = after or (0, clock.now() + timedelta(minutes=1), "ffffffff-ffff-ffff-ffff-ffffffffffff")
        return list(run(SAID[which], facility=facility_id, at=at, last=last, page=PAGE + 1))
    later, at, last = after or (
        0,
        datetime.min.replace(tzinfo=clock.now().tzinfo),
        "00000000-0000-0000-0000-000000000000",
    )
    statement = LATE if which == "late" else WAITING
    return list(run(statement, facility=facility_id, later=later, at=at, last=last, page=PAGE + 1))


def place_of(row: Any) -> tuple[int, datetime, str]:
    """Where a list goes on after this row."""
    if hasattr(row, "event_id"):
        return 0, row.at, str(row.event_id)
    return int(row.tag != "emergency"), row.signed_at, str(row.id)


def counts(facility_id: int) -> dict[str, int]:
    """How many sheets wait, and how many went through in an emergency and still wait."""
    row = run(COUNTS, facility=facility_id).one()
    return {"waiting": int(row.waiting), "late": int(row.late)}


def get_sheet(desk: Desk, order_id: UUID) -> Paper:
    """One sheet of medicines of this facility with what speaks for and against it. Raises NotFound."""
    keys = {**desk.keys, "order": order_id}
    with transaction(settings=desk.settings) as hot:
        heads, lines, events = hot.run_all([(HEAD, keys), (LINES, keys), (EVENTS, keys)])
        if not heads or heads[0].kind not in MEDICINES:
            raise NotFound
        head = heads[0]
        keys |= {"visit": head.visit_id, "version": head.version, "patient": head.patient_id}
        diagnoses, others, allergies = hot.run_all([(DIAGNOSES, keys), (OTHERS, keys), (patients.ALLERGIES, keys)])
        content = signing.read_signed(hot, desk, head.visit_id, head.version)
        who, asked, given = answers.facts(hot, desk, head.visit_id)
        standing = checking.standing(hot, desk, head.visit_id)
    found = _reminders(desk, order_id, content, who, standing)
    checks = rules.checks(head, lines, diagnoses, found, pregnancy=content.record.pregnancy, asked=asked is not None)
    in_use = [one for one in who.in_use if one.until > clock.business_date()]
    return Paper(
        head, lines, diagnoses, others, events, allergies, content.record, in_use, [(one, given.get(one.key)) for one in found], checks
    )  # fmt: skip


def _reminders(
    desk: Desk, order_id: UUID, content: Any, who: reminders.Who, standing: Sequence[Finding]
) -> list[reminders.Reminder]:
    """What the desk reminds of at this sheet and at the diagnoses, with what the center found of it (3101)."""
    cards = catalog.get_products({line.product_id for sheet in content.sheets for line in sheet.lines})
    most = limits.of(parameters.of(desk.tenant_id), clock.now()).herbs
    mine = {n for n, sheet in enumerate(content.sheets) if sheet.id == order_id} | {reminders.DIAGNOSES}
    local = reminders.reminders(content, cards, who, clock.business_date(), most)
    return [one for one in checking.merged(local, standing, content, cards) if one.sheet in mine]
