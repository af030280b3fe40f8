"""What the tests of the bridge stand on: streams of made-up facilities, bodies of facts, and processes of our own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from sqlalchemy import text

from central_sync import inbox, outbox
from central_sync.chain import Head
from central_sync.wire import Batch, to_wire
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
DISTRICT = "330212"
PRODUCT = {"code": "A001", "name": "阿莫西林胶囊", "spec": "0.25g×24粒", "maker": "某制药"}


@dataclass(frozen=True)
class Facility:
    tenant_id: int
    facility_id: int
    stream: str


def make_facility(owner) -> Facility:
    """An organization with one facility and its stream, as the owner of the tables would see it."""
    code = "T" + secrets.token_hex(5).upper()
    with owner.begin() as connection:
        tenant_id = connection.scalar(
            text("insert into organization (code, name) values (:code, '测试机构') returning tenant_id"), {"code": code}
        )
        facility_id = connection.scalar(
            text("""
                insert into facility (tenant_id, national_code, name, district, kind, center_secret)
                values (:tenant, :code, '测试药店', :district, 'pharmacy', '\\x00') returning id
            """),
            {"tenant": tenant_id, "code": ("H" + code + "000")[:12], "district": DISTRICT},
        )
        facility = Facility(tenant_id, facility_id, ("H" + code + "000")[:12])
        outbox.open_stream(connection, tenant_id, facility_id, facility.stream)
    return facility


@contextmanager
def acting(engine, facility):
    """A transaction of the facility's own tenant."""
    with engine.begin() as connection:
        connection.execute(text("select set_config('app.tenant_id', :id, true)"), {"id": str(facility.tenant_id)})
        yield connection


def shift_body(**changes) -> dict:
    """The smallest valid body."""
    return {
        "document": str(uuid4()), "at": "2026-11-12T02:43:20Z", "operator": "王", "terminal": "1",
        "opened_at": "2026-11-12T00:02:00Z", "counted_fen": 100, "expected_fen": 100, "difference_fen": 0, "reason": None,
        **changes,
    }  # fmt: skip


def write(engine, facility, count=1) -> list[tuple[int, bytes]]:
    """Append facts in one transaction, as the application does."""
    with acting(engine, facility) as connection:
        return outbox.append(
            connection, facility.tenant_id, facility.facility_id, [("shift.closed", shift_body()) for _ in range(count)]
        )


def facts_of(engine, facility, epoch=1):
    """All facts that the outbox holds in an epoch."""
    with acting(engine, facility) as connection:
        rows = connection.execute(
            text(
                "select epoch, number, kind, version, body, hash from outbox where facility_id = :id and epoch = :epoch order by number"
            ),
            {"id": facility.facility_id, "epoch": epoch},
        ).all()
    from central_sync.chain import Fact

    return [Fact(r.epoch, r.number, r.kind, r.version, bytes(r.body), bytes(r.hash)) for r in rows]


def batch_of(facility, facts, opening=None):
    return Batch(facility.stream, facts[0].epoch if facts else opening.epoch, to_wire(facts), opening)


def facility_head(engine, facility) -> Head:
    with acting(engine, facility) as connection:
        row = connection.execute(
            text("select epoch, number, hash from stream_head where facility_id = :id"), {"id": facility.facility_id}
        ).one()
    return Head(row.epoch, row.number, bytes(row.hash))


def center_head(engine, facility) -> Head | None:
    with engine.connect() as connection:
        return inbox.head_of(connection, facility.stream)


def sent_number(engine, facility) -> int:
    with acting(engine, facility) as connection:
        return connection.scalar(
            text("select sent_number from stream_head where facility_id = :id"), {"id": facility.facility_id}
        )


class Recorder:
    """A handler that writes down what it applies, and refuses the numbers it is told to."""

    def __init__(self, refuses=()):
        self.refuses = set(refuses)
        self.applied = []
        self.orphaned = []

    def apply(self, _connection, deliveries):
        told = [(stream, fact) for stream, _district, facts in deliveries for fact, _body in facts]
        for _stream, fact in told:
            if fact.number in self.refuses:
                raise inbox.FactRefused(fact.number, "不可能的数量")
        self.applied += [(stream, fact.epoch, fact.number) for stream, fact in told]

    def orphan(self, _connection, stream, _district, epoch, after_number):
        self.orphaned.append((stream, epoch, after_number))


# ---- processes --------------------------------------------------------------------------------------------------


class Process:
    """A process that this test starts and ends."""

    def __init__(self, module, environment, fault=""):
        self.popen = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**os.environ, **environment, "SUNMED_FAULT": fault},
            stdout=subprocess.DEVNULL,
        )

    def is_dead(self) -> bool:
        return self.popen.poll() is not None

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def end(self, patience=10) -> int:
        self.popen.terminate()
        try:
            return self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Bridge:
    """A center of its own process on a fixed port, and relays to it."""

    def __init__(self, folder, database_urls):
        self.port = free_port()
        self.secrets = folder / "secrets.json"
        self.secrets.write_text("{}")
        self.environment = {
            "SUNMED_BRIDGE_URL": f"http://127.0.0.1:{self.port}/center",
            "SUNMED_BRIDGE_SECRETS": str(self.secrets),
            "SUNMED_RELAY_DATABASE_URL": database_urls["facility"]["relay"],
            "CENTER_INBOX_URL": database_urls["center"]["inbox"],
            "CENTER_PORT": str(self.port),
        }
        self.running = []

    def admit(self, *facilities) -> None:
        known = json.loads(self.secrets.read_text())
        known.update({facility.stream: "secret of " + facility.stream for facility in facilities})
        replacement = self.secrets.with_suffix(".new")
        replacement.write_text(json.dumps(known))
        replacement.replace(self.secrets)

    def start_center(self, fault="") -> Process:
        process = self._start("tests.central_sync.center_process", fault)
        address = f"http://127.0.0.1:{self.port}/"
        for _ in range(800):
            try:
                httpx.get(address, trust_env=False)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return process
        raise AssertionError("the center did not start")

    def start_relay(self, fault="") -> Process:
        return self._start("central_sync.relay", fault)

    def _start(self, module, fault) -> Process:
        process = Process(module, self.environment, fault)
        self.running.append(process)
        return process

    def close(self) -> None:
        for process in self.running:
            if not process.is_dead():
                process.kill()


def wait_until(condition, seconds=40.0) -> None:
    """Wait for something other processes do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
