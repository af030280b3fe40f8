"""Contracts with a family doctor (家医签约): signed with a package, ticked with the paper that shows what was done, ended with a reason."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, words
from app.facility.clinic.care import rules
from app.facility.clinic.care.actions import LOCK_PERSON, PERSON
from app.facility.clinic.care.errors import (
    AlreadyEnded,
    CareIncomplete,
    ContractOver,
    ContractOverlaps,
    PaperNotTheirs,
)
from app.facility.clinic.practice import actions as practice
from app.facility.db import hot_action, transaction

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from app.core.tenancy import Desk

KNOWN = "select digest from care_contract where tenant_id = %(tenant)s and id = %(id)s"
# The version that holds, and no older one.
PACKAGE = """
select n.id from care_package p cross join lateral (
    select v.id, v.offered from care_package v where v.tenant_id = p.tenant_id and v.code = p.code and v.begins_on <= %(today)s::date
    order by v.begins_on desc, v.id desc limit 1
) n where p.tenant_id = %(tenant)s and p.id = %(package)s and n.offered
"""
OVERLAPS = """
select c.from_on, coalesce(c.ended_on, c.until_on) as until_on from care_contract c
where c.tenant_id = %(tenant)s and c.patient_id in (select f.id from patient f where f.tenant_id = %(tenant)s and (f.id = %(person)s or f.merged_into = %(person)s))
    and c.from_on <= %(until_on)s::date and (c.ended_on is null and c.until_on >= %(from_on)s::date or c.ended_on > %(from_on)s::date) limit 1
"""
SIGN = """
insert into care_contract (tenant_id, id, facility_id, patient_id, package_id, doctor_id, nurse_id, from_on, until_on, digest, staff_id, made_at)
values (%(tenant)s, %(id)s, %(facility)s, %(person)s, %(version)s, %(doctor)s, %(nurse)s::bigint, %(from_on)s::date, %(until_on)s::date, %(digest)s, %(staff)s,
    %(at)s)
"""
LOCK = """
select c.patient_id, c.from_on, c.until_on, c.ended_on, p.items from care_contract c
join care_package p on p.tenant_id = c.tenant_id and p.id = c.package_id
where c.tenant_id = %(tenant)s and c.facility_id = %(facility)s and c.id = %(contract)s for no key update of c
"""
END = """
update care_contract set ended_on = %(today)s::date, ended_why = %(why)s, ended_by = %(staff)s
where tenant_id = %(tenant)s and id = %(contract)s
"""
_FAMILY = (
    "(select f.id from patient f where f.tenant_id = %(tenant)s and (f.id = %(person)s or f.merged_into = %(person)s))"
)
# The day on which a paper of this person shows a service: (statement) by kind of paper.
PAPERS = {
    "visit": f"select visit_on as day from visit where tenant_id = %(tenant)s and id = %(paper)s and version > 0 and patient_id in {_FAMILY}",
    "note": f"select (at at time zone 'Asia/Shanghai')::date as day from care_note where tenant_id = %(tenant)s and id = %(paper)s and outcome = 'reached' and patient_id in {_FAMILY}",
    "order": f"select (signed_at at time zone 'Asia/Shanghai')::date as day from clinic_order where tenant_id = %(tenant)s and id = %(paper)s and kind in ('TREATMENT', 'TEST') and state not in ('VOID', 'RETURNED', 'REFUSED') and patient_id in {_FAMILY}",
}  # fmt: skip
KNOWN_SERVICE = "select contract_id, item, coalesce(visit_id, note_id, order_id) as paper from care_service where tenant_id = %(tenant)s and id = %(id)s"
TICK = """
insert into care_service (tenant_id, id, facility_id, contract_id, item, done_on, visit_id, note_id, order_id, staff_id, at)
values (%(tenant)s, %(id)s, %(facility)s, %(contract)s, %(item)s, %(day)s::date, %(visit)s::uuid, %(note)s::uuid, %(order)s::uuid, %(staff)s, %(at)s)
"""
WITHDRAW = """
update care_service set withdrawn_at = %(at)s, withdrawn_by = %(staff)s, withdrawn_why = %(why)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and withdrawn_at is null returning id
"""
HAS_SERVICE = (
    "select 1 as known from care_service where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s"
)


class Terms(msgspec.Struct, frozen=True):
    """What is agreed: whose team, which package, from when until when."""

    patient_id: UUID
    package_id: int
    doctor_id: int
    nurse_id: int | None
    from_on: date
    until_on: date


@hot_action
def sign_contract(desk: Desk, contract_id: UUID, terms: Terms) -> None:
    """Sign a resident up with a team (签约). One resident has one contract at a time. Sent again it changes nothing.

    Raises CareIncomplete, ContractOverlaps, NotPractitioner, NotEligible, DocumentChanged, NotFound.
    """
    today = clock.business_date()
    _check_days(terms, today)
    digest = hashlib.sha256(msgspec.json.encode(terms)).digest()
    keys = {
        **desk.keys, "id": contract_id, "patient": terms.patient_id, "package": terms.package_id, "doctor": terms.doctor_id, "nurse": terms.nurse_id,
        "from_on": terms.from_on, "until_on": terms.until_on, "today": today, "digest": digest, "at": clock.now(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        known, persons, packages = hot.run_all([(KNOWN, keys), (PERSON, keys), (PACKAGE, keys)])
        if known:
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return
        if not persons:
            raise NotFound
        if not packages:
            raise CareIncomplete(why=words("要选一个正在用的服务包"))
        practice.check_practice(practice.rights_of(hot, desk, terms.doctor_id), prescribing=True)
        if terms.nurse_id is not None:
            practice.rights_of(hot, desk, terms.nurse_id)
        keys |= {"person": persons[0].id, "version": packages[0].id}
        hot.run(LOCK_PERSON, keys)
        if standing := hot.run(OVERLAPS, keys):
            raise ContractOverlaps(begins=standing[0].from_on, ends=standing[0].until_on)
        hot.run_last(SIGN, keys)


def _check_days(terms: Terms, today: date) -> None:
    if not terms.from_on < terms.until_on <= terms.from_on + rules.LONGEST_CONTRACT:
        raise CareIncomplete(why=words("止期要在起期之后，最长三年"))
    if abs((terms.from_on - today).days) > 366:
        raise CareIncomplete(why=words("起期离今天不能超过一年"))


@hot_action
def end_contract(desk: Desk, contract_id: UUID, why: str) -> None:
    """End a contract before its time, with the reason (解约). Raises CareIncomplete, AlreadyEnded, NotFound."""
    if why not in rules.CONTRACT_ENDS:
        raise CareIncomplete(why=words("要选结束的原因"))
    keys = {**desk.keys, "contract": contract_id, "why": why, "today": clock.business_date()}
    with transaction(settings=desk.settings) as hot:
        rows = hot.run(LOCK, keys)
        if not rows:
            raise NotFound
        if rows[0].ended_on is not None or rows[0].until_on < keys["today"]:
            raise AlreadyEnded(day=rows[0].ended_on or rows[0].until_on)
        hot.run_last(END, keys)


@hot_action
def tick_service(desk: Desk, service_id: UUID, contract_id: UUID, item: str, kind: str, paper: UUID) -> None:
    """Say that a service of the package was done (记履约): a visit, a follow-up or a sheet of treatments shows it, and its day.

    Sent again it changes nothing. Raises CareIncomplete, ContractOver, PaperNotTheirs, DocumentChanged, NotFound.
    """
    if kind not in PAPERS:
        raise CareIncomplete(why=words("要选一份凭据"))
    keys = {**desk.keys, "id": service_id, "contract": contract_id, "item": item, "paper": paper, "at": clock.now()}
    keys |= {name: paper if name == kind else None for name in PAPERS}
    try:
        with transaction(settings=desk.settings) as hot:
            known, contracts = hot.run_all([(KNOWN_SERVICE, keys), (LOCK, keys)])
            if not contracts:
                raise NotFound
            if known:
                _check_same(known[0], contract_id, item, paper)
                return
            keys["person"] = hot.run(PERSON, {**keys, "patient": contracts[0].patient_id})[0].id
            keys["day"] = _day_of(contracts[0], item, hot.run(PAPERS[kind], keys))
            hot.run_last(TICK, keys)
    except pg.UniqueViolation as twice:
        raise PaperNotTheirs from twice


def _check_same(row: Any, contract_id: UUID, item: str, paper: UUID) -> None:
    if (row.contract_id, row.item, row.paper) != (contract_id, item, paper):
        raise DocumentChanged


def _day_of(contract: Any, item: str, papers: Any) -> date:
    if item not in {one["code"] for one in contract.items}:
        raise CareIncomplete(why=words("服务包里没有这一项"))
    if not papers:
        raise PaperNotTheirs
    day: date = papers[0].day
    if not contract.from_on <= day <= (contract.ended_on or contract.until_on):
        raise ContractOver(day=day)
    return day


@hot_action
def withdraw_service(desk: Desk, service_id: UUID, why: str) -> None:
    """Strike out a service that was ticked by mistake; it stays to be seen. Raises CareIncomplete, NotFound."""
    if not why.strip():
        raise CareIncomplete(why=words("要写撤销的原因"))
    keys = {**desk.keys, "id": service_id, "why": why.strip()[:200], "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run(WITHDRAW, keys) and not hot.run(HAS_SERVICE, keys):
            raise NotFound
