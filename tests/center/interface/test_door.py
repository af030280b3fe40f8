"""The door: who may ask, what is understood, and that no input is ever a 500."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.center.interface.views import HANDLERS
from app.core import clock
from app.national import envelope, fields
from app.national.signing import profile_c
from tests.center import world
from tests.center.world import line, purchase


def ask_9001(shop, **options):
    return shop.send("9001", shop.compose("9001", {"signIn": {"opter_no": "1", "mac": "-", "ip": "-"}}), **options)


def test_only_who_signs_with_the_secret_is_heard(center_app, shop, policies):
    other = world.make_shop(center_app)
    body = shop.compose("9001", {"signIn": {"opter_no": "1", "mac": "-", "ip": "-"}})
    old = profile_c.sign(shop.code, shop.secret, body, clock.now() - timedelta(minutes=40))

    assert ask_9001(shop).status_code == 200
    for response in (
        ask_9001(shop, secret=b"wrong"),
        ask_9001(shop, code=other.code, secret=other.secret),
        ask_9001(shop, code="P99999999999"),
        shop.client.post("/national/9001", data=body),
        shop.client.post("/national/9001", data=body, headers=old),
        shop.client.post(
            "/national/9001", data=body + b" ", headers=profile_c.sign(shop.code, shop.secret, body, clock.now())
        ),
    ):
        assert response.status_code == 401
        answer = envelope.parse_answer(response.data)
        assert answer.code == "UNKNOWN_INSTITUTION"
        assert answer.message


def test_a_changed_secret_counts_soon(center_app, shop, database_urls):
    import time

    import psycopg

    from app.core import personal

    assert ask_9001(shop).status_code == 200
    with psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection:
        connection.execute(
            "update institution set secret_sealed = %s where code = %s", (personal.seal("center", b"new"), shop.code)
        )
    time.sleep(1.1)

    assert ask_9001(shop, secret=b"new").status_code == 200
    assert ask_9001(shop).status_code == 401


def test_the_single_entry_and_the_path_of_a_number(shop):
    body = shop.compose("9001", {"signIn": {"opter_no": "1", "mac": "-", "ip": "-"}})
    headers = profile_c.sign(shop.code, shop.secret, body, clock.now())

    for path in ("/national", "/fsi/api/rsfComIfsService/callService", "/national/9001"):
        assert envelope.parse_answer(shop.client.post(path, data=body, headers=headers).data).accepted
    assert (
        envelope.parse_answer(shop.client.post("/national/9002", data=body, headers=headers).data).code
        == "MALFORMED_MESSAGE"
    )


def test_an_answer_carries_the_platforms_marks(shop):
    answer = ask_9001(shop)
    read = envelope.parse_answer(answer.data)

    assert answer.mimetype == "application/json"
    assert "Set-Cookie" not in answer.headers
    assert len(read.refmsgid) == 30
    assert read.refmsgid.startswith("330212")


def test_what_is_not_served_says_so(shop):
    for infno in ("1201", "9999"):
        assert shop.ask(infno, {"data": {}}).code == "NOT_SERVED"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff\xfe\x00", b"[" * 50_000, b" " * (envelope.MOST_BYTES + 10)])
def test_bytes_that_are_no_message(shop, body):
    response = shop.send("2102", body)

    assert response.status_code == 200
    assert envelope.parse_answer(response.data).code == "MALFORMED_MESSAGE"


def test_a_message_without_a_stated_length_is_bounded_too(shop):
    import io

    response = shop.client.post(
        "/national/2102",
        input_stream=io.BytesIO(b" " * (envelope.MOST_BYTES + 10)),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert response.status_code == 200
    assert envelope.parse_answer(response.data).code == "MALFORMED_MESSAGE"


TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "0", "-1", "1e5", "01", "2102", "310", "2026-01-05 10:00:00", "\x00", "\ud800", "9" * 40, "½", "٣"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def fill(data, node, known):
    """A row whose fields are mostly right and sometimes garbage."""
    row = {}
    for field in node.fields:
        if field.code in node.nested:
            row[field.code] = (
                [fill(data, known.inputs[field.code], known)] if data.draw(st.booleans()) else data.draw(JSON)
            )
            continue
        good = {
            "number": st.sampled_from(["1", "0", "100.00", 5, "-1", "0.0001", "99999999999999"]),
            "time": st.just("2026-01-05 10:00:00"),
            "date": st.just("2026-01-05"),
        }.get(
            field.kind,
            st.sampled_from(sorted(field.values)[:4])
            if field.values
            else st.text(st.characters(codec="utf-8"), min_size=1, max_size=min(field.length or 9, 9)),
        )
        row[field.code] = data.draw(st.integers(0, 19).flatmap(lambda n, good=good: JSON if n == 0 else good))
    return row


@pytest.mark.parametrize("infno", sorted(HANDLERS))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_input_is_a_500(center_app, shop, infno, data):
    known = fields.transaction(infno)
    nested = {name for node in known.inputs.values() for name in node.nested}
    message = {name: fill(data, node, known) for name, node in known.inputs.items() if name not in nested}
    if data.draw(st.integers(0, 9)) == 0:
        message = data.draw(st.dictionaries(st.sampled_from([*known.inputs, "x"]), JSON))
    try:
        body = shop.compose(infno, message)
    except (UnicodeEncodeError, ValueError, OverflowError):
        return  # Cannot be written as JSON at all.

    response = shop.send(infno, body)

    assert response.status_code == 200, response.data
    answer = envelope.parse_answer(response.data)
    assert answer.accepted or answer.message


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from(["operator_terminal", "credential", "agent", "replaces_setl_id", "expected", "override"]), JSON
    ),
    st.data(),
)
def test_garbage_in_our_own_extension_is_no_500(center_app, shop, drug, extra, data):
    person = _person_of(center_app)
    row = line(drug)
    if data.draw(st.booleans()):
        row["durg_trac_info"] = data.draw(JSON)
    try:
        given_ = purchase(person, [row])
        given_["druginfo"]["exp_content"] = extra
        bodies = [shop.compose(infno, given_) for infno in ("2101", "2102")]
    except (UnicodeEncodeError, ValueError, OverflowError):
        return

    for infno, body in zip(("2101", "2102"), bodies, strict=True):
        assert shop.send(infno, body).status_code == 200


_people = {}


def _person_of(app):
    return _people.setdefault("one", world.make_person(app, current_fen=10**9)) if not _people else _people["one"]
