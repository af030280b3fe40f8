"""Two wings, real connections, threads behind one gate."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import Refusal
from app.facility.stock.purchasing import deliveries
from app.facility.stock.rules import ReceiptLine
from tests.factories.city import make_covered_goods, make_insured_pharmacy
from tests.factories.shop import desk_of, open_shift
from tests.factories.supply import house_supplier


@pytest.fixture
def at_once(facility_app):
    """Run jobs behind one gate, each in a context of its own as its pharmacy; a refusal is a result."""

    def run(*jobs):
        gate = threading.Barrier(len(jobs))

        def one(job):
            pharmacy, work = job
            with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
                gate.wait(20)
                try:
                    return work()
                except Refusal as refused:
                    return refused

        with ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(one, jobs))

    return run


@pytest.fixture
def open_shop(facility_app, center_app):
    """A pharmacy with an open shift; goods are shelved through the ordinary receipt, with the trace codes named."""

    def make(*codes, packs=1, price="12.50"):
        pharmacy = make_insured_pharmacy(facility_app, center_app)
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            goods = make_covered_goods(center_app, pharmacy, packs, pack_price=price)
            if codes:
                line = ReceiptLine(
                    goods.product_id,
                    "TWIN",
                    clock.business_date() + timedelta(days=300),
                    len(codes),
                    "SALEABLE",
                    codes=codes,
                )
                deliveries.receive_purchase(
                    desk_of(pharmacy, pharmacy.owner), uuid4(), house_supplier(pharmacy), [line]
                )
            desk = desk_of(pharmacy)
            open_shift(desk)
        return pharmacy, desk, goods

    return make


@pytest.fixture
def prepared(facility_app):
    """A basket ready to be settled: scanned, and with a card when a person is named. Returns what settles it."""
    from app.facility.counter import baskets, settling
    from tests.factories.city import identify_at
    from tests.factories.shop import fill_basket

    def make(pharmacy, desk, person, *entries):
        with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
            basket, version = fill_basket(desk, *entries)
            if person is not None:
                identify_at(desk, basket, person)
                version = baskets.get_basket(desk, basket).version
        return basket, lambda: settling.settle_basket(desk, basket, version, (), seen=False)

    return make


class Held:
    """The client of the national interface, with one message held: before it is sent, or after its answer arrived."""

    def __init__(self, real, infno, when):
        self._real, self._infno, self._when = real, infno, when
        self._taken = threading.Lock()
        self.waiting, self.go = threading.Event(), threading.Event()

    def __getattr__(self, name):
        return getattr(self._real, name)

    def ask(self, call):
        if call.infno != self._infno or not self._taken.acquire(blocking=False):
            return self._real.ask(call)
        if self._when == "after":
            answer = self._real.ask(call)
            self._wait()
            return answer
        self._wait()
        return self._real.ask(call)

    def _wait(self):
        self.waiting.set()
        assert self.go.wait(30)


@pytest.fixture
def hold(facility_app, monkeypatch):
    """Hold the first message of a kind; attempts are overdue at once, however fast the machine is."""
    from app.facility.insurance import desk

    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)

    def make(infno, when):
        with facility_app.app_context():
            held = Held(desk.national_client(), infno, when)
        monkeypatch.setitem(facility_app.extensions, "national_client", held)
        return held

    return make


@pytest.fixture(autouse=True)
def _looking(facility_app):
    """The test itself looks with the facility's connections."""
    with facility_app.app_context():
        yield
