"""Terminals, duty of pharmacists, and where a session works."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from app.core import clock, personal, trail
from app.facility.db import action, run
from app.facility.organizations import parameters, queries
from app.facility.organizations.actions.people import tenant
from app.facility.organizations.errors import DutyUnchanged, NoPharmacist, NotFound, NotThatFacility, TerminalTaken

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.core.signin import Me, Ticket


@action
def add_terminal(facility_id: int, name: str) -> int:
    """Add a till or desk to a facility."""
    queries.get_facility(facility_id)
    row = run(
        """
        insert into terminal (tenant_id, facility_id, name) values (:tenant, :facility, :name)
        on conflict (tenant_id, facility_id, name) do nothing returning id
        """,
        tenant=tenant(),
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
        after=moment - parameters.of(tenant()).hours("duty_hours", moment),
    ).scalar()
    if (latest or "out") == kind:
        raise DutyUnchanged
    run(
        """
        insert into attendance (tenant_id, facility_id, staff_id, kind, at, terminal)
        values (:tenant, :facility, :id, :kind, :at, :terminal)
        """,
        tenant=tenant(),
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
