"""What crosses the bridge, as MessagePack: batches up, heads back; questions up, news back. Bodies travel as their very bytes.

A stream that lags goes alone, a batch a request. Streams that keep up travel together: a round (班车) carries the newest
few facts of many streams, each batch signed by its own institution.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from central_sync.chain import Fact, Head

MEDIA_TYPE = "application/msgpack"
BATCH_FACTS = 500
BATCH_BYTES = 4 * 1024 * 1024  # A batch ends early when its bodies reach this; one fact always fits.
FACT_BYTES = 4 * 1024 * 1024  # The outbox refuses a larger body.
ROUND_STREAMS = 200
ROUND_FACTS = 500
NEWS_FACTS = 100  # Of one stream in one answer.
REQUEST_BYTES = BATCH_BYTES + FACT_BYTES + 1024 * 1024


class WireFact(msgspec.Struct, array_like=True, frozen=True):
    number: int
    kind: str
    version: int
    body: bytes
    hash: bytes


class Opening(msgspec.Struct, array_like=True, frozen=True):
    """A new epoch and the last fact both sides have in common."""

    epoch: int
    from_number: int
    from_hash: bytes


class Batch(msgspec.Struct, frozen=True):
    """Facts of one stream in order, all of one epoch; `opening` tells of that epoch when the center has not heard of it."""

    stream: str
    epoch: int
    facts: list[WireFact]
    opening: Opening | None = None


class Seat(msgspec.Struct, array_like=True, frozen=True):
    """One stream's place in a round: its encoded batch, and its institution's signature of those bytes."""

    stream: str
    signature: str
    batch: bytes


class Question(msgspec.Struct, array_like=True, frozen=True):
    """What a facility asks for: the news after the last it has, named by number and hash."""

    stream: str
    epoch: int
    after: int
    hash: bytes
    limit: int = NEWS_FACTS


class Told(msgspec.Struct, frozen=True):
    """The news that follows, and the number of the newest. Anything but `ok` brings none: both sides differ, or who asks is unknown."""

    outcome: Literal["ok", "rewound", "altered", "refused"]
    number: int
    news: list[WireFact]
    why: str = ""


class Answer(msgspec.Struct, frozen=True):
    """Where the center stands after a batch. Anything but `ok` took nothing; `alone`: this stream needs its own request."""

    outcome: Literal["ok", "gap", "altered", "epoch", "unreadable", "alone"]
    epoch: int
    number: int
    hash: bytes
    why: str = ""

    @property
    def head(self) -> Head:
        return Head(self.epoch, self.number, self.hash)


_encode = msgspec.msgpack.Encoder().encode
_batch = msgspec.msgpack.Decoder(Batch)
_answer = msgspec.msgpack.Decoder(Answer)
# Whoever sends a round is known only by its seats: too many are refused before any of them is made.
_round = msgspec.msgpack.Decoder(Annotated[list[Seat], msgspec.Meta(max_length=ROUND_STREAMS)])
_answers = msgspec.msgpack.Decoder(list[Answer])
_question = msgspec.msgpack.Decoder(Question)
_told = msgspec.msgpack.Decoder(Told)
_all_told = msgspec.msgpack.Decoder(list[Told])


def encode(message: Batch | Answer | Question | Told | list[Seat] | list[Answer] | list[Told]) -> bytes:
    """Return a message as bytes."""
    return _encode(message)


def read_batch(data: bytes) -> Batch:
    """Read a batch. Raises ValueError when the bytes are not one."""
    batch = _batch.decode(data)
    if len(batch.facts) > BATCH_FACTS:
        raise ValueError(f"more than {BATCH_FACTS} facts in a batch")
    return batch


def read_answer(data: bytes) -> Answer:
    """Read the center's answer. Raises ValueError when the bytes are not one."""
    return _answer.decode(data)


def read_round(data: bytes) -> list[Seat]:
    """Read a round. Raises ValueError when the bytes are not one."""
    seats: list[Seat] = _round.decode(data)
    if len({seat.stream for seat in seats}) < len(seats):
        raise ValueError("one stream twice in a round")
    return seats


def read_answers(data: bytes) -> list[Answer]:
    """Read the answers to a round, in its order. Raises ValueError when the bytes are not that."""
    return _answers.decode(data)


def read_question(data: bytes) -> Question:
    """Read a question for news. Raises ValueError when the bytes are not one."""
    question = _question.decode(data)
    if not 1 <= question.epoch < 2**62 or not 0 <= question.after < 2**62:
        raise ValueError("no such position")
    return question


def read_told(data: bytes) -> Told:
    """Read the center's answer to a question. Raises ValueError when the bytes are not one."""
    return _told.decode(data)


def read_all_told(data: bytes) -> list[Told]:
    """Read the answers to a round of questions, in its order. Raises ValueError when the bytes are not that."""
    return _all_told.decode(data)


def to_wire(facts: list[Fact]) -> list[WireFact]:
    """Turn stored facts into what is sent."""
    return [WireFact(f.number, f.kind, f.version, f.body, f.hash) for f in facts]


def from_wire(batch: Batch) -> list[Fact]:
    """Turn what was sent into facts."""
    return [Fact(batch.epoch, f.number, f.kind, f.version, f.body, f.hash) for f in batch.facts]
