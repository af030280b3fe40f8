"""Whatever stops the act between registering and settling: nothing is half done, and in the end the patient paid once."""

import threading
import time
from uuid import uuid4

import pytest

from app.center.registry import actions as registry
from app.core import faults, tenancy
from app.facility.clinic.charging import bills, confirming, refunds, settling
from app.facility.clinic.charging.refund_plans import Back
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
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)

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


def test_an_attempt_that_breaks_holds_up_no_other(clinic, desk, goods, visit, center_app, stop_at, monkeypatch):
    broken, _version = open_bill(desk, *visit, insured=True)
    other, _version = open_bill(desk, *insured_visit(clinic, make_insured(center_app), sheet("WESTERN", (goods.product_id, 24))), insured=True)  # fmt: skip
    for bill in (broken, other):
        bills.preview_bill(desk, bill)
        stop_at("ask.answered", lambda bill=bill: settle(desk, bill))
    confirm = confirming.Bills.confirm

    def breaks(self, attempt, answer, was):
        if attempt.document_id == broken:
            raise KeyError("setl_id")
        return confirm(self, attempt, answer, was)

    with monkeypatch.context() as patch:
        patch.setattr(confirming.Bills, "confirm", breaks)
        worker.run_once()
    assert (row_of(broken).state, row_of(other).state) == ("asked", "settled")


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


@pytest.fixture
def paid(clinic, desk, visit):
    """An insured bill of two packs, settled."""
    bill, _version = open_bill(desk, *visit, insured=True)
    bills.preview_bill(desk, bill)
    settle(desk, bill)
    return bill


def standing(center_app, visit):
    mdtrt_id = run("select mdtrt_id from visit where id = :v", v=visit[0]).scalar_one()
    return at_center(
        center_app,
        """select s.setl_id, s.total_fen from settlement s where s.mdtrt_id = %(m)s and s.reverses_setl_id is null
        and not exists (select from settlement r where r.reverses_setl_id = s.setl_id)""",
        m=mdtrt_id,
    )


@pytest.mark.parametrize("point", ["bill_refund.trying", "bill_refund.uploaded", "bill_refund.reserved"])
def test_a_part_that_is_interrupted_before_it_is_asked_never_went_back(
    clinic, desk, goods, visit, paid, center_app, stop_at, point
):
    refund = uuid4()
    part = [Back(1, 1)]
    stop_at(point, lambda: refunds.refund_bill(desk, refund, paid, "billing_error", part, clinic.owner))
    assert (row_of(paid).state, on_hand(clinic, goods)) == ("settled", (240, 48))
    assert [one.total_fen for one in standing(center_app, visit)] == [2500]

    assert refunds.refund_bill(desk, refund, paid, "billing_error", part, clinic.owner).kind == "settled"

    assert [one.total_fen for one in standing(center_app, visit)] == [1250]
    assert row_of(paid).left_batches == []
    check_books(clinic)


@pytest.mark.parametrize(
    "point", ["ask.committed", "ask.sending", "ask.answered", "bill_refund.confirming", "bill_refund.confirmed"]
)
def test_a_part_that_is_interrupted_goes_forward_and_what_stays_is_settled_once(
    clinic, desk, goods, visit, paid, center_app, stop_at, point
):
    refund = uuid4()
    part = [Back(1, 1)]
    stop_at(point, lambda: refunds.refund_bill(desk, refund, paid, "billing_error", part, clinic.owner))

    for _leg in range(2):
        worker.run_once()
        time.sleep(0.05)

    [there] = standing(center_app, visit)
    row = row_of(paid)
    assert (there.total_fen, there.setl_id, row.state) == (1250, row.rest_setl_id, "settled")
    assert on_hand(clinic, goods) == (240, 24)
    assert run("select sum(amount_fen) from tender").scalar_one() == 1250
    assert refunds.refund_bill(desk, refund, paid, "billing_error", part, clinic.owner).kind == "settled"
    assert run("select count(*) from outbox where kind = 'bill.refunded'").scalar_one() == 1
    check_books(clinic)


def test_an_interrupted_refusal_of_a_refund_keeps_the_bill(clinic, desk, goods, visit, paid, stop_at, monkeypatch):
    wrong = {"data": {"setl_id": "9", "mdtrt_id": row_of(paid).number, "psn_no": "9"}}
    monkeypatch.setattr(refunds.wire, "reversal", lambda *_: wrong)
    stop_at("bill_refund.releasing", lambda: refunds.refund_bill(desk, uuid4(), paid, "billing_error"))

    worker.run_once()

    assert (row_of(paid).state, on_hand(clinic, goods)) == ("settled", (240, 48))
    assert run("select sum(refunded) from bill_line").scalar_one() == 0
    assert run("select sum(held) from bill_pick").scalar_one() == 48


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
