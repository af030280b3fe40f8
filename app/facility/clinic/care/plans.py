"""Plans and packages, as versions with the day from which they hold (病种、服务包): the newest that has begun is the one that counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import words
from app.facility.clinic.care import rules
from app.facility.clinic.care.errors import CareIncomplete
from app.facility.db import hot_action, run, transaction
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from datetime import date

    from app.core.errors import Words
    from app.core.tenancy import Desk
    from app.facility.clinic.care.rules import Package, Plan

MOST = 100
ADD_PLAN = """
insert into care_plan (tenant_id, code, name, codes, entitlement, days, due, begins_on, staff_id, set_at)
values (%(tenant)s, %(code)s, %(name)s, %(codes)s::text[], %(entitlement)s, %(days)s::int, %(due)s::text[], %(begins_on)s::date, %(staff)s, %(at)s)
"""
ADD_PACKAGE = """
insert into care_package (tenant_id, code, name, fee_fen, fund_fen, public_fen, self_fen, items, offered, begins_on, staff_id, set_at)
values (%(tenant)s, %(code)s, %(name)s, %(fund_fen)s::bigint + %(public_fen)s::bigint + %(self_fen)s::bigint, %(fund_fen)s, %(public_fen)s, %(self_fen)s,
    %(items)s::jsonb, %(offered)s, %(begins_on)s::date, %(staff)s, %(at)s)
"""
HAS_ANY = "select (select count(*) from care_plan where tenant_id = %(tenant)s) as plans, (select count(*) from care_package where tenant_id = %(tenant)s) as packages"
# What holds on a day. Row-level security picks the tenant.
PLANS = """
select distinct on (code) id, code, name, codes, entitlement, days, due, begins_on from care_plan
where begins_on <= :day order by code, begins_on desc, id desc limit 100
"""
COMING_PLANS = (
    "select id, code, name, days, begins_on from care_plan where begins_on > :day order by begins_on, id limit 100"
)
PACKAGES = """
select distinct on (code) id, code, name, fee_fen, fund_fen, public_fen, self_fen, items, offered, begins_on from care_package
where begins_on <= :day order by code, begins_on desc, id desc limit 100
"""
COMING_PACKAGES = "select id, code, name, fee_fen, begins_on from care_package where begins_on > :day order by begins_on, id limit 100"


@hot_action
def set_plan(desk: Desk, plan: Plan, begins_on: date) -> None:
    """Say how people with a disease are cared for from a day on; today or later. Raises CareIncomplete."""
    if why := rules.plan_problem(plan) or _begin_problem(begins_on):
        raise CareIncomplete(why=why)
    with transaction(settings=desk.settings) as hot:
        hot.run_last(ADD_PLAN, _plan_keys(desk, plan, begins_on))


@hot_action
def set_package(desk: Desk, package: Package, begins_on: date) -> None:
    """Say what a package promises and costs from a day on; contracts that are signed keep theirs. Raises CareIncomplete."""
    if why := rules.package_problem(package) or _begin_problem(begins_on):
        raise CareIncomplete(why=why)
    with transaction(settings=desk.settings) as hot:
        hot.run_last(ADD_PACKAGE, _package_keys(desk, package, begins_on))


@hot_action
def take_starters(desk: Desk) -> None:
    """Begin with what clinics commonly use; where there are plans or packages already, those stay and nothing is added to them."""
    today = clock.business_date()
    with transaction(settings=desk.settings) as hot:
        known = hot.run(HAS_ANY, desk.keys)[0]
        plans = () if known.plans else rules.STARTERS
        packages = () if known.packages else rules.STARTER_PACKAGES
        batch = [(ADD_PLAN, _plan_keys(desk, plan, today)) for plan in plans]
        batch += [(ADD_PACKAGE, _package_keys(desk, package, today)) for package in packages]
        if batch:
            hot.run_all(batch, last=True)


def _begin_problem(begins_on: date) -> Words | None:
    return words("生效日期不能早于今天") if begins_on < clock.business_date() else None


def _plan_keys(desk: Desk, plan: Plan, begins_on: date) -> dict[str, Any]:
    told = msgspec.structs.asdict(plan) | {"codes": list(plan.codes), "due": list(plan.due)}
    return {**desk.keys, **told, "begins_on": begins_on, "at": clock.now()}


def _package_keys(desk: Desk, package: Package, begins_on: date) -> dict[str, Any]:
    told = msgspec.structs.asdict(package) | {"items": as_json([msgspec.structs.asdict(one) for one in package.items])}
    return {**desk.keys, **told, "begins_on": begins_on, "at": clock.now()}


def list_plans(day: date | None = None) -> list[Any]:
    """The plans that hold today, or on a day; stopped ones have no days."""
    return list(run(PLANS, day=day or clock.business_date()))


def list_coming_plans() -> list[Any]:
    """Versions that hold from a later day on."""
    return list(run(COMING_PLANS, day=clock.business_date()))


def list_packages() -> list[Any]:
    """The packages that hold today."""
    return list(run(PACKAGES, day=clock.business_date()))


def list_coming_packages() -> list[Any]:
    """Versions that hold from a later day on."""
    return list(run(COMING_PACKAGES, day=clock.business_date()))
