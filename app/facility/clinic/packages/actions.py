"""Packages as versions with the day from which they hold: the newest that has begun counts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import words
from app.facility.catalog import queries as catalog
from app.facility.clinic.packages import rules
from app.facility.clinic.packages.errors import PackageIncomplete
from app.facility.clinic.packages.rules import Item, Package
from app.facility.db import hot_action, run, transaction
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.tenancy import Desk

ADD = """
insert into charge_package (tenant_id, code, name, kind, price_fen, items, offered, begins_on, staff_id, set_at)
values (%(tenant)s, %(code)s, %(name)s, %(kind)s, %(price_fen)s, %(items)s::jsonb, %(offered)s, %(begins_on)s::date, %(staff)s, %(at)s)
"""
# What holds on a day, also what is offered no more. Row-level security picks the tenant.
STANDING = """
select distinct on (code) id, code, name, kind, price_fen, items, offered, begins_on from charge_package
where begins_on <= :day order by code, begins_on desc, id desc limit 100
"""
COMING = "select id, code, name, price_fen, offered, begins_on from charge_package where begins_on > :day order by begins_on, id limit 100"


class Version(msgspec.Struct, frozen=True):
    """A package as it holds today."""

    id: int
    code: str
    name: str
    kind: str
    price_fen: int
    items: tuple[Item, ...]
    offered: bool
    begins_on: date


@hot_action
def set_package(desk: Desk, package: Package, begins_on: date) -> None:
    """Say what a package holds and costs from a day on (套餐); bills keep the version they were charged by. Raises PackageIncomplete."""
    cards = catalog.get_products(one.product_id for one in package.items)
    if why := rules.problem(package, cards):
        raise PackageIncomplete(why=why)
    if begins_on < clock.business_date():
        raise PackageIncomplete(why=words("生效日期不能早于今天"))
    told = msgspec.structs.asdict(package) | {"items": as_json([msgspec.structs.asdict(one) for one in package.items])}
    with transaction(settings=desk.settings) as hot:
        hot.run_last(ADD, {**desk.keys, **told, "begins_on": begins_on, "at": clock.now()})


def list_packages() -> list[Version]:
    """The packages that hold today; those offered no more are among them."""
    rows = run(STANDING, day=clock.business_date())
    return [msgspec.convert(row._asdict(), Version) for row in rows]


def list_offered() -> list[Version]:
    """The packages one may charge by today."""
    return [one for one in list_packages() if one.offered]


def list_coming() -> Sequence[Any]:
    """Versions that hold from a later day on."""
    return list(run(COMING, day=clock.business_date()))
