"""The demo world: four facilities of three organizations, a center with its people, about 200 real products, stock with codes.

Everything is made through the product's own actions, once; a second start finds it. Without SUNMED_DEMO nothing is made.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pyotp

from launcher.places import BRANCH, CITY, OFFICERS, PASSWORD, PLACES, code_of

if TYPE_CHECKING:
    from launcher.home import Home
    from launcher.places import Place


def load(home: Home) -> list[str]:
    """Make the demo world where it is missing, write the bridge's secrets, and return the lines to greet with."""
    import wsgi

    center = wsgi.make_center()
    facility = wsgi.make_facility(center)
    lines: list[str] = []
    if os.environ.get("SUNMED_DEMO") == "1":
        totp = _totp_secret(home)
        _make(facility, center, totp)
        lines = _greeting(totp)
    _write_bridge_secrets(home, facility)
    with facility.app_context():
        facility.extensions["sqlalchemy"].close()
    with center.app_context():
        center.extensions["sqlalchemy"].close()
    return lines


def _make(facility: Any, center: Any, totp: str) -> None:
    from app.facility.organizations import queries as organizations

    with facility.app_context():
        new = [place for place in PLACES if not organizations.describe(place.code)]
    _list_diagnoses(facility)
    made = {place.code: _open(facility, place) for place in new}
    for place in PLACES:
        _join(facility, place)
    if new:
        print("Sunmed: loading the demo world (once) …", flush=True)
        _fill_center(center, made, totp)
        for place in new:
            _fill_shelves(facility, place, made[place.code])
        if PLACES[0] in new:
            _fill_buying(facility, PLACES[0], made[PLACES[0].code])
    _open_branch(facility, center)
    for place in PLACES:
        if place.kind == "clinic":
            _open_clinic(facility, center, place)
    _begin_the_day(facility)


def _open_clinic(facility: Any, center: Any, place: Place) -> None:
    """Departments, rights, services and herbs, also in homes from before there were clinics; then the day's first patients."""
    from app.center.referral import demo as referral_demo
    from app.center.registry.actions import NewItem, publish_items
    from app.core import tenancy
    from app.core.tenancy import Desk
    from app.facility.catalog import demo as catalog_demo
    from app.facility.clinic import demo
    from app.facility.db import run
    from app.facility.organizations import queries as organizations

    with facility.app_context():
        found = {n: organizations.ACCOUNTS.find(place.organization, n) for n, _name, _role in place.people}
        who = {number: account for number, account in found.items() if account}
        by_role = {
            role: {n: who[n].id for n, _name, each in place.people if each == role}
            for role in ("doctor", "nurse", "pharmacist")
        }
        tenant = int(who["001"].realm)
        with tenancy.as_tenant(tenant):
            facility_id = run("select id from facility where national_code = :code", code=place.code).scalar_one()
            owner, clerk = (Desk(tenant, facility_id, who[n].id, f"{n} {who[n].name[0]}*") for n in ("001", "002"))
            new = demo.furnish(owner, by_role["doctor"], by_role["nurse"], by_role["pharmacist"])
            if new:
                demo.stock(owner)
            demo.offer_package(owner)
            demo.ask_fee(owner)
    if new:
        services = [draft for draft, _price, _split in catalog_demo.products(demo.PRODUCTS) if draft.national_code]
        items = [
            NewItem(str(draft.national_code), draft.generic_name, draft.insurance_class or "C", kind="service")
            for draft in services
        ]
        with center.app_context(), tenancy.acting_as(district="33"):
            publish_items(items)
    with center.app_context(), tenancy.acting_as(district="33"):
        referral_demo.load(place.code)
    with facility.app_context(), tenancy.as_tenant(tenant):
        demo.begin_day(clerk)


def _list_diagnoses(app: Any) -> None:
    """A short list of diagnoses, in homes from before there was one too; a real list is left alone."""
    from app.facility.clinic.terms import demo

    with app.app_context():
        demo.load()


def _open(app: Any, place: Place) -> Any:
    from app.core import tenancy
    from app.facility.organizations import actions

    with app.app_context():
        made = actions.create_organization(
            place.organization, place.name, _designated(place), _account(place, *place.people[0])
        )
        with tenancy.as_tenant(made.tenant_id):
            actions.add_terminal(made.facility_id, "01")
    return made


def _designated(place: Place) -> Any:
    from app.core import clock
    from app.facility.organizations.actions import NewFacility

    today = clock.business_date()
    return NewFacility(
        place.code, place.name, place.district, place.district_name, place.kind,
        agreement_from=today - timedelta(days=200), agreement_until=today + timedelta(days=365),
    )  # fmt: skip


def _open_branch(facility: Any, center: Any) -> None:
    """The second shop, with its own shelves and stream, also in homes from before there was one."""
    from app.center.registry import demo as registry_demo
    from app.core import tenancy
    from app.facility.db import run
    from app.facility.organizations import actions
    from app.facility.organizations import queries as organizations
    from app.facility.organizations.rules import Grant

    with facility.app_context():
        first = organizations.ACCOUNTS.find(BRANCH.organization, "001")
        if first is None or organizations.describe(BRANCH.code):
            return
        with tenancy.as_tenant(int(first.realm)):
            opened = actions.open_facility(_designated(BRANCH))
            actions.add_terminal(opened.facility_id, "01")
            older = run("select id from facility where national_code = :code", code=PLACES[0].code).scalar_one()
            for number, name, role in BRANCH.people:
                grants = [Grant(role, place) for place in (older, opened.facility_id)]
                actions.add_staff(_account(BRANCH, number, name, role), grants)
    with center.app_context(), tenancy.acting_as(district=CITY):
        registry_demo.load([(_institution(BRANCH), opened.center_secret.encode())], [])


def _join(app: Any, place: Place) -> None:
    """Everybody of the list works there; homes from before somebody was on it too."""
    from app.core import tenancy
    from app.facility.db import run
    from app.facility.organizations import actions
    from app.facility.organizations import queries as organizations
    from app.facility.organizations.rules import Grant

    with app.app_context():
        first = organizations.ACCOUNTS.find(place.organization, "001")
        missing = [one for one in place.people if organizations.ACCOUNTS.find(place.organization, one[0]) is None]
        if first is None or not missing:
            return
        with tenancy.as_tenant(int(first.realm)):
            facility_id = run("select id from facility where national_code = :code", code=place.code).scalar_one()
            for number, name, role in missing:
                actions.add_staff(_account(place, number, name, role), [Grant(role, facility_id)])


def _account(place: Place, number: str, name: str, role: str) -> Any:
    from app.facility.organizations.actions import NewStaff

    letter = {"doctor": "D", "nurse": "N", "pharmacist": "Y"}.get(role)
    code = f"{letter}{place.district}000{number}" if letter else None
    return NewStaff(number, name, code, PASSWORD, demo=True)


def _fill_center(app: Any, made: dict[str, Any], totp: str) -> None:
    from app.center.fund.publishing import publish_demo_policies
    from app.center.registry import demo as registry_demo
    from app.center.registry import officer_actions as officers
    from app.center.registry.officer_errors import OfficerNumberTaken
    from app.core import tenancy

    institutions = [
        (_institution(place), made[place.code].center_secret.encode()) for place in PLACES if place.code in made
    ]
    with app.app_context(), tenancy.acting_as(district=CITY):
        registry_demo.load(institutions, _items())
        publish_demo_policies()
        for number, name, role in OFFICERS:
            try:
                officers.add_officer(officers.NewOfficer(CITY, number, name, role, PASSWORD, totp, demo=True))
            except OfficerNumberTaken:
                continue


def _institution(place: Place) -> Any:
    from app.center.registry.actions import NewInstitution

    level = "pharmacy" if place.kind == "pharmacy" else "community"
    return NewInstitution(
        place.code, place.name, place.district, place.kind, level, Decimal(place.latitude), Decimal(place.longitude)
    )


def _items() -> list[Any]:
    from app.center.registry.actions import NewItem
    from app.facility.catalog import demo as catalog_demo

    known: dict[str, Any] = {}
    for draft, _price, _split in catalog_demo.products():
        if draft.national_code and draft.insurance_class:
            share = int((draft.selfpay_share or 0) * 10_000)
            known.setdefault(
                draft.national_code,
                NewItem(
                    draft.national_code,
                    draft.generic_name,
                    draft.insurance_class,
                    share,
                    draft.ceiling_price,
                    prescription=draft.rx_class == "RX",
                ),
            )
    return list(known.values())


def _fill_shelves(app: Any, place: Place, made: Any) -> None:
    """Products, then a receipt of forty lots at a time: six packs each with a code, half a kilogram of each herb, one lot near its end."""
    from app.core import clock, tenancy
    from app.core.tenancy import Desk
    from app.facility.catalog import demo as catalog_demo
    from app.facility.stock.receiving import open_stock
    from app.facility.stock.rules import ReceiptLine

    desk = Desk(made.tenant_id, made.facility_id, made.owner_id, f"001 {place.people[0][1][0]}*")
    today = clock.business_date()
    with app.app_context(), tenancy.as_tenant(made.tenant_id):
        products = catalog_demo.load(made.owner_id)
        lines = []
        for position, (product_id, draft, price) in enumerate(products):
            ends = today + timedelta(days=45 if position % 17 == 3 else 240 + 37 * (position % 20))
            codes = tuple(code_of(place, position, pack) for pack in range(6)) if draft.trace_required else ()
            cost = (price * Decimal("0.72")).quantize(Decimal("0.01")) if price else None
            lines.append(
                ReceiptLine(
                    product_id,
                    f"26{position % 12 + 1:02d}{position % 28 + 1:02d}",
                    ends,
                    500 if draft.rx_class == "HERB" else 6,
                    codes=codes,
                    cost_price=cost,
                )
            )
        for start in range(0, len(lines), 40):
            open_stock(
                desk,
                uuid5(NAMESPACE_URL, f"{place.code}:{start}"),
                lines[start : start + 40],
                "期初入库",
            )


def _fill_buying(app: Any, place: Place, made: Any) -> None:
    """The first pharmacy buys: an approved supplier, an order on its way, two products below their minimum."""
    from app.core import tenancy
    from app.core.tenancy import Desk
    from app.facility.db import run
    from app.facility.organizations import queries as organizations
    from app.facility.stock.purchasing import demo

    with app.app_context(), tenancy.as_tenant(made.tenant_id):
        pharmacist = organizations.ACCOUNTS.find(place.organization, "003")
        assert pharmacist is not None
        desks = [Desk(made.tenant_id, made.facility_id, who, name) for who, name in ((made.owner_id, "001"), (pharmacist.id, "003"))]  # fmt: skip
        rows = run("select id, pack_size from product where special_class is null and storage = 'NORMAL' order by code limit 60")  # fmt: skip
        demo.load(desks[0], desks[1], [(row.id, row.pack_size) for row in rows])


def _begin_the_day(app: Any) -> None:
    """Each start: the demo's pharmacists are on duty, and a reviewed prescription waits at the first pharmacy."""
    from app.core import tenancy
    from app.core.tenancy import Desk
    from app.facility.db import run
    from app.facility.organizations import actions
    from app.facility.organizations import queries as organizations

    for place in PLACES:
        with app.app_context():
            account = organizations.ACCOUNTS.find(place.organization, "003")
            if account is None:
                continue
            with tenancy.as_tenant(int(account.realm)):
                facility_id = run("select id from facility where national_code = :code", code=place.code).scalar_one()
                if organizations.pharmacist_on_duty(facility_id) is None:
                    actions.come_on_duty(facility_id, account.id, "01")
                clerk = organizations.ACCOUNTS.find(place.organization, "002")
                assert clerk is not None
                if place.kind == "clinic":
                    _send_one_out(place, facility_id)
                desks = [
                    Desk(int(account.realm), facility_id, who.id, f"{who.number} {who.name[0]}*")
                    for who in (clerk, account)
                ]
                _a_prescription(place, desks[0], desks[1], account.name)


def _send_one_out(place: Place, facility_id: int) -> None:
    """A prescription of the clinic that a pharmacy may fetch."""
    from app.core.tenancy import Desk
    from app.facility.clinic import demo
    from app.facility.organizations import queries as organizations

    found = [organizations.ACCOUNTS.find(place.organization, number) for number in ("004", "003")]
    desks = [Desk(int(one.realm), facility_id, one.id, f"{one.number} {one.name[0]}*") for one in found if one]
    if len(desks) == len(found):
        demo.send_one_out(*desks)


def _a_prescription(place: Place, clerk: Any, pharmacist: Any, name: str) -> None:
    from app.core import clock
    from app.core.personal import mask_name
    from app.facility.db import run
    from app.facility.till import prescriptions

    today = clock.business_date()
    document = uuid5(NAMESPACE_URL, f"{place.code}:{today}")
    rows = run(
        """
        select p.id from product p where p.rx_class = 'RX' and p.state = 'active' and p.national_code is not null and p.special_class is null
            and exists (select from lot_balance b where b.tenant_id = p.tenant_id and b.product_id = p.id and b.facility_id = :facility and b.on_hand - b.reserved >= 2 * p.pack_size)
        order by p.id limit 2
        """,
        facility=clerk.facility_id,
    ).scalars()
    wanted = [prescriptions.Wanted(product, 2, "口服，一次 1 片，一日 1 次") for product in rows]
    if not wanted or _known(document):
        return
    paper = prescriptions.Paper(f"CF{today:%y-%m%d}-0001", "张建明", "江海明", "二号诊所", today, "高血压")
    prescriptions.enter_prescription(clerk, document, paper, wanted)
    prescriptions.review_prescription(pharmacist, document, mask_name(name), passed=True, note="用法用量适宜")


def _known(document: UUID) -> bool:
    from app.facility.db import run

    return run("select 1 from prescription where id = :id", id=document).one_or_none() is not None


def _write_bridge_secrets(home: Home, app: Any) -> None:
    """The relay signs with each institution's secret; it reads them from a file that only this account can read."""
    from app.core import personal
    from app.facility.db import transaction

    found = {}
    with app.app_context(), transaction("relay", settings={}) as hot:
        for row in hot.run_last(
            "select tenant_id, national_code, center_secret from facility order by tenant_id, id limit 10000"
        ):
            found[row.national_code] = personal.unseal(str(row.tenant_id), bytes(row.center_secret))
    path = home.folder / "bridge-secrets.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(found, file)


def _totp_secret(home: Home) -> str:
    """The demo officers' second factor; made once for an installation."""
    path = home.folder / "demo-totp"
    if not path.exists():
        path.write_text(pyotp.random_base32(32))
        path.chmod(0o600)
    return path.read_text()


def _greeting(totp: str) -> list[str]:
    width = max(len(place.organization) for place in PLACES)
    lines = ["Demo sign-ins (password everywhere: " + PASSWORD + ")"]
    for place in PLACES:
        people = "  ".join(f"{number} {name} {role}" for number, name, role in place.people)
        lines.append(f"  {place.organization:{width}}  {place.name}   {people}")
        if place.organization == BRANCH.organization:
            people = "  ".join(f"{number} {name} {role}, both shops" for number, name, role in BRANCH.people)
            lines.append(f"  {BRANCH.organization:{width}}  {BRANCH.name}   {people}")
    people = "  ".join(f"{number} {name} {role}" for number, name, role in OFFICERS)
    lines.append(f"  center  /center  code 330200:  {people}")
    lines.append(f"  the officers' TOTP code now: {pyotp.TOTP(totp).now()}   (secret {totp})")
    lines.append("  insured persons: cards N20260001 … N20260013; e-certificates at /center/demo/ecert")
    lines.append(f"  a box to scan at 一号药店: {code_of(PLACES[0], 0, 0)}")
    return lines
