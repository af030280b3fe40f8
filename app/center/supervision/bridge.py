"""Where facilities' facts come in: POST /bridge/<stream>/facts, POST /bridge/round, GET /bridge/<stream>/head; and where they
ask for news: POST /bridge/<stream>/news, POST /bridge/news/round. For machines, signed.

The institution signs with its secret (HMAC-SM3, as on the national interface). One request is one transaction on the
inbox's own role: facts, what is made of them, and alerts are there together or not at all.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from flask import Blueprint, Response, request
from psycopg import errors as pg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.center.db import db
from app.center.supervision.handler import handler
from app.core import personal
from app.core.signin import machines_only
from central_sync import inbox, news, signing, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.typing import ResponseReturnValue
    from sqlalchemy import Connection

bridge = Blueprint("bridge", __name__, url_prefix="/bridge")
machines_only(bridge)

TRIES = 3
LOST_RACES = (pg.DeadlockDetected, pg.SerializationFailure)
STREAM_LENGTH = 60
FIND_INSTITUTION = text("select district, secret_sealed from institution where code = :stream")
FIND_SECRETS = text("select code, secret_sealed from institution where code = any(:streams)")


Of = TypeVar("Of", wire.Batch, wire.Question)


class Sender(NamedTuple):
    """An institution whose signature was right."""

    stream: str
    district: str


@bridge.post("/<stream>/facts")
def receive_facts(stream: str) -> ResponseReturnValue:
    """Take a batch of facts; answer where the center stands. 409 took nothing and says why."""
    request.max_content_length = wire.REQUEST_BYTES
    body = request.get_data()

    def take(connection: Connection) -> ResponseReturnValue:
        sender = _admit(connection, stream, body)
        if sender is None:
            return _refuse()
        try:
            batch = wire.read_batch(body)
        except ValueError:
            return Response("the batch cannot be read", 400, mimetype="text/plain")
        return _answer(inbox.receive(connection, stream, batch, handler, district=sender.district))

    return _in_one_transaction(take)


@bridge.post("/round")
def receive_round() -> ResponseReturnValue:
    """Take the newest facts of many streams in one transaction; a seat that cannot be taken so is answered `alone`."""
    request.max_content_length = wire.REQUEST_BYTES
    try:
        seats = wire.read_round(request.get_data())
    except ValueError:
        return Response("the round cannot be read", 400, mimetype="text/plain")

    def take(connection: Connection) -> ResponseReturnValue:
        batches = {batch.stream: batch for batch in _signed(connection, seats, wire.read_batch)}
        taken = dict(zip(batches, inbox.receive_round(connection, list(batches.values()), handler), strict=True))
        answers = [taken.get(seat.stream, wire.Answer("alone", 0, 0, b"")) for seat in seats]
        return Response(wire.encode(answers), 200, mimetype=wire.MEDIA_TYPE)

    return _in_one_transaction(take)


@bridge.post("/<stream>/news")
def tell_news(stream: str) -> ResponseReturnValue:
    """Answer one institution's question for its news; 409 brought none and says why."""
    request.max_content_length = wire.REQUEST_BYTES
    body = request.get_data()

    def look(connection: Connection) -> ResponseReturnValue:
        if _admit(connection, stream, body) is None:
            return _refuse()
        try:
            question = wire.read_question(body)
        except ValueError:
            return Response("the question cannot be read", 400, mimetype="text/plain")
        if question.stream != stream:
            return Response("the question names another stream", 400, mimetype="text/plain")
        told = news.answer(connection, [question])[0]
        return Response(wire.encode(told), 200 if told.outcome == "ok" else 409, mimetype=wire.MEDIA_TYPE)

    return _in_one_transaction(look)


@bridge.post("/news/round")
def tell_news_of_many() -> ResponseReturnValue:
    """Answer the questions of many institutions at once; who is not admitted is answered `refused`, the others are served."""
    request.max_content_length = wire.REQUEST_BYTES
    try:
        seats = wire.read_round(request.get_data())
    except ValueError:
        return Response("the round cannot be read", 400, mimetype="text/plain")

    def look(connection: Connection) -> ResponseReturnValue:
        questions = list(_signed(connection, seats, wire.read_question))
        told = dict(zip((each.stream for each in questions), news.answer(connection, questions), strict=True))
        unknown = wire.Told("refused", 0, [], "this institution and signature are not known here")
        answers = [told.get(seat.stream, unknown) for seat in seats]
        return Response(wire.encode(answers), 200, mimetype=wire.MEDIA_TYPE)

    return _in_one_transaction(look)


def _signed(connection: Connection, seats: list[wire.Seat], read: Callable[[bytes], Of]) -> Iterator[Of]:
    """What was signed rightly by the institution whose seat it is; the rest is told elsewhere what is wrong."""
    found = connection.execute(FIND_SECRETS, {"streams": [seat.stream for seat in seats if "\0" not in seat.stream]})
    secrets = {row.code: personal.unseal_bytes("center", bytes(row.secret_sealed)) for row in found}
    for seat in seats:
        if seat.stream not in secrets or not signing.is_signed(secrets[seat.stream], seat.signature, seat.batch):
            continue
        try:
            message = read(seat.batch)
        except ValueError:
            continue
        if message.stream == seat.stream:
            yield message


@bridge.get("/<stream>/head")
def tell_head(stream: str) -> ResponseReturnValue:
    """Say where the center stands with a stream, or with `?at=` which fact it has at an earlier number."""
    at = request.args.get("at", type=int)

    def look(connection: Connection) -> ResponseReturnValue:
        sender = _admit(connection, stream, b"")
        if sender is None:
            return _refuse()
        inbox.open_stream(connection, stream, sender.district)
        return _answer(inbox.position(connection, stream, at if at is None or 0 <= at < 2**62 else None))

    return _in_one_transaction(look)


def _admit(connection: Connection, stream: str, body: bytes) -> Sender | None:
    """Check who signed. An unknown institution, a wrong secret and a stale signature look the same from outside."""
    if len(stream) > STREAM_LENGTH or "\0" in stream or request.headers.get(signing.KEY_HEADER) != stream:
        return None
    found = connection.execute(FIND_INSTITUTION, {"stream": stream}).one_or_none()
    secret = personal.unseal_bytes("center", bytes(found.secret_sealed)) if found else b""
    if not signing.is_signed(secret, request.headers.get(signing.SIGNATURE_HEADER, ""), body) or found is None:
        return None
    return Sender(stream, found.district)


def _in_one_transaction(work: Callable[[Connection], ResponseReturnValue]) -> ResponseReturnValue:
    """Run and commit; a lost race starts again, because the facility would only send the same facts once more."""
    for turn in range(1, TRIES + 1):
        try:
            with db.engine_of("inbox").begin() as connection:
                return work(connection)
        except DBAPIError as failure:
            if turn == TRIES or not isinstance(failure.orig, LOST_RACES):
                raise
            time.sleep(random.uniform(0.002, 0.02) * turn)  # noqa: S311 - spreads twins, keeps no secret
    raise AssertionError


def _answer(answer: wire.Answer) -> Response:
    return Response(wire.encode(answer), 200 if answer.outcome == "ok" else 409, mimetype=wire.MEDIA_TYPE)


def _refuse() -> Response:
    return Response("this institution and signature are not known here", 401, mimetype="text/plain")
