"""The stock room over one pharmacy of 5,000 products and 1,000,000 movements of three years.

`stock.search_1m`: what the screens ask, beside plain SQL of the same questions on the same tables, and the whole answer to
the browser (sign-in, page and all). `stock.receipt_20`, `stock.transfer_5`: acts among these rows, beside plain SQL that
writes the same. The rows are loaded as the owner, in the bench's own database.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from dataclasses import dataclass

import psycopg

from launcher import settings
from launcher.databases import prepare
from launcher.postgres import Embedded
from tests.benchmarks import stock_questions, stock_rows, transfers
from tests.benchmarks.receipts import measure_receipts

SECONDS = float(os.environ.get("SECONDS", "12"))
TURNS = int(os.environ.get("TURNS", "20"))


@dataclass
class StockWorld:
    """The bench's cluster with its one pharmacy."""

    embedded: Embedded
    urls: dict
    app: object
    pharmacy: object

    def owner(self) -> psycopg.Connection:
        return psycopg.connect(self.urls["facility"]["owner"].replace("+psycopg", ""), autocommit=True)


def measure(home) -> dict[str, dict[str, float]]:
    world = start(home)
    try:
        found = {"stock.search_1m": search(world)}
        found["stock.receipt_20"] = measure_receipts(world, SECONDS)
        found["stock.transfer_5"] = _transfers(world)
        return found
    finally:
        stop(world)


def _transfers(world: StockWorld) -> dict[str, float]:
    """Two shops of this organization, among the same million movements."""
    from app.core import tenancy
    from tests.factories.branches import make_branch
    from tests.factories.shop import make_goods

    branch = make_branch(world.app, None, world.pharmacy)
    with world.app.app_context(), tenancy.as_tenant(world.pharmacy.tenant_id):
        goods = [make_goods(world.pharmacy, 2 * transfers.ROUNDS + 8) for _ in range(5)]
        return transfers.measure_transfer(world.pharmacy, branch, goods)


def start(home) -> StockWorld:
    """A cluster of its own, both wings, one pharmacy, and the years of its ledger."""
    folder = home.folder / "bench-stock"
    folder.mkdir(exist_ok=True)
    embedded = Embedded(folder, "bench")
    shutil.rmtree(embedded.data, ignore_errors=True)
    embedded.start()
    passwords = home.secrets()
    urls = {wing: prepare(embedded.admin_url, wing, passwords) for wing in ("facility", "center")}
    os.environ.update(settings.environment(home, urls))
    import wsgi
    from tests.factories.people import make_pharmacy

    app = wsgi.make_facility(wsgi.make_center())
    world = StockWorld(embedded, urls, app, make_pharmacy(app))
    with world.owner() as connection:
        stock_rows.fill(connection, world.pharmacy)
    return world


def stop(world: StockWorld) -> None:
    """End what was started and keep no file."""
    from app.facility.db import db

    with world.app.app_context():
        db.close()
    world.embedded.stop()
    shutil.rmtree(world.embedded.data, ignore_errors=True)


def search(world: StockWorld) -> dict[str, float]:
    """The screens' questions, the plain ones and the whole answers, in turns, so that a neighbour's load falls on all."""
    asked, plain, whole = stock_questions.screens(world), stock_questions.floor(world), stock_questions.pages(world)
    times: dict[str, list[float]] = {"screen": [], "floor": [], "page": []}
    worst: dict[str, list[float]] = {}
    for turn in range(TURNS + 2):
        for kind, questions in (("screen", asked), ("floor", plain), ("page", whole)):
            for name, ask in questions.items():
                taken = _timed(ask)
                if turn >= 2:  # The first two fill the caches.
                    times[kind].append(taken)
                    worst.setdefault(f"{kind} {name}", []).append(taken)
    for name, taken in sorted(worst.items(), key=lambda item: -statistics.median(item[1])):
        print(f"  {name:40} p50 {statistics.median(taken):7.1f} ms   p95 {_p95(taken):7.1f} ms")
    found = {f"{kind}_p50_ms": round(statistics.median(taken), 1) for kind, taken in times.items()}
    found |= {f"{kind}_p95_ms": round(_p95(taken), 1) for kind, taken in times.items()}
    slowest = max(_p95(taken) for name, taken in worst.items() if name.startswith("page "))
    return {
        **found, "slowest_page_p95_ms": round(slowest, 1), "ratio": round(statistics.median(times["floor"]) / statistics.median(times["screen"]), 3),
        "statements": stock_questions.statements(world), "movements": stock_rows.MOVEMENTS, "products": stock_rows.PRODUCTS,
    }  # fmt: skip


def _timed(ask) -> float:
    before = time.perf_counter()
    ask()
    return (time.perf_counter() - before) * 1000


def _p95(times: list[float]) -> float:
    return sorted(times)[max(0, round(len(times) * 0.95) - 1)]
