"""The hot paths' way to the database: one trip, the first error, and a connection that is good afterwards."""

from __future__ import annotations

from contextlib import suppress

import pytest
from psycopg import errors as pg

from app.core import hot as hot_module
from app.core.errors import Outage
from app.core.hot import statements
from app.facility.db import db, transaction

SETTING = "select nullif(current_setting('app.tenant_id', true), '') as tenant"


@pytest.fixture(autouse=True)
def inside(facility_app):
    with facility_app.app_context():
        yield


def backend():
    with transaction(settings={}) as hot:
        return hot.run_last("select pg_backend_pid() as pid")[0].pid


def test_several_statements_travel_together_and_rows_come_by_name():
    with transaction(settings={"app.tenant_id": "7"}) as hot, statements() as ran:
        tenants, sums, nothing = hot.run_all(
            [
                (SETTING, None),
                ("select %(a)s + %(b)s as sum, %(a)s as a, 100 %% 7 as rest", {"a": 40, "b": 2}),
                ("select 1 where false", {}),
            ],
            last=True,
        )

    assert tenants[0].tenant == "7"
    assert sums == [(42, 40, 2)]
    assert (sums[0].sum, sums[0].rest) == (42, 2)
    assert nothing == []
    assert len(ran) == 3


def test_the_settings_end_with_the_transaction():
    with transaction(settings={"app.tenant_id": "7"}) as hot:
        hot.run_last(SETTING)
    with transaction(settings={}) as hot:
        assert hot.run(SETTING)[0].tenant is None


@pytest.mark.parametrize("value", [None, 1, 2**40, "字", b"\x00\xff", True, [1, 2], "x" * 3_000_000])
def test_values_go_and_come_back(value):
    kind = {int: "bigint", str: "text", bytes: "bytea", bool: "boolean", list: "bigint[]"}.get(type(value), "text")
    with transaction(settings={}) as hot:
        for _ in range(3):
            assert hot.run(f"select %(value)s::{kind} as value", {"value": value})[0].value == value


def test_the_first_error_is_raised_and_nothing_after_it_is_run():
    for _ in range(2):  # The connection is as good as new the second time.
        with pytest.raises(pg.DivisionByZero), transaction(settings={}) as hot:
            hot.run_all(
                [
                    ("select 1 as one", None),
                    ("select 1 / %(nothing)s", {"nothing": 0}),
                    ("select nothing_like_this", None),
                ],
                last=True,
            )
    with transaction(settings={}) as hot:
        assert hot.run("select 1 as one")[0].one == 1


def test_an_error_in_one_trip_leaves_nothing_of_the_trips_before():
    with suppress(pg.DivisionByZero), transaction(settings={}) as hot:
        hot.run("select pg_advisory_xact_lock(471147)")
        hot.run("select 1 / 0")
    with transaction(settings={}) as hot:
        assert hot.run("select count(*) as held from pg_locks where objid = 471147")[0].held == 0


def test_a_value_that_cannot_be_sent_spoils_nothing():
    with pytest.raises(pg.DataError), transaction(settings={}) as hot:
        hot.run("select %(text)s::text", {"text": "a\0b"})
    with pytest.raises(KeyError), transaction(settings={}) as hot:
        hot.run("select %(text)s::text", {})
    with transaction(settings={}) as hot:
        assert hot.run("select 1 as one")[0].one == 1


def test_a_statement_is_prepared_once_and_outlives_a_rollback():
    prepared = "select count(*) as n from pg_prepared_statements where statement like 'select 4711%%'"
    with suppress(ZeroDivisionError), transaction(settings={}) as hot:
        for _ in range(3):
            hot.run_all([("select 4711 as n", None), ("select 4711 as n", None)])
        assert hot.run(prepared)[0].n == 1
        raise ZeroDivisionError
    db.run("select 1")  # A page that reads, on the same connection, ends by rolling back.
    db.session.rollback()
    with transaction(settings={}) as hot:
        hot.run("select 4711 as n")
        assert hot.run(prepared)[0].n == 1


def test_a_lost_connection_is_an_outage_and_the_next_transaction_finds_another():
    with pytest.raises(Outage), transaction(settings={}) as hot:
        hot.run("select pg_terminate_backend(pg_backend_pid())")
    assert backend()


@pytest.mark.parametrize("broken", [KeyboardInterrupt, MemoryError])
def test_a_trip_broken_off_on_the_way_costs_its_connection_and_nothing_else(monkeypatch, broken):
    def talk(pgconn, count):
        yield from real(pgconn, count)
        raise broken

    real = hot_module._talk
    with monkeypatch.context() as patched:
        patched.setattr(hot_module, "_talk", talk)
        with pytest.raises(broken), transaction(settings={}) as hot:
            hot.run_last("select 1 as one")
    assert db.run("select 2").scalar() == 2  # Not on a connection that is still in pipeline mode.
    db.session.rollback()
    assert backend()


def test_a_statement_that_takes_too_long_is_cancelled_and_told():
    with pytest.raises(pg.QueryCanceled), transaction(settings={"statement_timeout": "50ms"}) as hot:
        hot.run("select pg_sleep(20)")
    assert backend()
