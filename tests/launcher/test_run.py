"""Start-up with real processes: once, again, twice at the same time, with a dead child, and to the end."""

import os
import secrets
import signal
import time
from contextlib import suppress

import pytest
from sqlalchemy import create_engine, text

from launcher.databases import plain
from launcher.postgres import Embedded
from launcher.run import only_streams_stopped
from tests.faults.conftest import eventually
from tests.launcher.installation import Installation

pytestmark = pytest.mark.faults


def test_a_fresh_home_starts_holds_and_ends(open_folder):
    home = Installation(open_folder, SUNMED_DEMO="1")
    try:
        home.start()

        status, said = home.health()
        assert (status, said["facility"]["relay"]["ok"], said["facility"]["recovery"]["ok"]) == (200, True, True)
        assert said["center"] == {"ok": True, "database": "up"}
        told = home.told()
        assert f"http://127.0.0.1:{home.port}" in told
        assert all(word in told for word in ("YIHAO", "330200", "TOTP code now", "loading the demo world"))
        assert [entry for entry in home.folder.glob("secrets.json") if entry.stat().st_mode & 0o077] == []

        # A second start on the same home is refused and disturbs nothing.
        second = home.command("run", PORT="1")
        assert second.returncode == 1
        assert f"already runs on {home.folder} (process {home.process.pid})" in second.stderr
        assert home.health()[0] == 200

        # Whatever child is killed comes back, PostgreSQL too.
        for name in ("launcher.recovery", "central_sync.relay", "gunicorn wsgi"):
            kill_and_wait(home, name)
        os.kill(Embedded(home.folder / "postgres", "").server_pid(), signal.SIGKILL)
        eventually(lambda: home.health()[0] != 200, 10)
        eventually(lambda: home.health()[0] == 200, 60)

        home.stop()
        assert home.processes() == []

        # Again: the data is kept, the demo world is not loaded a second time.
        home.start()
        assert "loading the demo world" not in home.told()
        assert "YIHAO" in home.told()
    finally:
        home.stop()
    assert home.processes() == []


def kill_and_wait(home, name):
    """Kill the first process of that name; another one takes its place and all is well again."""
    before = {pid for pid, command in home.processes() if name in command}
    assert before, f"{name} does not run"
    for pid in before:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: {pid for pid, command in home.processes() if name in command} - before, 30)
    eventually(lambda: home.health()[0] == 200, 60)


def test_a_port_that_is_taken_is_said(open_folder):
    import socket

    home = Installation(open_folder)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = home.command("run", PORT=str(other.getsockname()[1]))

    assert refused.returncode == 1
    assert "is taken" in refused.stderr
    assert not (home.folder / "postgres").exists()


def test_given_servers_are_used_and_no_embedded_one_is_made(open_folder, tmp_path_factory):
    given = Embedded(open_folder / "given", secrets.token_hex(8))
    given.start()
    try:
        address = given.admin_url.replace("/postgres?", "/{}?")
        home = Installation(
            open_folder / "home",
            FACILITY_DATABASE_URL=address.format("shop"),
            CENTER_DATABASE_URL=address.format("city"),
        )
        try:
            home.start()

            assert home.health()[0] == 200
            assert not (home.folder / "postgres").exists()
            engine = create_engine(plain(given.admin_url).replace("postgresql://", "postgresql+psycopg://"))
            with engine.connect() as connection:
                names = connection.execute(text("select datname from pg_database")).scalars().all()
            engine.dispose()
            assert {"shop", "city"} <= set(names)
        finally:
            home.stop()
        time.sleep(0.2)
        assert given.is_alive(), "a server that was given is not ours to stop"
    finally:
        given.stop()


@pytest.mark.parametrize(
    ("changes", "opens"),
    [
        ({}, True), ({"database": "OperationalError"}, False), ({"relay": {"ok": False}}, False), ({"recovery": {"ok": False}}, False), ({"news": {}}, False),
    ],
)  # fmt: skip
def test_a_stream_that_waits_for_a_person_keeps_no_door_shut(changes, opens):
    well = {"ok": True, "seconds_ago": 0.3, "waiting": 0, "note": ""}
    facility = {
        "ok": False,
        "database": "up",
        "relay": well,
        "recovery": well,
        "news": well,
        "streams_stopped": 1,
        "news_stopped": 0,
    }
    told = {"ok": False, "facility": facility | changes, "center": {"ok": True, "database": "up"}}

    assert only_streams_stopped(told) is opens
    assert not only_streams_stopped({**told, "center": {"ok": False, "database": "OperationalError"}})
    assert not only_streams_stopped({})
