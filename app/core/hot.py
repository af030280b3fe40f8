"""The hot paths' own way to the database: many statements, one round trip, no cursor around each.

psycopg's pipeline costs a quarter of a millisecond of Python for every small transaction: a context, a cursor and a look-up
of adapters for BEGIN, for each setting and for COMMIT. Here libpq's pipeline is spoken through psycopg's own parts: its
connection waits, its adapters turn values into bytes and back, its errors are raised. Nothing else of it is rebuilt.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import namedtuple
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psycopg import generators, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    import psycopg
    from psycopg.pq.abc import PGconn, PGresult

_Key = tuple[str, tuple[int, ...]]  # A numbered statement and the types of its parameters.

_SET = b"select set_config($1, $2, true)"
_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED)
_prepared: WeakKeyDictionary[Any, dict[_Key, bytes]] = (
    WeakKeyDictionary()
)  # What each connection has prepared, by name.
_numbers = itertools.count()
_counted: ContextVar[list[str] | None] = ContextVar("counted_statements", default=None)


class Hot:
    """A hot transaction. BEGIN and the tenancy settings travel with the first statement, COMMIT may travel with the last."""

    def __init__(self, connection: psycopg.Connection[Any], settings: tuple[tuple[str, str], ...]) -> None:
        self._connection = connection
        self._settings = settings
        self._begun = False
        self._ended = False

    def run(self, statement: str, params: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Run one statement with %(named)s parameters and return its rows as named tuples."""
        return self.run_all([(statement, params)])[0]

    def run_last(self, statement: str, params: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Run the last statement together with COMMIT, in one round trip."""
        return self.run_all([(statement, params)], last=True)[0]

    def run_all(
        self, batch: Sequence[tuple[str, Mapping[str, Any] | None]], *, last: bool = False
    ) -> list[Sequence[Any]]:
        """Run several statements in one round trip; `last` sends COMMIT along."""
        assert not self._ended, "the transaction has ended"
        trip = _Trip(self._connection)
        if not self._begun:
            trip.say(b"begin")
            for name, value in self._settings:
                trip.say(_SET, [name.encode(), value.encode()])
        for statement, params in batch:
            count(statement)
            trip.ask(statement, params or {})
        self._begun = True
        if last:
            self._ended = True
            trip.say(b"commit")
        return trip.make()

    def commit(self) -> None:
        """Commit what was run; harmless after `run_last`."""
        if not self._ended:
            self._ended = True
            self._connection.commit()


class _Trip:
    """One round trip: what is sent, in order, and how each answer is read."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._known = _prepared.setdefault(connection, {})
        self._fresh: dict[_Key, bytes] = {}
        self._commands: list[Callable[[PGconn], None]] = []
        self._readers: list[Any] = []  # An adapter, the key of what is prepared, or None.

    def say(self, command: bytes, values: list[bytes] | None = None) -> None:
        """Send a command whose answer says nothing."""
        self._commands.append(lambda pgconn: pgconn.send_query_params(command, values))
        self._readers.append(None)

    def ask(self, statement: str, params: Mapping[str, Any]) -> None:
        """Send a statement, prepared on its first use on this connection."""
        numbered, names = _numbered(statement)
        adapter = Transformer(self._connection)
        values = adapter.dump_sequence([params[name] for name in names], [PyFormat.AUTO] * len(names))
        types, formats = adapter.types or (), adapter.formats
        key = (numbered, types)
        name = self._known.get(key) or self._fresh.get(key)
        if name is None:
            name = self._fresh[key] = f"hot_{next(_numbers)}".encode()
            fresh = name
            self._commands.append(lambda pgconn: pgconn.send_prepare(fresh, numbered.encode(), types))
            self._readers.append(key)
        prepared = name
        self._commands.append(lambda pgconn: pgconn.send_query_prepared(prepared, values, formats))
        self._readers.append(adapter)

    def make(self) -> list[Sequence[Any]]:
        """Send it all and read it all. The first error is raised; what stood after it was not run."""
        rows = []
        for reader, answer in zip(self._readers, self._travel(), strict=True):
            if answer.status in _FAILED:
                raise error_from_result(answer)
            if isinstance(reader, tuple):
                self._known[reader] = self._fresh[reader]
            elif reader is not None:
                rows.append(_rows(reader, answer))
        return rows

    def _travel(self) -> list[PGresult]:
        pgconn = self._connection.pgconn
        try:
            pgconn.enter_pipeline_mode()
            for send in self._commands:
                send(pgconn)
            pgconn.pipeline_sync()
            answers = self._connection.wait(_talk(pgconn, len(self._commands)))
            pgconn.exit_pipeline_mode()
        except BaseException:
            self._connection.close()  # Broken off on the way: it is still in pipeline mode, and whoever had it next would fail.
            raise
        return answers


def _talk(pgconn: PGconn, count: int) -> Generator[Any, Any, list[PGresult]]:
    yield from generators.send(pgconn)
    answers = []
    for _ in range(count):
        answers.append((yield from generators.fetch_many(pgconn))[-1])  # noqa: PERF401 - a comprehension cannot wait
    yield from generators.fetch_many(pgconn)  # The end of the trip.
    return answers


def _rows(adapter: Any, answer: PGresult) -> Sequence[Any]:
    if not answer.nfields:
        return []
    adapter.set_pgresult(answer)
    names = tuple(str(answer.fname(column) or b"", "utf-8") for column in range(answer.nfields))
    rows: Sequence[Any] = adapter.load_rows(0, answer.ntuples, _row_of(names))
    return rows


@functools.lru_cache(maxsize=512)
def _row_of(names: tuple[str, ...]) -> Any:
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 - the columns are known when they come
    return kind._make


_PARAMETER = re.compile(r"%%|%\((\w+)\)s")


@functools.lru_cache(maxsize=1024)
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """Turn %(name)s into $1, $2 … once per statement."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return "%" if found[0] == "%%" else f"${names.setdefault(found[1], len(names) + 1)}"

    return _PARAMETER.sub(number, statement), tuple(names)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that run inside the block, for budget tests."""
    ran: list[str] = []
    token = _counted.set(ran)
    try:
        yield ran
    finally:
        _counted.reset(token)


def count(statement: str) -> None:
    """Note a statement for whoever collects them."""
    ran = _counted.get()
    if ran is not None:
        ran.append(statement)
