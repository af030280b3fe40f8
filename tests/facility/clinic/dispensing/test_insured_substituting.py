"""What insurance paid for and another maker's pack: the same code goes at once, any other goes back through the cashier; both wings agree."""

from uuid import uuid4

import pytest

from app.core import tenancy
from app.facility.catalog import queries as catalog
from app.facility.clinic import visits
from app.facility.clinic.charging import bills, refund_plans, refunds, settling
from app.facility.clinic.dispensing import handing, queries, returning, substituting
from app.facility.clinic.dispensing.errors import NotSubstitutable
from app.facility.clinic.dispensing.rules import Take
from app.facility.db import run
from app.facility.till.tenders import Tender
from tests.facility.clinic.dispensing.test_handing import last_told, left, state
from tests.factories.billing import insured_visit, open_bill, signed_visit
from tests.factories.city import at_center, make_covered_goods, make_insured
from tests.factories.clinic import make_clinic, make_service, sheet
from tests.factories.shop import check_books, desk_of, make_goods, on_hand, open_shift


@pytest.fixture
def clinic(facility_app, center_app):
    made = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        open_shift(desk_of(made))
        yield made


@pytest.fixture
def cashier(clinic):
    return desk_of(clinic)


@pytest.fixture
def doctor(clinic):
    return desk_of(clinic, clinic.doctor)


@pytest.fixture
def person(clinic, center_app):
    """With 5 yuan in the account: the rest is cash."""
    return make_insured(center_app, current_fen=500)


@pytest.fixture
def goods(clinic, center_app):
    return make_covered_goods(center_app, clinic)


@pytest.fixture
def visit(clinic, person, goods):
    """Two packs that insurance pays for and a treatment it does not know: 45.00 in all; returns (visit, sheets)."""
    service = make_service(clinic, national_code=None, insurance_class=None)
    return insured_visit(clinic, person, sheet("WESTERN", (goods.product_id, 48)), sheet("TREATMENT", (service, 1)))


def settled(cashier, visit, sheets):
    """A bill of these sheets that insurance paid; returns its id."""
    bill, _version = open_bill(cashier, visit, sheets, insured=True)
    split = bills.preview_bill(cashier, bill)
    version = run("select version from bill where id = :b", b=bill).scalar_one()
    assert settling.settle_bill(cashier, bill, version, [Tender("cash", split.cash_fen)], consent=True).kind == "settled"  # fmt: skip
    return bill


def twin(clinic, goods, **fields):
    """The same drug of another maker at the same price."""
    return make_goods(clinic, 3, **{"generic_name": goods.name, "maker": "另一药厂"} | fields)


def national(goods):
    return catalog.get_products([goods.product_id])[goods.product_id].national_code


def sums_there(center_app, visit):
    """What the center paid, took from the account and left to the person for a visit, whatever was taken back."""
    mdtrt_id = run("select mdtrt_id from visit where id = :v", v=visit).scalar_one()
    [row] = at_center(
        center_app,
        """select count(*)::int as papers, sum(total_fen)::int as total, sum(fund_fen)::int as fund, sum(current_fen + prior_fen)::int as account, sum(cash_fen)::int as cash
        from settlement where mdtrt_id = %(m)s""",
        m=mdtrt_id,
    )
    return row


def account_there(center_app, person):
    row = at_center(center_app, "select current_fen, prior_fen from account where psn_no = %(p)s", p=person.psn_no)[0]
    moved = at_center(center_app, "select coalesce(sum(e.amount_fen), 0)::int as fen from account_entry e where e.psn_no = %(p)s and e.setl_id is not null", p=person.psn_no)[0]  # fmt: skip
    return row.current_fen + row.prior_fen, moved.fen


def paid_here(visit):
    rows = run(
        """select kind, sum(amount_fen)::int as fen from tender
        where document_id in (select id from bill where visit_id = :v union all select r.id from bill_refund r join bill b on b.id = r.bill_id where b.visit_id = :v) group by kind""",
        v=visit,
    )
    return {row.kind: row.fen for row in rows if row.fen}


def test_a_pack_of_the_same_code_goes_and_what_was_settled_stands(
    clinic, cashier, desk, checker, doctor, person, goods, visit, center_app
):
    visit_id, [order, _treatment] = visit
    other = twin(clinic, goods, national_code=national(goods))
    bill = settled(cashier, *visit)
    paid, account = sums_there(center_app, visit_id), account_there(center_app, person)

    swap = uuid4()
    substituting.propose(desk, swap, order, 1, other.product_id, "out_of_stock")
    substituting.answer(doctor, swap, "consented")
    given = uuid4()
    handing.hand_over(desk, given, order, [Take(1, 48, other.codes[:2])], checker)

    assert (state(order), on_hand(clinic, goods), on_hand(clinic, other)) == ("DONE", (240, 0), (24, 0))
    [line] = last_told(clinic)["lines"]
    assert (line["product"]["maker"], line["instead_of"]["product"]["maker"]) == ("另一药厂", "试药厂")
    assert line["codes"] == list(other.codes[:2])
    paper = queries.get_sheet(desk, order)
    assert [(drug["maker"], units) for _line, drug, units in paper.labels] == [("另一药厂", 48)]
    assert (sums_there(center_app, visit_id), account_there(center_app, person)) == (paid, account)
    assert sum(paid_here(visit_id).values()) == paid.total == 4500

    returning.take_back(desk, uuid4(), order, [returning.Back(given, 1, 24, other.codes[:1])], "quality", "破损", checker)  # fmt: skip
    assert last_told(clinic)["lines"][0]["product"]["maker"] == "另一药厂"
    refunds.refund_bill(cashier, uuid4(), bill, "quality", [refund_plans.Back(1, 1)], clinic.owner)
    rest = sums_there(center_app, visit_id)
    assert (rest.total, sum(paid_here(visit_id).values())) == (3250, 3250)
    assert paid_here(visit_id).get("cash", 0) == rest.cash
    assert (on_hand(clinic, goods), on_hand(clinic, other)) == ((240, 0), (48, 0))
    check_books(clinic)


@pytest.mark.parametrize("differs", ["code", "class"])
def test_another_code_or_class_goes_back_through_the_cashier_and_the_doctor(
    clinic, cashier, desk, checker, doctor, person, goods, visit, center_app, differs
):
    visit_id, [order, _treatment] = visit
    if differs == "code":
        covered = make_covered_goods(center_app, clinic, 3, grade="B", selfpay=1000, generic_name=goods.name, maker="另一药厂", insurance_class="A")  # fmt: skip
    else:
        covered = twin(clinic, goods, national_code=national(goods), insurance_class="B")
    bill = settled(cashier, *visit)
    before = account_there(center_app, person)
    why = "医保编码不同" if differs == "code" else "医保类别不同"
    with pytest.raises(NotSubstitutable, match=why):
        substituting.propose(desk, uuid4(), order, 1, covered.product_id, "out_of_stock")
    [shown] = substituting.choices(desk, queries.get_sheet(desk, order).lines[1], insured=True)
    assert "退费" in shown.why_not.shown
    assert (left(order), account_there(center_app, person)) == (48, before)

    refunds.refund_bill(cashier, uuid4(), bill, "prescription_changed", [refund_plans.Back(1, 2)], clinic.owner)
    rest = sums_there(center_app, visit_id)
    assert (rest.total, on_hand(clinic, goods)) == (2000, (240, 0))
    visits.step(doctor, visit_id, "reopened")
    _visit, [new] = signed_visit(clinic, sheet("WESTERN", (covered.product_id, 48)), visit=visit_id)
    settled(cashier, visit_id, [new])
    handing.hand_over(desk, uuid4(), new, [Take(1, 48, covered.codes[:2])], checker)

    assert (state(order), state(new)) == ("VOID", "DONE")
    assert (on_hand(clinic, goods), on_hand(clinic, covered)) == ((240, 0), (24, 0))
    assert last_told(clinic)["lines"][0]["product"]["maker"] == "另一药厂"
    there, here = sums_there(center_app, visit_id), paid_here(visit_id)
    assert there.total == there.fund + there.account + there.cash == sum(here.values()) == 4500
    assert (here.get("cash", 0), there.papers) == (there.cash, 4)
    balance, moved = account_there(center_app, person)
    assert (500 - balance, -moved) == (there.account, there.account)
    standing = at_center(
        center_app,
        """select l.own_code, l.amount_fen from settlement s join settlement_line l on l.setl_id = s.setl_id where s.psn_no = %(p)s and s.reverses_setl_id is null
        and not exists (select from settlement r where r.reverses_setl_id = s.setl_id)""",
        p=person.psn_no,
    )
    assert sorted(line.amount_fen for line in standing) == [2000, 2500]
    code = catalog.get_products([covered.product_id])[covered.product_id].code
    assert [line.own_code for line in standing if line.amount_fen == 2500] == [code]
    check_books(clinic)
