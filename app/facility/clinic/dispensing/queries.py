"""What dispensing shows: the queues, one sheet with what is left of it, what was handed over, given and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.clinic.charging.sheets import TREATED
from app.facility.clinic.desk.rules import MEDICINES
from app.facility.clinic.dispensing import statements
from app.facility.clinic.dispensing.handing import lines_of
from app.facility.clinic.patients import actions as patients
from app.facility.db import run, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.clinic.dispensing.rules import Line

PAGE = 50
ROW = """
select o.id, o.number, o.kind, o.tag, o.state, v.ticket, p.name_shown, p.sex, p.born_on, s.name as doctor, b.settled_at, {more}
from clinic_order o join bill b on b.tenant_id = o.tenant_id and b.id = o.bill_id and b.state = 'settled'
join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id
join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id
where o.facility_id = :facility and o.state in ('CHARGED', 'DISPENSING') and o.kind <> 'FEE' and o.kind = any(:kinds) and (b.settled_at, o.id) > (:at, cast(:last as uuid))
"""
_HELD = """exists (
    select from bill_pick k join bill_line n on n.tenant_id = k.tenant_id and n.bill_id = k.bill_id and n.line_no = k.line_no
    where k.tenant_id = o.tenant_id and k.bill_id = o.bill_id and n.order_id = o.id and k.held > 0)"""
_PAUSED = "(select x.begins from dispensing_pause x where x.tenant_id = o.tenant_id and x.order_id = o.id order by x.at desc limit 1)"
_ASKS = """exists (
    select from substitution q where q.tenant_id = o.tenant_id and q.order_id = o.id and q.bill_id = o.bill_id
        and not exists (select from substitution_answer y where y.tenant_id = q.tenant_id and y.substitution_id = q.id))"""
# Who paid first is first.
TO_HAND = (
    ROW.format(more=f"{_PAUSED} as paused, {_ASKS} as asks") + f" and {_HELD} order by b.settled_at, o.id limit :page"
)
TO_TREAT = ROW.format(more=f"{_HELD} as waits") + " order by b.settled_at, o.id limit :page"
HANDED = """
select h.id as handing_id, h.number as handing, h.at, h.rest, o.id, o.number, o.kind, o.tag, o.state, v.ticket, p.name_shown, a.name as staff, c.name as checker
from dispensing h join clinic_order o on o.tenant_id = h.tenant_id and o.id = h.order_id
join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id
join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
join staff a on a.tenant_id = h.tenant_id and a.id = h.staff_id join staff c on c.tenant_id = h.tenant_id and c.id = h.checker_id
where h.facility_id = :facility and (h.at, h.id) < (:at, cast(:last as uuid)) order by h.at desc, h.id desc limit :page
"""
DONE = """
select h.id, h.number, h.at, a.name as staff, c.name as checker, false as back, '' as reason from dispensing h
join staff a on a.tenant_id = h.tenant_id and a.id = h.staff_id join staff c on c.tenant_id = h.tenant_id and c.id = h.checker_id
where h.tenant_id = %(tenant)s and h.order_id = %(order)s
union all
select r.id, r.number, r.at, a.name, c.name, true, r.reason from dispensing_return r
join staff a on a.tenant_id = r.tenant_id and a.id = r.staff_id join staff c on c.tenant_id = r.tenant_id and c.id = r.second_id
where r.tenant_id = %(tenant)s and r.order_id = %(order)s order by 3 limit 100
"""
EXECUTIONS = """
select e.order_line_no, e.times, e.at, e.note, s.name as staff from execution e join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
where e.tenant_id = %(tenant)s and e.order_id = %(order)s order by e.at desc limit 200
"""
TESTS = """
select t.order_line_no, t.result, t.at, t.note, s.name as staff, c.name as second from skin_test t
join staff s on s.tenant_id = t.tenant_id and s.id = t.staff_id join staff c on c.tenant_id = t.tenant_id and c.id = t.second_id
where t.tenant_id = %(tenant)s and t.order_id = %(order)s order by t.at desc limit 50
"""
DIAGNOSES = """
select x.kind, x.name from visit_diagnosis x join clinic_order o on o.tenant_id = x.tenant_id and o.visit_id = x.visit_id and o.version = x.version
where o.tenant_id = %(tenant)s and o.id = %(order)s order by x.line_no limit 20
"""
# What waits for a doctor: of sheets that are paid and of which something is left.
SWAPS = """
select s.id, s.at, s.reason, s.note, s.quantity, s.described, n.described as ordered, n.split, o.number, o.kind, v.ticket, p.name_shown, p.sex, p.born_on, a.name as by,
    a.number as by_number, exists (
        select from dispensing_pause x where x.tenant_id = o.tenant_id and x.order_id = o.id and x.begins
            and not exists (select from dispensing_pause z where z.tenant_id = x.tenant_id and z.order_id = x.order_id and z.at > x.at)) as paused
from clinic_order o join substitution s on s.tenant_id = o.tenant_id and s.order_id = o.id and s.bill_id = o.bill_id
join bill_line n on n.tenant_id = s.tenant_id and n.bill_id = s.bill_id and n.line_no = s.bill_line_no
join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
join staff a on a.tenant_id = s.tenant_id and a.id = s.staff_id
where o.facility_id = :facility and o.doctor_id = :doctor and o.state in ('CHARGED', 'DISPENSING') and o.kind <> 'FEE'
    and not exists (select from substitution_answer y where y.tenant_id = s.tenant_id and y.substitution_id = s.id)
    and exists (select from bill_pick k where k.tenant_id = s.tenant_id and k.bill_id = s.bill_id and k.line_no = s.bill_line_no and k.held > 0)
order by s.at, s.id limit :most
"""
MOST_SWAPS = 50
SEALED = "select p.sealed from patient p join clinic_order o on o.tenant_id = p.tenant_id and o.patient_id = p.id where o.id = :order"


@dataclass(frozen=True)
class Paper:
    """One paid sheet: its lines as they stand, and what became of it so far."""

    head: Any
    lines: dict[int, Line]
    given: Sequence[Any]
    done: Sequence[Any]
    executions: Sequence[Any]
    tests: Sequence[Any]
    diagnoses: Sequence[Any]
    allergies: Sequence[Any]

    @property
    def goods(self) -> list[Line]:
        return [line for line in self.lines.values() if line.is_goods]

    @property
    def labels(self) -> list[tuple[Line, dict[str, Any], int]]:
        """What is labelled: each product of a line as it went out, and what is still to go; with how many base units."""
        made = []
        for line in self.goods:
            known = {line.described["code"]: line.described}
            sums = {line.described["code"]: line.left}
            for row in self.given:
                if row.bill_line_no == line.line_no:
                    known[row.described["code"]] = row.described
                    sums[row.described["code"]] = sums.get(row.described["code"], 0) + row.quantity - row.back
            made += [(line, known[code], quantity) for code, quantity in sums.items() if quantity]
        return made

    @property
    def is_open(self) -> bool:
        """Something of it is still to be handed over."""
        return self.head.state in {"CHARGED", "DISPENSING"} and any(line.left for line in self.lines.values())


def list_to_hand(facility_id: int, after: tuple[int, datetime, str] | None = None) -> list[Any]:
    """Paid sheets of medicines with something left, who paid first first; 50 a page."""
    return _waiting(TO_HAND, facility_id, sorted(MEDICINES), after)


def list_to_treat(facility_id: int, after: tuple[int, datetime, str] | None = None) -> list[Any]:
    """Paid treatments, tests and infusions with something left, who paid first first; 50 a page."""
    return _waiting(TO_TREAT, facility_id, sorted(TREATED), after)


def _waiting(statement: str, facility_id: int, kinds: list[str], after: tuple[int, datetime, str] | None) -> list[Any]:
    _rank, at, last = after or (
        0,
        datetime.min.replace(tzinfo=clock.now().tzinfo),
        "00000000-0000-0000-0000-000000000000",
    )
    return list(run(statement, facility=facility_id, kinds=kinds, at=at, last=last, page=PAGE + 1))


def list_handed(facility_id: int, before: tuple[int, datetime, str] | None = None) -> list[Any]:
    """What was handed over, newest first; 50 a page."""
    _rank, at, last = before or (0, clock.now() + timedelta(minutes=1), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    return list(run(HANDED, facility=facility_id, at=at, last=last, page=PAGE + 1))


def place_of(row: Any) -> tuple[int, datetime, str]:
    """Where a list goes on after this row."""
    return (0, row.at, str(row.handing_id)) if hasattr(row, "handing_id") else (0, row.settled_at, str(row.id))


def get_sheet(desk: Desk, order_id: UUID, kinds: frozenset[str] | tuple[str, ...] = MEDICINES) -> Paper:
    """One paid sheet of this facility. Raises NotFound."""
    keys = {**desk.keys, "order": order_id}
    with transaction(settings=desk.settings) as hot:
        heads = hot.run(statements.SHEET, keys)
        if not heads or heads[0].kind not in kinds:
            raise NotFound
        keys |= {"bill": heads[0].bill_id, "patient": heads[0].patient_id}
        asked = (statements.LINES, statements.GIVEN, DONE, EXECUTIONS, TESTS, DIAGNOSES, patients.ALLERGIES)
        lines, *rest = hot.run_all([(statement, keys) for statement in asked], last=True)
    return Paper(heads[0], lines_of(lines), *rest)


def get_sealed(order_id: UUID) -> Any:
    """Whose sheet it is, sealed: for what is printed."""
    return run(SEALED, order=order_id).one()


def get_packs(desk: Desk, codes: Sequence[str]) -> dict[str, Any]:
    """Where scanned packs lie, by code."""
    with transaction(settings=desk.settings) as hot:
        return {row.code: row for row in hot.run_last(statements.CODES, {**desk.keys, "codes": list(codes)})}


def list_swaps(desk: Desk) -> list[Any]:
    """Proposals to put another product that wait for this doctor, the oldest first; at most 50."""
    return list(run(SWAPS, facility=desk.facility_id, doctor=desk.staff_id, most=MOST_SWAPS))


def get_swap(desk: Desk, swap_id: UUID) -> Any:
    """One proposal of this facility, as it stands. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(statements.PROPOSAL, {**desk.keys, "id": swap_id})
    if not rows:
        raise NotFound
    return rows[0]
