"""A paid sheet ends when nothing of it is left: handed over, carried out, paid back or returned, whichever came last."""

from uuid import uuid4

import pytest

from app.core import tenancy
from app.facility.clinic.charging import bills, refunds, settling
from app.facility.clinic.charging.refund_plans import Back
from app.facility.clinic.day import actions as day
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.dispensing import handing, queries, returning, treating
from app.facility.clinic.dispensing.returning import Back as Returned
from app.facility.clinic.dispensing.rules import Take
from app.facility.db import run
from tests.factories.billing import charged_visit, insured_visit, open_bill
from tests.factories.city import make_covered_goods, make_insured
from tests.factories.clinic import make_clinic, make_service, sheet
from tests.factories.shop import check_books, desk_of, make_goods, open_shift


@pytest.fixture
def cashier(clinic):
    return desk_of(clinic)


@pytest.fixture
def nurse(clinic):
    return desk_of(clinic, clinic.nurse)


def state(order):
    return run("select state from clinic_order where id = :o", o=order).scalar_one()


def back(clinic, cashier, bill, line, units=1):
    return refunds.refund_bill(cashier, uuid4(), bill, "not_dispensed", [Back(line, units)], clinic.owner).kind


def test_a_fee_is_done_when_it_is_paid_and_may_be_charged_again_when_it_went_back(clinic, cashier):
    fee = sheet("FEE", (make_service(clinic), 1))
    visit, bill = charged_visit(clinic, fee)
    assert state(fee.id) == "DONE"
    assert refunds.refund_bill(cashier, uuid4(), bill, "billing_error").kind == "settled"
    assert state(fee.id) == "PASSED"
    again, version = open_bill(cashier, visit, [fee.id])
    settling.settle_bill(cashier, again, version)
    assert state(fee.id) == "DONE"
    assert day.close_visits(cashier) == 1


def test_the_rest_that_goes_back_ends_a_sheet_of_which_a_part_was_handed_over(clinic, cashier, desk, checker, goods):
    other = make_goods(clinic, 10)
    made = sheet("WESTERN", (goods.product_id, 48), (other.product_id, 24))
    _visit, bill = charged_visit(clinic, made)
    back(clinic, cashier, bill, 2)
    assert state(made.id) == "CHARGED"
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 24, goods.codes[:1])], checker)
    assert state(made.id) == "DISPENSING"
    back(clinic, cashier, bill, 1)
    assert state(made.id) == "DONE"
    assert queries.list_to_hand(clinic.facility_id) == []
    check_books(clinic)


def test_treatments_that_go_back_before_the_first_and_after_some(clinic, cashier, nurse):
    made = sheet("TREATMENT", (make_service(clinic), 3))
    _visit, bill = charged_visit(clinic, made)
    back(clinic, cashier, bill, 1)
    assert state(made.id) == "CHARGED"
    treating.carry_out(nurse, uuid4(), made.id, {1: 1})
    assert state(made.id) == "DISPENSING"
    back(clinic, cashier, bill, 1)
    assert state(made.id) == "DONE"
    assert queries.list_to_treat(clinic.facility_id) == []
    assert day.close_visits(cashier) == 1


def test_an_infusion_goes_on_until_its_doses_are_given_or_its_drug_came_back(clinic, cashier, desk, nurse, checker):
    vials = make_goods(clinic, 10, pack_size=1, pack_unit="支", base_unit="支", split_allowed=False)
    made = sheet("INFUSION", Line(vials.product_id, 4, frequency="bid", route="ivgtt", days=2))
    _visit, bill = charged_visit(clinic, made)
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 2, vials.codes[:2])], checker)
    back(clinic, cashier, bill, 1, 2)
    assert state(made.id) == "DISPENSING"  # Two are handed over and are still to be given.
    treating.carry_out(nurse, uuid4(), made.id, {1: 1})
    [given] = queries.get_sheet(desk, made.id).given
    returned = [Returned(given.dispensing_id, given.line_no, 2, vials.codes[:2])]
    returning.take_back(desk, uuid4(), made.id, returned, "quality", "有异物", checker)
    assert state(made.id) == "DONE"
    back(clinic, cashier, bill, 1, 2)
    assert state(made.id) == "DONE"
    check_books(clinic)


def test_a_refund_that_is_refused_lets_a_sheet_go_on_that_ended_meanwhile(facility_app, center_app, monkeypatch):
    clinic = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
        cashier, pharmacist = desk_of(clinic), desk_of(clinic, clinic.pharmacist)
        open_shift(cashier)
        covered = make_covered_goods(center_app, clinic)
        made = sheet("WESTERN", (covered.product_id, 48))
        visit = insured_visit(clinic, make_insured(center_app), made)
        bill, _version = open_bill(cashier, *visit, insured=True)
        bills.preview_bill(cashier, bill)
        version = run("select version from bill where id = :b", b=bill).scalar_one()
        settling.settle_bill(cashier, bill, version)
        ask = refunds.machine.ask

        def meanwhile(attempt):
            handing.hand_over(pharmacist, uuid4(), made.id, [Take(1, 24, covered.codes[:1])], (clinic.nurse, "005"))
            assert state(made.id) == "DONE"
            ask(attempt)

        monkeypatch.setattr(refunds.machine, "ask", meanwhile)
        monkeypatch.setattr(refunds.wire, "reversal", lambda _setl, mdtrt, psn, extra: {"data": {"setl_id": "9", "mdtrt_id": mdtrt, "psn_no": psn}})  # fmt: skip
        assert back(clinic, cashier, bill, 1) == "refused"
        assert state(made.id) == "DISPENSING"
        assert len(queries.list_to_hand(clinic.facility_id)) == 1
