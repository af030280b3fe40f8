"""Departments, rooms and practitioners; and whether somebody may do a thing, asked at the moment of the act."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import NotFound, WrongInput, words
from app.core.personal import mask_name
from app.facility.clinic.errors import NotEligible, NotPractitioner
from app.facility.db import hot_action, transaction

if TYPE_CHECKING:
    from app.core.hot import Hot
    from app.core.tenancy import Desk

ANTIMICROBIALS = ("none", "unrestricted", "restricted", "special")

ADD_DEPARTMENT = "insert into department (tenant_id, facility_id, code, name, caty) values (%(tenant)s, %(facility)s, %(code)s, %(name)s, %(caty)s) returning id"
ADD_ROOM = "insert into consulting_room (tenant_id, facility_id, name) values (%(tenant)s, %(facility)s, %(name)s) returning id"
CHANGE_DEPARTMENT = """
update department set name = %(name)s, caty = %(caty)s where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and stopped_at is null returning id
"""
RENAME_ROOM = """
update consulting_room set name = %(name)s where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and stopped_at is null returning id
"""
# Nobody who practises may be left in a department that is closed.
STOP_DEPARTMENT = """
update department d set stopped_at = %(at)s where d.tenant_id = %(tenant)s and d.facility_id = %(facility)s and d.id = %(id)s and d.stopped_at is null
    and not exists (select from practitioner p join staff s on s.tenant_id = p.tenant_id and s.id = p.staff_id
        where p.tenant_id = d.tenant_id and p.department_id = d.id and s.disabled_at is null) returning d.id
"""
STOP_ROOM = """
update consulting_room set stopped_at = %(at)s where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and stopped_at is null returning id
"""
THERE = "select 1 as there from department where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and stopped_at is null"
SET = """
insert into practitioner (tenant_id, staff_id, facility_id, department_id, title, prescribes, herbs, antimicrobials, narcotics, eligible_from,
    eligible_until, changed_at, changed_by)
select %(tenant)s, s.id, %(facility)s, d.id, %(title)s, %(prescribes)s, %(herbs)s, %(antimicrobials)s, %(narcotics)s, %(eligible_from)s::date,
    %(eligible_until)s::date, %(at)s, %(staff)s
from staff s join department d on d.tenant_id = s.tenant_id and d.facility_id = %(facility)s and d.id = %(department_id)s
where s.tenant_id = %(tenant)s and s.id = %(person)s
on conflict on constraint practitioner_pkey do update set department_id = excluded.department_id, title = excluded.title, prescribes = excluded.prescribes,
    herbs = excluded.herbs, antimicrobials = excluded.antimicrobials, narcotics = excluded.narcotics, eligible_from = excluded.eligible_from,
    eligible_until = excluded.eligible_until, changed_at = excluded.changed_at, changed_by = excluded.changed_by
returning staff_id
"""
SUSPEND = """
update practitioner set suspended_from = %(first)s::date, suspended_until = %(last)s::date, suspended_why = %(why)s::text, changed_at = %(at)s, changed_by = %(staff)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and staff_id = %(person)s returning staff_id
"""
RIGHTS = """
select s.id as staff_id, s.number, s.name, s.national_code, p.department_id, p.title, p.prescribes, p.herbs, p.antimicrobials, p.narcotics, p.eligible_from,
    p.eligible_until, p.suspended_from, p.suspended_until, p.suspended_why, d.code as department_code, d.name as department, d.caty
from staff s
left join practitioner p on p.tenant_id = s.tenant_id and p.staff_id = s.id and p.facility_id = %(facility)s
left join department d on d.tenant_id = s.tenant_id and d.id = p.department_id
where s.tenant_id = %(tenant)s and s.id = %(person)s and s.disabled_at is null
"""


class Practice(msgspec.Struct, frozen=True):
    """What somebody may do here: department, title, rights, and since when insured care by them is paid for (医保支付资格)."""

    department_id: int
    title: str
    eligible_from: date
    eligible_until: date | None = None
    prescribes: bool = True
    herbs: bool = True
    antimicrobials: str = "unrestricted"
    narcotics: bool = False


@hot_action
def add_department(desk: Desk, code: str, name: str, caty: str) -> int:
    """Open a department (科室); `caty` is the national department class. Raises WrongInput."""
    if not name.strip() or len(name) > 50 or not caty.strip():
        raise WrongInput(what="科室", why="要有名称（最多 50 个字）和科别")
    return _add(desk, ADD_DEPARTMENT, {"code": code.strip(), "name": name.strip(), "caty": caty.strip()})


@hot_action
def add_room(desk: Desk, name: str) -> int:
    """Open a consulting room (诊室), as the wall screen calls people to it. Raises WrongInput."""
    if not 1 <= len(name.strip()) <= 20:
        raise WrongInput(what="诊室", why="名称要有 1 到 20 个字")
    return _add(desk, ADD_ROOM, {"name": name.strip()})


@hot_action
def change_department(desk: Desk, department_id: int, name: str, caty: str) -> None:
    """Give a department another name or class, which visits of before show too. Raises WrongInput, NotFound."""
    if not 1 <= len(name.strip()) <= 50 or not 1 <= len(caty.strip()) <= 10:
        raise WrongInput(what="科室", why="要有名称（最多 50 个字）和科别")
    _change(desk, CHANGE_DEPARTMENT, {"id": department_id, "name": name.strip(), "caty": caty.strip()})


@hot_action
def rename_room(desk: Desk, room_id: int, name: str) -> None:
    """Give a consulting room another name. Raises WrongInput, NotFound."""
    if not 1 <= len(name.strip()) <= 20:
        raise WrongInput(what="诊室", why="名称要有 1 到 20 个字")
    _change(desk, RENAME_ROOM, {"id": room_id, "name": name.strip()})


@hot_action
def close_department(desk: Desk, department_id: int) -> None:
    """Close a department (停用): nobody can be registered there any more; what was stays. Raises WrongInput, NotFound."""
    keys = {**desk.keys, "id": department_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if hot.run(STOP_DEPARTMENT, keys):
            return
        if not hot.run(THERE, keys):
            raise NotFound
    raise WrongInput(what="科室", why="还有人登记在这个科室，请先给他们换科室")


@hot_action
def close_room(desk: Desk, room_id: int) -> None:
    """Close a consulting room (停用): nobody is called to it any more. Raises NotFound."""
    _change(desk, STOP_ROOM, {"id": room_id, "at": clock.now()})


def _change(desk: Desk, statement: str, values: dict[str, Any]) -> None:
    try:
        with transaction(settings=desk.settings) as hot:
            if not hot.run_last(statement, {**desk.keys, **values}):
                raise NotFound
    except pg.UniqueViolation as known:
        raise WrongInput(what=values["name"], why="已经有了") from known


def _add(desk: Desk, statement: str, values: dict[str, Any]) -> int:
    try:
        with transaction(settings=desk.settings) as hot:
            return int(hot.run_last(statement, {**desk.keys, **values})[0].id)
    except pg.UniqueViolation as known:
        raise WrongInput(what=values["name"], why="已经有了") from known
    except pg.CheckViolation as wrong:
        raise WrongInput(what="编码", why="只用字母、数字和短横线，最多 30 个") from wrong


@hot_action
def set_practitioner(desk: Desk, person: int, practice: Practice) -> None:
    """Write down what somebody may do at this facility (执业登记); again replaces it. Raises WrongInput, NotFound."""
    if practice.antimicrobials not in ANTIMICROBIALS or not 1 <= len(practice.title.strip()) <= 30:
        raise WrongInput(what="执业登记", why="职称要有 1 到 30 个字，抗菌药物权限要选一项")
    if practice.eligible_until and practice.eligible_until < practice.eligible_from:
        raise WrongInput(what="医保支付资格", why="止期早于起期")
    keys = {**desk.keys, **msgspec.structs.asdict(practice), "person": person, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run_last(SET, keys):
            raise NotFound


@hot_action
def suspend(desk: Desk, person: int, first: date | None, last: date | None, why: str) -> None:
    """Suspend somebody's practice from a day on (暂停), or lift it with no day. Raises WrongInput, NotFound."""
    if first and (not why.strip() or (last and last < first)):
        raise WrongInput(what="暂停", why="要写原因，止期不早于起期")
    keys = {
        **desk.keys, "person": person, "first": first, "last": last if first else None, "why": why.strip()[:200] if first else None, "at": clock.now(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if not hot.run_last(SUSPEND, keys):
            raise NotFound


def rights_of(hot: Hot, desk: Desk, person: int | None = None) -> Any:
    """What somebody (who acts, unless told otherwise) may do here, now. Raises NotPractitioner."""
    rows = hot.run(RIGHTS, {**desk.keys, "person": person or desk.staff_id})
    if not rows:
        raise NotFound
    if rows[0].department_id is None:
        raise NotPractitioner(name=mask_name(rows[0].name))
    return rows[0]


def check_staff(hot: Hot, desk: Desk, *people: int, emergency: bool = False) -> None:
    """Refuse any of these, and who acts, who does not practise here now: whoever checks answers for it as well. Raises NotPractitioner, NotEligible."""
    for person in (desk.staff_id, *people):
        check_practice(rights_of(hot, desk, person), emergency=emergency)


def check_settling(hot: Hot, desk: Desk, *, emergency: bool) -> None:
    """Refuse a practitioner who is suspended to let insurance pay, unless it is an emergency; a cashier needs no registration. Raises NotEligible."""
    rows = hot.run(RIGHTS, {**desk.keys, "person": desk.staff_id})
    if rows and rows[0].department_id is not None and _is_suspended(rows[0]) and not emergency:
        raise _suspended(rows[0])


def check_practice(rights: Any, *, prescribing: bool = False, emergency: bool = False) -> None:
    """Refuse who is suspended (unless it is an emergency), not yet or no longer eligible, or may not prescribe. Raises NotEligible."""
    today, name = clock.business_date(), mask_name(rights.name)
    if _is_suspended(rights) and not emergency:
        raise _suspended(rights)
    if today < rights.eligible_from or (rights.eligible_until and rights.eligible_until < today):
        raise NotEligible(name=name, why=words("今天不在医保支付资格期内"))
    if prescribing and not rights.prescribes:
        raise NotEligible(name=name, why=words("没有处方权"))


def _is_suspended(rights: Any) -> bool:
    first, last, today = rights.suspended_from, rights.suspended_until, clock.business_date()
    return bool(first and first <= today and not (last and last < today))


def _suspended(rights: Any) -> NotEligible:
    why = words("自 {day} 起暂停执业（{why}）", day=rights.suspended_from, why=rights.suspended_why)
    return NotEligible(name=mask_name(rights.name), why=why)
