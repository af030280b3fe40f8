"""Several services at one price: shared out to the fen, each at its own code, only what a doctor signed, given back by its share."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import NotFound
from app.core.hot import statements
from app.core.money import fen
from app.facility.clinic.charging import bills, queries, refunds, settling
from app.facility.clinic.charging.refund_plans import Back
from app.facility.clinic.desk import formulas
from app.facility.clinic.packages import actions, rules
from app.facility.clinic.packages.errors import PackageIncomplete, PackageNotFitting
from app.facility.clinic.packages.rules import Item, Package
from app.facility.db import run
from app.facility.till.tenders import Tender
from launcher import translations
from tests.facility.clinic.desk.test_pages import keep, seated
from tests.facility.stock.conftest import text
from tests.factories.billing import insured_visit, signed_visit
from tests.factories.city import at_center, make_insured
from tests.factories.clinic import make_clinic, make_service, make_visit, sheet
from tests.factories.people import browser, make_pharmacy
from tests.factories.people import post as post_form
from tests.factories.shop import desk_of, make_goods, open_shift

translations.prepare()


@pytest.fixture
def clinic(facility_app, center_app):
    return make_clinic(facility_app, center_app)


@pytest.fixture
def desk(facility_app, clinic):
    with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
        desk = desk_of(clinic)
        open_shift(desk)
        yield desk


@pytest.fixture
def services(clinic, desk):
    """Three services: 20.00, 7.00 and 0.99."""
    return [make_service(clinic, generic_name=name, pack_price=Decimal(price)) for name, price in (("血常规", "20"), ("血糖", "7"), ("采血", "0.99"))]  # fmt: skip


def checkup(services, price_fen=2000, times=(1, 1, 3), **fields):
    items = tuple(Item(one, f"项目{n}", many) for n, (one, many) in enumerate(zip(services, times, strict=True)))
    return Package(
        **{"code": "checkup", "name": "慢病检查套餐", "kind": "TEST", "price_fen": price_fen, "items": items} | fields
    )


@pytest.fixture
def package(desk, services):
    """20.00 instead of 29.97; returns its number."""
    actions.set_package(desk, checkup(services), clock.business_date())
    return actions.list_packages()[0].id


def ordered(services, *, kind="TEST"):
    return sheet(kind, *zip(services, (1, 1, 3), strict=True))


def lines_of(bill):
    return run("select product_id, quantity, price, amount_fen, package_id from bill_line where bill_id = :b order by line_no", b=bill).all()  # fmt: skip


def test_the_newest_version_that_has_begun_counts(desk, services, package):
    later = clock.business_date() + timedelta(days=3)
    actions.set_package(desk, checkup(services, 1800), later)
    assert [one.price_fen for one in actions.list_offered()] == [2000]
    assert [one.price_fen for one in actions.list_coming()] == [1800]
    actions.set_package(desk, checkup(services, offered=False), clock.business_date())
    assert actions.list_offered() == []
    assert [one.offered for one in actions.list_packages()] == [False]


@pytest.mark.parametrize(
    "changes",
    [{"price_fen": 0}, {"price_fen": 2997}, {"code": "Ü"}, {"name": ""}, {"kind": "WESTERN"}, {"items": ()}, {"times": (1, 1, 0)}, {"times": (1, 1, 100)}],
)  # fmt: skip
def test_a_package_that_makes_no_sense_is_refused(desk, services, changes):
    with pytest.raises(PackageIncomplete):
        actions.set_package(desk, checkup(services, **changes), clock.business_date())


def test_a_package_holds_services_only_and_begins_today_or_later(clinic, desk, services):
    drug = make_goods(clinic, 1).product_id
    for wrong in (checkup([drug, *services[1:]]), checkup([services[0], services[0], services[1]])):
        with pytest.raises(PackageIncomplete):
            actions.set_package(desk, wrong, clock.business_date())
    with pytest.raises(PackageIncomplete):
        actions.set_package(desk, checkup(services), clock.business_date() - timedelta(days=1))


def test_the_items_shares_add_up_to_the_price_and_other_lines_keep_theirs(clinic, desk, services, package):
    goods = make_goods(clinic, 3)
    visit, sheets = signed_visit(clinic, ordered(services), sheet("WESTERN", (goods.product_id, 24)))
    [offer] = queries.list_fitting(desk.facility_id, visit)
    assert (offer["chosen"], offer["saving_fen"], offer["sheets"]) == (True, 997, [str(sheets[0])])
    bill = uuid4()
    number = bills.open_bill(desk, bill, visit, sheets, packages=[package])
    assert bills.open_bill(desk, bill, visit, sheets, packages=[package]) == number
    drug, *items = lines_of(bill)
    assert (drug.amount_fen, drug.package_id) == (1250, None)
    assert sum(one.amount_fen for one in items) == 2000
    assert {one.package_id for one in items} == {package}
    assert all(fen(one.price, one.quantity) == one.amount_fen for one in items)
    assert run("select total_fen from bill where id = :b", b=bill).scalar_one() == 3250
    assert queries.list_fitting(desk.facility_id, visit) == []


def test_what_no_doctor_signed_is_not_charged_by_a_package(clinic, desk, services, package):
    visit, sheets = signed_visit(clinic, sheet("TEST", (services[0], 1), (services[1], 1)), sheet("TREATMENT", (services[2], 3)))  # fmt: skip
    for chosen, wanted in ((sheets[:1], [package]), (sheets, [package, 10**9])):
        with pytest.raises(PackageNotFitting):
            bills.open_bill(desk, uuid4(), visit, chosen, packages=wanted)
    actions.set_package(desk, checkup(services, code="twin", name="另一个"), clock.business_date())
    both = [one["id"] for one in queries.list_fitting(desk.facility_id, visit)]
    assert len(both) == 2
    with pytest.raises(PackageNotFitting):  # One line goes into one package.
        bills.open_bill(desk, uuid4(), visit, sheets, packages=both)
    bills.open_bill(desk, uuid4(), visit, sheets, packages=[package])


def test_an_item_goes_back_by_its_share(clinic, desk, services, package):
    visit, sheets = signed_visit(clinic, ordered(services))
    bill = uuid4()
    bills.open_bill(desk, bill, visit, sheets, packages=[package])
    settling.settle_bill(desk, bill, 1)
    shares = [one.amount_fen for one in lines_of(bill)]
    gone = [refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(3, 1)]).bill_id for _turn in range(2)]
    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed", [Back(1, 1)])
    back = run("select refund_fen from bill_refund where id = any(:ids)", ids=gone).scalars().all()
    assert all(0 < one < shares[2] for one in back)
    refunds.refund_bill(desk, uuid4(), bill, "not_dispensed")
    assert run("select sum(refund_fen) from bill_refund where bill_id = :b", b=bill).scalar_one() == 2000
    assert run("select state from bill where id = :b", b=bill).scalar_one() == "refunded"


def test_insurance_sees_each_item_at_its_own_code_and_share(clinic, desk, services, package, center_app):
    person = make_insured(center_app, current_fen=0)
    visit, sheets = insured_visit(clinic, person, ordered(services))
    bill = uuid4()
    bills.open_bill(desk, bill, visit, sheets, insured=True, packages=[package])
    split = bills.preview_bill(desk, bill)
    assert split.total_fen == 2000
    version = run("select version from bill where id = :b", b=bill).scalar_one()
    paid = [Tender("cash", split.cash_fen)]
    assert settling.settle_bill(desk, bill, version, paid, consent=True).kind == "settled"
    mdtrt_id = run("select mdtrt_id from visit where id = :v", v=visit).scalar_one()
    [there] = at_center(center_app, "select total_fen from settlement where mdtrt_id = %(m)s", m=mdtrt_id)
    assert there.total_fen == 2000


def test_the_cashier_takes_a_package_on_the_page_and_prints_one_head_with_its_items(facility_app, clinic, desk, services, package):  # fmt: skip
    visit, sheets = signed_visit(clinic, ordered(services))
    clerk = browser(facility_app, clinic, clinic.clerk)
    with statements() as ran:
        page = text(clerk.get(f"/clinic/charging/visits/{visit}"))
    assert len(ran) <= 12
    assert "慢病检查套餐" in page
    assert "20.00 元，省 9.97 元" in page
    bill = str(uuid4())
    told = {"document": bill, "sheet": [str(sheets[0])], "paid": "self", "package": [str(package)]}
    assert post_form(clerk, f"/clinic/charging/visits/{visit}/bills", told).status_code == 303
    shown = text(clerk.get(f"/clinic/charging/bills/{bill}"))
    assert "套餐 3 项 · 20.00 元（单项合计 29.97 元）" in shown
    settling.settle_bill(desk, bill, 1)
    for size in ("80", "a5"):
        slip = text(clerk.get(f"/clinic/charging/bills/{bill}/receipt?size={size}"))
        assert "慢病检查套餐" in slip
        assert "其中 13.3" in slip
    items = text(clerk.get(f"/clinic/charging/bills/{bill}/items"))
    assert "慢病检查套餐 · 套餐 3 项" in items
    assert "慢病检查套餐" in text(clerk.get(f"/clinic/charging/bills/{bill}/refunds/new"))
    again = {**told, "document": str(uuid4()), "package": ["x", "7"]}
    assert post_form(clerk, f"/clinic/charging/visits/{visit}/bills", again).status_code == 409


def test_a_doctor_begins_a_sheet_from_a_package(clinic, desk, services, package):
    found = formulas.find_packages("mbjc")
    assert [one.name for one in found] == ["慢病检查套餐"]
    assert formulas.find_packages("没有") == []
    made = formulas.package(package)
    assert (made.kind, [(line.product_id, line.quantity) for line in made.lines]) == ("TEST", [*zip(services, (1, 1, 3), strict=True)])  # fmt: skip
    with pytest.raises(NotFound):
        formulas.package(10**9)


def test_the_doctors_page_puts_a_package_on_the_draft(facility_app, clinic, desk, services, package):
    visit = make_visit(clinic, begun=True)
    doctor = seated(facility_app, clinic, clinic.doctor)
    assert "慢病检查套餐" in text(doctor.get(f"/clinic/desk/visits/{visit}/formulas"))
    drafted = text(keep(doctor, visit, formula=f"p{package}"))
    assert "血常规" in drafted
    assert "采血" in drafted
    for wrong in ("p", "p0", "px", "p99999999999999999999"):
        assert keep(doctor, visit, 1, formula=wrong).status_code == 404


def test_the_owner_keeps_packages_and_is_told_what_is_wrong(facility_app, clinic, desk, services):
    owner = browser(facility_app, clinic, clinic.owner)
    assert "还没有套餐" in text(owner.get("/clinic/charging/packages"))
    told = {"code": "checkup", "name": "慢病检查套餐", "kind": "TEST", "price": "20", "items": "血常规\n血糖 1\n采血 3\n", "begins_on": str(clock.business_date())}  # fmt: skip
    for wrong, said in (({"items": "没有这个 2"}, "目录里没有这个诊疗项目"), ({"price": "多少"}, "12.50"), ({"price": "90"}, "低于单项合计"), ({"begins_on": "昨天"}, "2026")):  # fmt: skip
        answer = post_form(owner, "/clinic/charging/packages", told | wrong)
        assert answer.status_code == 422 or answer.status_code == 400, answer.status_code
        assert said in text(answer)
    assert post_form(owner, "/clinic/charging/packages", told).status_code == 303
    for n in range(4):
        actions.set_package(desk, checkup(services, code=f"more{n}"), clock.business_date())
    with statements() as ran:
        page = text(owner.get("/clinic/charging/packages?package=checkup&q=xc"))
    assert len(ran) <= 9
    assert "采血 3" in page
    assert "bound method" not in page
    assert re.search(r"T\d{5} 3\n", page)
    assert "29.97" in page


def test_others_and_strangers_keep_none(facility_app, clinic, desk, package):
    clerk = browser(facility_app, clinic, clinic.clerk)
    assert clerk.get("/clinic/charging/packages").status_code == 403
    stranger = make_pharmacy(facility_app)
    assert "慢病检查套餐" not in text(browser(facility_app, stranger, stranger.owner).get("/clinic/charging/packages"))


def test_a_package_that_costs_no_less_any_more_is_not_offered():
    line = type("Line", (), {"product_id": 1, "quantity": 1, "split": False, "amount_fen": 100})
    package = Package("one", "一", "TEST", 100, (Item(1, "一", 1),))
    assert rules.fit(package, [line]) is None
