"""Compares where both sides of a stream stand: go on, send again, or stop because the facility was rewound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from central_sync import chain
from central_sync.chain import Head
from central_sync.tables import outbox, stream_epoch, stream_head
from central_sync.wire import Opening

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_EPOCHS = 1000


@dataclass(frozen=True, slots=True)
class Stream:
    """A facility's stream as its own database knows it."""

    tenant_id: int
    facility_id: int
    name: str
    head: Head
    sent_number: int
    relay_state: str


@dataclass(frozen=True, slots=True)
class GoOn:
    """Send what comes after this number."""

    after: int


@dataclass(frozen=True, slots=True)
class Rewound:
    """The center has facts that this database has not, or others: it was restored to an earlier moment (回退)."""

    why: str


def find_stream(connection: Connection, name: str) -> Stream | None:
    """Read one stream's head."""
    c = stream_head.c
    row = connection.execute(
        select(c.tenant_id, c.facility_id, c.stream, c.epoch, c.number, c.hash, c.sent_number, c.relay_state).where(
            c.stream == name
        )
    ).one_or_none()
    if row is None:
        return None
    head = Head(row.epoch, row.number, bytes(row.hash))
    return Stream(row.tenant_id, row.facility_id, row.stream, head, row.sent_number, row.relay_state)


def compare(connection: Connection, stream: Stream, center: Head) -> GoOn | Rewound:
    """Decide how to go on, from our outbox and the center's head.

    The center may stand behind us (it lost facts, or never got them): then they are sent again. Where later epochs are
    open here, the center's facts are common up to the lowest number at which one of them started.
    """
    if center.epoch > stream.head.epoch:
        return Rewound(f"the center is in epoch {center.epoch}, here epoch {stream.head.epoch} is open")
    starts = [opening.from_number for opening in _openings_after(connection, stream, center.epoch)]
    if not starts and center.number > stream.head.number:
        return Rewound(f"the center has {center.number} facts, here are {stream.head.number}")
    common = min([center.number, *starts])
    if common == center.number and hash_at(connection, stream, common) != center.hash:
        return Rewound(f"fact {common} here is another than at the center")
    return GoOn(common)


def epoch_after(connection: Connection, stream: Stream, number: int) -> tuple[Opening, int]:
    """Return the epoch that the fact after `number` belongs to, and the last number of the stream that is valid in it."""
    if stream.head.epoch == 1:  # Never restored: the common case costs no statement.
        return Opening(1, 0, chain.genesis(stream.name)), stream.head.number
    e = stream_epoch.c
    rows = connection.execute(
        select(e.epoch, e.from_number, e.from_hash)
        .where(e.tenant_id == stream.tenant_id, e.facility_id == stream.facility_id)
        .order_by(e.epoch)
        .limit(MOST_EPOCHS)
    ).all()
    mine = max((row for row in rows if row.from_number <= number), key=lambda row: row.epoch)
    later = [row.from_number for row in rows if row.epoch > mine.epoch]
    return Opening(mine.epoch, mine.from_number, bytes(mine.from_hash)), min([stream.head.number, *later])


def hash_at(connection: Connection, stream: Stream, number: int) -> bytes | None:
    """Return the hash of the stream's valid fact with this number: in the newest epoch that reaches down to it."""
    if number == 0:
        return chain.genesis(stream.name)
    e = stream_epoch.c
    epoch = connection.scalar(
        select(e.epoch)
        .where(e.tenant_id == stream.tenant_id, e.facility_id == stream.facility_id, e.from_number < number)
        .order_by(e.epoch.desc())
        .limit(1)
    )
    c = outbox.c
    found = connection.scalar(
        select(c.hash).where(
            c.tenant_id == stream.tenant_id, c.facility_id == stream.facility_id, c.epoch == epoch, c.number == number
        )
    )
    return bytes(found) if found is not None else None


def _openings_after(connection: Connection, stream: Stream, epoch: int) -> tuple[Opening, ...]:
    e = stream_epoch.c
    rows = connection.execute(
        select(e.epoch, e.from_number, e.from_hash)
        .where(e.tenant_id == stream.tenant_id, e.facility_id == stream.facility_id, e.epoch > epoch)
        .order_by(e.epoch)
        .limit(MOST_EPOCHS)
    )
    return tuple(Opening(row.epoch, row.from_number, bytes(row.from_hash)) for row in rows)
