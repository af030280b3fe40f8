from __future__ import annotations
import pytest
from psycopg import errors as pg
from app.core.errors import Outage
from app.facility.db import db, transaction
from app.core import hot as hotmod

@pytest.fixture(autouse=True)
def inside(facility_app):
    with facility_app.app_context():
        yield

def ok():
    with transaction(settings={}) as hot:
        assert hot.run_last("select 1 as pid")[0].pid == 1
    assert db.run("select 2").scalar() == 2
    db.session.rollback()

@pytest.mark.parametrize("last", [True, False])
def test_kill_first(last):
    with pytest.raises(Outage), transaction(settings={}) as hot:
        hot.run_all([("select pg_terminate_backend(pg_backend_pid())", None), ("select 1 as one", None), ("select 2 as one", None)], last=last)
    ok()

def test_kill_run_last():
    for _ in range(5):
        with pytest.raises(Outage), transaction(settings={}) as hot:
            hot.run_last("select pg_terminate_backend(pg_backend_pid())")
        ok()

def test_kill_between():
    with pytest.raises(Outage), transaction(settings={}) as hot:
        pid = hot.run("select pg_backend_pid() as pid")[0].pid
        with transaction(settings={}) as other:
            other.run_last("select pg_terminate_backend(%(pid)s::int)", {"pid": pid})
        import time; time.sleep(0.2)
        hot.run_all([("select 1 as one", None), ("select 2 as one", None)], last=True)
    ok()

def test_kill_then_commit():
    with pytest.raises(Outage), transaction(settings={}) as hot:
        pid = hot.run("select pg_backend_pid() as pid")[0].pid
        with transaction(settings={}) as other:
            other.run_last("select pg_terminate_backend(%(pid)s::int)", {"pid": pid})
        import time; time.sleep(0.2)
    ok()

def test_idle_timeout():
    import time
    with pytest.raises((Outage, pg.Error)) as e, transaction(settings={"idle_in_transaction_session_timeout": "100ms"}) as hot:
        hot.run("select 1 as one")
        time.sleep(0.4)
        hot.run_last("select 1 as one")
    print("IDLE", repr(e.value))
    ok()

@pytest.mark.parametrize("exc", [KeyboardInterrupt, SystemExit, MemoryError])
def test_interrupt(monkeypatch, exc):
    real = hotmod._talk
    def broken(pgconn, count):
        from psycopg import generators
        yield from generators.send(pgconn)
        raise exc
    monkeypatch.setattr(hotmod, "_talk", broken)
    with pytest.raises(exc), transaction(settings={}) as hot:
        hot.run_last("select 1 as one")
    monkeypatch.setattr(hotmod, "_talk", real)
    for _ in range(3):
        ok()

def test_interrupt_after(monkeypatch):
    real = hotmod._talk
    def broken(pgconn, count):
        yield from real(pgconn, count)
        raise KeyboardInterrupt
    monkeypatch.setattr(hotmod, "_talk", broken)
    with pytest.raises(KeyboardInterrupt), transaction(settings={}) as hot:
        hot.run_last("select 1 as one")
    monkeypatch.setattr(hotmod, "_talk", real)
    assert db.run("select 2").scalar() == 2
    db.session.rollback()
    ok()

def test_many_and_big():
    with transaction(settings={}) as hot:
        rows = hot.run_all([("select repeat('x', 2000000) as x, length(%(v)s::text) as n", {"v": "y" * 2_000_000})] * 30, last=True)
        assert all(r[0].n == 2_000_000 for r in rows)
    ok()

def test_swallowed_error():
    with pytest.raises(BaseException) as e, transaction(settings={}) as hot:
        try:
            hot.run("select 1/0")
        except pg.DivisionByZero:
            pass
        hot.run("select 1 as one")
    print("SW", repr(e.value))
    ok()
