"""What screens and other rooms may read about organizations, people and duty. Row-level security shows one tenant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock, personal
from app.core.accounts import Accounts
from app.core.signin import Me
from app.facility.db import db, run, transaction
from app.facility.organizations import parameters, rules
from app.facility.organizations.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from app.core.signin import Ticket

PAGE = 50
MOST_PLACES = 200
MOST_ROLES = 100
ACCOUNTS = Accounts(db, "staff", "tenant_id")

# Everything a page needs to know about who asks, in one statement; believed for a second.
STANDING = f"""
select s.name, s.number, s.national_code, s.totp_sealed is not null as has_totp, s.demo, o.name as organization,
    t.id as terminal_id, t.name as terminal, t.facility_id as terminal_facility_id,
    array(
        select row(r.role, r.facility_id)::text from staff_role r
        where r.tenant_id = s.tenant_id and r.staff_id = s.id and r.ended_at is null
            and %(today)s between r.valid_from and coalesce(r.valid_until, 'infinity')
        limit {MOST_ROLES}
    ) as grants,
    (select coalesce(max(p.id), 0) from parameter p where p.tenant_id = s.tenant_id) as newest_parameter,
    (
        select coalesce(jsonb_agg(jsonb_build_array(f.id, f.name, f.national_code, f.district, f.district_name, f.kind)
            order by f.name, f.id), '[]')
        from (
            select * from facility where tenant_id = s.tenant_id and closed_at is null order by name, id limit {MOST_PLACES}
        ) f
    ) as facilities
from staff s
join organization o on o.tenant_id = s.tenant_id and o.closed_at is null
left join terminal t on t.tenant_id = s.tenant_id and t.id = %(terminal)s and t.disabled_at is null
where s.tenant_id = %(tenant)s and s.id = %(id)s and s.session_version = %(version)s and s.disabled_at is null
    and not exists (select 1 from session_end e where e.tenant_id = s.tenant_id and e.session_id = %(session)s)
"""

# Who has come on duty and not left, and is a pharmacist here on that day. For hot transactions too.
ON_DUTY = """
select s.id as staff_id, s.name, s.number, s.national_code, a.at as since
from (
    select distinct on (staff_id) staff_id, kind, at from attendance
    where facility_id = %(facility_id)s and at <= %(at)s and at > %(after)s
    order by staff_id, at desc, id desc
) a
join staff s on s.id = a.staff_id and (s.disabled_at is null or s.disabled_at > %(at)s)
where a.kind = 'in' and exists (
    select 1 from staff_role r
    where r.staff_id = a.staff_id and r.role = 'pharmacist' and (r.facility_id is null or r.facility_id = %(facility_id)s)
        and (r.ended_at is null or r.ended_at > %(at)s)
        and %(on)s between r.valid_from and coalesce(r.valid_until, 'infinity')
)
order by a.at, s.id
limit 20
"""


@dataclass(frozen=True)
class OnDuty:
    """A pharmacist on duty."""

    staff_id: int
    name: str
    number: str
    national_code: str | None
    since: datetime


@dataclass(frozen=True)
class FacilityCard:
    """What other rooms need of a facility."""

    id: int
    national_code: str
    name: str
    district: str
    district_name: str
    kind: str
    address: str
    agreement_from: date | None
    agreement_until: date | None
    settings: dict[str, Any]

    def has_agreement(self, on: date) -> bool:
        """Say whether the insurance agreement holds on a day; without it no insured settlement (R089)."""
        begun = self.agreement_from is not None and self.agreement_from <= on
        return begun and (self.agreement_until is None or on <= self.agreement_until)


@dataclass(frozen=True)
class StaffRow:
    """A person in the list."""

    id: int
    number: str
    name: str
    disabled_at: datetime | None
    must_change: bool
    has_totp: bool
    roles: list[str]
    is_locked: bool = False


# ---- the door ------------------------------------------------------------------------------------------------------


def standing(ticket: Ticket) -> Me | None:
    """Who the holder of a ticket is now, or None when the session is over."""
    params = {
        "tenant": ticket.realm,
        "id": ticket.id,
        "version": ticket.version,
        "session": ticket.session,
        "terminal": ticket.terminal,
        "today": clock.business_date(),
    }
    with transaction(settings={"app.tenant_id": str(ticket.realm)}) as hot:
        rows = hot.run_last(STANDING, params)
    if not rows:
        return None
    parameters.heard(int(ticket.realm), rows[0].newest_parameter)
    return _who(ticket, rows[0])


def _who(ticket: Ticket, row: Any) -> Me:
    grants = _grants(row.grants)
    places = rules.places_of(grants, [facility[0] for facility in row.facilities])
    here = ticket.facility if ticket.facility in places else (places[0] if places else None)
    facility = next((each for each in row.facilities if each[0] == here), (None, "", "", "", "", ""))
    roles = rules.roles_here(grants, here)
    at_terminal = row.terminal_id is not None and row.terminal_facility_id == here
    return Me(
        staff_id=ticket.id,
        tenant_id=int(ticket.realm),
        facility_id=here,
        name=row.name,
        number=row.number,
        roles=roles,
        role_order=rules.in_order(roles),
        national_code=row.national_code or "",
        terminal=row.terminal if at_terminal else "00",
        terminal_id=row.terminal_id if at_terminal else None,
        organization=row.organization,
        facility_name=facility[1],
        facility_code=facility[2],
        district=facility[3],
        district_name=facility[4],
        facility_kind=facility[5],
        places=tuple((each[0], each[1]) for each in row.facilities if each[0] in places),
        has_totp=row.has_totp,
        demo=row.demo,
    )


def _grants(texts: Sequence[str]) -> list[tuple[str, int | None]]:
    """PostgreSQL's row texts, (clerk,7) or (owner,), as pairs."""
    pairs = (text.strip("()").split(",") for text in texts)
    return [(role, int(where) if where else None) for role, where in pairs]


def choose_place(ticket: Ticket, code: str, device: str) -> Ticket:
    """Settle where a new session works: the facility whose code was typed, else where the terminal stands."""
    with transaction() as hot:
        facilities, terminals = hot.run_all(
            [
                ("select id from facility where national_code = %(code)s", {"code": code}),
                (
                    "select id, facility_id from terminal where token_hash = %(hash)s and disabled_at is null",
                    {"hash": personal.lookup(f"terminal:{device}") if device else b""},
                ),
            ],
            last=True,
        )
    terminal = terminals[0] if terminals else None
    facility = facilities[0].id if facilities else (terminal.facility_id if terminal else None)
    return replace(ticket, facility=facility, terminal=terminal.id if terminal else None)


def describe(code: str) -> str:
    """The public name behind a code, with its district: "一号药店 · 鄞州区"; empty when there is none."""
    if not rules.is_code(code):
        return ""
    with transaction(settings={"app.login": f"{code}/"}) as hot:
        facilities, organizations = hot.run_all(
            [
                ("select name, district_name from facility where closed_at is null limit 1", None),
                ("select name from organization where closed_at is null limit 1", None),
            ],
            last=True,
        )
    if facilities:
        return " · ".join(part for part in facilities[0] if part)
    return organizations[0].name if organizations else ""


# ---- facilities ----------------------------------------------------------------------------------------------------

_CARD = "id, national_code, name, district, district_name, kind, address, agreement_from, agreement_until, settings"


def get_facility(facility_id: int) -> FacilityCard:
    """One facility of the tenant."""
    row = run(f"select {_CARD} from facility where id = :id", id=facility_id).one_or_none()
    if row is None:
        raise NotFound
    return FacilityCard(**row._asdict())


def list_facilities() -> list[FacilityCard]:
    """The tenant's facilities by name."""
    rows = run(f"select {_CARD} from facility where closed_at is null order by name, id limit :most", most=MOST_PLACES)
    return [FacilityCard(**row._asdict()) for row in rows]


def center_secret(facility_id: int) -> str:
    """The secret with which a facility signs its messages to the center."""
    row = run("select tenant_id, center_secret from facility where id = :id", id=facility_id).one_or_none()
    if row is None:
        raise NotFound
    return personal.unseal(str(row.tenant_id), bytes(row.center_secret))


# ---- people --------------------------------------------------------------------------------------------------------

_ROLES_NOW = """
array(
    select distinct r.role from staff_role r
    where r.tenant_id = s.tenant_id and r.staff_id = s.id and r.ended_at is null and coalesce(r.valid_until, 'infinity') >= :today
    limit 20
) as roles
"""


def list_staff(after: str = "", search: str = "") -> tuple[list[StaffRow], str | None]:
    """People by number, a page at a time; returns the page and the number after which the next begins."""
    rows = run(
        f"""
        select s.id, s.number, s.name, s.disabled_at, s.must_change, s.totp_sealed is not null as has_totp, {_ROLES_NOW}
        from staff s
        where s.number > :after and (:search = '' or s.name like :pattern or s.number like :pattern)
        order by s.number limit :most
        """,
        after=after,
        search=search,
        pattern=_pattern(search),
        today=clock.business_date(),
        most=PAGE + 1,
    ).all()
    page = [StaffRow(**row._asdict()) for row in rows[:PAGE]]
    locked = _locked([row.id for row in page])
    marked = [replace(row, is_locked=row.id in locked, roles=list(rules.in_order(row.roles))) for row in page]
    return marked, marked[-1].number if len(rows) > PAGE else None


def get_staff(staff_id: int) -> Any:
    """One person with what an administrator may see; never the password's hash or the second factor's secret."""
    row = run(
        f"""
        select s.id, s.number, s.name, s.national_code, s.disabled_at, s.must_change, s.demo, s.created_at, s.password_changed_at,
            s.totp_sealed is not null as has_totp, {_ROLES_NOW}
        from staff s where s.id = :id
        """,
        id=staff_id,
        today=clock.business_date(),
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def is_locked(staff_id: int) -> bool:
    """Say whether the person must wait after too many failures."""
    return staff_id in _locked([staff_id])


def list_roles(staff_id: int) -> Sequence[Any]:
    """What a person may do, where, from when to when; ended ones are left out."""
    return run(
        """
        select r.id, r.role, r.facility_id, f.name as facility, r.valid_from, r.valid_until
        from staff_role r left join facility f on f.tenant_id = r.tenant_id and f.id = r.facility_id
        where r.staff_id = :id and r.ended_at is null
        order by r.role, r.id limit :most
        """,
        id=staff_id,
        most=MOST_ROLES,
    ).all()


def _locked(ids: list[int]) -> set[int]:
    return ACCOUNTS.locked(ids) if ids else set()


def _pattern(search: str) -> str:
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


# ---- terminals, duty -----------------------------------------------------------------------------------------------


def list_terminals() -> Sequence[Any]:
    """The tenant's terminals, by facility and name."""
    return run(
        """
        select t.id, t.name, t.facility_id, f.name as facility, t.registered_at, t.disabled_at
        from terminal t join facility f on f.tenant_id = t.tenant_id and f.id = t.facility_id
        order by f.name, t.name limit 500
        """
    ).all()


def on_duty(facility_id: int, at: datetime | None = None) -> list[OnDuty]:
    """The pharmacists on duty at a facility at a moment (default: now), who came first stands first."""
    with transaction() as hot:
        rows = hot.run_last(ON_DUTY, on_duty_params(facility_id, at))
    return [OnDuty(**row._asdict()) for row in rows]


def pharmacist_on_duty(facility_id: int, at: datetime | None = None) -> OnDuty | None:
    """A pharmacist on duty, or None: then prescription drugs and class-A OTC are not sold (DOMAIN 3.5)."""
    present = on_duty(facility_id, at)
    return present[0] if present else None


def on_duty_params(facility_id: int, at: datetime | None = None) -> dict[str, Any]:
    """Parameters of ON_DUTY, for who runs it inside a hot transaction of their own."""
    moment = at or clock.now()
    return {
        "facility_id": facility_id,
        "at": moment,
        "after": moment - parameters.here().hours("duty_hours", moment),
        "on": clock.business_date(moment),
    }


def list_attendance(facility_id: int, days: int = 7) -> Sequence[Any]:
    """Comings and goings of the last days, newest first."""
    return run(
        """
        select a.id, a.kind, a.at, a.terminal, s.name, s.number
        from attendance a join staff s on s.tenant_id = a.tenant_id and s.id = a.staff_id
        where a.facility_id = :facility_id and a.at > :after
        order by a.at desc, a.id desc limit 100
        """,
        facility_id=facility_id,
        after=clock.now() - timedelta(days=days),
    ).all()


# ---- the trail -----------------------------------------------------------------------------------------------------


def list_trail(before: int | None = None, act: str = "", who: str = "") -> tuple[Sequence[Any], int | None]:
    """The audit trail, newest first, a page at a time; returns the page and the id before which the next begins."""
    rows = run(
        """
        select id, at, name, act, object, result, address, terminal, facts from audit_trail
        where (cast(:before as bigint) is null or id < :before)
            and (:act = '' or act = :act) and (:who = '' or name = :who)
        order by id desc limit :most
        """,
        before=before,
        act=act,
        who=who,
        most=PAGE + 1,
    ).all()
    page = rows[:PAGE]
    return page, page[-1].id if len(rows) > PAGE else None
