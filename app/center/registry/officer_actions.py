"""What people of the center can do with its accounts. Each is one transaction with its line in the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.center.db import action, run
from app.center.registry import officer_queries
from app.center.registry.officer_errors import (
    LastAdministrator,
    NotYourself,
    OfficerNumberTaken,
    OutsideDistrict,
    SecurityResets,
)
from app.core import clock, passwords, personal, signin, tenancy, trail
from app.core.errors import NotFound, WrongInput

if TYPE_CHECKING:
    from app.core.signin import Ticket

ADMINISTRATIONS = frozenset({"administrator", "security_admin", "audit_admin"})


@dataclass(frozen=True)
class NewOfficer:
    """A person to be added. Without a password a one-time password is made and must be changed."""

    district: str
    number: str
    name: str
    role: str
    password: str | None = None
    totp_secret: str | None = None  # For the demo world; others scan their own at the first sign-in.
    demo: bool = False


@dataclass(frozen=True)
class AddedOfficer:
    """A person as added; the password is shown once."""

    officer_id: int
    password: str


def add_officer(person: NewOfficer) -> AddedOfficer:
    """Add somebody to the center, inside the own district; the one-time password is returned once."""
    password = person.password or passwords.make_one_time()
    return AddedOfficer(_add_officer(person, passwords.make_hash(password)), password)


@action
def _add_officer(person: NewOfficer, password_hash: str) -> int:
    _check(person.role, person.district)
    row = run(
        """
        insert into officer (district, number, name, role, password_hash, must_change, demo, totp_sealed)
        values (:district, :number, :name, :role, :password_hash, :must_change, :demo, :totp)
        on conflict (number) do nothing returning id
        """,
        district=person.district,
        number=person.number,
        name=person.name,
        role=person.role,
        password_hash=password_hash,
        must_change=person.password is None,
        demo=person.demo,
        totp=personal.seal("center", person.totp_secret) if person.totp_secret else None,
    ).one_or_none()
    if row is None:
        raise OfficerNumberTaken(number=person.number)
    trail.record("officer.added", str(row.id), role=person.role, district=person.district)
    return int(row.id)


@action
def reassign_officer(officer_id: int, name: str, role: str, district: str, by: int) -> None:
    """Give a person another role or district, or correct the name; open sessions end."""
    before = _lock(officer_id, by)
    _check(role, district)
    run(
        "update officer set name = :name, role = :role, district = :district, session_version = session_version + 1 where id = :id",
        id=officer_id,
        name=name,
        role=role,
        district=district,
    )
    _keep_an_administrator(before.role, before.district)
    trail.record("officer.reassigned", str(officer_id), role=role, district=district)
    signin.forget(before.district, officer_id)


@action
def disable_officer(officer_id: int, by: int) -> None:
    """Shut a person out at once: open sessions end, the password opens nothing any more."""
    before = _lock(officer_id, by)
    run(
        "update officer set disabled_at = coalesce(disabled_at, :at), session_version = session_version + 1 where id = :id",
        id=officer_id,
        at=clock.now(),
    )
    _keep_an_administrator(before.role, before.district)
    trail.record("officer.disabled", str(officer_id))
    signin.forget(before.district, officer_id)


@action
def enable_officer(officer_id: int, by: int) -> None:
    """Let a disabled person in again, with the old password and role."""
    _lock(officer_id, by)
    run("update officer set disabled_at = null where id = :id", id=officer_id)
    trail.record("officer.enabled", str(officer_id))


def reset_password(officer_id: int, by: int, *, by_administrator: bool = False) -> str:
    """Give a person a one-time password, forget failures and end open sessions; it is returned once.

    Raises SecurityResets when the system's administrator would reset one of the other two administrations.
    """
    password = passwords.make_one_time()
    _reset_password(officer_id, by, passwords.make_hash(password), by_administrator=by_administrator)
    officer_queries.ACCOUNTS.unlock(officer_id)
    return password


@action
def _reset_password(officer_id: int, by: int, password_hash: str, *, by_administrator: bool) -> None:
    before = _lock(officer_id, by)
    _refuse_taking_over(before.role, by_administrator=by_administrator)
    officer_queries.ACCOUNTS.save_password(officer_id, password_hash, must_change=True)
    trail.record("password.reset", str(officer_id))
    signin.forget(before.district, officer_id)


@action
def reset_second_factor(officer_id: int, by: int, *, by_administrator: bool = False) -> None:
    """Take away a person's second factor, for a lost phone; the next sign-in sets up a new one."""
    before = _lock(officer_id, by)
    _refuse_taking_over(before.role, by_administrator=by_administrator)
    officer_queries.ACCOUNTS.save_totp(officer_id, None)
    trail.record("second_factor.reset", str(officer_id))
    signin.forget(before.district, officer_id)


@action
def unlock_officer(officer_id: int) -> None:
    """Let a person who failed too often try again now."""
    officer_queries.get_officer(officer_id)
    trail.record("officer.unlocked", str(officer_id))
    officer_queries.ACCOUNTS.unlock(officer_id)


@action
def end_session(ticket: Ticket) -> None:
    """Remember that a session was signed out, so that a copied cookie is worth nothing."""
    run(
        "insert into session_end (session_id, district, officer_id) values (:session, :district, :id) on conflict do nothing",
        session=ticket.session,
        district=ticket.realm,
        id=ticket.id,
    )
    trail.record("signout", str(ticket.id))


def _check(role: str, district: str) -> None:
    if role not in officer_queries.ROLES:
        raise WrongInput(what="角色", why="没有这个角色")
    if not (district.isascii() and district.isdigit() and len(district) in {2, 4, 6}):
        raise WrongInput(what="辖区", why="应为 2、4 或 6 位区划代码")
    own = _district()
    if not district.startswith(own):
        raise OutsideDistrict(district=district, own=own)


def _lock(officer_id: int, by: int) -> officer_queries.OfficerRow:
    """Take the locks before rights change: all administrators of the person's district, then the person."""
    if officer_id == by:
        raise NotYourself
    person = officer_queries.get_officer(officer_id)
    run(
        "select id from officer where district = :district and role = 'administrator' order by id for no key update",
        district=person.district,
    )
    if run("select id from officer where id = :id for no key update", id=officer_id).one_or_none() is None:
        raise NotFound
    return officer_queries.get_officer(officer_id)


def _keep_an_administrator(role: str, district: str) -> None:
    if role == "administrator" and not officer_queries.last_administrator_left(district):
        raise LastAdministrator


def _refuse_taking_over(role: str, *, by_administrator: bool) -> None:
    if by_administrator and role in ADMINISTRATIONS - {"administrator"}:
        raise SecurityResets


def _district() -> str:
    return dict(tenancy.scope())["app.district"]
