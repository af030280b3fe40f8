"""A hundred screens of a waiting room beside a page that people wait for.

`clinic.walls_100`: the queue's page over HTTP, with and without a hundred screens that ask every three seconds, in turns.
"""

from __future__ import annotations

import http.client
import re
import statistics
import threading
import time
from contextlib import closing
from uuid import uuid4

from launcher import settings

WALLS, EVERY_SECONDS = 100, 3.0
VISITS, TURNS, LOOKS = 30, 4, 40


def measure(bench, serve) -> dict[str, float]:
    """`serve` starts the server as it runs and returns its process."""
    cookie, address = _furnish(bench)
    server = serve(bench)
    try:
        page = Visitor(cookie)
        _look(page, LOOKS)  # Both workers are warm.
        alone, beside, asked = [], [], 0
        for _ in range(TURNS):  # In turns, so that a neighbour's load falls on both.
            alone += _look(page, LOOKS)
            with closing(Walls(address)) as walls:
                beside += _look(page, LOOKS)
            asked += walls.asked
        page.close()
    finally:
        server.terminate()
        server.wait(20)
    assert asked >= WALLS * TURNS, "not every screen asked in every turn"
    return {
        "p50_ms": _at(beside, 0.5), "p95_ms": _at(beside, 0.95), "alone_p50_ms": _at(alone, 0.5), "alone_p95_ms": _at(alone, 0.95),
        "ratio": round(statistics.median(beside) / statistics.median(alone), 3), "walls": WALLS, "asked": asked,
    }  # fmt: skip


def _furnish(bench) -> tuple[str, str]:
    """People who wait, a screen, and somebody at reception; returns their cookie and the screen's address."""
    from tests.factories.clinic import make_clinic, make_visit
    from tests.factories.people import form_token, sign_in

    clinic = make_clinic(bench.facility)
    with bench.facility.app_context():
        for _ in range(VISITS):
            make_visit(clinic, begun=False)
    owner, clerk = bench.facility.test_client(), bench.facility.test_client()
    sign_in(owner, clinic, clinic.owner)
    owner.post("/clinic/wall", data={"document": str(uuid4()), "name": "大厅屏", "csrf_token": form_token(owner)})
    found = re.search(r"/clinic/wall/shown/[^\"]+", owner.get("/clinic/wall").get_data(as_text=True))
    assert found, "no screen hangs"
    sign_in(clerk, clinic, clinic.clerk)
    name = bench.facility.config["SESSION_COOKIE_NAME"]
    return f"{name}={clerk.get_cookie(name).value}", found.group()


class Visitor:
    """A browser at reception that stays connected."""

    def __init__(self, cookie: str = "") -> None:
        self.headers = {"Cookie": cookie} if cookie else {}
        self.http = http.client.HTTPConnection("127.0.0.1", settings.port(), timeout=30)

    def get(self, path: str) -> tuple[int, str]:
        self.http.request("GET", path, headers=self.headers)
        answer = self.http.getresponse()
        return answer.status, answer.read().decode()

    def close(self) -> None:
        self.http.close()


class Walls:
    """A hundred open connections, each asking every three seconds what changed, one after the other in a thread of their own."""

    def __init__(self, address: str) -> None:
        self.address, self.asked, self.ended = address, 0, threading.Event()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._hang)
        self.thread.start()
        while self.asked < WALLS and self.failure is None:
            time.sleep(0.05)  # All are open.

    def close(self) -> None:
        self.ended.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def _hang(self) -> None:
        try:
            screens = [Visitor() for _ in range(WALLS)]
            version = re.search(r"v=([0-9a-f]+)", screens[0].get(self.address)[1])
            assert version, "the screen does not say how it asks again"
            due = time.monotonic()
            while not self.ended.is_set():
                for screen in screens:
                    assert screen.get(f"{self.address}?v={version.group(1)}")[0] == 204
                    self.asked += 1
                    due += EVERY_SECONDS / WALLS
                    self.ended.wait(max(due - time.monotonic(), 0))
            [screen.close() for screen in screens]
        except BaseException as failure:
            self.failure = failure


def _look(page: Visitor, times: int) -> list[float]:
    """How long the queue's page takes, in milliseconds; somebody looks ten times a second."""
    waits = []
    for _ in range(times):
        began = time.perf_counter()
        status, text = page.get("/clinic/queue")
        waits.append((time.perf_counter() - began) * 1000)
        assert status == 200, status
        assert "全科" in text
        time.sleep(0.1)
    return waits


def _at(waits: list[float], part: float) -> float:
    return round(sorted(waits)[int(len(waits) * part)], 1)
