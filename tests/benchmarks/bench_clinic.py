"""A clinic's two waits: the reminder while a doctor writes, and the payment of a visit of twenty lines.

`clinic.reminder_20`: 3101 with twenty lines over HTTP to the real server, eight doctors at once, over a year of 100,000
persons. `clinic.walls_100`: see `walls.py`. `clinic.visit_20`: bill, 2203, 2204, 2206, 2207 for twenty lines of four sheets, all commits of both wings, beside
plain SQL that writes the same rows with the same commits. In the bench's own databases.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from uuid import uuid4

import msgspec
import psycopg

from launcher import settings
from launcher.databases import prepare
from launcher.home import ROOT
from launcher.postgres import Embedded
from tests.benchmarks import clinic_rows, walls

SECONDS = float(os.environ.get("SECONDS", "12"))
DOCTORS, LINES, SHEETS = 8, 20, 4
WARM_ROUNDS = 5
TURNS = 6  # Product and floor in turns, so that a neighbour's load falls on both.


def measure(home) -> dict[str, dict[str, float]]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # So that what was started is stopped.
    folder = home.folder / "bench-clinic"
    folder.mkdir(exist_ok=True)
    embedded = Embedded(folder, "bench")
    shutil.rmtree(embedded.data, ignore_errors=True)
    embedded.start()
    try:
        urls = {wing: prepare(embedded.admin_url, wing, home.secrets()) for wing in ("facility", "center")}
        environment = settings.environment(home, urls)
        os.environ.update(environment)
        import wsgi
        from tests.center import world

        center = wsgi.make_center()
        facility = wsgi.make_facility(center)
        world.make_policies(center)
        bench = SimpleNamespace(urls=urls, environment=environment, center=center, facility=facility, folder=folder)
        found = {"clinic.visit_20": visits(bench)}
        found["clinic.walls_100"] = walls.measure(bench, _serve)
        print("  a year of 100,000 persons …", flush=True)
        return {**found, "clinic.reminder_20": reminders(bench)}
    finally:
        embedded.stop()
        shutil.rmtree(embedded.data, ignore_errors=True)


def owner(bench, wing: str) -> psycopg.Connection:
    return psycopg.connect(bench.urls[wing]["owner"].replace("+psycopg", ""), autocommit=True)


# ---- the reminder --------------------------------------------------------------------------------------------------


def reminders(bench) -> dict[str, float]:
    from app.national.client import Call, over_http
    from tests.center import world

    clinic, person = world.make_shop(bench.center, kind="clinic"), world.make_person(bench.center)
    drugs = [world.make_item(bench.center) for _ in range(clinic_rows.DRUGS)]
    visit = world.register_visit(clinic, person)
    clinic.ask("2203", world.description(person, visit))
    rows = [world.charge(person, visit, drugs[n], number=str(n + 1), prd_days="30") for n in range(3)]
    assert clinic.ask("2204", {"feedetail": rows}).accepted
    assert world.settle_visit(clinic, person, visit, rows).accepted
    with owner(bench, "center") as connection:
        known = clinic_rows.fill(connection, person.psn_no, visit, drugs)
    asked = [_draft(world, clinic, drugs, number) for number in range(1, clinic_rows.WAITING + 1)]
    server = _serve(bench)
    try:
        client = over_http(f"http://127.0.0.1:{settings.port()}/center", threads=2 * DOCTORS, seats=DOCTORS)
        calls = [Call("3101", body, clinic.code, clinic.secret) for body in asked]
        _ask_all(client, calls[: DOCTORS * WARM_ROUNDS])
        waits, found = _ask_all(client, calls[DOCTORS * WARM_ROUNDS :])
        client.close()
    finally:
        server.terminate()
        server.wait(20)
    assert found, "nobody has anything at home: the reminder had nothing to find"
    waits.sort()
    return {
        "p50_ms": round(statistics.median(waits), 1), "p95_ms": round(waits[int(len(waits) * 0.95)], 1), "most_ms": round(waits[-1], 1),
        "asked": len(waits), "findings": found, "persons": known["person"], "history_lines": known["visit_line"],
    }  # fmt: skip


def _draft(world, clinic, drugs, number: int) -> bytes:
    """Twenty different drugs, two of which this person has at home."""
    who = SimpleNamespace(psn_no=f"Y{number:09d}", name="王小明")
    kinds = len(drugs)
    lines = [world.order(drugs[(number * 7 + n * 11) % kinds], 7, str(n + 1)) for n in range(LINES)]
    return clinic.compose("3101", world.draft(who, f"T{number}", lines))


def _serve(bench) -> subprocess.Popen:
    """The server as it runs: gunicorn, two workers."""
    import http.client

    command = [
        sys.executable, "-m", "gunicorn", "wsgi:app", "-k", "gthread", "--workers", "2", "--threads", "8", "--bind", f"127.0.0.1:{settings.port()}", "--keep-alive", "30",
    ]  # fmt: skip
    log = (bench.folder / "bench.log").open("wb")
    server = subprocess.Popen(command, cwd=ROOT, env=bench.environment, stdout=log, stderr=log)
    for _ in range(150):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", settings.port(), timeout=5)
            connection.request("GET", "/signin")
            if connection.getresponse().status == 200:
                return server
        except OSError:
            pass
        time.sleep(0.2)
    server.terminate()
    raise RuntimeError("the bench's server did not become healthy")


def _ask_all(client, calls) -> tuple[list[float], int]:
    """Every doctor asks one draft after the other; returns the waits in milliseconds and how much was found."""
    waits: list[float] = []
    found: list[int] = []
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for call in calls[number::DOCTORS]:
                began = time.perf_counter()
                answer = client.ask(call)
                waits.append((time.perf_counter() - began) * 1000)
                assert answer.accepted, answer.message
                found.append(len(answer.output["result"]))
        except BaseException as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(DOCTORS)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    if failures:
        raise failures[0]
    return waits, sum(found)


# ---- the payment ---------------------------------------------------------------------------------------------------


def visits(bench) -> dict[str, float]:
    from app.core import tenancy
    from tests.factories.city import make_covered_goods, make_insured
    from tests.factories.clinic import make_clinic
    from tests.factories.shop import desk_of, open_shift

    clinic = make_clinic(bench.facility, bench.center)
    with bench.facility.app_context(), tenancy.as_tenant(clinic.tenant_id):
        desk = desk_of(clinic)
        open_shift(desk)
        goods = [
            make_covered_goods(bench.center, clinic, packs=5000, trace_required=False, pack_price="5.00")
            for _ in range(LINES)
        ]
        person = make_insured(bench.center, current_fen=100_000_000)
        each_turn = max(5, int(SECONDS))
        ready = iter([_signed(clinic, person, goods) for _ in range(WARM_ROUNDS + 1 + TURNS * each_turn)])
        for wing in ("facility", "center"):
            with owner(bench, wing) as connection:
                connection.execute("analyze")
        for _ in range(WARM_ROUNDS):
            _pay(desk, *next(ready))
        floor = Floor(bench, clinic, _pay(desk, *next(ready))[1])
        ours, plain = [], []
        counts = []  # What a process keeps for a while is read again now and then: the median counts.
        for _ in range(TURNS):
            began = time.perf_counter()
            for _ in range(each_turn):
                taken, _bill, ran = _pay(desk, *next(ready))
                ours.append(taken)
                counts.append(len(ran))
            ends = 2 * time.perf_counter() - began
            while time.perf_counter() < ends:
                plain.append(floor.pay())
        floor.close()
        _one, _bill, few = _pay(desk, *_signed(clinic, person, goods[:1]))
    rate, floor_rate = len(ours) / sum(ours), len(plain) / sum(plain)
    return {
        "per_second": round(rate, 1), "floor_per_second": round(floor_rate, 1), "ratio": round(rate / floor_rate, 3),
        "p50_ms": round(statistics.median(ours) * 1000, 1), "p95_ms": round(sorted(ours)[int(len(ours) * 0.95)] * 1000, 1),
        "statements": statistics.median_low(counts), "statements_of_one_line": len(few),
    }  # fmt: skip


def _signed(clinic, person, goods):
    """A registered visit with its sheets signed and reviewed; writing them is not what is measured."""
    from tests.factories.billing import insured_visit
    from tests.factories.clinic import sheet

    each = -(-len(goods) // SHEETS)
    parts = [goods[n : n + each] for n in range(0, len(goods), each)]
    return insured_visit(clinic, person, *(sheet("WESTERN", *((one.product_id, 24) for one in part)) for part in parts))


def _pay(desk, visit, sheets):
    """Bill, split, settlement; returns the seconds, the bill and the statements of both wings."""
    from app.core.hot import statements
    from app.facility.clinic.charging import bills, settling
    from app.facility.till.tenders import Tender

    bill = uuid4()
    began = time.perf_counter()
    with statements() as ran:
        bills.open_bill(desk, bill, visit, sheets, insured=True)
        split = bills.preview_bill(desk, bill)
        tenders = [Tender("cash", split.cash_fen)] if split.cash_fen else []
        done = settling.settle_bill(desk, bill, 2, tenders, consent=True)
    taken = time.perf_counter() - began
    assert done.kind == "settled", done
    return taken, bill, ran


FACILITY = {
    "bill": "id", "bill_line": "bill_id", "bill_pick": "bill_id", "insurance_attempt": "document_id", "tender": "document_id",
}  # fmt: skip
NUMBERED = ("tender", "visit_line", "account_entry")
CENTER = {"settlement": "setl_id", "settlement_line": "setl_id", "visit_line": "setl_id", "account_entry": "setl_id"}


class Floor:
    """Writes the rows of one paid visit again under fresh keys, in as many commits: five at the facility, three at the center."""

    def __init__(self, bench, clinic, bill) -> None:
        from app.facility.clinic.charging.events import as_facts

        self.tenant, self.facility = clinic.tenant_id, clinic.facility_id
        with owner(bench, "facility") as here, owner(bench, "center") as there:
            self.rows = {
                name: _rows(here, name, f"tenant_id = {self.tenant} and {key} = %s", bill)
                for name, key in FACILITY.items()
            }
            paid = self.rows["bill"][0]
            [body] = here.execute(
                "select body from outbox where tenant_id = %s order by number desc limit 1", (self.tenant,)
            ).fetchone()
            self.facts = as_facts("bill.settled", msgspec.json.decode(bytes(body)))
            self.lots = [row["lot_id"] for row in self.rows["bill_pick"]]
            for name, key in CENTER.items():
                self.rows[name] = _rows(there, name, f"{key} = %s", paid["setl_id"])
            self.rows["message"] = _rows(there, "message", "msgid = %s", self.rows["settlement"][0]["msgid"])
            self.mdtrt_id, self.person = self.rows["settlement"][0]["mdtrt_id"], self.rows["settlement"][0]["psn_no"]
        self.old = {
            "bill": str(bill), "number": paid["number"], "setl": paid["setl_id"], "attempt": self.rows["insurance_attempt"][0]["id"],
            "msgid": self.rows["settlement"][0]["msgid"],
        }  # fmt: skip
        self.here = psycopg.connect(bench.urls["facility"]["app"].replace("+psycopg", ""))
        self.there = psycopg.connect(bench.urls["center"]["interface"].replace("+psycopg", ""))

    def close(self) -> None:
        self.here.close()
        self.there.close()

    def pay(self) -> float:
        fresh = {
            old: str(uuid4()) if name in {"bill", "attempt"} else f"F{uuid4().hex[:20]}"
            for name, old in self.old.items()
        }
        rows = clinic_rows.renewed(self.rows, fresh)
        began = time.perf_counter()
        self._commit(self.here, _insert(rows, "bill", "bill_line"))
        self._commit(self.there, [("update visit set seen_at = now() where mdtrt_id = %s", (self.mdtrt_id,))])
        self._commit(self.here, [("update bill set uploaded_at = now() where id = %s", (fresh[self.old["bill"]],))])
        self._commit(self.there, _insert(rows, "settlement", "visit_line"))
        self._commit(self.here, [("update bill set version = version + 1 where id = %s", (fresh[self.old["bill"]],))])
        hold = "update lot_balance set reserved = reserved + 24 where tenant_id = %s and lot_id = any(%s)"
        head = "update stream_head set message_number = message_number + 1 where tenant_id = %s and facility_id = %s"
        self._commit(self.here, [
            (hold, (self.tenant, self.lots)), (head, (self.tenant, self.facility)), *_insert(rows, "bill_pick", "insurance_attempt"),
        ])  # fmt: skip
        account = "update account set current_fen = current_fen - 1 where psn_no = %s"
        self._commit(
            self.there, [(account, (self.person,)), *_insert(rows, "settlement_line", "account_entry", "message")]
        )
        append = "select * from append_facts(%s, %s, %s::jsonb)"
        self._commit(self.here, [*_insert(rows, "tender"), (append, (self.tenant, self.facility, self.facts))])
        return time.perf_counter() - began

    def _commit(self, connection, batch) -> None:
        with connection.pipeline():
            if connection is self.here:
                connection.execute("select set_config('app.tenant_id', %s, true)", (str(self.tenant),))
            for statement, params in batch:
                connection.execute(statement, params)
            connection.commit()


def _rows(connection, name: str, where: str, key) -> list[dict]:
    found = connection.execute(f"select to_jsonb(x) from {name} x where {where}", (key,)).fetchall()
    return [row[0] for row in found]


def _insert(rows: dict[str, str], *names: str) -> list[tuple[str, tuple]]:
    """One statement a table; what the database numbers itself gets another number."""
    made = []
    for name in names:
        known = msgspec.json.decode(rows[name])
        columns = ", ".join(key for key in known[0] if name not in NUMBERED or key != "id") if known else ""
        if columns:
            made.append(
                (
                    f"insert into {name} ({columns}) select {columns} from jsonb_populate_recordset(null::{name}, %s::jsonb)",
                    (rows[name],),
                )
            )
    return made
