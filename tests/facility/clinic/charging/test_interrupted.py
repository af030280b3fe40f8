"""Whatever stops the act between registering and settling: nothing is half done, and in the end the patient paid once."""

import threading
import time
from uuid import uuid4

import pytest

from app.center.registry import actions as registry
from app.core import faults, tenancy
from app.facility.clinic.charging import bills, refunds, settling
from app.facility.db import run
from app.facility.insurance import worker
from app.facility.till.tenders import Tender
from tests.factories.billing import insured_visit, open_bill, signed_visit
from tests.factories.city import at_center, make_covered_goods, make_insured
from tests.factories.clinic import make_service, sheet
from tests.factories.shop import check_books, on_hand


class Stopped(BaseException):
    """The process ends here."""


@pytest.fixture
def goods(clinic, desk, center_app):
    return make_covered_goods(center_app, clinic)


@pytest.fixture
def visit(clinic, desk, goods, center_app):
    return insured_visit(clinic, make_insured(center_app), sheet("WESTERN", (goods.product_id, 48)))


@pytest.fixture
def stop_at(facility_app, monkeypatch):
    """Run an act that is stopped at a point; its attempt is overdue at once."""
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", 0.01)

    def stop(point, act):
        def at(name):
            if name == point:
                raise Stopped

        with monkeypatch.context() as patch:
            patch.setattr(faults, "at", at)
            with pytest.raises(Stopped):
                act()
        time.sleep(0.05)

    return stop


def row_of(bill):
    return run("select * from bill where id = :b", b=bill).one()


def settlements(center_app, visit):
    mdtrt_id = run("select mdtrt_id from visit where id = :v", v=visit[0]).scalar_one()
    return at_center(center_app, "select setl_id, total_fen from settlement where mdtrt_id = %(m)s", m=mdtrt_id)


def settle(desk, bill):
    row = row_of(bill)
    cash = [Tender("cash", row.preview["cash_fen"])] if row.preview["cash_fen"] else []
    return settling.settle_bill(desk, bill, row.version, cash)


@pytest.mark.parametrize("point", ["bill.described", "bill.uploading", "bill.uploaded", "bill.previewed"])
def test_an_interrupted_preview_is_asked_again(clinic, desk, goods, visit, center_app, stop_at, point):
    bill, _version = open_bill(desk, *visit, insured=True)
    stop_at(point, lambda: bills.preview_bill(desk, bill))
    assert (row_of(bill).state, on_hand(clinic, goods)) == ("open", (240, 0))

    bills.preview_bill(desk, bill)

    assert settle(desk, bill).kind == "settled"
    assert len(settlements(center_app, visit)) == 1
    check_books(clinic)


@pytest.mark.parametrize("point", ["ask.committed", "ask.sending", "ask.answered", "bill.confirming", "bill.confirmed"])
def test_an_interrupted_settlement_is_finished_by_the_worker(clinic, desk, goods, visit, center_app, stop_at, point):
    bill, _version = open_bill(desk, *visit, insured=True)
    bills.preview_bill(desk, bill)
    stop_at(point, lambda: settle(desk, bill))

    worker.run_once()

    row = row_of(bill)
    assert (row.state, on_hand(clinic, goods)) == ("settled", (240, 48))
    assert [one.setl_id for one in settlements(center_app, visit)] == [row.setl_id]
    assert run("select sum(amount_fen) from tender where document_id = :b", b=bill).scalar_one() == 2500
    told = run("select count(*) from outbox where kind = 'bill.settled'").scalar_one()
    assert told == 1
    check_books(clinic)


def test_what_stops_before_the_question_leaves_nothing(clinic, desk, goods, visit, center_app, stop_at):
    bill, _version = open_bill(desk, *visit, insured=True)
    bills.preview_bill(desk, bill)
    stop_at("bill.reserving", lambda: settle(desk, bill))

    assert (row_of(bill).state, on_hand(clinic, goods), settlements(center_app, visit)) == ("open", (240, 0), [])
    assert settle(desk, bill).kind == "settled"


def test_an_interrupted_refusal_frees_the_goods_all_the_same(clinic, desk, goods, center_app, stop_at):
    person = make_insured(center_app)
    visit = insured_visit(clinic, person, sheet("WESTERN", (goods.product_id, 48)))
    bill, _version = open_bill(desk, *visit, insured=True)
    bills.preview_bill(desk, bill)
    with center_app.app_context(), tenancy.acting_as(district="33"):
        registry.set_status(person.psn_no, "frozen", "F02")
    stop_at("bill.releasing", lambda: settle(desk, bill))

    worker.run_once()

    assert (row_of(bill).state, on_hand(clinic, goods)) == ("open", (240, 0))


def test_a_refund_interrupted_before_it_is_asked_never_was(clinic, desk, goods, visit, stop_at):
    bill, _version = open_bill(desk, *visit, insured=True)
    bills.preview_bill(desk, bill)
    settle(desk, bill)
    refund = uuid4()
    stop_at("bill_refund.reserved", lambda: refunds.refund_bill(desk, refund, bill, "billing_error"))

    assert row_of(bill).state == "settled"
    assert refunds.refund_bill(desk, refund, bill, "billing_error").kind == "settled"
    assert row_of(bill).state == "refunded"


@pytest.mark.parametrize(
    "point",
    ["ask.committed", "ask.answered", "bill_refund.confirming", "bill_refund.confirmed"],
)
def test_an_interrupted_refund_goes_forward(clinic, desk, goods, visit, center_app, stop_at, point):
    bill, _version = open_bill(desk, *visit, insured=True)
    bills.preview_bill(desk, bill)
    settle(desk, bill)
    refund = uuid4()
    stop_at(point, lambda: refunds.refund_bill(desk, refund, bill, "billing_error"))

    worker.run_once()

    assert (row_of(bill).state, on_hand(clinic, goods)) == ("refunded", (240, 0))
    assert refunds.refund_bill(desk, refund, bill, "billing_error").kind == "settled"
    assert sum(one.total_fen for one in settlements(center_app, visit)) == 0
    assert run("select coalesce(sum(amount_fen), 0) from tender").scalar_one() == 0
    check_books(clinic)


def test_many_tills_settle_one_bill_once(facility_app, clinic, desk, goods):
    visit = signed_visit(clinic, sheet("WESTERN", (goods.product_id, 24)), sheet("TEST", (make_service(clinic), 1)))
    bill, version = open_bill(desk, *visit)
    ended, ready = [], threading.Barrier(4)

    def press():
        with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
            ready.wait()
            ended.append(settling.settle_bill(desk, bill, version).kind)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ended == ["settled"] * 4
    assert run("select count(*) from tender where document_id = :b", b=bill).scalar_one() == 1
    assert on_hand(clinic, goods) == (240, 24)
    check_books(clinic)
