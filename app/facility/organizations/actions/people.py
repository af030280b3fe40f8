"""Adding people, their roles, shutting them out, letting them in again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core import clock, passwords, signin, tenancy, trail
from app.facility.db import action, run
from app.facility.organizations import queries, rules
from app.facility.organizations.errors import (
    LastOwner,
    NotForOwners,
    NotFound,
    NotYourself,
    NumberTaken,
    PowersSeparated,
    WrongInput,
)
from app.facility.organizations.rules import Grant

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class NewStaff:
    """A person to be added. Without a password a one-time password is made and must be changed."""

    number: str
    name: str
    national_code: str | None = None
    password: str | None = None
    demo: bool = False


@dataclass(frozen=True)
class Added:
    """A person as added; the password is shown once."""

    staff_id: int
    password: str


def add_staff(person: NewStaff, grants: Sequence[Grant] = ()) -> Added:
    """Add a person with roles; the one-time password is returned once and must be changed at the first sign-in."""
    password, password_hash = first_password(person)
    return _add_staff(person, tuple(grants), password, password_hash)


@action
def _add_staff(person: NewStaff, grants: Sequence[Grant], password: str, password_hash: str) -> Added:
    if rules.administers_two(grants):
        raise PowersSeparated
    staff_id = insert_staff(person, password_hash)
    for grant in grants:
        _check_grant(grant)
        insert_role(staff_id, grant)
    trail.record("staff.added", str(staff_id), roles=[grant.role for grant in grants])
    return Added(staff_id, password)


@action
def rename_staff(staff_id: int, name: str, number: str, national_code: str | None) -> None:
    """Correct a person's name, number or medical-insurance staff code."""
    taken = run("select 1 from staff where number = :number and id <> :id", number=number, id=staff_id).one_or_none()
    if taken:
        raise NumberTaken(number=number)
    row = run(
        "update staff set name = :name, number = :number, national_code = :code where id = :id returning id",
        id=staff_id,
        name=name,
        number=number,
        code=national_code,
    ).one_or_none()
    if row is None:
        raise NotFound
    trail.record("staff.renamed", str(staff_id))
    _forget(staff_id)


@action
def grant_role(staff_id: int, grant: Grant, by: int) -> None:
    """Give a person a role at a facility, or in the whole organization; it holds at once.

    Raises PowersSeparated when the person would administer two of system, security and audit.
    """
    _lock_people(staff_id, by)
    _check_grant(grant)
    held = [Grant(row.role, row.facility_id) for row in queries.list_roles(staff_id)]
    if rules.administers_two([*held, grant]):
        raise PowersSeparated
    if grant.key in {each.key for each in held}:
        run(
            """
            update staff_role set ended_at = :at
            where staff_id = :id and role = :role and facility_id is not distinct from :facility and ended_at is null
            """,
            at=clock.now(),
            id=staff_id,
            role=grant.role,
            facility=grant.facility_id,
        )
    insert_role(staff_id, grant)
    trail.record("role.granted", str(staff_id), role=grant.role, facility=grant.facility_id)
    _forget(staff_id)


@action
def end_role(staff_id: int, role_id: int, by: int) -> None:
    """Take a role away; it holds at once."""
    _lock_people(staff_id, by)
    row = run(
        "update staff_role set ended_at = :at where id = :id and staff_id = :staff and ended_at is null returning role, facility_id",
        at=clock.now(),
        id=role_id,
        staff=staff_id,
    ).one_or_none()
    if row is None:
        raise NotFound
    _keep_an_owner()
    trail.record("role.ended", str(staff_id), role=row.role, facility=row.facility_id)
    _forget(staff_id)


@action
def disable_staff(staff_id: int, by: int) -> None:
    """Shut a person out at once: open sessions end, the password opens nothing any more."""
    _lock_people(staff_id, by)
    run(
        "update staff set disabled_at = coalesce(disabled_at, :at), session_version = session_version + 1 where id = :id",
        id=staff_id,
        at=clock.now(),
    )
    _keep_an_owner()
    trail.record("staff.disabled", str(staff_id))
    _forget(staff_id)


@action
def enable_staff(staff_id: int, by: int) -> None:
    """Let a disabled person in again, with the old password and the old roles."""
    _lock_people(staff_id, by)
    run("update staff set disabled_at = null where id = :id", id=staff_id)
    trail.record("staff.enabled", str(staff_id))
    _forget(staff_id)


def reset_password(staff_id: int, by: int, *, by_owner: bool = False) -> str:
    """Give a person a one-time password, forget failures and end open sessions; it is returned once.

    Raises NotForOwners when an owner would reset an audit administrator.
    """
    password = passwords.make_one_time()
    _reset_password(staff_id, by, passwords.make_hash(password), by_owner=by_owner)
    queries.ACCOUNTS.unlock(staff_id)
    return password


@action
def _reset_password(staff_id: int, by: int, password_hash: str, *, by_owner: bool) -> None:
    _lock_people(staff_id, by)
    _refuse_owner_over_audit(staff_id, by_owner=by_owner)
    queries.ACCOUNTS.save_password(staff_id, password_hash, must_change=True)
    trail.record("password.reset", str(staff_id))
    _forget(staff_id)


@action
def reset_second_factor(staff_id: int, by: int, *, by_owner: bool = False) -> None:
    """Take away a person's second factor, for a lost phone; open sessions end."""
    _lock_people(staff_id, by)
    _refuse_owner_over_audit(staff_id, by_owner=by_owner)
    queries.ACCOUNTS.save_totp(staff_id, None)
    trail.record("second_factor.reset", str(staff_id))
    _forget(staff_id)


@action
def unlock_staff(staff_id: int) -> None:
    """Let a person who failed too often try again now."""
    queries.get_staff(staff_id)
    trail.record("staff.unlocked", str(staff_id))
    queries.ACCOUNTS.unlock(staff_id)


# ---- helpers of this package ------------------------------------------------------------------------------------------


def tenant() -> int:
    """The tenant whose rows this act may see."""
    return int(dict(tenancy.scope())["app.tenant_id"])


def _forget(staff_id: int) -> None:
    signin.forget(tenant(), staff_id)


def first_password(person: NewStaff) -> tuple[str, str]:
    """The password given, or a one-time password; and its hash, made before any transaction begins."""
    password = person.password or passwords.make_one_time()
    return password, passwords.make_hash(password)


def insert_staff(person: NewStaff, password_hash: str) -> int:
    """Write a person's row."""
    row = run(
        """
        insert into staff (tenant_id, number, name, national_code, password_hash, must_change, demo)
        values (:tenant, :number, :name, :national_code, :password_hash, :must_change, :demo)
        on conflict (tenant_id, number) do nothing returning id
        """,
        tenant=tenant(),
        number=person.number,
        name=person.name,
        national_code=person.national_code,
        password_hash=password_hash,
        must_change=person.password is None,
        demo=person.demo,
    ).one_or_none()
    if row is None:
        raise NumberTaken(number=person.number)
    return int(row.id)


def insert_role(staff_id: int, grant: Grant) -> None:
    """Write a role's row; without a first day it holds from today."""
    run(
        """
        insert into staff_role (tenant_id, staff_id, facility_id, role, valid_from, valid_until)
        values (:tenant, :id, :facility, :role, :valid_from, :valid_until)
        """,
        tenant=tenant(),
        id=staff_id,
        facility=grant.facility_id,
        role=grant.role,
        valid_from=grant.valid_from or clock.business_date(),
        valid_until=grant.valid_until,
    )


def _check_grant(grant: Grant) -> None:
    if grant.role not in rules.ROLES:
        raise WrongInput(what="岗位", why="没有这个岗位")
    if grant.facility_id is not None:
        if grant.role in rules.ADMINISTRATIONS:
            raise WrongInput(what="范围", why="管理岗位属于整个机构，不能只给一家门店")
        queries.get_facility(grant.facility_id)
    if grant.valid_until and grant.valid_until < (grant.valid_from or clock.business_date()):
        raise WrongInput(what="有效期", why="结束日早于开始日")


def _lock_people(staff_id: int, by: int) -> None:
    """Take the organization's lock before rights change, so that two owners cannot remove each other at once."""
    if staff_id == by:
        raise NotYourself
    run("select 1 from organization for no key update")
    if run("select 1 from staff where id = :id for no key update", id=staff_id).one_or_none() is None:
        raise NotFound


def _keep_an_owner() -> None:
    left = run(
        """
        select 1 from staff_role r join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
        where r.role = 'owner' and r.ended_at is null and s.disabled_at is null
            and :today between r.valid_from and coalesce(r.valid_until, 'infinity')
        limit 1
        """,
        today=clock.business_date(),
    ).one_or_none()
    if left is None:
        raise LastOwner


def _refuse_owner_over_audit(staff_id: int, *, by_owner: bool) -> None:
    if by_owner and any(row.role == "audit_admin" for row in queries.list_roles(staff_id)):
        raise NotForOwners
