"""A center of nothing but the bridge, as a process: so that the relay is tested over real HTTP, and can be killed.

Its handler writes each applied fact into `bridge_test.applied`, in the transaction that receives it.
"""

from __future__ import annotations

import os
import socketserver
from pathlib import Path
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from sqlalchemy import create_engine, text

from central_sync import inbox, signing, wire
from central_sync.settings import SecretFile
from tests.central_sync.world import DISTRICT

engine = create_engine(os.environ["CENTER_INBOX_URL"])
secrets = SecretFile(Path(os.environ["SUNMED_BRIDGE_SECRETS"]))


class Writer:
    def apply(self, connection, deliveries):
        connection.execute(
            text("insert into bridge_test.applied (stream, epoch, number) values (:stream, :epoch, :number)"),
            [
                {"stream": stream, "epoch": fact.epoch, "number": fact.number}
                for stream, _district, facts in deliveries
                for fact, _ in facts
            ],
        )

    def orphan(self, connection, stream, _district, epoch, after_number):
        pass


def answer(environ, start_response):
    parts = environ["PATH_INFO"].strip("/").split("/")
    if parts[-1] == "round":
        return answer_round(environ, start_response)
    if len(parts) != 4:
        start_response("404 Not Found", [])
        return [b""]
    stream = parts[2]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if not signing.is_signed(secrets(stream) or b"", environ.get("HTTP_X_CA_SIGNATURE", ""), body):
        start_response("401 Unauthorized", [])
        return [b""]
    with engine.begin() as connection:
        inbox.open_stream(connection, stream, DISTRICT)
        if parts[3] == "facts":
            given = inbox.receive(connection, stream, wire.read_batch(body), Writer())
        else:
            at = parse_qs(environ["QUERY_STRING"]).get("at")
            given = inbox.position(connection, stream, int(at[0]) if at else None)
    start_response("200 OK" if given.outcome == "ok" else "409 Conflict", [("content-type", wire.MEDIA_TYPE)])
    return [wire.encode(given)]


def answer_round(environ, start_response):
    seats = wire.read_round(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    admitted = [seat for seat in seats if signing.is_signed(secrets(seat.stream) or b"", seat.signature, seat.batch)]
    with engine.begin() as connection:
        given = inbox.receive_round(connection, [wire.read_batch(seat.batch) for seat in admitted], Writer())
    by_stream = dict(zip((seat.stream for seat in admitted), given, strict=True))
    start_response("200 OK", [("content-type", wire.MEDIA_TYPE)])
    return [wire.encode([by_stream.get(seat.stream, wire.Answer("alone", 0, 0, b"")) for seat in seats])]


class Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    with make_server("127.0.0.1", int(os.environ["CENTER_PORT"]), answer, Threaded, Quiet) as server:
        server.serve_forever()
