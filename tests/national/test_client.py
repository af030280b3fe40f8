"""The client: what is certain is an answer, everything else an outage; a stranger's signature does not pass."""

import socket
import threading
from datetime import UTC, datetime, timedelta
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from app.core import tenancy
from app.core.errors import Outage
from app.national import client, envelope
from app.national.errors import AnsweredByOurselves, CenterSlow
from app.national.signing import profile_c

AT = datetime(2026, 1, 5, 2, 3, 4, tzinfo=UTC)
SECRET = b"secret of one"
CALL = client.Call("9001", b'{"infno":"9001"}', "P33021200001", SECRET)
OK = envelope.answer("r", AT, {"fine": True})


def center(answer=OK, status=200, seen=None):
    def door(infno, headers, body):
        if seen is not None:
            seen.append((infno, headers, body))
        return status, answer

    return door


def test_a_question_in_process_carries_bytes_number_and_signature():
    seen = []
    asker = client.in_process(center(seen=seen))

    answer = asker.ask(CALL)
    asker.ask(CALL)

    assert answer.accepted
    infno, headers, body = seen[1]
    assert (infno, body) == ("9001", CALL.body)
    assert profile_c.verify(headers, SECRET, body, datetime.now(UTC))


@pytest.mark.parametrize(
    ("body", "status"),
    [(OK, 500), (OK, 302), (b"<html>", 200), (b"", 200), (b'{"infcode":5}', 200)],
)
def test_nothing_certain_is_an_outage(body, status):
    with pytest.raises(Outage):
        client.in_process(center(body, status)).ask(CALL)


def test_an_application_that_breaks_is_an_outage():
    def broken(_infno, _headers, _body):
        raise RuntimeError("lost")

    with pytest.raises(Outage):
        client.in_process(broken).ask(CALL)


def test_the_center_ends_its_request_in_a_context_of_its_own():
    def forgetful(*asked):
        tenancy.leave()
        return center()(*asked)

    with tenancy.as_tenant(7):
        client.in_process(forgetful).ask(CALL)

        assert tenancy.scope() == (("app.tenant_id", "7"),)


def test_nobody_waits_with_a_transaction_open():
    asker = client.in_process(center(), holds_transaction=lambda: True)

    with pytest.raises(AssertionError):
        asker.ask(CALL)


def test_one_thread_is_left_for_cash_and_the_rest_hear_soon_that_the_center_is_slow():
    entered, leave = threading.Semaphore(0), threading.Event()

    def slow(*asked):
        entered.release()
        leave.wait(10)
        return center()(*asked)

    asker = client.in_process(slow, threads=4)
    waiting = [threading.Thread(target=asker.ask, args=(CALL,)) for _ in range(3)]
    for thread in waiting:
        thread.start()
        assert entered.acquire(timeout=10)

    with pytest.raises(CenterSlow):
        asker.ask(CALL)

    leave.set()
    for thread in waiting:
        thread.join()
    assert asker.ask(CALL).accepted


def served(door):
    def app(environ, start_response):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        status, answer = door(environ["PATH_INFO"], {}, body)
        start_response(f"{status} X", [("Content-Type", "application/json"), ("Set-Cookie", "a=b")])
        return [answer]

    return app


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


def test_over_http_the_same_bytes_and_a_lost_answer_is_an_outage(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen = []
    with make_server("127.0.0.1", 0, served(center(seen=seen)), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        asker = client.over_http(f"http://127.0.0.1:{server.server_port}/center", seconds=5)
        assert asker.ask(CALL).accepted
        thread.join()
        asker.close()
        path, _headers, body = seen[0]
        assert (path, body) == ("/center/national/9001", CALL.body)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asker = client.over_http(f"http://127.0.0.1:{silent.getsockname()[1]}/center", seconds=0.2)
        with pytest.raises(Outage):
            asker.ask(CALL)
        asker.close()


def test_an_address_that_points_back_into_this_server_is_refused():
    for address in ("http://127.0.0.1:8000/center", "http://localhost:8000"):
        with pytest.raises(AnsweredByOurselves):
            client.over_http(address, own_port=8000)
    assert not client.points_here("http://127.0.0.1:8001", 8000)
    assert not client.points_here("http://192.0.2.1:8000", 8000)


def test_signatures_are_checked_for_secret_body_and_time():
    headers = profile_c.sign("P1", SECRET, b"body", AT)

    assert profile_c.verify(headers, SECRET, b"body", AT + timedelta(minutes=20))
    assert profile_c.verify({**headers, "x-ca-signature": headers["x-ca-signature"].lower()}, SECRET, b"body", AT)
    assert not profile_c.verify(headers, b"another", b"body", AT)
    assert not profile_c.verify(headers, SECRET, b"Body", AT)
    assert not profile_c.verify(headers, SECRET, b"body", AT + timedelta(minutes=31))
    for junk in ("", ":", "1:", "x:y", "²:aa", "9" * 40 + ":aa", f"{int(AT.timestamp())}:é"):
        assert not profile_c.verify({"x-ca-signature": junk}, SECRET, b"body", AT)


def test_milliseconds_are_understood():
    stamp = str(int(AT.timestamp() * 1000))
    mac = HMAC(SECRET, hashes.SM3())
    mac.update(stamp.encode() + b"\nbody")

    assert profile_c.verify({"x-ca-signature": f"{stamp}:{mac.finalize().hex()}"}, SECRET, b"body", AT)
