"""The receiving side: verify, take once, apply in the same transaction (收件箱). Functions take a Connection.

Receiving and applying are two things. A fact whose number and hash are right is received, always. If the handler then
refuses it, the stream's *application* is set aside at that number; later facts are still received and wait. Other
streams go on. `apply_waiting` takes up the application again, `skip` leaves one fact out on a person's word.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, OperationalError

from central_sync import chain, contract, faults
from central_sync.chain import BrokenChain, Fact, Head
from central_sync.tables import inbox_epoch, inbox_fact, inbox_stream
from central_sync.wire import Answer, Batch, Opening, from_wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping

APPLY_AT_ONCE = 500
REASON_LENGTH = 500


class FactRefused(Exception):
    """The handler cannot apply a fact: it contradicts what is known, or its body cannot be used."""

    def __init__(self, number: int, reason: str) -> None:
        self.number = number
        self.reason = reason
        super().__init__(f"fact {number}: {reason}")


class Delivery(NamedTuple):
    """Facts of one stream to be applied, in order, each with its body as the contract reads it."""

    stream: str
    district: str
    facts: Sequence[tuple[Fact, Any]]


class Handler(Protocol):
    """Turns received facts into the center's records, in the caller's transaction."""

    def apply(self, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Apply the facts of one stream or of many. Raises FactRefused."""

    def orphan(self, connection: Connection, stream: str, district: str, epoch: int, after_number: int) -> None:
        """A restore at the facility lost the facts of this epoch after this number: mark what came of them."""


def open_stream(connection: Connection, stream: str, district: str) -> None:
    """Expect facts of a facility. Opening it again changes nothing."""
    if connection.scalar(select(inbox_stream.c.stream).where(inbox_stream.c.stream == stream)) is not None:
        return
    beginning = chain.genesis(stream)
    opened = connection.execute(
        insert(inbox_stream)
        .values(stream=stream, district=district, epoch=1, number=0, hash=beginning)
        .on_conflict_do_nothing()
        .returning(inbox_stream.c.stream)
    ).one_or_none()
    if opened is not None:
        connection.execute(
            insert(inbox_epoch).values(stream=stream, epoch=1, district=district, from_number=0, from_hash=beginning)
        )


def head_of(connection: Connection, stream: str) -> Head | None:
    """Say where the center stands with a stream; None when it was never opened."""
    c = inbox_stream.c
    row = connection.execute(select(c.epoch, c.number, c.hash).where(c.stream == stream)).one_or_none()
    return Head(row.epoch, row.number, bytes(row.hash)) if row else None


def position(connection: Connection, stream: str, at: int | None = None) -> Answer:
    """Answer where the center stands, or which fact it has at an earlier number (to find the last common one)."""
    head = head_of(connection, stream)
    assert head is not None, "the stream is open"
    if at is None or at >= head.number:
        return _answer("ok", head)
    found = hash_at(connection, stream, at)
    return Answer("ok", head.epoch, at, found) if found else _answer("gap", head, f"no fact {at}")


def receive(
    connection: Connection, stream: str, batch: Batch, handler: Handler, *, district: str | None = None
) -> Answer:
    """Take a batch of a stream into the inbox and apply it, all in the caller's transaction.

    Facts already taken are skipped when they are the same, so a batch may come any number of times. The answer says
    where the center stands; with any outcome but `ok` nothing was changed. With a district, the first batch of a stream
    opens it.
    """
    row = _locked(connection, stream, district)
    head = Head(row["epoch"], row["number"], bytes(row["hash"]))
    if batch.stream != stream:
        return _answer("unreadable", head, "the batch names another stream")
    opening = batch.opening
    if opening is None or opening.epoch <= head.epoch:
        return _take(connection, row, batch, handler)
    if opening.from_number > head.number or opening.from_hash != hash_at(connection, stream, opening.from_number):
        return _answer("epoch", head, f"epoch {opening.epoch} starts at a fact that is not the same here")
    with connection.begin_nested() as reopening:
        _open_epoch(connection, row, head, opening, handler)
        answer = _take(connection, _locked(connection, stream), batch, handler)
        if answer.outcome != "ok":
            reopening.rollback()
    return answer if answer.outcome == "ok" else _answer(answer.outcome, head, answer.why)


LOCK_STREAMS = text("""
    select stream, district, epoch, number, hash, applied_number, set_aside_number from inbox_stream
    where stream = any(:streams) order by stream for update
""")
MOVE_HEADS = text("""
    update inbox_stream s set number = r.number, hash = decode(r.hash, 'hex'), applied_number = r.number, received_at = clock_timestamp()
    from jsonb_to_recordset(cast(:heads as jsonb)) as r (stream text, number bigint, hash text) where s.stream = r.stream
""")


def receive_round(connection: Connection, batches: Sequence[Batch], handler: Handler) -> list[Answer]:
    """Take the newest facts of many streams, all or none of them, in the caller's transaction; answers in their order.

    Only what is plain: the stream is open, the facts are the next ones and fit, nothing is set aside. Every other stream is
    answered `alone` and nothing of it is taken; so are all when one fact is refused, for then each has to be looked at.
    """
    rows = {
        row["stream"]: row
        for row in connection.execute(LOCK_STREAMS, {"streams": sorted(b.stream for b in batches)}).mappings()
    }
    plain = [
        (row, facts) for batch in batches if (row := rows.get(batch.stream)) and (facts := _next_facts(row, batch))
    ]
    reached = {row["stream"]: Head(row["epoch"], facts[-1].number, facts[-1].hash) for row, facts in plain}
    if plain and not _take_plain(connection, plain, handler):
        reached = {}
    faults.at("round.applied")
    alone = Answer("alone", 0, 0, b"")
    return [_answer("ok", reached[batch.stream]) if batch.stream in reached else alone for batch in batches]


def _next_facts(row: RowMapping, batch: Batch) -> list[Fact]:
    """The batch's facts when they are exactly the next ones of a stream that stands well; else none."""
    head = Head(row["epoch"], row["number"], bytes(row["hash"]))
    facts = from_wire(batch)
    stands_well = row["set_aside_number"] is None and row["applied_number"] == head.number
    if not stands_well or batch.opening or batch.epoch != head.epoch or not facts or facts[0].number != head.number + 1:
        return []
    try:
        chain.follow(row["stream"], head, facts)
    except BrokenChain:
        return []
    return facts


def _take_plain(connection: Connection, plain: Sequence[tuple[RowMapping, list[Fact]]], handler: Handler) -> bool:
    heads = [
        {"stream": row["stream"], "number": facts[-1].number, "hash": facts[-1].hash.hex()} for row, facts in plain
    ]
    try:
        with connection.begin_nested():
            _store(connection, plain)
            handler.apply(connection, [Delivery(row["stream"], row["district"], _read(facts)) for row, facts in plain])
            connection.execute(MOVE_HEADS, {"heads": json.dumps(heads)})
    except OperationalError:
        raise  # A lost race or a lost connection says nothing about the facts: the whole round comes again.
    except (FactRefused, DBAPIError, ArithmeticError, LookupError, TypeError, ValueError):
        return False
    return True


def _take(connection: Connection, row: RowMapping, batch: Batch, handler: Handler) -> Answer:
    stream, facts = row["stream"], from_wire(batch)
    head = Head(row["epoch"], row["number"], bytes(row["hash"]))
    if batch.epoch != head.epoch:
        return _answer("epoch", head, f"epoch {batch.epoch} where {head.epoch} is open")
    known = [fact for fact in facts if fact.number <= head.number]
    fresh = facts[len(known) :]
    if any(not same for same in _are_same(connection, stream, known)):
        return _answer("altered", head, "a fact taken before arrives with another hash")
    if not fresh:
        return _answer("ok", head)
    if fresh[0].number != head.number + 1:
        return _answer("gap", head, f"expected number {head.number + 1}, got {fresh[0].number}")
    try:
        reached = chain.follow(stream, head, fresh)
    except BrokenChain as broken:
        return _answer("altered", head, str(broken))
    _store(connection, [(row, fresh)])
    faults.at("inbox.stored")
    moved: dict[str, Any] = {"number": reached.number, "hash": reached.hash, "received_at": func.clock_timestamp()}
    if row["set_aside_number"] is None:  # Set aside: the new facts wait until a person takes the application up again.
        assert row["applied_number"] == head.number
        refused = _apply(connection, stream, row["district"], fresh, handler)
        moved |= _applied(refused.number - 1 if refused else reached.number, refused)
    connection.execute(update(inbox_stream).where(inbox_stream.c.stream == stream).values(**moved))
    faults.at("inbox.applied")
    return _answer("ok", reached)


def _answer(outcome: Any, head: Head, why: str = "") -> Answer:
    return Answer(outcome, head.epoch, head.number, head.hash, why)


def _locked(connection: Connection, stream: str, district: str | None = None) -> RowMapping:
    """Lock the stream's row: batches of one stream are taken one after the other."""
    lock = select(inbox_stream).where(inbox_stream.c.stream == stream).with_for_update()
    row = connection.execute(lock).mappings().one_or_none()
    if row is None and district is not None:
        open_stream(connection, stream, district)
        row = connection.execute(lock).mappings().one()
    if row is None:
        raise LookupError(f"no stream {stream} here")
    return row


def _are_same(connection: Connection, stream: str, known: Sequence[Fact]) -> list[bool]:
    if not known:
        return []
    c = inbox_fact.c
    rows = connection.execute(
        select(c.number, c.hash).where(
            c.stream == stream, c.orphaned_at.is_(None), c.number.between(known[0].number, known[-1].number)
        )
    )
    hashes = {row.number: bytes(row.hash) for row in rows}
    return [hashes.get(fact.number) == fact.hash for fact in known]


def _store(connection: Connection, taken: Sequence[tuple[RowMapping, Sequence[Fact]]]) -> None:
    connection.execute(
        insert(inbox_fact),
        [
            {
                "stream": row["stream"], "district": row["district"], "epoch": f.epoch, "number": f.number,
                "kind": f.kind, "version": f.version, "body": f.body, "hash": f.hash,
            }
            for row, facts in taken
            for f in facts
        ],
    )  # fmt: skip


# ---- applying ---------------------------------------------------------------------------------------------------


def apply_waiting(connection: Connection, stream: str, handler: Handler) -> int:
    """Take up an application that was set aside: apply what waits, in order; return the number reached.

    Stops again at the next fact that the handler refuses.
    """
    row = _locked(connection, stream)
    reached = int(row["applied_number"])
    while reached < row["number"]:
        facts = stored_facts(connection, stream, row["epoch"], reached, APPLY_AT_ONCE)
        refused = _apply(connection, stream, row["district"], facts, handler)
        reached = refused.number - 1 if refused else facts[-1].number
        connection.execute(
            update(inbox_stream).where(inbox_stream.c.stream == stream).values(**_applied(reached, refused))
        )
        if refused:
            break
    return reached


def stored_facts(connection: Connection, stream: str, epoch: int, after: int, limit: int) -> list[Fact]:
    """Read the stream's valid facts after a number, in order. Facts before the epoch keep the epoch they were written in."""
    c = inbox_fact.c
    rows = connection.execute(
        select(c.epoch, c.number, c.kind, c.version, c.body, c.hash)
        .where(c.stream == stream, c.orphaned_at.is_(None), c.epoch <= epoch, c.number > after)
        .order_by(c.number)
        .limit(limit)
    )
    return [Fact(r.epoch, r.number, r.kind, r.version, bytes(r.body), bytes(r.hash)) for r in rows]


def _apply(
    connection: Connection, stream: str, district: str, facts: Sequence[Fact], handler: Handler
) -> FactRefused | None:
    """Apply a batch at once; when one fact is refused, apply those before it and return the refusal."""
    try:
        with connection.begin_nested():
            handler.apply(connection, [Delivery(stream, district, _read(facts))])
    except OperationalError:
        raise  # A lost race or a lost connection says nothing about the facts: the whole batch comes again.
    except FactRefused as refused:
        before = [fact for fact in facts if fact.number < refused.number]
        return (_apply(connection, stream, district, before, handler) if before else None) or refused
    except (DBAPIError, ArithmeticError, LookupError, TypeError, ValueError) as failure:
        return _find_refused(connection, stream, district, facts, handler, failure)
    return None


def _find_refused(
    connection: Connection, stream: str, district: str, facts: Sequence[Fact], handler: Handler, failure: Exception
) -> FactRefused | None:
    """A batch failed without naming its fact: halve it until one is left."""
    if len(facts) == 1:
        return FactRefused(facts[0].number, f"{type(failure).__name__}: {failure}")
    middle = len(facts) // 2
    first = _apply(connection, stream, district, facts[:middle], handler)
    if first:
        return first
    # Each half alone may pass where both together failed: then nothing is wrong with the facts themselves.
    return _apply(connection, stream, district, facts[middle:], handler)


def _read(facts: Sequence[Fact]) -> list[tuple[Fact, Any]]:
    read = []
    for fact in facts:
        try:
            read.append((fact, contract.read(fact.kind, fact.version, fact.body)))
        except contract.OutsideContract as outside:
            raise FactRefused(fact.number, str(outside)) from outside
    return read


def _applied(reached: int, refused: FactRefused | None) -> dict[str, Any]:
    """What a stream's row says of its application: up to where, and at which fact it stands still."""
    return {
        "applied_number": reached,
        "set_aside_number": refused.number if refused else None,
        "set_aside_reason": refused.reason[:REASON_LENGTH] if refused else None,
        "set_aside_at": func.now() if refused else None,
    }


def skip(connection: Connection, stream: str, number: int, handler: Handler) -> int:
    """Leave out the one fact at which a stream's application stands still, then go on. Who decides it logs it."""
    row = _locked(connection, stream)
    if row["set_aside_number"] != number:
        raise ValueError(f"the application of {stream} does not stand at {number}")
    connection.execute(update(inbox_stream).where(inbox_stream.c.stream == stream).values(**_applied(number, None)))
    return apply_waiting(connection, stream, handler)


# ---- epochs -----------------------------------------------------------------------------------------------------


def hash_at(connection: Connection, stream: str, number: int) -> bytes | None:
    """Return the hash of the valid fact with this number; None when there is none."""
    if number == 0:
        return chain.genesis(stream)
    c = inbox_fact.c
    found = connection.scalar(select(c.hash).where(c.stream == stream, c.number == number, c.orphaned_at.is_(None)))
    return bytes(found) if found is not None else None


def _open_epoch(connection: Connection, row: RowMapping, head: Head, opening: Opening, handler: Handler) -> None:
    """Go on from the last common fact; what we took after it is kept as orphaned."""
    stream, district = row["stream"], row["district"]
    facts, epochs, streams = inbox_fact.c, inbox_epoch.c, inbox_stream.c
    connection.execute(
        update(inbox_epoch)
        .where(epochs.stream == stream, epochs.epoch == head.epoch)
        .values(left_number=head.number, left_hash=head.hash)
    )
    connection.execute(
        update(inbox_fact)
        .where(facts.stream == stream, facts.number > opening.from_number, facts.orphaned_at.is_(None))
        .values(orphaned_at=func.now())
    )
    connection.execute(
        insert(inbox_epoch).values(
            stream=stream,
            epoch=opening.epoch,
            district=district,
            from_number=opening.from_number,
            from_hash=opening.from_hash,
        )
    )
    handler.orphan(connection, stream, district, head.epoch, opening.from_number)
    aside = {"set_aside_number": None, "set_aside_reason": None, "set_aside_at": None}
    keeps = row["set_aside_number"] is not None and row["set_aside_number"] <= opening.from_number
    connection.execute(
        update(inbox_stream)
        .where(streams.stream == stream)
        .values(
            epoch=opening.epoch, number=opening.from_number, hash=opening.from_hash,
            applied_number=func.least(streams.applied_number, opening.from_number),
            verified_number=func.least(streams.verified_number, opening.from_number),
            **({} if keeps else aside),
        )
    )  # fmt: skip
