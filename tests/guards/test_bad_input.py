"""Whatever is sent to whichever address: no 500, a sentence, and nothing changed by what was refused.

Hypothesis over every rule of both URL maps and the fields its view reads. What it sends is half sensible, so that
requests get deep into the acts, and half nonsense: empty, huge, negative, of another type, NUL, half characters,
four-byte characters, lists, other people's and nobody's ids; some are sent twice.
"""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core import clock, tenancy
from app.national.signing import profile_c
from launcher.databases import connect
from tests.factories import people
from tests.factories.shop import check_books, desk_of, open_shift
from tests.guards import routes
from tests.guards.filled import address, fill
from tests.guards.hostile import CHANGES, ELSEWHERE, FORM, RAW, composed, judge, requests, send, sensible, token_of

EXAMPLES = 6


@pytest.fixture(scope="module")
def shop(facility_app, center_app):
    """A pharmacy to be pestered, with one of its people who may come to harm."""
    made = fill(facility_app, center_app, name="四号药店")
    made.ids["staff_id"] = people.add_person(facility_app, made.pharmacy, "clerk", name="某某某")
    return made


@pytest.fixture(scope="module")
def officers(center_app):
    made = {
        role: people.make_officer(center_app, role, "330212")
        for role in ("officer", "administrator", "audit_admin", "security_admin")
    }
    made["victim"] = people.make_officer(center_app, "officer", "330212", name="某某")
    return made


@pytest.fixture(scope="module")
def books(database_urls):
    """What refused requests may not move, read by the owners of both databases."""
    with (
        connect(database_urls["facility"]["owner"], autocommit=True) as facility,
        connect(database_urls["center"]["owner"], autocommit=True) as center,
    ):

        def look(tenant):
            mine = facility.execute(
                """
                select (select sum(quantity) || ' ' || count(*) from stock_movement where tenant_id = %(t)s), (select sum(amount_fen) || ' ' || count(*) from tender where tenant_id = %(t)s),
                    (select sum(on_hand) || ' ' || sum(reserved) from lot_balance where tenant_id = %(t)s), (select count(*) from sale where tenant_id = %(t)s and state = 'settled'),
                    (select count(*) from product_price where tenant_id = %(t)s), (select count(*) from staff where tenant_id = %(t)s), (select count(*) from shift where tenant_id = %(t)s)
                """,
                {"t": tenant},
            ).fetchone()
            return mine + center.execute("select count(*), sum(amount_fen) from account_entry").fetchone()

        yield look


def targets(wing):
    """(endpoint, rule, method) of one wing, without machine doors and files; collected without a database."""
    return [pytest.param(name, method, id=f"{method} {name}") for name, method in TABLE[wing]]


def _table():
    from app.center.factory import create_app as center
    from app.facility.factory import create_app as facility

    urls = dict.fromkeys(
        ("app", "owner", "worker", "relay", "interface", "inbox"), "postgresql+psycopg://nobody@127.0.0.1:1/none"
    )
    found = {}
    for wing, create in (("center", center), ("facility", facility)):
        app = create(urls, secret="tests", testing=True)
        found[wing] = [
            (f"{rule.endpoint}|{rule.rule}", method)
            for rule in routes.rules_of(app) if rule.endpoint != "static" and not routes.is_for_machines(app, rule) for method in routes.methods(rule)
        ]  # fmt: skip
    return found


TABLE = _table()
often = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, print_blob=False, report_multiple_bugs=False, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)  # fmt: skip


@pytest.mark.parametrize(("name", "method"), targets("facility"))
def test_the_facility_wing_bears_anything(facility_app, shop, books, name, method):
    rule = _rule(facility_app, name)
    needed = getattr(facility_app.view_functions[rule.endpoint], "needs_roles", ()) or ("owner", "clerk", "pharmacist")
    staff = {
        "owner": shop.pharmacy.owner,
        "clerk": shop.pharmacy.clerk,
        "pharmacist": shop.pharmacy.pharmacist,
        "audit_admin": shop.ids["auditor"],
        "doctor": shop.ids["doctor"],
    }
    wanted, client = sensible(shop), facility_app.test_client()
    _ready(facility_app, shop)

    @often
    @given(st.data())
    def bears(data):
        who = data.draw(st.sampled_from([role for role in needed if role in staff]))
        request = data.draw(requests(facility_app, rule, shop, shop.ids, wanted))
        people.sign_in(client, shop.pharmacy, staff[who])
        _try(
            client, method, request, f"{method} {rule.rule} as {who} {request}", lambda: books(shop.pharmacy.tenant_id)
        )

    bears()
    with facility_app.app_context(), tenancy.as_tenant(shop.pharmacy.tenant_id):
        check_books(shop.pharmacy)


@pytest.mark.parametrize(("name", "method"), targets("center"))
def test_the_center_wing_bears_anything(center_app, shop, officers, books, name, method):
    rule = _rule(center_app, name)
    needed = getattr(center_app.view_functions[rule.endpoint], "needs_roles", ()) or ("officer", "administrator")
    ids = {**shop.ids, "officer_id": officers["victim"].id}
    wanted, client = {**sensible(shop), "role": ["officer", "auditor"]}, people.center_client(center_app)

    @often
    @given(st.data())
    def bears(data):
        who = data.draw(st.sampled_from([role for role in needed if role in officers]))
        request = data.draw(requests(center_app, rule, shop, ids, wanted))
        people.sign_in_officer(client, officers[who])
        _try(
            client, method, request, f"{method} {rule.rule} as {who} {request}", lambda: books(shop.pharmacy.tenant_id)
        )

    bears()


# What once broke a view, kept: (path, fields) posted by the owner.
BROKE_ONCE = [
    ("/account/second-factor", {"code": "²¡"}),
    ("/counter/baskets/{basket_id}/entries", {"text": "²", "kind": "picked"}),
    ("/counter/baskets/{basket_id}/person", {"text": "²" * 18, "how": "card"}),
    ("/catalog/imports/{batch_id}/columns", {"column-²": "generic_name", "column-0": "code", "column-" + "9" * 5000: "maker"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "given_fields"), BROKE_ONCE)
def test_what_broke_once_does_not_break_again(facility_app, shop, books, path, given_fields):
    client = facility_app.test_client()
    people.sign_in(client, shop.pharmacy, shop.pharmacy.owner)
    request = {
        "path": path.format(**shop.ids),
        "pairs": list(given_fields.items()),
        "htmx": False,
        "json": False,
        "twice": True,
        "file": None,
    }

    _try(client, "POST", request, f"POST {path}", lambda: books(shop.pharmacy.tenant_id))


def _old(client):
    """Age the session beyond its limits."""
    with client.session_transaction() as kept:
        kept["ticket"] = {**kept["ticket"], "begun": 1, "active": 1}


def _forged(client):
    """Somebody else signed this cookie."""
    client.set_cookie(f"sunmed_{client.application.config['WING']}", "eyJ0aWNrZXQiOnt9fQ.aaaa.bbbb", path="/")


@pytest.mark.parametrize("spoil", [_old, _forged])
def test_an_expired_or_forged_session_gets_to_the_door_only(facility_app, shop, books, spoil):
    for rule in routes.rules_of(facility_app):
        if rule.endpoint in routes.PUBLIC:
            continue
        for method in routes.methods(rule):
            client = facility_app.test_client()
            people.sign_in(client, shop.pharmacy, shop.pharmacy.owner)
            token = token_of(client)
            spoil(client)
            before = books(shop.pharmacy.tenant_id)
            answer = send(
                client,
                method,
                {
                    "path": address(facility_app, rule, shop.ids),
                    "pairs": [("text", "1")],
                    "htmx": False,
                    "json": False,
                    "file": None,
                },
                token,
            )
            assert answer.status_code in {303, 400}, f"{routes.named(rule)}: {answer.status_code}"
            assert answer.status_code == 400 or "/signin" in answer.location
            assert books(shop.pharmacy.tenant_id) == before


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        FORM,
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "application/x-www-form-urlencoded; charset=utf-7",
    ],
)
def test_forms_in_another_dress_are_refused(facility_app, shop, kind):
    client = facility_app.test_client()
    people.sign_in(client, shop.pharmacy, shop.pharmacy.owner)
    token = token_of(client)
    for rule in routes.rules_of(facility_app):
        if "POST" in rule.methods and rule.endpoint not in {
            "door.sign_out",
            "organizations.disable_staff",
            "organizations.reset_password",
        }:
            for body in RAW[:5]:
                answer = client.post(
                    address(facility_app, rule, shop.ids),
                    data=body,
                    content_type=kind,
                    headers={"X-CSRFToken": token},
                    environ_overrides=ELSEWHERE,
                )
                judge(answer, f"{routes.named(rule)} with {kind} {body[:20]!r}")


def test_machine_doors_bear_garbage_signed_and_unsigned(center_app, shop, books):
    """National messages and facts: whatever the body is, an answer in the door's own form, and nothing moved."""
    before = books(shop.pharmacy.tenant_id)
    client, code, secret = center_app.test_client(), shop.pharmacy.code, shop.pharmacy.center_secret.encode()
    bodies = [*RAW, *(json.dumps(composed(shop, change)).encode() for change in CHANGES)]
    for body in bodies:
        signed = profile_c.sign(code, secret, body, clock.now())
        for headers in (
            signed,
            {},
            {**signed, profile_c.SIGNATURE: "²:ÿ".encode().decode("latin-1")},
            {**signed, profile_c.KEY: "x" * 200},
        ):
            for path in (
                "/national",
                "/national/2102",
                "/national/%00",
                "/fsi/api/rsfComIfsService/callService",
                f"/bridge/{code}/facts",
                "/bridge/%ED%A0%80/facts",
            ):
                answer = client.post(path, data=body, headers=headers, content_type="application/json")
                assert answer.status_code < 500, f"{path} {body[:80]!r}: {answer.get_data(as_text=True)[:300]}"
                assert answer.get_data(), path
    assert books(shop.pharmacy.tenant_id) == before


def _try(client, method, request, what, look):
    token = token_of(client)
    for _ in range(2 if request["twice"] else 1):
        before = look()
        answer = send(client, method, request, token)
        judge(answer, what[:1500])
        if answer.status_code >= 400 or method == "GET":
            assert look() == before, f"refused, yet something moved: {what[:1500]}"


def _ready(app, shop):
    """The clerk's shift is open, whatever earlier requests did."""
    with app.app_context(), tenancy.as_tenant(shop.pharmacy.tenant_id):
        from app.facility.till import shifts

        for staff in (shop.pharmacy.clerk, shop.pharmacy.owner):
            desk = desk_of(shop.pharmacy, staff)
            if shifts.find_current(desk) is None:
                open_shift(desk)


def _rule(app, name):
    endpoint, _, path = name.partition("|")
    return next(rule for rule in routes.rules_of(app) if rule.endpoint == endpoint and rule.rule == path)
