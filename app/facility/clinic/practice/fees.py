"""The fee of a visit (诊查费): a service of the catalog that a department or a doctor charges from a day on, for emergencies perhaps another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from app.core import clock
from app.core.errors import NotFound, WrongInput
from app.facility.db import hot_action, run, transaction

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50
MOST = 400
SERVICE = "select id from product where tenant_id = %(tenant)s and code = %(code)s and rx_class = 'SERVICE' and state = 'active'"
THERE = {
    "department": "select 1 as there from department where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(department)s and stopped_at is null",
    "doctor": "select 1 as there from practitioner where tenant_id = %(tenant)s and facility_id = %(facility)s and staff_id = %(doctor)s",
}
# What was said last of this day stands already: nothing is said twice.
SET = """
insert into visit_fee (tenant_id, facility_id, department_id, staff_id, emergency, service_id, effective_from, set_by, set_at)
select %(tenant)s, %(facility)s, %(department)s::bigint, %(doctor)s::bigint, %(emergency)s, %(service)s::bigint, %(first)s::date, %(staff)s, %(at)s
where not exists (
    select from (
        select service_id from visit_fee
        where tenant_id = %(tenant)s and facility_id = %(facility)s and department_id is not distinct from %(department)s::bigint
            and staff_id is not distinct from %(doctor)s::bigint and emergency = %(emergency)s and effective_from = %(first)s::date
        order by id desc limit 1) x
    where x.service_id is not distinct from %(service)s::bigint)
"""
# What the visit `v` costs on its day: an emergency's own fee before the ordinary one, the doctor's own before the department's.
OF_VISIT = """(
    select f.service_id from (
        select distinct on (x.staff_id is null, x.emergency) x.service_id, x.emergency, x.staff_id is null as general
        from visit_fee x
        where x.tenant_id = v.tenant_id and x.facility_id = v.facility_id and (x.department_id = v.department_id or x.staff_id = v.doctor_id)
            and x.effective_from <= v.visit_on and (v.kind = 'emergency' or not x.emergency)
        order by x.staff_id is null, x.emergency, x.effective_from desc, x.id desc) f
    where f.service_id is not null order by f.emergency desc, f.general limit 1)"""
ROWS = """
select x.id, x.department_id, x.staff_id, x.emergency, x.service_id, x.effective_from, x.set_at, d.name as department, w.name as doctor, p.code, p.generic_name as service,
    s.name as set_by
from visit_fee x
left join department d on d.tenant_id = x.tenant_id and d.id = x.department_id
left join staff w on w.tenant_id = x.tenant_id and w.id = x.staff_id
left join product p on p.tenant_id = x.tenant_id and p.id = x.service_id
left join staff s on s.tenant_id = x.tenant_id and s.id = x.set_by
where x.facility_id = :facility
"""
STANDING = f"""
select distinct on (y.department_id, y.staff_id, y.emergency) y.* from ({ROWS} and d.stopped_at is null and w.disabled_at is null and x.effective_from <= :day) y
order by y.department_id, y.staff_id, y.emergency, y.effective_from desc, y.id desc limit {MOST}
"""
# What was said of a later day, and said of that day last.
COMING = f"""
select distinct on (y.effective_from, y.department_id, y.staff_id, y.emergency) y.* from ({ROWS} and x.effective_from > :day) y
order by y.effective_from, y.department_id, y.staff_id, y.emergency, y.id desc limit {MOST}
"""


class Payee(NamedTuple):
    """For whose visits a fee is charged: those of a department, or those of one doctor."""

    department: int | None = None
    doctor: int | None = None


@hot_action
def set_fee(desk: Desk, payee: Payee, code: str, first: date, *, emergency: bool = False) -> None:
    """Say what a visit costs from a day on (诊查费), by the service's code; none means nothing of one's own from then on.

    What was said stays; of one day the last word counts. The same again changes nothing. Raises WrongInput, NotFound.
    """
    if first < clock.business_date():
        raise WrongInput(what="生效日期", why="不能早于今天")
    keys: dict[str, Any] = {
        **desk.keys, **payee._asdict(), "emergency": emergency, "first": first, "code": code.strip()[:50], "service": None, "at": clock.now(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if not hot.run(THERE["doctor" if payee.doctor else "department"], keys):
            raise NotFound
        if keys["code"]:
            rows = hot.run(SERVICE, keys)
            if not rows:
                raise WrongInput(what="诊查费", why="目录里没有这个编码的诊疗项目")
            keys["service"] = rows[0].id
        hot.run_last(SET, keys)


def fee_of(facility_id: int, visit_id: UUID) -> int | None:
    """The service that a visit costs on its day; None where nothing is charged."""
    found: int | None = run(f"select {OF_VISIT} from visit v where v.facility_id = :facility and v.id = :visit", facility=facility_id, visit=visit_id).scalar_one_or_none()  # fmt: skip
    return found


def list_fees(facility_id: int) -> list[Any]:
    """What is charged today, by whom; nothing of those who charge nothing."""
    return [row for row in run(STANDING, facility=facility_id, day=clock.business_date()) if row.service_id]


def list_coming(facility_id: int) -> list[Any]:
    """What will be charged from a later day on, the nearest first."""
    return list(run(COMING, facility=facility_id, day=clock.business_date()))


def list_said(facility_id: int, before: int | None = None) -> list[Any]:
    """All that was ever said of fees, the last word first, 50 a page."""
    return list(run(f"{ROWS} and x.id < :before order by x.id desc limit :page", facility=facility_id, before=before or 2**62, page=PAGE + 1))  # fmt: skip
