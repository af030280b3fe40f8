"""The relay: a process that carries facts from the outboxes of one database to the center (中继).

    python -m central_sync.relay

It looks at the stream heads every 60 ms; nothing wakes it. Streams that keep up travel together, one round (班车) of
their newest facts after the other; a stream that lags, or that the center wants to see alone, sends its own batches one
after the other, several such streams at once. What the relay was doing when killed does not matter: only the center's own
acknowledgement moves `sent_number`, and the center takes each fact once. Before a stream's first facts, both sides'
positions are compared.

Health: every second it writes its row of `relay_heartbeat` (any role of the wing may read it).
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from central_sync import faults, position
from central_sync.chain import Fact
from central_sync.position import Rewound, Stream
from central_sync.tables import stream_head
from central_sync.transports.http import NoAnswer, NotAdmitted, RoundRefused
from central_sync.wire import BATCH_BYTES, BATCH_FACTS, ROUND_FACTS, ROUND_STREAMS, Answer, Batch, WireFact, to_wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, Row

log = logging.getLogger("central_sync.relay")

POLL_SECONDS = 0.06
BEAT_SECONDS = 1.0
WORKERS = 4
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
NOTE_LENGTH = 300
LAGGING_FACTS = 100  # With more than this waiting, a stream sends batches of its own.
ALONE_SECONDS = 60.0  # How long a stream goes alone after the center wanted it so.
LOCK_SPACE = 0x53554E  # First key of the advisory lock that keeps a shard to one relay.

BEAT = text("""
    insert into relay_heartbeat (shard, shards, process, started_at, beat_at, waiting, stopped, note)
    values (:shard, :shards, :process, :started_at, clock_timestamp(), :waiting, :stopped, :note)
    on conflict (shard) do update set
        shards = excluded.shards, process = excluded.process, started_at = excluded.started_at,
        beat_at = excluded.beat_at, waiting = excluded.waiting, stopped = excluded.stopped, note = excluded.note
""")

HEADS = text("""
    select stream, tenant_id, facility_id, epoch, number, sent_number, relay_state from stream_head order by stream limit 100000
""")

# The next facts in order: as many as fit a batch, and always one.
NEXT_FACTS = text("""
    select number, kind, version, body, hash
    from (
        select *, sum(octet_length(body)) over (order by number) - octet_length(body) as bytes_before
        from (
            select number, kind, version, body, hash from outbox
            where tenant_id = :tenant_id and facility_id = :facility_id and epoch = :epoch
                and number > :after and number <= :last
            order by number limit :facts
        ) as next
    ) as measured
    where bytes_before < :bytes
    order by number
""")


# The next facts of many streams, each in order, together as many bytes as fit a round.
ROUND = text("""
    select stream, number, kind, version, body, hash
    from (
        select w.stream, o.*, sum(octet_length(o.body)) over (order by w.stream, o.number) as bytes
        from jsonb_to_recordset(cast(:streams as jsonb)) as w (stream text, tenant_id bigint, facility_id bigint, epoch bigint,
            after bigint, last bigint)
        cross join lateral (
            select number, kind, version, body, hash from outbox
            where tenant_id = w.tenant_id and facility_id = w.facility_id and epoch = w.epoch and number > w.after and number <= w.last
            order by number limit :facts
        ) o
    ) as measured
    where bytes <= :bytes
    order by stream, number
    limit :facts
""")
ACKNOWLEDGE_ROUND = text("""
    update stream_head h set sent_number = r.number, sent_at = clock_timestamp()
    from jsonb_to_recordset(cast(:heads as jsonb)) as r (stream text, epoch bigint, number bigint)
    where h.stream = r.stream and h.epoch = r.epoch
""")


class Transport(Protocol):
    """A way over the bridge."""

    def send(self, stream: str, batch: Batch) -> Answer: ...

    def send_round(self, batches: Sequence[Batch]) -> list[Answer]: ...

    def head(self, stream: str) -> Answer: ...


def make_engine(url: str, workers: int = WORKERS) -> Engine:
    """Connect as the relay. Each statement is its own transaction: the relay holds none while it waits for the center."""
    return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=QueuePool, pool_size=workers + 2, max_overflow=0)


class Relay:
    """Carries the streams of one shard until told to stop."""

    def __init__(
        self, engine: Engine, transport: Transport, *, shard: int = 0, shards: int = 1, workers: int = WORKERS
    ) -> None:
        assert 0 <= shard < shards
        self.engine = engine
        self.transport = transport
        self.shard, self.shards = shard, shards
        self.stop = threading.Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="relay")
        self._busy: dict[str, Future[None]] = {}
        self._center_epoch: dict[
            str, int
        ] = {}  # Streams whose positions were compared, and the epoch the center is in.
        self._alone_until: dict[str, float] = {}
        self._resting: dict[str, tuple[float, float]] = {}  # Stream → (not before, the pause after the next failure).
        self._started_at = datetime.now(UTC)
        self._next_beat = 0.0
        self._note = ""

    def run(self) -> None:
        """Carry facts until `stop` is set. A database that is away is waited for."""
        try:
            while not self.stop.is_set():
                try:
                    self._run_connected()
                except DBAPIError as failure:
                    self._note = str(failure.orig)[:NOTE_LENGTH]
                    self.stop.wait(FIRST_PAUSE_SECONDS)
        finally:
            self._pool.shutdown(wait=True)

    def _run_connected(self) -> None:
        with self.engine.connect() as connection:
            while not self.stop.is_set() and not self._take_shard(connection):
                self.stop.wait(POLL_SECONDS * 5)
            while not self.stop.is_set():
                self.tick(connection)
                self.stop.wait(POLL_SECONDS)

    def _take_shard(self, connection: Connection) -> bool:
        """One relay a shard: the lock goes with the connection, so it outlives no process."""
        return bool(connection.scalar(select(func.pg_try_advisory_lock(LOCK_SPACE, self.shards * 10_000 + self.shard))))

    def tick(self, connection: Connection) -> None:
        """Look at all heads once and hand out what has work and is not being worked on."""
        # Before the heads are read: what a worker acknowledges meanwhile may be missing in them.
        self._busy = {stream: future for stream, future in self._busy.items() if not future.done()}
        rows = connection.execute(HEADS).all()
        ours = [row for row in rows if crc32(row.stream.encode()) % self.shards == self.shard]
        together = []
        for row in ours:
            if not self._has_work(row):
                continue
            if self._keeps_up(row):
                together.append(row)
            else:
                self._busy[row.stream] = self._pool.submit(self._work, row.stream)
        for start in range(0, len(together), ROUND_STREAMS):
            seats = together[start : start + ROUND_STREAMS]
            self._busy |= dict.fromkeys((row.stream for row in seats), self._pool.submit(self._work_round, seats))
        self._beat(
            connection,
            waiting=sum(row.number - row.sent_number for row in ours),
            stopped=sum(row.relay_state != "running" for row in ours),
        )

    def _beat(self, connection: Connection, *, waiting: int, stopped: int) -> None:
        if time.monotonic() < self._next_beat:
            return
        self._next_beat = time.monotonic() + BEAT_SECONDS
        connection.execute(
            BEAT,
            {
                "shard": self.shard, "shards": self.shards, "process": os.getpid(), "started_at": self._started_at,
                "waiting": waiting, "stopped": stopped, "note": self._note,
            },
        )  # fmt: skip

    def _has_work(self, row: Row[Any]) -> bool:
        waits = row.number > row.sent_number or row.stream not in self._center_epoch
        return waits and row.relay_state != "rewound" and row.stream not in self._busy and self._is_rested(row.stream)

    def _keeps_up(self, row: Row[Any]) -> bool:
        """Say whether a stream may travel with others: compared, in the epoch the center is in, and not far behind."""
        return (
            self._center_epoch.get(row.stream) == row.epoch
            and row.number - row.sent_number <= LAGGING_FACTS
            and time.monotonic() >= self._alone_until.get(row.stream, 0.0)
        )

    # ---- many streams -----------------------------------------------------------------------------------------

    def _work_round(self, rows: Sequence[Row[Any]]) -> None:
        """Bring many streams up to date at once; whoever could not be taken along goes alone for a while."""
        try:
            taken = self._deliver_round(rows)
        except NoAnswer as silence:
            for row in rows:
                self._rest(row.stream, f"{row.stream}: {silence}")
                if isinstance(silence, RoundRefused):  # The same round would be refused again and again.
                    self._go_alone(row.stream, str(silence))
        except Exception as bug:  # As for one stream: logged, and tried again one by one.
            log.exception("relay: a round of %s streams", len(rows))
            for row in rows:
                self._go_alone(row.stream, f"{type(bug).__name__}: {bug}")
        else:
            for stream in taken:
                self._resting.pop(stream, None)

    def _deliver_round(self, rows: Sequence[Row[Any]]) -> list[str]:
        """Send the next facts of these streams in one request; return the streams whose facts the center has taken."""
        with self.engine.connect() as connection:
            batches = _read_round(connection, rows)
        if not batches:
            return []
        faults.at("round.read")
        answers = self.transport.send_round(batches)
        faults.at("round.sent")
        taken = []
        for batch, answer in zip(batches, answers, strict=True):
            if answer.outcome == "ok" and answer.hash == batch.facts[-1].hash:
                taken.append({"stream": batch.stream, "epoch": batch.epoch, "number": answer.number})
            else:
                self._go_alone(batch.stream, f"{answer.outcome}: {answer.why}")
        if taken:
            with self.engine.connect() as connection:
                connection.execute(ACKNOWLEDGE_ROUND, {"heads": json.dumps(taken)})
        faults.at("round.acknowledged")
        return [str(head["stream"]) for head in taken]

    def _go_alone(self, name: str, why: str) -> None:
        self._alone_until[name] = time.monotonic() + ALONE_SECONDS
        self._center_epoch.pop(name, None)  # Both sides are compared again first.
        self._note = f"{name}: {why}"[:NOTE_LENGTH]

    # ---- one stream ---------------------------------------------------------------------------------------------

    def _is_rested(self, stream: str) -> bool:
        return time.monotonic() >= self._resting.get(stream, (0.0, 0.0))[0]

    def _work(self, name: str) -> None:
        """Bring one stream up to date; whatever goes wrong, rest a little and come back."""
        try:
            self._deliver(name)
        except NotAdmitted as refusal:
            self._rest(name, f"{name}: {refusal}")
            self._note_state(name, "refused", str(refusal))
        except NoAnswer as silence:
            self._rest(name, f"{name}: {silence}")
        except Exception as bug:  # A bug in one stream must not stop the others; it is logged and tried again.
            self._rest(name, f"{name}: {type(bug).__name__}: {bug}")
            log.exception("relay: stream %s", name)
        else:
            self._resting.pop(name, None)

    def _rest(self, name: str, note: str) -> None:
        pause = self._resting.get(name, (0.0, FIRST_PAUSE_SECONDS))[1]
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - spreads the relays, keeps no secret
        self._resting[name] = (time.monotonic() + pause * jitter, min(pause * 2, LONGEST_PAUSE_SECONDS))
        self._center_epoch.pop(name, None)
        self._note = note[:NOTE_LENGTH]

    def _deliver(self, name: str) -> None:
        if name not in self._center_epoch and not self._compare(name):
            return
        while not self.stop.is_set() and self._deliver_batch(name):
            pass

    def _compare(self, name: str) -> bool:
        """Ask the center where it stands. False: the stream is stopped, because this database was rewound."""
        center = self.transport.head(name).head
        faults.at("relay.compared")
        with self.engine.connect() as connection:
            stream = position.find_stream(connection, name)
            if stream is None:
                return False
            verdict = position.compare(connection, stream, center)
            if isinstance(verdict, Rewound):
                self._note_state(name, "rewound", verdict.why)
                return False
            self._acknowledge(connection, stream, verdict.after)
        self._note_state(name, "running", "")
        self._center_epoch[name] = center.epoch
        return True

    def _deliver_batch(self, name: str) -> bool:
        """Send the next batch; return whether there may be more. Raises NoAnswer when both sides must be compared again."""
        with self.engine.connect() as connection:
            stream = position.find_stream(connection, name)
            if stream is None:
                return False
            opening, last = position.epoch_after(connection, stream, stream.sent_number)
            is_news = opening.epoch > self._center_epoch[name]
            if stream.sent_number >= stream.head.number and not is_news:
                return False
            facts = _next_facts(connection, stream, opening.epoch, last)
        faults.at("relay.read")
        batch = Batch(name, opening.epoch, to_wire(facts), opening if is_news else None)
        answer = self.transport.send(name, batch)
        faults.at("relay.sent")
        if answer.outcome != "ok" or answer.hash != (facts[-1].hash if facts else opening.from_hash):
            raise NoAnswer(f"{answer.outcome}: {answer.why}")
        self._center_epoch[name] = opening.epoch
        with self.engine.connect() as connection:
            self._acknowledge(connection, stream, answer.number)
        faults.at("relay.acknowledged")
        return True

    def _acknowledge(self, connection: Connection, stream: Stream, number: int) -> None:
        c = stream_head.c
        if number == stream.sent_number:
            return
        connection.execute(
            update(stream_head)
            .where(c.tenant_id == stream.tenant_id, c.facility_id == stream.facility_id, c.epoch == stream.head.epoch)
            .values(sent_number=number, sent_at=func.clock_timestamp())
        )

    def _note_state(self, name: str, state: str, why: str) -> None:
        c = stream_head.c
        with self.engine.connect() as connection:
            connection.execute(
                update(stream_head)
                .where(c.stream == name, (c.relay_state != state) | (c.relay_note != why[:NOTE_LENGTH]))
                .values(relay_state=state, relay_note=why[:NOTE_LENGTH], relay_at=func.clock_timestamp())
            )


def _read_round(connection: Connection, rows: Sequence[Row[Any]]) -> list[Batch]:
    """Read the next facts of streams that are in their head's epoch, each stream's as one batch."""
    wanted = [
        {
            "stream": row.stream, "tenant_id": row.tenant_id, "facility_id": row.facility_id, "epoch": row.epoch,
            "after": row.sent_number, "last": row.number,
        }
        for row in rows
    ]  # fmt: skip
    found = connection.execute(
        ROUND, {"streams": json.dumps(wanted), "facts": ROUND_FACTS, "bytes": BATCH_BYTES}
    )  # fmt: skip
    epochs = {row.stream: row.epoch for row in rows}
    return [
        Batch(
            stream, epochs[stream], [WireFact(r.number, r.kind, r.version, bytes(r.body), bytes(r.hash)) for r in facts]
        )
        for stream, facts in groupby(found, key=lambda fact: fact.stream)
    ]


def _next_facts(connection: Connection, stream: Stream, epoch: int, last: int) -> list[Fact]:
    """Read the facts of one epoch after the last acknowledged one, up to a batch."""
    rows = connection.execute(
        NEXT_FACTS,
        {
            "tenant_id": stream.tenant_id, "facility_id": stream.facility_id, "epoch": epoch,
            "after": stream.sent_number, "last": last, "facts": BATCH_FACTS, "bytes": BATCH_BYTES,
        },
    )  # fmt: skip
    return [Fact(epoch, r.number, r.kind, r.version, bytes(r.body), bytes(r.hash)) for r in rows]


def main() -> int:
    """Run as a process with settings from the environment; SIGTERM ends it after the batch under way."""
    from central_sync import settings  # Here, because settings makes relays.

    relay = settings.relay_from_environment()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: relay.stop.set())
    relay.run()
    relay.engine.dispose()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
