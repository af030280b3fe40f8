"""What the fund would pay stands at the desk's foot: to the fen what the cashier is told later; the reason when it is not known."""

from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import tenancy
from app.core.errors import Outage
from app.facility.catalog import queries as catalog
from app.facility.clinic.charging import bills
from app.facility.clinic.desk import estimating, queries
from app.facility.clinic.desk.rules import Line
from app.facility.insurance import desk as desks
from tests.facility.clinic.desk.test_pages import keep, line, seated, sheet
from tests.factories import clinic as scene
from tests.factories.billing import open_bill, registered_visit, signed_visit
from tests.factories.city import make_covered_goods, make_insured
from tests.factories.people import post
from tests.factories.shop import desk_of


@pytest.fixture
def clinic(facility_app, center_app):
    made = scene.make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made


@pytest.fixture
def sheets(clinic, center_app):
    """A covered drug, a dear one of class B by single units, and a treatment that insurance does not know."""
    plain = make_covered_goods(center_app, clinic).product_id
    dear = make_covered_goods(center_app, clinic, grade="B", selfpay=1_500, ceiling=Decimal("9.00"), pack_price=Decimal("33.35"), pack_size=7).product_id  # fmt: skip
    service = scene.make_service(clinic, national_code=None, insurance_class=None)
    return (
        scene.sheet("WESTERN", (plain, 48), Line(dear, 3, split=True)),
        scene.sheet("TREATMENT", (service, 1)),
        scene.sheet("WESTERN", (make_covered_goods(center_app, clinic, grade="C").product_id, 24)),
    )


def estimate(clinic, visit, content, paid=()):
    cards = catalog.get_products({one.product_id for each in content.sheets for one in each.lines})
    row = queries.get_visit(clinic.facility_id, visit)
    return estimating.estimate(desk_of(clinic, clinic.doctor), row, content, cards, paid)


@pytest.mark.parametrize("facts", [{}, {"deductible_fen": 58_500}, {"deductible_fen": 0, "current_fen": 700}])
def test_the_estimate_is_to_the_fen_what_the_cashier_is_told(clinic, center_app, sheets, facts):
    visit = registered_visit(clinic, make_insured(center_app, **facts))

    said = estimate(clinic, visit, scene.content(*sheets))

    _visit, ids = signed_visit(clinic, *sheets, visit=visit)
    bill, _version = open_bill(desk_of(clinic), visit, ids, insured=True)
    split = bills.preview_bill(desk_of(clinic), bill)
    assert (said.fund_fen, said.person_fen) == (split.fund_fen, split.total_fen - split.fund_fen)
    assert said.fund_fen > 0 or facts.get("deductible_fen") == 0


def test_what_is_paid_is_not_estimated_again(clinic, center_app, sheets):
    visit = registered_visit(clinic, make_insured(center_app))
    whole = estimate(clinic, visit, scene.content(*sheets))
    rest = estimate(clinic, visit, scene.content(*sheets), {sheets[0].id})
    assert 0 < rest.fund_fen + rest.person_fen < whole.fund_fen + whole.person_fen
    assert estimate(clinic, visit, scene.content(*sheets), {one.id for one in sheets}) is None


def test_the_page_says_it_after_the_check_and_says_why_not(facility_app, clinic, center_app, sheets, monkeypatch):
    doctor, one = seated(facility_app, clinic, clinic.doctor), str(uuid4())
    insured, alone = registered_visit(clinic, make_insured(center_app)), scene.make_visit(clinic)
    drug = sheets[0].lines[0].product_id

    def foot(visit):
        assert keep(doctor, visit, **(sheet(one) | line(one, drug, quantity="2"))).status_code == 200
        return check(visit)

    def check(visit):
        said = post(doctor, f"/clinic/desk/visits/{visit}/checks").get_data(as_text=True)
        return said[said.index('id="estimate"') :]

    split = estimate(clinic, insured, scene.content(scene.sheet("WESTERN", (drug, 48))))
    said = foot(insured)
    assert f"{split.fund_fen / 100:.2f}" in said
    assert f"{split.person_fen / 100:.2f}" in said
    assert "自费就诊" in doctor.get(f"/clinic/desk/visits/{alone}").get_data(as_text=True)

    client = desks.national_client()
    ask = client.ask

    def only_checks(call):
        if call.infno == "S002":
            raise Outage("silent")
        return ask(call)

    monkeypatch.setattr(client, "ask", only_checks)
    assert "中心没有回答" in check(insured)
    monkeypatch.setattr(client, "ask", lambda call: (_ for _ in ()).throw(Outage("silent")))
    assert "中心没有回答" in check(insured)
