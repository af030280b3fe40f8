"""People of both wings for tests: a pharmacy with its staff, officers of the center, and a quick way to be one of them.

Everything is made through actions. `sign_in` goes through the real session of the door without the cost of a password.
"""

from __future__ import annotations

import contextvars
import itertools
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta

from flask.globals import _cv_app
from flask.testing import FlaskClient

from app.core import clock, signin, tenancy

PASSWORD = "open sesame 2026"
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_turn = itertools.count(1)
_codes = itertools.count()
_run = secrets.choice(SIGNS) + secrets.choice(SIGNS)


@dataclass(frozen=True)
class Pharmacy:
    """An organization with one facility and its people."""

    tenant_id: int
    facility_id: int
    code: str  # Organization code; the facility's national code is the same.
    name: str
    center_secret: str
    district: str
    owner: int
    clerk: int
    pharmacist: int
    numbers: dict[int, str] = field(default_factory=dict)

    @property
    def scope(self) -> dict[str, str]:
        """For transaction(settings=pharmacy.scope)."""
        return {"app.tenant_id": str(self.tenant_id)}

    def acting(self):
        """with pharmacy.acting(): … sees this pharmacy's rows."""
        return tenancy.as_tenant(self.tenant_id)


@dataclass(frozen=True)
class Officer:
    """Somebody of the center."""

    id: int
    district: str
    role: str
    name: str
    number: str
    password: str


def make_code(kind: str = "P", district: str = "330212") -> str:
    """A national code of 12 characters that no other test has: two letters of this process, then counted up."""
    number = next(_codes)
    return f"{kind}{district}{_run}{''.join(SIGNS[number // len(SIGNS) ** place % len(SIGNS)] for place in (2, 1, 0))}"


def make_pharmacy(
    app,
    *,
    name: str = "一号药店",
    district: str = "330212",
    kind: str = "pharmacy",
    on_duty: bool = True,
    center_secret: str | None = None,
) -> Pharmacy:
    """A pharmacy with an owner (001), a clerk (002) and a pharmacist (003), who has come on duty unless told otherwise."""
    from app.facility.organizations import actions
    from app.facility.organizations.actions import NewFacility, NewStaff
    from app.facility.organizations.rules import Grant

    code = make_code("P" if kind == "pharmacy" else "H", district)
    today = clock.business_date()
    facility = NewFacility(
        code,
        name,
        district,
        "鄞州区",
        kind,
        agreement_from=today - timedelta(days=100),
        agreement_until=today + timedelta(days=265),
        center_secret=center_secret,
    )
    with app.app_context():
        made = actions.create_organization(code, name, facility, NewStaff("001", "王店长", password=PASSWORD))
        with tenancy.as_tenant(made.tenant_id):
            clerk = actions.add_staff(NewStaff("002", "李收银", password=PASSWORD), [Grant("clerk", made.facility_id)])
            pharmacist = actions.add_staff(
                NewStaff("003", "赵药师", "33020001", PASSWORD), [Grant("pharmacist", made.facility_id)]
            )
            if on_duty:
                actions.come_on_duty(made.facility_id, pharmacist.staff_id, "02")
    ids = (made.owner_id, clerk.staff_id, pharmacist.staff_id)
    return Pharmacy(
        made.tenant_id,
        made.facility_id,
        code,
        name,
        made.center_secret,
        district,
        *ids,
        dict(zip(ids, ("001", "002", "003"), strict=True)),
    )


def add_person(
    app, pharmacy: Pharmacy, *roles: str, name: str = "孙某某", password: str = PASSWORD, code: str | None = None
) -> int:
    """One more person of a pharmacy, with these roles (administrations: whole organization, others: its facility)."""
    from app.facility.organizations import actions
    from app.facility.organizations.rules import ADMINISTRATIONS, Grant

    grants = [Grant(role, None if role in ADMINISTRATIONS else pharmacy.facility_id) for role in roles]
    with app.app_context(), pharmacy.acting():
        return actions.add_staff(actions.NewStaff(f"n{next(_turn)}", name, code, password=password), grants).staff_id


def sign_in(
    client, pharmacy: Pharmacy, staff_id: int, *, facility_id: int | None = None, terminal_id: int | None = None
) -> None:
    """Let a test client be this person from now on."""
    _give_ticket(
        client,
        pharmacy.tenant_id,
        staff_id,
        "staff",
        {"app.tenant_id": str(pharmacy.tenant_id)},
        facility=facility_id or pharmacy.facility_id,
        terminal=terminal_id,
    )


class Browser(FlaskClient):
    """A browser whose every request stands alone, as in the world: nothing that the test acts in, or another person's request left, is in it.

    The moment a test pretends and the count of its statements are shared.
    """

    def open(self, *args, **kwargs):
        return contextvars.copy_context().run(self._open_alone, args, kwargs)

    def _open_alone(self, args, kwargs):
        _cv_app.set(None)
        tenancy.leave()
        return super().open(*args, **kwargs)


def browser(app, pharmacy: Pharmacy, staff_id: int) -> Browser:
    """Somebody of a pharmacy at a browser of their own."""
    client = Browser(app, app.response_class, use_cookies=True)
    sign_in(client, pharmacy, staff_id)
    return client


def sign_in_officer(client, officer: Officer) -> None:
    """Let a test client of the center be this officer from now on."""
    _give_ticket(client, officer.district, officer.id, "officer", {"app.district": officer.district})


def _give_ticket(client, realm, person_id, table, settings, **place) -> None:
    app = client.application
    with app.app_context(), app.extensions["sqlalchemy"].transaction(settings=settings) as hot:
        version = hot.run_last(f"select session_version from {table} where id = %(id)s", {"id": person_id})[
            0
        ].session_version
    moment = int(clock.now().timestamp())
    ticket = signin.Ticket(realm, person_id, secrets.token_hex(16), version, moment, moment)
    with client.session_transaction() as kept:
        kept.clear()
        kept["ticket"] = signin.asdict(replace(ticket, **place))
        kept["_user_id"] = str(person_id)


def form_token(client, address: str = "/account") -> str:
    """The form token of the client's session, as a page carries it. Post it as csrf_token or header X-CSRFToken."""
    page = client.get(address).get_data(as_text=True)
    return page.partition('name="csrf-token" content="')[2].partition('"')[0]


def post(client, address: str, data: dict | None = None, **options):
    """Post a form as a page of ours would, with the session's token."""
    return client.post(address, data={"csrf_token": form_token(client), **(data or {})}, **options)


def _letters(count: int) -> str:
    return "".join(secrets.choice(SIGNS) for _ in range(count))


class CenterClient(FlaskClient):
    """A test client that speaks to the center at its mount, as a browser does; its cookie lives there."""

    def open(self, *args, **kwargs):
        kwargs.setdefault("base_url", "http://localhost/center")
        return super().open(*args, **kwargs)

    def session_transaction(self, *args, **kwargs):
        kwargs.setdefault("base_url", "http://localhost/center")
        return super().session_transaction(*args, **kwargs)


def center_client(app) -> CenterClient:
    """A test client of the center. Addresses are given without the mount."""
    return CenterClient(app, app.response_class, use_cookies=True)


def make_officer(
    app, role: str = "officer", district: str = "3302", *, name: str = "周经办", totp_secret: str | None = None
) -> Officer:
    """Somebody of the center with this role and district."""
    from app.center.registry import officer_actions

    number = f"c{_letters(8)}"
    with app.app_context(), tenancy.acting_as(district=district):
        person = officer_actions.NewOfficer(district, number, name, role, PASSWORD, totp_secret)
        made = officer_actions.add_officer(person)
    return Officer(made.officer_id, district, role, name, number, PASSWORD)
