"""How a fact is tied to the one before it. The same bytes are hashed here and by the database's `fact_hash`.

hash = SHA-256(previous ‖ stream ‖ epoch ‖ number ‖ kind ‖ version ‖ body): `previous` is 32 bytes; texts and the body
are preceded by their length in bytes (4 bytes); epoch and number take 8 bytes, version 4; all big-endian. So no two
different facts share the hashed bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Fact:
    """One numbered fact of a stream, its body as the very bytes that were written."""

    epoch: int
    number: int
    kind: str
    version: int
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream stands: its epoch, newest number and hash."""

    epoch: int
    number: int
    hash: bytes


class BrokenChain(Exception):
    """A fact does not follow from the one before it: its number is not the next, or its hash is not what its bytes give."""

    def __init__(self, number: int, why: str) -> None:
        self.number = number
        self.why = why
        super().__init__(f"fact {number}: {why}")


def genesis(stream: str) -> bytes:
    """Return the hash that stands before a stream's first fact."""
    return sha256(b"sunmed:stream:" + stream.encode()).digest()


def link(previous: bytes, stream: str, epoch: int, number: int, kind: str, version: int, body: bytes) -> bytes:
    """Return the hash of a fact that follows `previous`."""
    assert len(previous) == HASH_BYTES
    return sha256(
        previous + _sized(stream.encode()) + _whole(epoch) + _whole(number) + _sized(kind.encode())
        + version.to_bytes(4, "big", signed=True) + _sized(body)
    ).digest()  # fmt: skip


def follow(stream: str, head: Head, facts: Iterable[Fact]) -> Head:
    """Walk from a head over facts that must follow it one by one; return where they lead. Raises BrokenChain."""
    number, previous = head.number, head.hash
    for fact in facts:
        if fact.epoch != head.epoch:
            raise BrokenChain(fact.number, f"epoch {fact.epoch} where {head.epoch} is open")
        if fact.number != number + 1:
            raise BrokenChain(fact.number, f"expected number {number + 1}")
        if fact.hash != link(previous, stream, fact.epoch, fact.number, fact.kind, fact.version, fact.body):
            raise BrokenChain(fact.number, "its bytes do not give its hash")
        number, previous = fact.number, fact.hash
    return Head(head.epoch, number, previous)


def _sized(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


def _whole(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)
