"""Signing up organizations, opening facilities, the settings of their screens."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.core import personal, tenancy, trail
from app.facility.db import action, run, transaction
from app.facility.organizations import queries, rules
from app.facility.organizations.actions.people import NewStaff, first_password, insert_role, insert_staff, tenant
from app.facility.organizations.errors import CodeTaken, NotFound, WrongInput
from app.facility.organizations.rules import Grant

if TYPE_CHECKING:
    from datetime import date

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
        return _create(tenant_id, code, name, facility, owner, *first_password(owner))


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
    owner_id = insert_staff(owner, password_hash)
    insert_role(owner_id, Grant("owner"))
    trail.record("organization.created", str(tenant_id), code=code)
    return Created(tenant_id, opened.facility_id, opened.national_code, opened.center_secret, owner_id, password)


@action
def open_facility(facility: NewFacility) -> Opened:
    """Open a designated institution and its stream of facts."""
    secret = facility.center_secret or secrets.token_hex(32)
    tenant_id = tenant()
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


def _refuse_code(code: str, name: str) -> None:
    if not rules.is_code(code):
        raise WrongInput(what="机构代码", why="应为 4 至 20 位大写字母或数字")
    if not 1 <= len(name.strip()) <= 100:
        raise WrongInput(what="机构名称", why="应为 1 至 100 个字")
