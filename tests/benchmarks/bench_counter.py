"""Insured three-line sales through the real HTTP path, beside a floor that writes the same rows with plain SQL.

The path: gunicorn, both wings, two facility commits and one center commit, relay and recovery on, fsync on; 8 clients over
8 facilities. The floor: 8 psycopg connections, the same row writes as set-based statements, the same commits, the same
databases, tables, indexes, constraints and policies.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID, uuid4

import msgspec
import psycopg

from launcher import settings
from launcher.home import ROOT
from tests.benchmarks.floor import Floor
from tests.benchmarks.world import CODED, CODES, FACILITIES, World, code_of
from tests.factories.people import PASSWORD

SECONDS = float(os.environ.get("SECONDS", "20"))
WARM_SECONDS = 4
LINES = 3
MOST_PER_SECOND = 320  # Baskets put ready for a second of selling, all tills together.


def measure(home) -> dict[str, dict[str, float]]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # So that what was started is stopped.
    world = World(home).start()
    found: dict[str, dict[str, float]] = {}
    processes: list[subprocess.Popen] = []
    try:
        processes = _start(world)
        tills = [Till(world, number) for number in range(FACILITIES)]
        _sell(tills, WARM_SECONDS)
        world.analyze()
        _sell(tills, WARM_SECONDS / 2)
        floor = Floor(world, tills[0])
        times, floors, one_shop = [], [], []
        per_second, floor_per_second = [], []
        for _ in range(3):  # Interleaved, so that a neighbour's load falls on both.
            taken, rate = _sell(tills, SECONDS / 3)
            times += taken
            per_second.append(rate)
            floors_taken, floor_rate = floor.run(SECONDS / 6)
            floors += floors_taken
            floor_per_second.append(floor_rate)
        one_shop, one_rate = _sell([Till(world, 0, clerk) for clerk in range(FACILITIES)], SECONDS / 4)
        rate, floor_rate = statistics.median(per_second), statistics.median(floor_per_second)
        found["counter.insured_sale"] = {
            "per_second": round(rate, 1), "floor_per_second": round(floor_rate, 1), "ratio": round(rate / floor_rate, 3), **_percentiles(times),
            "floor_p95_ms": _percentiles(floors)["p95_ms"], "statements": _statements(world), "round_trips": ROUND_TRIPS,
        }  # fmt: skip
        found["counter.insured_sale_one_facility"] = {"per_second": round(one_rate, 1), **_percentiles(one_shop)}
        found["counter.visible_at_center"] = _visible(world)
        found["counter.duplicate_alert"] = _duplicates(world)
        _check(world)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(20)
        world.stop()
    return found


# Facility: load, ask with commit; center: read and lock, write with commit; facility: confirm with commit.
ROUND_TRIPS = 5


def _start(world) -> list[subprocess.Popen]:
    environment = world.environment
    web = [
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:app",
        "-k",
        "gthread",
        "--workers",
        "2",
        "--threads",
        "8",
        "--bind",
        f"127.0.0.1:{settings.port()}",
        "--keep-alive",
        "60",
    ]
    commands = (web, [sys.executable, "-m", "central_sync.relay"], [sys.executable, "-m", "launcher.recovery"])
    log = (world.embedded.folder / "bench.log").open("wb")
    started = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) for command in commands]
    for _ in range(150):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", settings.port(), timeout=5)
            connection.request("GET", "/signin")
            if connection.getresponse().status == 200:
                return started
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError("the bench's server did not become healthy")


class Till:
    """A signed-in clerk with a keep-alive connection, and a connection that puts ready baskets before them."""

    turn = [0] * (2 * FACILITIES)
    lock = threading.Lock()

    def __init__(self, world, number: int, clerk: int = 0) -> None:
        self.shop = world.shops[number]
        self.number = number
        self.staff, self.clerk = (self.shop.staff, "002") if clerk == 0 else self.shop.more_staff[clerk - 1]
        self.world = world
        self.http = http.client.HTTPConnection("127.0.0.1", settings.port(), timeout=30)
        self.cookies: dict[str, str] = {}
        self._sign_in()
        self.station = f"S{self.staff}"
        self.db = psycopg.connect(world.urls["facility"]["owner"].replace("+psycopg", ""), autocommit=True)
        self.db.execute("set synchronous_commit = off")
        self.waiting: list[str] = []

    def _sign_in(self) -> None:
        page = self.ask("GET", "/signin")[1]
        token = _token(page)
        status, said = self.ask(
            "POST", "/signin", {"code": self.shop.code, "name": self.clerk, "password": PASSWORD, "csrf_token": token}
        )
        assert status in {302, 303}, f"{self.clerk} cannot sign in: {re.sub(r'<[^>]+>', ' ', said)[-900:]}"
        self.token = _token(self.ask("GET", "/account")[1])
        cookies = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        self.heads = (
            f"Host: 127.0.0.1\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Cookie: {cookies}\r\nX-CSRFToken: {self.token}\r\n"
        ).encode()

    def ask(self, method: str, path: str, form: dict | None = None) -> tuple[int, str]:
        headers = {
            "Accept": "text/html",
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
        }
        body = None
        if form is not None:
            body = urlencode(form)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": getattr(self, "token", "")}
        self.http.request(method, path, body, headers)
        answer = self.http.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, answer.read().decode()

    def next_codes(self) -> list[tuple[int, str]]:
        """Three packs nobody has sold yet: (index of the product, code)."""
        with Till.lock:
            turn = Till.turn[self.number]
            Till.turn[self.number] += LINES
        found = []
        for position in range(turn, turn + LINES):
            product, pack = position % CODED, position // CODED + 1
            assert pack <= CODES, "the bench has sold every box; raise CODES"
            found.append((product, code_of(self.shop.tenant, self.shop.products[product][0], pack)))
        return found

    def ready_basket(self, person: int, station: str = "") -> str:
        """An open basket as scanning and reading a card would leave it."""
        basket, read = str(uuid4()), str(uuid4())
        now = datetime.now(UTC)
        self.db.execute(IDENTIFICATION, self._identification(read, person, now))
        content = {
            "lines": [
                self._line(number, index, code, now) for number, (index, code) in enumerate(self.next_codes(), 1)
            ],
            "identification": read,
            "preview": None,
            "selected": 1,
            "label": "",
        }
        self.db.execute(
            "insert into basket (tenant_id, id, facility_id, station, staff_id, content, state) values (%s, %s, %s, %s, %s, %s, 'open')",
            (self.shop.tenant, basket, self.shop.facility, station or self.station, self.staff, json.dumps(content)),
        )
        return basket

    def _identification(self, read: str, person: int, now: datetime) -> tuple:
        from app.core import personal
        from app.facility.insurance.messages import Person

        number = f"3302{person:016d}"
        who = Person(number, "张建明", _certno(person), "01", "310", "11", "330212", "03", f"B{person:08d}", "card")
        shown = {
            "masked_name": "张*明",
            "sex": "1",
            "age": 46,
            "insutype": "310",
            "psn_type": "11",
            "status": "normal",
            "status_text": "",
        }
        sealed = personal.seal(str(self.shop.tenant), msgspec.json.encode(who))
        return (
            self.shop.tenant,
            read,
            self.shop.facility,
            self.staff,
            personal.lookup(number),
            sealed,
            json.dumps(shown),
            now,
        )

    def _line(self, number: int, index: int, code: str, now: datetime) -> dict:
        product, own, national, lot = self.shop.products[index]
        about = {"product_id": product, "code": own, "national": national, "barcode": "", "name": f"药品{index}", "trade": "", "spec": "0.25g×24粒", "maker": "药厂", "approval": "",
                 "pack_size": 24, "pack_unit": "盒", "base_unit": "粒", "rx_class": "OTC_B", "insurance_class": "A", "selfpay_share": "", "trace_required": True, "split_allowed": False,
                 "pack_price": "12.500000", "split_price": ""}  # fmt: skip
        return {"line_no": number, "about": about, "quantity": 24, "scanned_at": now.isoformat(), "split": False, "lot_id": lot, "lot_number": f"L{own}", "expires_on": "2027-12-01",
                "coded": True, "codes": [{"code": code, "quantity": 24}], "rx": None, "rx_number": "", "rx_title": ""}  # fmt: skip

    def prepare(self, first_person: int, count: int) -> None:
        """Fill baskets beforehand, each at a station and in a shift of its own: the clock runs for the server's work, not for this client's."""
        for position in range(count):
            station = f"{self.station}-{uuid4().hex[:12]}"
            self.db.execute(SHIFT, (self.shop.tenant, str(uuid4()), self.shop.facility, station, self.staff))
            self.waiting.append(self.ready_basket(first_person + position % 1_000, station))

    def sell(self, person: int) -> float:
        """One insured sale; returns how long the clerk waited, in milliseconds."""
        basket = self.waiting.pop() if self.waiting else self.ready_basket(person)
        began = time.perf_counter()
        status, body = self.send(f"/counter/baskets/{basket}/settlement", b"version=1&tenders=%5B%5D")
        taken = (time.perf_counter() - began) * 1000
        assert status == 200, f"{status} {body[:300]!r}"
        assert msgspec.json.decode(body)["kind"] == "settled", body[:300]
        return taken

    def send(self, path: str, form: bytes) -> tuple[int, bytes]:
        """POST on the kept connection with as little work as HTTP allows: in life the browser has a machine of its own."""
        wire = self.http.sock
        wire.sendall(
            b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (path.encode(), self.heads, len(form), form)
        )
        answer = wire.recv(65_536)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += wire.recv(65_536)
        head, body = answer[:end], answer[end + 4 :]
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(body) < length:
            body += wire.recv(65_536)
        return int(head[9:12]), body


SHIFT = "insert into shift (tenant_id, id, facility_id, station, staff_id, opened_on, float_fen) values (%s, %s, %s, %s, %s, current_date, 0)"
IDENTIFICATION = """
insert into identification (tenant_id, id, facility_id, staff_id, credential, read_how, person_hash, sealed, shown, identity, sign_no, read_at)
values (%s, %s, %s, %s, 'card', 'card', %s, %s, %s, '{}', '000001', %s)
"""


def _certno(n: int) -> str:
    from app.national import certno

    first = f"33{n % 90 + 10:02d}{n // 90 % 90 + 10:02d}19800101{n % 1000:03d}"
    return first + certno.check_digit(first)


def _sell(tills: list[Till], seconds: float) -> tuple[list[float], float]:
    """Sell with every till at once; returns the waits and the sales per second."""
    for number, till in enumerate(tills):
        till.prepare(number * 1_000, int(seconds * MOST_PER_SECOND / len(tills)))
    times: list[list[float]] = [[] for _ in tills]
    failures: list[BaseException] = []
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        person = number * 1_000 + int(time.time() * 7) % 900
        try:
            while time.perf_counter() < until:
                person = number * 1_000 + (person + 1) % 1_000
                times[number].append(tills[number].sell(person))
        except BaseException as failure:
            failures.append(failure)

    began = time.perf_counter()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(len(tills))]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    if failures:
        raise failures[0]
    waits = [wait for each in times for wait in each]
    return waits, len(waits) / (time.perf_counter() - began)


def _percentiles(waits: list[float]) -> dict[str, float]:
    ordered = sorted(waits)
    return {f"p{p}_ms": round(ordered[min(len(ordered) - 1, len(ordered) * p // 100)], 1) for p in (50, 95, 99)}


def _token(page: str) -> str:
    found = re.search(r'name="csrf[-_]token"[^>]*(?:content|value)="([^"]+)"', page)
    assert found, f"a page without a form token: {page[:1500]}"
    return found.group(1)


def _statements(world) -> int:
    """Statements of one insured sale, both wings, counted in this process."""
    from app.core import tenancy
    from app.core.hot import statements
    from app.facility.counter.settling import settle_basket

    till = Till(world, 0)
    shop = till.shop
    desk = tenancy.Desk(shop.tenant, shop.facility, shop.staff, "002 李*银")
    for _ in range(2):  # The second time this process knows the institution, as a server does.
        basket = till.ready_basket(9_999)
        with world.facility.app_context(), tenancy.as_tenant(shop.tenant), statements() as ran:
            assert settle_basket(desk, UUID(basket), 1).kind == "settled"
    return len(ran)


def _visible(world) -> dict[str, float]:
    """From the writing of the fact at the facility to its receipt, verified and applied, at the center."""
    time.sleep(1)
    with world.owner("facility") as facility, world.owner("center") as center:
        written = {
            (row[0], row[1]): row[2]
            for row in facility.execute(
                "select stream, number, written_at from outbox where kind = 'sale.sold' and tenant_id <= (select min(tenant_id) + 7 from organization) order by written_at desc limit 4000"
            )
        }
        received = {
            (row[0], row[1]): row[2]
            for row in center.execute(
                "select stream, number, received_at from inbox_fact where kind = 'sale.sold' order by received_at desc limit 4500"
            )
        }
    waits = [(received[key] - at).total_seconds() * 1000 for key, at in written.items() if key in received]
    return {**_percentiles(waits), "facts": len(waits), "missing": len(written) - len(waits)}


def _duplicates(world) -> dict[str, float]:
    """One code sold for cash at two pharmacies: from the second sale's fact to the alert."""
    from tests.benchmarks.duplicates import waits_for_alerts

    return _percentiles(waits_for_alerts(world))


def _check(world) -> None:
    """Every fen and every number exact afterwards."""
    with world.owner("facility") as facility, world.owner("center") as center:
        ours = facility.execute(
            "select count(*), coalesce(sum((money ->> 'account_fen')::bigint), 0) from sale where state = 'settled' and setl_id is not null and setl_id not like 'floor%'"
        ).fetchone()
        theirs = center.execute(
            "select count(*), coalesce(sum(current_fen + prior_fen), 0) from settlement where setl_id not like 'floor%'"
        ).fetchone()
        assert tuple(map(int, ours)) == tuple(map(int, theirs)), f"the wings differ: {ours} {theirs}"
        open_attempts = facility.execute(
            "select count(*) from insurance_attempt where state in ('asked', 'recovering')"
        ).fetchone()[0]
        assert open_attempts == 0
