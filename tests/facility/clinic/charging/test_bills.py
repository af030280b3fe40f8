"""A self-paid bill: sheets are taken once, medicines are held, money is in the till, all given back whole."""

from uuid import uuid4

import pytest

from app.core.errors import DocumentChanged, NotFound
from app.core.hot import statements
from app.facility.clinic.charging import bills, refunds, settling
from app.facility.clinic.charging.errors import (
    BillChanged,
    BillMovedOn,
    BillNotInsured,
    BillNotRefundable,
    NotEnoughToCharge,
    NothingToCharge,
    SheetNotChargeable,
    SheetOnAnotherBill,
    TillNotOpen,
)
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.errors import VisitBeingPaid
from app.facility.db import run, transaction
from app.facility.till import shifts
from app.facility.till.errors import TenderShort
from app.facility.till.tenders import Tender
from tests.factories.billing import open_bill, signed_visit
from tests.factories.clinic import make_service, make_visit, sheet, sign
from tests.factories.people import make_pharmacy
from tests.factories.shop import check_books, desk_of, make_goods, on_hand


def bill_row(bill):
    return run("select * from bill where id = :b", b=bill).one()


def states(visit):
    return [row.state for row in run("select state from clinic_order where visit_id = :v order by number", v=visit)]


@pytest.fixture
def goods(clinic, desk):
    return make_goods(clinic, 10)


@pytest.fixture
def visit(clinic, desk, goods):
    """12.50 a pack, two packs, and a treatment of 20 yuan."""
    return signed_visit(clinic, sheet("WESTERN", (goods.product_id, 48)), sheet("TREATMENT", (make_service(clinic), 1)))


def test_several_sheets_are_paid_at_once_and_medicines_wait_for_the_patient(clinic, desk, goods, visit):
    visit, sheets = visit
    bill, version = open_bill(desk, visit, sheets)

    done = settling.settle_bill(desk, bill, version, [Tender("wechat", 2000), Tender("cash", 3000)])
    again = settling.settle_bill(desk, bill, version, [Tender("wechat", 2000), Tender("cash", 3000)])

    assert done == again
    assert (done.kind, done.number[:1]) == ("settled", "F")
    row = bill_row(bill)
    assert (row.state, row.paid, row.total_fen, row.cash_fen) == ("settled", "self", 4500, 2500)
    assert row.stream_number
    assert states(visit) == ["CHARGED", "CHARGED"]
    assert on_hand(clinic, goods) == (240, 48)
    assert run("select sum(quantity) from bill_pick where bill_id = :b", b=bill).scalar_one() == 48
    _shift, totals, kinds, _moves = shifts.summary(desk)
    assert (totals.sales, totals.cash_in_fen, totals.pending) == (1, 2500, 0)
    assert {(row.kind, row.amount_fen) for row in kinds} == {("cash", 2500), ("wechat", 2000)}
    check_books(clinic)


def test_a_bill_takes_its_sheets_so_nobody_else_does(clinic, desk, visit):
    visit, sheets = visit
    bill = uuid4()
    number = bills.open_bill(desk, bill, visit, sheets)

    assert bills.open_bill(desk, bill, visit, sheets) == number
    with pytest.raises(DocumentChanged):
        bills.open_bill(desk, bill, visit, sheets[:1])
    with pytest.raises(SheetOnAnotherBill) as told:
        bills.open_bill(desk_of(clinic, clinic.owner), uuid4(), visit, sheets[:1])
    assert number in told.value.message
    with pytest.raises(VisitBeingPaid):
        sign(clinic, visit)


def test_two_cashiers_on_one_bill_charge_it_once(clinic, desk, visit):
    bill, version = open_bill(desk, *visit)
    settling.settle_bill(desk, bill, version, [Tender("cash", 4500)])

    with pytest.raises(DocumentChanged):
        settling.settle_bill(desk, bill, version, [Tender("bank", 4500)])
    with pytest.raises(BillMovedOn):
        bills.cancel_bill(desk, bill, version)
    assert run("select count(*) from tender where document_id = :b", b=bill).scalar_one() == 1


def test_a_cancelled_bill_frees_its_sheets(desk, visit, clinic):
    bill, version = open_bill(desk, *visit)
    with pytest.raises(BillChanged):
        bills.cancel_bill(desk, bill, version + 1)
    bills.cancel_bill(desk, bill, version)

    with pytest.raises(BillMovedOn):
        settling.settle_bill(desk, bill, version)
    other, _ = open_bill(desk, *visit)
    assert bill_row(other).number != bill_row(bill).number
    assert states(visit[0]) == ["PASSED", "PASSED"]


def test_what_cannot_be_charged_is_said_and_nothing_changes(clinic, desk, goods):
    visit = make_visit(clinic)
    wanted = sheet("WESTERN", (goods.product_id, 24))
    sign(clinic, visit, wanted)

    with pytest.raises(SheetNotChargeable):
        bills.open_bill(desk, uuid4(), visit, [wanted.id])
    for sheets in ([], [uuid4()]):
        with pytest.raises(NothingToCharge):
            bills.open_bill(desk, uuid4(), visit, sheets)
    with pytest.raises(NotFound):
        bills.open_bill(desk, uuid4(), uuid4(), [wanted.id])
    with pytest.raises(BillNotInsured):
        bills.open_bill(desk, uuid4(), visit, [wanted.id], insured=True)
    with pytest.raises(NotFound):
        settling.settle_bill(desk, uuid4(), 1)
    assert run("select count(*) from bill").scalar_one() == 0


def test_an_empty_shelf_is_named_and_nothing_is_held(clinic, desk, goods):
    visit = signed_visit(clinic, sheet("WESTERN", (goods.product_id, 24 * 11)))
    bill, version = open_bill(desk, *visit)

    with pytest.raises(NotEnoughToCharge) as told:
        settling.settle_bill(desk, bill, version)

    assert goods.name in told.value.message
    assert on_hand(clinic, goods) == (240, 0)
    assert bill_row(bill).state == "open"


def test_single_units_come_from_a_whole_pack_when_none_is_open(clinic, desk, goods):
    visit = signed_visit(clinic, sheet("WESTERN", Line(goods.product_id, 10, split=True)))
    bill, version = open_bill(desk, *visit)

    assert settling.settle_bill(desk, bill, version).kind == "settled"
    assert on_hand(clinic, goods) == (240, 10)


def test_too_little_money_and_a_closed_till_change_nothing(clinic, desk, goods, visit):
    bill, version = open_bill(desk, *visit)

    with pytest.raises(TenderShort):
        settling.settle_bill(desk, bill, version, [Tender("cash", 4499)])
    shifts.close_shift(desk, 10_000)
    with pytest.raises(TillNotOpen):
        settling.settle_bill(desk, bill, version)
    assert on_hand(clinic, goods) == (240, 0)


def test_a_whole_bill_is_given_back_the_way_it_came(clinic, desk, goods, visit):
    bill, version = open_bill(desk, *visit)
    settling.settle_bill(desk, bill, version, [Tender("wechat", 2000), Tender("cash", 2500)])
    refund = uuid4()

    back = refunds.refund_bill(desk, refund, bill, "not_dispensed")

    assert back == refunds.refund_bill(desk, refund, bill, "not_dispensed")
    assert (back.kind, bill_row(bill).state, states(visit[0])) == ("settled", "refunded", ["PASSED", "PASSED"])
    assert on_hand(clinic, goods) == (240, 0)
    _shift, totals, _kinds, _moves = shifts.summary(desk)
    assert (totals.sales, totals.refunds, totals.cash_in_fen, totals.cash_out_fen) == (1, 1, 2500, -2500)
    with pytest.raises(DocumentChanged):
        refunds.refund_bill(desk, refund, bill, "billing_error")
    with pytest.raises(BillMovedOn):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed")
    other, version = open_bill(desk, *visit)
    assert settling.settle_bill(desk, other, version).kind == "settled"
    check_books(clinic)


def test_what_was_handed_over_is_not_given_back_whole(clinic, desk, visit):
    bill, version = open_bill(desk, *visit)
    settling.settle_bill(desk, bill, version)
    with transaction(settings=desk.settings) as hot:  # As the treatment room does it.
        hot.run_last(
            "update clinic_order set state = 'DONE' where tenant_id = %(t)s and visit_id = %(v)s and kind = 'TREATMENT'",
            {"t": clinic.tenant_id, "v": visit[0]},
        )

    with pytest.raises(BillNotRefundable):
        refunds.refund_bill(desk, uuid4(), bill, "not_dispensed")


def test_a_bill_takes_the_same_statements_whatever_it_holds(clinic, desk):
    packs = [make_goods(clinic, 2) for _ in range(12)]
    counts = []
    for some in (packs[:1], packs):
        parts = [some[at : at + 4] for at in range(0, len(some), 4)]
        visit = signed_visit(clinic, *(sheet("WESTERN", *((goods.product_id, 24) for goods in part)) for part in parts))
        with statements() as ran:
            bill, version = open_bill(desk, *visit)
            settling.settle_bill(desk, bill, version)
        counts.append(len(ran))

    assert counts[0] == counts[1] <= 13


def test_a_stranger_finds_no_bill(facility_app, desk, visit):
    bill, version = open_bill(desk, *visit)
    stranger = desk_of(make_pharmacy(facility_app))

    for act in (lambda: settling.settle_bill(stranger, bill, version), lambda: bills.cancel_bill(stranger, bill, version),
                lambda: refunds.refund_bill(stranger, uuid4(), bill, "not_dispensed"), lambda: settling.find_outcome(stranger, bill)):  # fmt: skip
        with pytest.raises(NotFound):
            act()
