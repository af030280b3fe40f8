"""After a restore: find the last common fact and open the next epoch from it (重开流).

Facts that were written here after the restore, before anyone noticed, are appended again under the new epoch, so that
none is lost; the old rows stay where they are. What only the center has is kept there as orphaned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import func, insert, select, update

from central_sync import chain, position
from central_sync.chain import Fact, Head
from central_sync.tables import outbox, stream_epoch, stream_head

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from central_sync.position import Stream
    from central_sync.wire import Answer


class Center(Protocol):
    """Answers where the center stands, now and at an earlier number."""

    def head(self, stream: str, at: int | None = None) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What opening the next epoch would do."""

    stream: Stream
    center: Head
    common: Head
    written_again: int

    @property
    def orphaned(self) -> int:
        """How many facts only the center has."""
        return self.center.number - self.common.number


def plan(connection: Connection, center: Center, name: str) -> Plan | None:
    """Find the last fact both sides have. None when the stream was not rewound: there is nothing to do."""
    stream = position.find_stream(connection, name)
    if stream is None:
        raise LookupError(f"no stream {name} here")
    there = center.head(name).head
    if not isinstance(position.compare(connection, stream, there), position.Rewound):
        return None
    low, high = 0, min(stream.head.number, there.number)
    while low < high:  # The chains agree up to some number and never after it.
        middle = (low + high + 1) // 2
        same = position.hash_at(connection, stream, middle) == center.head(name, middle).hash
        low, high = (middle, high) if same else (low, middle - 1)
    found = position.hash_at(connection, stream, low)
    assert found is not None
    return Plan(stream, there, Head(max(there.epoch, stream.head.epoch), low, found), stream.head.number - low)


def carry_out(connection: Connection, rewind: Plan) -> Head:
    """Open the next epoch, as the owner of the tables, in the caller's transaction. Returns the new head."""
    owner = (rewind.stream.tenant_id, rewind.stream.facility_id)
    h, e = stream_head.c, stream_epoch.c
    locked = connection.execute(
        select(h.epoch, h.number, h.hash).where(h.tenant_id == owner[0], h.facility_id == owner[1]).with_for_update()
    ).one()
    if (locked.epoch, locked.number) != (rewind.stream.head.epoch, rewind.stream.head.number):
        raise RuntimeError("the stream went on meanwhile; stop the web servers and try again")
    again = _valid_after(connection, rewind)
    epoch = rewind.common.epoch + 1
    connection.execute(
        update(stream_epoch)
        .where(e.tenant_id == owner[0], e.facility_id == owner[1], e.epoch == locked.epoch)
        .values(left_number=locked.number, left_hash=locked.hash)
    )
    connection.execute(
        insert(stream_epoch).values(
            tenant_id=owner[0], facility_id=owner[1], epoch=epoch,
            from_number=rewind.common.number, from_hash=rewind.common.hash, opened_at=func.now(),
        )
    )  # fmt: skip
    head = Head(epoch, rewind.common.number, rewind.common.hash)
    for fact in again:
        number = head.number + 1
        link = chain.link(head.hash, rewind.stream.name, epoch, number, fact.kind, fact.version, fact.body)
        connection.execute(
            insert(outbox).values(
                tenant_id=owner[0], facility_id=owner[1], epoch=epoch, number=number, stream=rewind.stream.name,
                kind=fact.kind, version=fact.version, body=fact.body, hash=link, written_at=func.clock_timestamp(),
            )
        )  # fmt: skip
        head = Head(epoch, number, link)
    connection.execute(
        update(stream_head)
        .where(h.tenant_id == owner[0], h.facility_id == owner[1])
        .values(
            epoch=epoch, number=head.number, hash=head.hash, sent_number=rewind.common.number,
            relay_state="running", relay_note="", relay_at=func.now(), sealed_number=func.least(h.sealed_number, rewind.common.number),
        )
    )  # fmt: skip
    return head


def _valid_after(connection: Connection, rewind: Plan) -> list[Fact]:
    """The facts of this database after the common one, in order, of whichever epoch they are valid in."""
    facts: list[Fact] = []
    number = rewind.common.number
    while number < rewind.stream.head.number:
        opening, last = position.epoch_after(connection, rewind.stream, number)
        o = outbox.c
        rows = connection.execute(
            select(o.epoch, o.number, o.kind, o.version, o.body, o.hash)
            .where(o.tenant_id == rewind.stream.tenant_id, o.facility_id == rewind.stream.facility_id)
            .where(o.epoch == opening.epoch, o.number > number, o.number <= last)
            .order_by(o.number)
        )
        facts += [Fact(r.epoch, r.number, r.kind, r.version, bytes(r.body), bytes(r.hash)) for r in rows]
        number = last
    assert len(facts) == rewind.written_again
    return facts
