"""What screens may read about the center's people. Row-level security shows the own district and what lies below."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.center.db import db, run, transaction
from app.core.accounts import Accounts
from app.core.errors import NotFound
from app.core.signin import Me

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.core.signin import Ticket

PAGE = 50
ACCOUNTS = Accounts(db, "officer", "district")

# Role -> Chinese word; an account has exactly one, so nobody holds two administrations.
ROLES = {
    "officer": "经办",
    "auditor": "稽核员",
    "administrator": "系统管理员",
    "security_admin": "安全管理员",
    "audit_admin": "审计管理员",
}

STANDING = """
select o.name, o.number, o.role, o.district, o.totp_sealed is not null as has_totp, o.demo
from officer o
where o.id = %(id)s and o.session_version = %(version)s and o.disabled_at is null
    and not exists (select 1 from session_end e where e.session_id = %(session)s)
"""


@dataclass(frozen=True)
class OfficerRow:
    """Somebody of the center in the list; never the password's hash or the second factor's secret."""

    id: int
    district: str
    number: str
    name: str
    role: str
    disabled_at: datetime | None
    must_change: bool
    has_totp: bool
    demo: bool
    created_at: datetime
    is_locked: bool = False


_ROW = (
    "id, district, number, name, role, disabled_at, must_change, totp_sealed is not null as has_totp, demo, created_at"
)


def standing(ticket: Ticket) -> Me | None:
    """Who the holder of a ticket is now, or None when the session is over (or the district has changed)."""
    params = {"id": ticket.id, "version": ticket.version, "session": ticket.session}
    with transaction(settings={"app.district": str(ticket.realm)}) as hot:
        rows = hot.run_last(STANDING, params)
    if not rows or rows[0].district != ticket.realm:
        return None
    row = rows[0]
    return Me(
        staff_id=ticket.id,
        tenant_id=0,
        facility_id=None,
        name=row.name,
        number=row.number,
        roles=frozenset({row.role}),
        role_order=(row.role,),
        district=row.district,
        has_totp=row.has_totp,
        demo=row.demo,
    )


def normal_code(typed: str) -> str:
    """330200 and 3302 are the same center: idle zero pairs at the end say nothing."""
    code = typed
    while len(code) > 2 and len(code) % 2 == 0 and code.endswith("00"):
        code = code[:-2]
    return code


def list_officers(after: str = "", search: str = "") -> tuple[list[OfficerRow], str | None]:
    """People by number, a page at a time; returns the page and the number after which the next begins."""
    rows = run(
        f"""
        select {_ROW} from officer
        where number > :after and (:search = '' or name like :pattern or number like :pattern)
        order by number limit :most
        """,
        after=after,
        search=search,
        pattern=_pattern(search),
        most=PAGE + 1,
    ).all()
    page = [OfficerRow(**row._asdict()) for row in rows[:PAGE]]
    marked = _mark_locked(page)
    return marked, marked[-1].number if len(rows) > PAGE else None


def get_officer(officer_id: int) -> OfficerRow:
    """One person of the own district or below."""
    row = run(f"select {_ROW} from officer where id = :id", id=officer_id).one_or_none()
    if row is None:
        raise NotFound
    return _mark_locked([OfficerRow(**row._asdict())])[0]


def list_trail(before: int | None = None, act: str = "", who: str = "") -> tuple[Sequence[Any], int | None]:
    """The center's audit trail, newest first, a page at a time; returns the page and the id before which the next begins."""
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


def last_administrator_left(district: str) -> bool:
    """Say whether a district still has an administrator of its own who can come in."""
    found = run(
        "select 1 from officer where role = 'administrator' and disabled_at is null and district = :district limit 1",
        district=district,
    ).one_or_none()
    return found is not None


def _mark_locked(rows: list[OfficerRow]) -> list[OfficerRow]:
    locked = ACCOUNTS.locked([row.id for row in rows]) if rows else set()
    return [replace(row, is_locked=row.id in locked) for row in rows]


def _pattern(search: str) -> str:
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
