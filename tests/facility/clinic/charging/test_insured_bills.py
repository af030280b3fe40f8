"""A bill that insurance pays: what was shown is what is settled, on both sides, once; refused, unknown and taken back."""

import time
from contextlib import contextmanager
from decimal import Decimal
from uuid import uuid4

import pytest

from app.center.registry import actions as registry
from app.core import clock, tenancy
from app.core.errors import Outage
from app.core.hot import statements
from app.facility.clinic.charging import bills, refunds, settling
from app.facility.clinic.charging.errors import BillNeedsPreview, BillNotInsured, ConsentNeeded
from app.facility.clinic.errors import NotEligible
from app.facility.clinic.practice import actions as practice
from app.facility.db import run, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, machine, worker
from app.facility.insurance.errors import RefusedByCenter
from app.facility.till import shifts
from app.facility.till.tenders import Tender
from tests.factories.billing import insured_visit, open_bill
from tests.factories.city import at_center, make_covered_goods, make_insured
from tests.factories.clinic import make_service, sheet
from tests.factories.shop import check_books, desk_of, on_hand, open_shift


@pytest.fixture
def goods(clinic, desk, center_app):
    return make_covered_goods(center_app, clinic)


@pytest.fixture
def person(desk, center_app):
    return make_insured(center_app)


@pytest.fixture
def visit(clinic, desk, goods, person):
    """Two packs that insurance pays for and a treatment it does not know: 45.00 in all."""
    service = make_service(clinic, national_code=None, insurance_class=None)
    return insured_visit(clinic, person, sheet("WESTERN", (goods.product_id, 48)), sheet("TREATMENT", (service, 1)))


def row_of(bill):
    return run("select * from bill where id = :b", b=bill).one()


def previewed(desk, visit):
    """A bill whose split was shown; returns (id, version, split)."""
    bill, _version = open_bill(desk, *visit, insured=True)
    split = bills.preview_bill(desk, bill)
    return bill, row_of(bill).version, split


def lines_there(center_app, visit):
    mdtrt_id = run("select mdtrt_id from visit where id = :v", v=visit[0]).scalar_one()
    return [
        row.state
        for row in at_center(center_app, "select state from visit_line where mdtrt_id = %(m)s order by id", m=mdtrt_id)
    ]


@contextmanager
def silence(facility_app, monkeypatch):
    """The center does what it is asked, but its answer is lost; the attempt is overdue at once."""
    client = desks.national_client()
    ask = client.ask

    def silent(call):
        ask(call)
        raise Outage("silence after it was done")

    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)
    with monkeypatch.context() as patch:
        patch.setattr(client, "ask", silent)
        yield


def test_a_visit_is_uploaded_shown_and_settled_on_both_sides(clinic, desk, goods, visit, center_app):
    bill, version, split = previewed(desk, visit)
    assert (split.total_fen, split.full_fen) == (4500, 2000)
    assert lines_there(center_app, visit) == ["uploaded", "uploaded"]

    done = settling.settle_bill(desk, bill, version, [Tender("cash", split.cash_fen)], consent=True)

    row = row_of(bill)
    assert (done.kind, row.state, row.cash_fen) == ("settled", "settled", split.cash_fen)
    assert row.money["fund_fen"] == split.fund_fen
    assert (row.consented_by, row.preview["cash_fen"]) == (clinic.clerk, split.cash_fen)
    there = at_center(center_app, "select total_fen, cash_fen from settlement where setl_id = %(s)s", s=row.setl_id)
    assert [(one.total_fen, one.cash_fen) for one in there] == [(4500, split.cash_fen)]
    assert lines_there(center_app, visit) == ["settled", "settled"]
    assert on_hand(clinic, goods) == (240, 48)
    paid = run("select sum(amount_fen) from tender where document_id = :b", b=bill).scalar_one()
    assert paid == 4500
    assert settling.settle_bill(desk, bill, version, [Tender("cash", split.cash_fen)], consent=True) == done
    check_books(clinic)


def test_a_suspended_doctor_settles_an_emergency_only(clinic, visit):
    doctor = desk_of(clinic, clinic.doctor)
    open_shift(doctor)
    bill, version, split = previewed(doctor, visit)
    practice.suspend(desk_of(clinic, clinic.owner), clinic.doctor, clock.business_date(), None, "记分")
    with pytest.raises(NotEligible):
        settling.settle_bill(doctor, bill, version, [Tender("cash", split.cash_fen)], consent=True)
    assert row_of(bill).state == "open"

    with transaction(settings=doctor.settings) as hot:
        hot.run_last("update visit set med_type = '13' where id = %(v)s", {"v": visit[0]})
    split = bills.preview_bill(doctor, bill)
    paid = settling.settle_bill(doctor, bill, row_of(bill).version, [Tender("cash", split.cash_fen)], consent=True)
    assert paid.kind == "settled"


def test_what_insurance_does_not_pay_is_agreed_to_before(desk, visit):
    bill, version = open_bill(desk, *visit, insured=True)
    with pytest.raises(BillNeedsPreview):
        settling.settle_bill(desk, bill, version, consent=True)
    bills.preview_bill(desk, bill)

    with pytest.raises(ConsentNeeded) as told:
        settling.settle_bill(desk, bill, row_of(bill).version)
    assert "20.00" in told.value.message


def test_the_center_refusing_frees_the_medicines_and_the_bill_says_why(clinic, desk, goods, visit, person, center_app):
    bill, version, _split = previewed(desk, visit)
    with center_app.app_context(), tenancy.acting_as(district="33"):
        registry.set_status(person.psn_no, "frozen", "F02")

    refused = settling.settle_bill(desk, bill, version, consent=True)

    assert refused.kind == "refused"
    assert refused.message
    assert (row_of(bill).state, on_hand(clinic, goods)) == ("open", (240, 0))
    with pytest.raises(RefusedByCenter):
        bills.preview_bill(desk, bill)
    version = bills.pay_by(desk, bill, None)
    assert settling.settle_bill(desk, bill, version).kind == "settled"


def test_a_silent_center_leaves_the_bill_to_the_worker(facility_app, clinic, desk, goods, visit, monkeypatch):
    bill, version, split = previewed(desk, visit)
    with silence(facility_app, monkeypatch):
        unknown = settling.settle_bill(desk, bill, version, consent=True)
    assert (unknown.kind, row_of(bill).state) == ("unknown", "asked")
    assert shifts.summary(desk)[1].pending == 1

    time.sleep(0.05)
    worker.run_once()

    row = row_of(bill)
    assert (row.state, row.cash_fen, on_hand(clinic, goods)) == ("settled", split.cash_fen, (240, 48))
    check_books(clinic)


def test_what_comes_too_late_is_taken_back_at_the_center(
    facility_app, clinic, desk, goods, visit, center_app, monkeypatch
):
    bill, version, _split = previewed(desk, visit)
    with silence(facility_app, monkeypatch):
        settling.settle_bill(desk, bill, version, consent=True)
    machine.give_up(clinic.tenant_id, bill)
    time.sleep(0.05)
    worker.run_once()

    assert (row_of(bill).state, on_hand(clinic, goods)) == ("open", (240, 0))
    assert lines_there(center_app, visit) == ["uploaded", "uploaded"]
    split = bills.preview_bill(desk, bill)
    assert (
        settling.settle_bill(desk, bill, row_of(bill).version, [Tender("cash", split.cash_fen)], consent=True).kind
        == "settled"
    )


def test_another_persons_card_does_not_pay(clinic, desk, visit, center_app):
    bill, _version = open_bill(desk, *visit)
    other = make_insured(center_app)
    reading = uuid4()
    identify.identify(desk, reading, other.card, "card")

    with pytest.raises(BillNotInsured):
        bills.pay_by(desk, bill, reading)


def test_a_bill_is_given_back_whole_and_charged_anew(clinic, desk, goods, visit, center_app):
    bill, version, split = previewed(desk, visit)
    settling.settle_bill(desk, bill, version, [Tender("cash", split.cash_fen)], consent=True)

    back = refunds.refund_bill(desk, uuid4(), bill, "prescription_changed")

    assert (back.kind, row_of(bill).state, on_hand(clinic, goods)) == ("settled", "refunded", (240, 0))
    assert run("select coalesce(sum(t.amount_fen), 0) from tender t").scalar_one() == 0
    assert set(lines_there(center_app, visit)) == {"cancelled"}
    assert row_of(bill).taken_back_at
    again, version, split = previewed(desk, visit)
    done = settling.settle_bill(desk, again, version, [Tender("cash", split.cash_fen)], consent=True)
    assert done.kind == "settled"
    check_books(clinic)


def test_a_cancelled_bill_takes_its_lines_back_at_the_center(desk, visit, center_app):
    bill, version, _split = previewed(desk, visit)
    bills.cancel_bill(desk, bill, version)

    assert lines_there(center_app, visit) == ["cancelled", "cancelled"]
    assert row_of(bill).taken_back_at


def test_what_could_not_be_taken_back_goes_with_the_next_bill(desk, visit, center_app, monkeypatch):
    bill, version, _split = previewed(desk, visit)
    monkeypatch.setattr(bills.desks, "ask_once", lambda *_, **__: (_ for _ in ()).throw(Outage("silence")))
    bills.cancel_bill(desk, bill, version)
    monkeypatch.undo()
    assert lines_there(center_app, visit) == ["uploaded", "uploaded"]

    previewed(desk, visit)

    assert lines_there(center_app, visit) == ["cancelled", "cancelled", "uploaded", "uploaded"]


def test_an_insured_visit_of_twenty_lines_takes_the_statements_of_one(clinic, desk, goods, person, center_app):
    drugs = [goods, *(make_covered_goods(center_app, clinic) for _ in range(4))]
    services = [make_service(clinic, pack_price=Decimal("1.00")) for _ in range(15)]
    counts = []
    for some in ([sheet("WESTERN", (goods.product_id, 24))], [sheet("WESTERN", *((one.product_id, 24) for one in drugs)), sheet("TREATMENT", *((one, 1) for one in services))]):  # fmt: skip
        visit = insured_visit(clinic, person, *some)
        with statements() as ran:
            bill, version, split = previewed(desk, visit)
            done = settling.settle_bill(desk, bill, version, [Tender("cash", split.cash_fen)], consent=True)
        assert done.kind == "settled"
        counts.append(len(ran))
    assert counts[0] == counts[1]
