"""Requests that nobody sends on purpose, half sensible and half nonsense, and what an answer to them must be."""

import json
import re
from urllib.parse import quote
from uuid import uuid4

from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from app.core import clock
from app.national import envelope
from tests.factories import people
from tests.factories.shop import make_code
from tests.guards import fields, routes

ELSEWHERE = {"REMOTE_ADDR": "10.77.0.9"}  # The door locks an address that fails often; not the one of other tests.
FORM = "application/x-www-form-urlencoded"

NASTY = [
    "", " ", "0", "-1", "-0.01", "1e9", "NaN", "Infinity", "٣", "²", "Ⅷ", "0x10", "1_000", "9" * 20, "9" * 400, "9" * 5000, str(2**31), str(2**63), str(-(2**63) - 1),
    "a\0b", "\ud800", "😀" * 30, "ﷺ" * 200, "null", "true", "[]", "{}", '[{"kind":"cash","amount":"x"}]', '[{"kind":"cash","amount":1e400}]', "[[[[",
    "' or 1=1 --", "%", "_", "\\", "{0.__class__}", "%(x)s", "%s", "{{7*7}}", "<script>alert(1)</script>", "../../etc/passwd", "\r\nX-Evil: 1", "\u202e", "ÿ", "2026-02-30", "0000-00-00",
    "9999-12-31", "99991231", "10000-01-01", "0001-01-01T00:00:00+23:59_00000000-0000-0000-0000-000000000000", "9999-12-31T23:59:59-23:59_" + "0" * 32,
    "2026-13", "000000", "00000000-0000-0000-0000-000000000000", "x" * 100_000,
]  # fmt: skip

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

CHANGES = [
    {}, {"infno": 2102}, {"infno": None}, {"infno": "9999"}, {"infno": "2102", "input": None}, {"infno": "2102", "input": []}, {"infno": "2102", "input": {"druginfo": 1, "drugdetail": "x"}},
    {"infno": "2102", "input": {"druginfo": {"medfee_sumamt": "NaN"}, "drugdetail": [1, None, {}]}}, {"msgid": "x" * 500}, {"msgid": None}, {"inf_time": "2026-99-99 00:00:00"}, {"fixmedins_code": "P00000000000"},
    {"infno": "2601", "input": {"data": {"omsgid": "\0", "oinfno": "x", "psn_no": "1"}}}, {"infno": "1101", "input": {"data": {"mdtrt_cert_no": "\ud800", "mdtrt_cert_type": "9"}}},
    {"infno": "2103", "input": {"data": {"setl_id": "1" * 400}}}, {"extra": {"a": [[[[]]]]}},
]  # fmt: skip


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


def composed(shop, change):
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


def token_of(client):
    """The form token of a session, given directly: reading it from a page each time would cost half the run."""
    with client.session_transaction() as kept:
        kept["csrf_token"] = "0" * 40
    return URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token").dumps("0" * 40)
