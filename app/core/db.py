"""One database per wing: who begins, who commits, whose rows are visible.

Screens and rare acts use the SQLAlchemy session inside an `@action`. The hot paths (sell, settle, post) use
`transaction(...)`: a psycopg connection of the same pools whose first statement travels together with BEGIN and the
tenancy settings, and whose last may travel together with COMMIT, so that a whole act is two round trips.
Nobody else commits. Row-level security does the filtering; this module only says who asks.
"""

from __future__ import annotations

import functools
import random
import re
import time
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

import msgspec
import sqlalchemy
from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from psycopg import errors as pg
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from app.core import tenancy
from app.core.errors import Outage
from app.core.hot import Hot, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import psycopg
    from sqlalchemy.engine import CursorResult, Engine

P = ParamSpec("P")
R = TypeVar("R")

# How both wings write Python's types down: money and quantities whole, times aware, prices and ratios exact.
COLUMN_TYPES: dict[Any, Any] = {
    int: sqlalchemy.BigInteger(),
    str: sqlalchemy.Text(),
    bytes: sqlalchemy.LargeBinary(),
    datetime: sqlalchemy.DateTime(timezone=True),
    date: sqlalchemy.Date(),
    Decimal: sqlalchemy.Numeric(16, 6),
    UUID: sqlalchemy.Uuid(),
    dict[str, Any]: sqlalchemy.JSON(),
}
TRIES = 3
# psycopg forgets all prepared statements of a connection, also ours, when a read ends by rolling back; so it keeps none.
_POOL: dict[str, Any] = {"max_overflow": 4, "pool_timeout": 5, "connect_args": {"prepare_threshold": None}}
LOST_RACES = (pg.DeadlockDetected, pg.SerializationFailure)
_WRITES = re.compile(r"\b(insert\s+into|update\s+\w+(\s+\w+)?\s+set|delete\s+from|append_facts)\b", re.IGNORECASE)


class WriteOutsideAction(AssertionError):
    """Something wrote to the database outside an action; this is a bug."""


class Database(SQLAlchemy):
    """The database of one wing."""

    def __init__(self, wing: str, base: type[DeclarativeBase]) -> None:
        self.wing = wing
        self._acting: ContextVar[bool] = ContextVar(f"{wing}_acting", default=False)
        self._hot: ContextVar[bool] = ContextVar(f"{wing}_hot", default=False)
        super().__init__(
            model_class=base,
            engine_options={"pool_reset_on_return": "rollback"},
            session_options={"expire_on_commit": False, "autoflush": False},
            disable_autonaming=True,
        )

    # ---- set-up -----------------------------------------------------------------------------------------------

    def prepare(self, app: Any, urls: Mapping[str, str], pool_size: int = 16) -> None:
        """Attach to a Flask application. `urls` maps roles (app, worker, relay, interface …) to addresses."""
        app.config["SQLALCHEMY_DATABASE_URI"] = urls["app"]
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": pool_size, **_POOL}
        app.config["DATABASE_URLS"] = dict(urls)
        self.init_app(app)
        app.extensions["role_engines"] = {}
        with app.app_context():
            _watch(self.engine, self)
        event.listen(self.session.session_factory, "after_begin", _set_scope)

    def engine_of(self, role: str) -> Engine:
        """Return the pool of one database role, made on first use (after the fork)."""
        if role == "app":
            return self.engine
        engines: dict[str, Engine] = current_app.extensions["role_engines"]
        if role not in engines:
            url = current_app.config["DATABASE_URLS"][role]
            engines[role] = sqlalchemy.create_engine(url, pool_size=16, **_POOL)
            event.listen(engines[role], "connect", _whole_numbers_are_bigint)
        return engines[role]

    def close(self) -> None:
        """Close every pool of the present application. At the end of commands and tests."""
        self.session.remove()
        self.engine.dispose()
        for engine in current_app.extensions["role_engines"].values():
            engine.dispose()

    def kept(self, what: str) -> dict[Any, Any]:
        """What the present application remembers under this name; another one in the same process has another database."""
        found: dict[Any, Any] = current_app.extensions.setdefault(f"kept {what}", {})
        return found

    # ---- rare acts and screens --------------------------------------------------------------------------------

    def action(self, function: Callable[P, R]) -> Callable[P, R]:
        """Make a function one act: the outermost begins and commits, a lost race starts it again, up to three times."""

        @functools.wraps(function)
        def act(*args: P.args, **kwargs: P.kwargs) -> R:
            if self._acting.get():
                return function(*args, **kwargs)
            return self._outermost(lambda: function(*args, **kwargs))

        return act

    def _outermost(self, body: Callable[[], R]) -> R:
        self.session.commit()  # Ends a read begun before the act, so that its locks and its scope start fresh.
        token = self._acting.set(True)
        try:
            for turn in range(1, TRIES + 1):
                try:
                    result = body()
                    self.session.commit()
                except DBAPIError as failure:
                    self.session.rollback()
                    if turn == TRIES or not isinstance(failure.orig, LOST_RACES):
                        raise
                    _step_back(turn)
                except BaseException:
                    self.session.rollback()
                    raise
                else:
                    return result
        finally:
            self._acting.reset(token)
        raise AssertionError

    def run(self, statement: str, **params: Any) -> CursorResult[Any]:
        """Run SQL text with :named parameters in the current session."""
        return self.session.execute(text(statement), params)  # type: ignore[return-value]

    @property
    def acting(self) -> bool:
        """Say whether an action is open in this context."""
        return self._acting.get()

    def in_transaction(self) -> bool:
        """Say whether this context holds a transaction; nothing may wait for an outside party then."""
        return self._hot.get() or self.session().in_transaction()

    def end_reading(self) -> None:
        """End a transaction that only read, before waiting for an outside party."""
        assert not self.acting, "an act talks to the database only"
        if self.session().in_transaction():
            self.session.commit()

    # ---- hot paths --------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, role: str = "app", settings: Mapping[str, str] | None = None) -> Iterator[Hot]:
        """Open a hot transaction: commit at the end, roll back on any exception."""
        engine = self.engine_of(role)
        pairs = tuple(settings.items()) if settings is not None else tenancy.scope()
        proxy = engine.raw_connection()
        connection: psycopg.Connection[Any] = proxy.driver_connection  # type: ignore[assignment]
        hot = Hot(connection, pairs)
        token = self._hot.set(True)
        try:
            yield hot
            hot.commit()
        except (pg.OperationalError, pg.InterfaceError) as failure:
            if isinstance(failure, (*LOST_RACES, pg.QueryCanceled, pg.LockNotAvailable)):
                connection.rollback()
                raise
            proxy.invalidate()
            engine.dispose()
            raise Outage(
                f"database: {type(failure).__name__} {str(failure).splitlines()[0][:120] if str(failure) else ''}"
            ) from failure
        except BaseException:
            if connection.closed:
                proxy.invalidate()
            else:
                connection.rollback()
            raise
        finally:
            self._hot.reset(token)
            proxy.close()

    def hot_action(self, function: Callable[P, R]) -> Callable[P, R]:
        """Start a hot act again when it lost a race, up to three times. The act opens its own `transaction`."""

        @functools.wraps(function)
        def act(*args: P.args, **kwargs: P.kwargs) -> R:
            for turn in range(1, TRIES + 1):
                try:
                    return function(*args, **kwargs)
                except LOST_RACES:
                    if turn == TRIES:
                        raise
                    _step_back(turn)
            raise AssertionError

        return act


def _whole_numbers_are_bigint(connection: Any, _record: Any) -> None:
    """One type for all whole numbers, so that a statement is planned once and not once per size of its numbers."""
    connection.adapters.register_dumper(int, Int8Dumper)
    set_json_loads(msgspec.json.decode, connection)


def _watch(engine: Engine, database: Database) -> None:
    event.listen(engine, "connect", _whole_numbers_are_bigint)

    @event.listens_for(engine, "before_cursor_execute")
    def before(_c: Any, _cursor: Any, statement: str, _p: Any, _ctx: Any, _many: bool) -> None:
        if "set_config" not in statement:
            count(statement)
        if not database.acting and _WRITES.search(statement):
            raise WriteOutsideAction(statement[:120])


def _set_scope(session: Session, _transaction: Any, connection: Any) -> None:
    settings = tenancy.scope()
    session.info["scope"] = settings
    if settings:
        calls = ", ".join(f"set_config('{name}', :v{i}, true)" for i, (name, _) in enumerate(settings))
        connection.execute(text(f"select {calls}"), {f"v{i}": value for i, (_, value) in enumerate(settings)})


def _step_back(turn: int) -> None:
    time.sleep(random.uniform(0.002, 0.02) * turn)  # noqa: S311 - spreads twins, keeps no secret
