"""Whatever is sent to whichever address: no 500, a sentence, and nothing changed by what was refused.

Hypothesis over every rule of both URL maps and the fields its view reads. What it sends is half sensible, so that
requests get deep into the acts, and half nonsense: empty, huge, negative, of another type, NUL, half characters,
four-byte characters, lists, other people's and nobody's ids; some are sent twice.
"""

import json
import re
from urllib.parse import quote
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from app.core import clock, tenancy
from app.national import envelope
from app.national.signing import profile_c
from launcher.databases import connect
from tests.factories import people
from tests.factories.shop import check_books, desk_of, make_code, open_shift
from tests.guards import fields, routes
from tests.guards.filled import address, fill

EXAMPLES = 6
ELSEWHERE = {"REMOTE_ADDR": "10.77.0.9"}  # The door locks an address that fails often; not the one of other tests.
FORM = "application/x-www-form-urlencoded"

NASTY = [
    "", " ", "0", "-1", "-0.01", "1e9", "NaN", "Infinity", "٣", "²", "Ⅷ", "0x10", "1_000", "9" * 20, "9" * 400, "9" * 5000, str(2**31), str(2**63), str(-(2**63) - 1),
    "a\0b", "\ud800", "😀" * 30, "ﷺ" * 200, "null", "true", "[]", "{}", '[{"kind":"cash","amount":"x"}]', '[{"kind":"cash","amount":1e400}]', "[[[[",
    "' or 1=1 --", "%", "_", "\\", "{0.__class__}", "%(x)s", "%s", "{{7*7}}", "<script>alert(1)</script>", "../../etc/passwd", "\r\nX-Evil: 1", "\u202e", "ÿ", "2026-02-30", "0000-00-00",
    "9999-12-31", "99991231", "10000-01-01", "0001-01-01T00:00:00+23:59_00000000-0000-0000-0000-000000000000", "9999-12-31T23:59:59-23:59_" + "0" * 32,
    "2026-13", "000000", "00000000-0000-0000-0000-000000000000", "x" * 100_000,
]  # fmt: skip


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


def sensible(shop) -> dict:
    """For some fields, what a person might really send."""
    goods, ids = shop.goods, shop.ids
    return {
        "text": [goods.codes[9], make_code(), shop.person.card, shop.person.certno, goods.name[:2], str(goods.product_id)], "kind": ["scan", "typed", "picked"],
        "version": [str(n) for n in range(1, 12)], "tenders": ["[]", '[{"kind":"cash","amount":5000}]', '[{"kind":"card","amount":1250}]', '[{"kind":"cash","amount":-5}]'],
        "expected": ["1"], "quantity": ["1", "2", "24"], "lot": ["1", "L1"], "delete": ["1"], "split": ["0", "1"], "how": ["card", "typed", "ecert"], "buyer": ["agent", "self"],
        "agent_name": ["孙小二"], "agent_certno": [shop.person.certno], "decision": ["blocked", "go", "take", "skip"], "reason_code": ["document_seen"],
        "prescription": [str(ids["passed_id"]), str(ids["prescription_id"])], "reason": ["quality", "billing_error", "抽大钞"], "quantity-#": ["1"], "goods-#": ["kept", "shelf", "quarantine"],
        "document": [str(ids["document"]), str(ids["basket_id"]), str(uuid4())], "approver": ["001"], "approver_password": [people.PASSWORD], "float": ["100", "0"], "counted": ["105.00"],
        "confirm": ["1"], "amount": ["5"], "direction": ["in", "out"], "result": ["pass", "refuse"], "number": ["RX77"], "patient": ["钱多多"], "doctor": ["郑医师"], "institution": ["第一医院"],
        "issued_on": ["2026-11-22", "1122"], "patient_certno": [shop.person.certno], "product": [str(goods.product_id), "1"], "product_name": [goods.name], "packs": ["1"], "dosage": ["一日三次"],
        "produced_on": ["2026-01-01"], "expires_on": ["2028-05", "20280531"], "cost": ["9.5"], "zone": ["SALEABLE", "MOON"], "codes": [make_code(), f"{make_code()} {goods.codes[1]}"],
        "receipt": shop.marks[-5:], "q": ["感冒", goods.codes[0], goods.name], "column-#": ["code", "generic_name", "pack_price"], "rx_class": ["RX", "OTC_B"], "role": ["clerk", "owner"],
        "facility": [str(shop.pharmacy.facility_id)], "name": ["李某"], "generic_name": ["试药"], "pack_unit": ["盒"], "base_unit": ["粒"], "pack_size": ["12"], "pack_price": ["10.50"],
        "split_price": ["1"], "storage": ["NORMAL"], "from_at": ["2026-12-01T00:00"], "valid_from": ["2026-11-22"], "district": ["330212", "3302"], "code": ["000000", shop.pharmacy.code],
        "gone": ["stop", "keep"], "errors": ["skip"], "duplicates": ["take"], "state": ["passed", "used"], "verdict": ["new", "error"], "problem": ["no_price"], "size": ["58", "a5"],
    }  # fmt: skip


def values(good):
    nonsense = st.one_of(
        st.sampled_from(NASTY), st.text(max_size=30), st.integers().map(str), st.floats().map(str), st.uuids().map(str)
    )
    return st.one_of(st.sampled_from(good), st.sampled_from(good), nonsense) if good else nonsense


@st.composite
def requests(draw, app, rule, shop, ids, wanted):
    """One request: its address, its body as raw bytes, its headers, and whether it is sent twice."""
    view = app.view_functions[rule.endpoint]
    known = sorted(fields.fields_of(view))
    pairs = []
    for name in known:
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 3]))):
            full = name.replace("#", draw(st.sampled_from(["1", "0", "2", "²", "-1", "9" * 30, "x"])))
            pairs.append((full, draw(values(wanted.get(name)))))
    if draw(st.integers(0, 4)) == 0:
        pairs.append(
            (draw(st.sampled_from(["tenant_id", "facility_id", "csrf_token", "staff_id", "x"])), draw(values(None)))
        )
    return {
        "path": draw(paths(rule, ids)), "pairs": pairs, "htmx": draw(st.booleans()), "json": draw(st.integers(0, 5)) == 0, "twice": draw(st.integers(0, 3)) == 0,
        "file": draw(st.sampled_from([None, b"", b"\xff\xfe\x00", b"PK\x03\x04broken", "编码,名称\n1,药".encode("gb18030"), b"a,b\n\0,1\n"])) if known and "file" in known else None,
    }  # fmt: skip


@st.composite
def paths(draw, rule, ids):
    """The rule's address with real, forged or impossible values."""
    return re.sub(r"<(?:(\w+):)?(\w+)>", lambda found: _place(draw, found[1], found[2], ids), rule.rule)


def _place(draw, kind, name, ids) -> str:
    real = str(ids.get(name, "1"))
    other = {
        "uuid": [str(uuid4()), "0" * 36, "not-a-uuid", str(uuid4()).upper()], "int": ["0", "1", str(2**31), str(2**63), "9" * 30, "-1", "²"],
        None: ["x", "😀", "a\0b", "%", "\ud800", "z" * 3000, "'", "..", "1101"], "path": ["x/y", "a\0b", "\ud800", "z" * 3000],
    }[kind]  # fmt: skip
    return encoded(draw(st.sampled_from([real] * 5 + other)))


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def send(client, method, request, token):
    headers = {"Accept": "application/json" if request["json"] else "text/html"}
    headers |= {"HX-Request": "true"} if request["htmx"] else {}
    text = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in request["pairs"])
    options = {"headers": headers, "environ_overrides": ELSEWHERE}
    if method == "GET":
        return client.get(f"{request['path']}?{text[:60_000]}", **options)
    headers["X-CSRFToken"] = token
    if request["file"] is not None:
        body = _multipart(request["pairs"], request["file"])
        return client.post(request["path"], data=body, content_type="multipart/form-data; boundary=XX", **options)
    return client.post(request["path"], data=text.encode(), content_type=FORM, **options)


def _multipart(pairs, content) -> bytes:
    parts = [b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a\xff.csv"\r\n\r\n' + content]
    parts += [
        b'--XX\r\nContent-Disposition: form-data; name="'
        + name.encode("utf-8", "replace")
        + b'"\r\n\r\n'
        + value.encode("utf-8", "surrogatepass")
        for name, value in pairs
    ]
    return b"\r\n".join([*parts, b"--XX--\r\n"])


def judge(answer, what):
    """Neither broken nor mute."""
    body = routes.said(answer)
    if answer.is_json:
        body = str(answer.get_json())
    assert answer.status_code < 500, f"{what}: {answer.status_code}\n{plain(body)[:500]}"
    if answer.status_code >= 400 and not answer.headers.get("HX-Redirect"):
        assert re.search("[\u4e00-\u9fff]{5}", plain(body)), f"{what}: {answer.status_code} says nothing: {body[:300]}"


def plain(body) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", " ", body, flags=re.DOTALL))


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
            token = _token(client)
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


RAW = [
    b"",
    b"\xff\xfe\x00\x01",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b'{"infno":1}',
    b"<xml/>",
    b"[" * 5000,
    b'{"infno":"2102","input":' + b"[" * 2000,
    b'{"infno":"\\ud800"}',
    b"0" * 50_000,
]


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
    token = _token(client)
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
    bodies = [*RAW, *(json.dumps(_envelope(shop, change)).encode() for change in CHANGES)]
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


CHANGES = [
    {}, {"infno": 2102}, {"infno": None}, {"infno": "9999"}, {"infno": "2102", "input": None}, {"infno": "2102", "input": []}, {"infno": "2102", "input": {"druginfo": 1, "drugdetail": "x"}},
    {"infno": "2102", "input": {"druginfo": {"medfee_sumamt": "NaN"}, "drugdetail": [1, None, {}]}}, {"msgid": "x" * 500}, {"msgid": None}, {"inf_time": "2026-99-99 00:00:00"}, {"fixmedins_code": "P00000000000"},
    {"infno": "2601", "input": {"data": {"omsgid": "\0", "oinfno": "x", "psn_no": "1"}}}, {"infno": "1101", "input": {"data": {"mdtrt_cert_no": "\ud800", "mdtrt_cert_type": "9"}}},
    {"infno": "2103", "input": {"data": {"setl_id": "1" * 400}}}, {"extra": {"a": [[[[]]]]}},
]  # fmt: skip


def _envelope(shop, change):
    here = envelope.Institution(shop.pharmacy.code, shop.pharmacy.name, shop.pharmacy.district)
    made = envelope.compose(
        "2102",
        envelope.message_id(shop.pharmacy.code, clock.now(), 9),
        clock.now(),
        here,
        envelope.Operator("001", "王"),
        {"data": {}},
    )
    return {**json.loads(made), **change}


def _try(client, method, request, what, look):
    token = _token(client)
    for _ in range(2 if request["twice"] else 1):
        before = look()
        answer = send(client, method, request, token)
        judge(answer, what[:1500])
        if answer.status_code >= 400 or method == "GET":
            assert look() == before, f"refused, yet something moved: {what[:1500]}"


def _token(client):
    """The form token of a session, given directly: reading it from a page each time would cost half the run."""
    with client.session_transaction() as kept:
        kept["csrf_token"] = "0" * 40
    return URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token").dumps("0" * 40)


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
