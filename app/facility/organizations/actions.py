"""What people can do with organizations and their people. Each is one transaction with its line in the trail."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.core import clock, passwords, personal, signin, tenancy, trail
from app.facility.db import action, run, transaction
from app.facility.organizations import queries, rules
from app.facility.organizations.errors import (
    CodeTaken,
    DutyUnchanged,
    LastOwner,
    NoPharmacist,
    NotForOwners,
    NotFound,
    NotThatFacility,
    NotYourself,
    NumberTaken,
    PowersSeparated,
    TerminalTaken,
    WrongInput,
)
from app.facility.organizations.rules import Grant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from app.core.signin import Me, Ticket

SETTINGS = frozenset({"sounds", "keys", "receipt"})


@dataclass(frozen=True)
class NewFacility:
    """A designated institution to be opened."""

    national_code: str
    name: str
    district: str
    district_name: str = ""
    kind: str = "pharmacy"
    address: str = ""
    agreement_from: date | None = None
    agreement_until: date | None = None
    center_secret: str | None = None  # None: one is made and returned.
    settings: dict[str, Any] = field(default_factory=dict)


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


@dataclass(frozen=True)
class Opened:
    """A facility as opened; the secret goes to the center's registry."""

    facility_id: int
    national_code: str
    center_secret: str


@dataclass(frozen=True)
class Created:
    """An organization as signed up."""

    tenant_id: int
    facility_id: int
    national_code: str
    center_secret: str
    owner_id: int
    owner_password: str


# ---- organizations and facilities ----------------------------------------------------------------------------------


def create_organization(code: str, name: str, facility: NewFacility, owner: NewStaff) -> Created:
    """Sign up an organization with its first facility and its owner, and open the facility's stream.

    Raises CodeTaken when the code is another's organization code or national code.
    """
    _refuse_code(code, name)
    for taken in {code, facility.national_code}:
        if queries.describe(taken):
            raise CodeTaken(taken=taken)
    with transaction(settings={}) as hot:
        tenant_id = hot.run_last("select nextval('organization_tenant_id_seq') as id")[0].id
    with tenancy.as_tenant(tenant_id):
        return _create(tenant_id, code, name, facility, owner, *_first_password(owner))


@action
def _create(
    tenant_id: int, code: str, name: str, facility: NewFacility, owner: NewStaff, password: str, password_hash: str
) -> Created:
    row = run(
        "insert into organization (tenant_id, code, name) values (:id, :code, :name) on conflict do nothing returning tenant_id",
        id=tenant_id,
        code=code,
        name=name,
    ).one_or_none()
    if row is None:
        raise CodeTaken(taken=code)
    opened = open_facility(facility)
    owner_id = _insert_staff(owner, password_hash)
    _insert_role(owner_id, Grant("owner"))
    trail.record("organization.created", str(tenant_id), code=code)
    return Created(tenant_id, opened.facility_id, opened.national_code, opened.center_secret, owner_id, password)


@action
def open_facility(facility: NewFacility) -> Opened:
    """Open a designated institution and its stream of facts."""
    secret = facility.center_secret or secrets.token_hex(32)
    tenant_id = _tenant()
    row = run(
        """
        insert into facility (tenant_id, national_code, name, district, district_name, kind, address, agreement_from,
            agreement_until, center_secret, settings)
        values (:tenant, :national_code, :name, :district, :district_name, :kind, :address, :agreement_from,
            :agreement_until, :sealed, cast(:settings as jsonb))
        on conflict do nothing returning id
        """,
        tenant=tenant_id,
        national_code=facility.national_code,
        name=facility.name,
        district=facility.district,
        district_name=facility.district_name,
        kind=facility.kind,
        address=facility.address,
        agreement_from=facility.agreement_from,
        agreement_until=facility.agreement_until,
        sealed=personal.seal(str(tenant_id), secret),
        settings=json.dumps(facility.settings),
    ).one_or_none()
    if row is None:
        raise CodeTaken(taken=facility.national_code)
    # The function belongs to the bridge's tables in this database.
    run(
        "select open_stream(:tenant, :facility, :stream)",
        tenant=tenant_id,
        facility=row.id,
        stream=facility.national_code,
    )
    trail.record("facility.opened", str(row.id), code=facility.national_code)
    return Opened(row.id, facility.national_code, secret)


@action
def change_settings(facility_id: int, **changes: Any) -> None:
    """Change settings of a facility's screens: sounds, keys, receipt."""
    if unknown := set(changes) - SETTINGS:
        raise WrongInput(what="、".join(sorted(unknown)), why="没有这项设置")
    row = run(
        "update facility set settings = settings || cast(:changes as jsonb) where id = :id returning id",
        id=facility_id,
        changes=json.dumps(changes),
    ).one_or_none()
    if row is None:
        raise NotFound
    trail.record("facility.settings", str(facility_id), changed=sorted(changes))


# ---- people --------------------------------------------------------------------------------------------------------


def add_staff(person: NewStaff, grants: Sequence[Grant] = ()) -> Added:
    """Add a person with roles; the one-time password is returned once and must be changed at the first sign-in."""
    password, password_hash = _first_password(person)
    return _add_staff(person, tuple(grants), password, password_hash)


@action
def _add_staff(person: NewStaff, grants: Sequence[Grant], password: str, password_hash: str) -> Added:
    if rules.administers_two(grants):
        raise PowersSeparated
    staff_id = _insert_staff(person, password_hash)
    for grant in grants:
        _check_grant(grant)
        _insert_role(staff_id, grant)
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
    _insert_role(staff_id, grant)
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


# ---- terminals -----------------------------------------------------------------------------------------------------


@action
def add_terminal(facility_id: int, name: str) -> int:
    """Add a till or desk to a facility."""
    queries.get_facility(facility_id)
    row = run(
        """
        insert into terminal (tenant_id, facility_id, name) values (:tenant, :facility, :name)
        on conflict (tenant_id, facility_id, name) do nothing returning id
        """,
        tenant=_tenant(),
        facility=facility_id,
        name=name,
    ).one_or_none()
    if row is None:
        raise TerminalTaken(name=name)
    trail.record("terminal.added", str(row.id), name=name)
    return int(row.id)


@action
def register_terminal(terminal_id: int) -> str:
    """Make a browser this terminal; returns the device token for its cookie. An earlier browser stops being it."""
    token = secrets.token_urlsafe(32)
    row = run(
        "update terminal set token_hash = :hash, registered_at = :at where id = :id and disabled_at is null returning id",
        id=terminal_id,
        hash=personal.lookup(f"terminal:{token}"),
        at=clock.now(),
    ).one_or_none()
    if row is None:
        raise NotFound
    trail.record("terminal.registered", str(terminal_id))
    return token


@action
def disable_terminal(terminal_id: int) -> None:
    """Take a terminal out of use; its browser sells as 00 from then on."""
    row = run(
        "update terminal set disabled_at = coalesce(disabled_at, :at), token_hash = null where id = :id returning id",
        id=terminal_id,
        at=clock.now(),
    ).one_or_none()
    if row is None:
        raise NotFound
    trail.record("terminal.disabled", str(terminal_id))


# ---- duty ----------------------------------------------------------------------------------------------------------


@action
def come_on_duty(facility_id: int, staff_id: int, terminal: str = "", at: datetime | None = None) -> None:
    """A pharmacist comes on duty (药师到岗); prescription drugs can be sold from then on."""
    _change_duty(facility_id, staff_id, "in", terminal, at)


@action
def leave_duty(facility_id: int, staff_id: int, terminal: str = "", at: datetime | None = None) -> None:
    """A pharmacist leaves duty (药师离岗)."""
    _change_duty(facility_id, staff_id, "out", terminal, at)


def _change_duty(facility_id: int, staff_id: int, kind: str, terminal: str, at: datetime | None) -> None:
    moment = at or clock.now()
    if run("select 1 from staff where id = :id for no key update", id=staff_id).one_or_none() is None:
        raise NotFound
    if not _is_pharmacist(staff_id, facility_id, clock.business_date(moment)):
        raise NoPharmacist
    latest = run(
        """
        select kind from attendance where facility_id = :facility and staff_id = :id and at > :after
        order by at desc, id desc limit 1
        """,
        facility=facility_id,
        id=staff_id,
        after=moment - rules.DUTY_LASTS,
    ).scalar()
    if (latest or "out") == kind:
        raise DutyUnchanged(state="在岗" if kind == "in" else "离岗")
    run(
        """
        insert into attendance (tenant_id, facility_id, staff_id, kind, at, terminal)
        values (:tenant, :facility, :id, :kind, :at, :terminal)
        """,
        tenant=_tenant(),
        facility=facility_id,
        id=staff_id,
        kind=kind,
        at=moment,
        terminal=terminal,
    )
    trail.record(f"duty.{kind}", str(staff_id), facility=facility_id)


def _is_pharmacist(staff_id: int, facility_id: int, on: date) -> bool:
    return any(
        row.role == "pharmacist"
        and row.facility_id in {None, facility_id}
        and row.valid_from <= on <= (row.valid_until or on)
        for row in queries.list_roles(staff_id)
    )


# ---- sessions ------------------------------------------------------------------------------------------------------


@action
def end_session(ticket: Ticket) -> None:
    """Remember that a session was signed out, so that a copied cookie is worth nothing."""
    run(
        "insert into session_end (tenant_id, session_id, staff_id) values (:tenant, :session, :id) on conflict do nothing",
        tenant=ticket.realm,
        session=ticket.session,
        id=ticket.id,
    )
    trail.record("signout", str(ticket.id))


@action
def go_to_facility(who: Me, facility_id: int) -> None:
    """Go on working at another facility of the same organization, where the person has a role."""
    if facility_id not in {key for key, _ in who.places}:
        raise NotThatFacility
    trail.record("facility.entered", str(facility_id))


# ---- helpers -------------------------------------------------------------------------------------------------------


def _tenant() -> int:
    return int(dict(tenancy.scope())["app.tenant_id"])


def _forget(staff_id: int) -> None:
    signin.forget(_tenant(), staff_id)


def _first_password(person: NewStaff) -> tuple[str, str]:
    password = person.password or passwords.make_one_time()
    return password, passwords.make_hash(password)


def _refuse_code(code: str, name: str) -> None:
    if not rules.is_code(code):
        raise WrongInput(what="机构代码", why="应为 4 至 20 位大写字母或数字")
    if not 1 <= len(name.strip()) <= 100:
        raise WrongInput(what="机构名称", why="应为 1 至 100 个字")


def _insert_staff(person: NewStaff, password_hash: str) -> int:
    row = run(
        """
        insert into staff (tenant_id, number, name, national_code, password_hash, must_change, demo)
        values (:tenant, :number, :name, :national_code, :password_hash, :must_change, :demo)
        on conflict (tenant_id, number) do nothing returning id
        """,
        tenant=_tenant(),
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


def _insert_role(staff_id: int, grant: Grant) -> None:
    run(
        """
        insert into staff_role (tenant_id, staff_id, facility_id, role, valid_from, valid_until)
        values (:tenant, :id, :facility, :role, :valid_from, :valid_until)
        """,
        tenant=_tenant(),
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
