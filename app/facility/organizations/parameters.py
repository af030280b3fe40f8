"""What the organization's parameters say (参数), kept in memory by each process so that a sale asks nothing more.

Every page load already asks who is signed in; that one statement also brings the number of the newest change (`heard`), so
a change reaches every web process within a second or two. A process without visitors reads again after KEPT_SECONDS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock, tenancy
from app.facility.db import db, run, transaction
from app.facility.organizations import parameter_table as table
from app.facility.organizations.parameter_table import Kind, Step, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

KEPT_SECONDS = 60
MOST_KEPT = 10_000
MOST_PLANNED = 20
PAGE = 20

# The last fifty changes of each parameter: all that are planned, and far more of the past than anybody asks for in a sale.
LOAD = """
select id, name, value, begins_at from (
    select p.*, row_number() over (partition by name order by begins_at desc, id desc) as place
    from parameter p where tenant_id = %(tenant)s
) latest
where place <= 50 order by begins_at, id limit 2000
"""


@dataclass(frozen=True)
class Parameters:
    """One organization's parameters. Each reader says of which kind the value is; another kind is a bug."""

    steps: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    newest: int = 0

    def minutes(self, name: str, at: datetime | None = None) -> timedelta:
        """A length of time set in minutes."""
        return timedelta(minutes=self._number(name, "minutes", at))

    def hours(self, name: str, at: datetime | None = None) -> timedelta:
        """A length of time set in hours."""
        return timedelta(hours=self._number(name, "hours", at))

    def days(self, name: str, at: datetime | None = None) -> int:
        """A number of days."""
        return self._number(name, "days", at)

    def fen(self, name: str, at: datetime | None = None) -> int:
        """An amount."""
        return self._number(name, "fen", at)

    def count(self, name: str, at: datetime | None = None) -> int:
        """A number of things or points."""
        return self._number(name, "count", at)

    def text(self, name: str, at: datetime | None = None) -> str:
        """A word."""
        return str(self._of_kind(name, "text", at))

    def steps_of(self, name: str, at: datetime | None = None) -> tuple[int, ...]:
        """Several numbers, largest first."""
        return tuple(int(each) for each in str(self._of_kind(name, "steps", at)).split(","))

    def _number(self, name: str, kind: Kind, at: datetime | None) -> int:
        return int(self._of_kind(name, kind, at))

    def _of_kind(self, name: str, kind: Kind, at: datetime | None) -> Value:
        assert table.BY_NAME[name].kind == kind, f"{name} is not of the kind {kind}"
        return self.value(name, at)

    def value(self, name: str, at: datetime | None = None) -> Value:
        """The plain value, for templates."""
        return table.value_at(self.steps, name, at or clock.now())


DEFAULTS = Parameters()


@dataclass(frozen=True)
class _Kept:
    until: float
    parameters: Parameters


def _all_kept() -> dict[int, _Kept]:
    return db.kept("parameters")


def of(tenant_id: int) -> Parameters:
    """An organization's parameters."""
    known = _all_kept()
    kept = known.get(tenant_id)
    if kept and kept.until > time.monotonic():
        return kept.parameters
    with transaction(settings={"app.tenant_id": str(tenant_id)}) as hot:
        rows = hot.run_last(LOAD, {"tenant": tenant_id})
    if len(known) >= MOST_KEPT:
        known.clear()
    known[tenant_id] = fresh = _Kept(time.monotonic() + KEPT_SECONDS, made_of(rows))
    return fresh.parameters


def here() -> Parameters:
    """The parameters of the organization whose data this context may see; the defaults where it may see none."""
    tenant = dict(tenancy.scope()).get("app.tenant_id")
    return of(int(tenant)) if tenant else DEFAULTS


def made_of(rows: Iterable[Any]) -> Parameters:
    """Parameters out of rows in the order in which they begin."""
    steps: dict[str, list[Step]] = {}
    newest = 0
    for row in rows:
        newest = max(newest, row.id)
        if row.name in table.BY_NAME:  # A name that a later version of the product gave up says nothing.
            steps.setdefault(row.name, []).append(Step(row.begins_at, row.id, row.value))
    return Parameters(steps, newest)


def heard(tenant_id: int, newest: int) -> None:
    """The database says which change is the newest: what is kept stays good, or is read again when next asked for."""
    kept = _all_kept().get(tenant_id)
    if kept is None:
        return
    if kept.parameters.newest == newest:
        _all_kept()[tenant_id] = replace(kept, until=time.monotonic() + KEPT_SECONDS)
    else:
        forget(tenant_id)


def forget(tenant_id: int) -> None:
    """Read an organization's parameters again when next asked."""
    _all_kept().pop(tenant_id, None)


def load() -> Parameters:
    """The present organization's parameters as the open act sees them, past what is kept in memory."""
    scope = dict(tenancy.scope())
    return made_of(run(LOAD.replace("%(tenant)s", ":tenant"), tenant=int(scope["app.tenant_id"])))


# ---- the owner's screen --------------------------------------------------------------------------------------------


def list_changes_now() -> Sequence[Any]:
    """Of each parameter the change that holds now and those that are planned, with who set them."""
    return run(
        """
        select p.id, p.name, p.value, p.begins_at, p.set_at, s.name as staff
        from parameter p join staff s on s.tenant_id = p.tenant_id and s.id = p.staff_id
        where p.begins_at > :now or p.id = (
            select q.id from parameter q where q.tenant_id = p.tenant_id and q.name = p.name and q.begins_at <= :now
            order by q.begins_at desc, q.id desc limit 1
        )
        order by p.begins_at, p.id limit 500
        """,
        now=clock.now(),
    ).all()


def list_history(name: str, before: int | None = None) -> tuple[Sequence[Any], int | None]:
    """All changes of one parameter, the last set first, a page at a time; and the id before which the next begins."""
    rows = run(
        """
        select p.id, p.value, p.begins_at, p.set_at, s.name as staff
        from parameter p join staff s on s.tenant_id = p.tenant_id and s.id = p.staff_id
        where p.name = :name and (cast(:before as bigint) is null or p.id < :before)
        order by p.id desc limit :most
        """,
        name=name,
        before=before,
        most=PAGE + 1,
    ).all()
    page = rows[:PAGE]
    return page, page[-1].id if len(rows) > PAGE else None
