"""The day's end: every figure is what was settled, given back or signed; visits with nothing left are closed, others are not."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.hot import statements
from app.facility.clinic import visits
from app.facility.clinic.charging import refunds, settling
from app.facility.clinic.day import actions, queries
from app.facility.clinic.day.errors import DaysTooMany, LogTooLong
from app.facility.clinic.day.summaries import SUMMARIES
from app.facility.db import run
from app.facility.till.tenders import Tender
from tests.facility.stock.conftest import text
from tests.factories.billing import open_bill, signed_visit
from tests.factories.clinic import make_clinic, make_service, make_visit, sheet
from tests.factories.people import browser, make_pharmacy
from tests.factories.people import post as post_form
from tests.factories.shop import desk_of, make_goods, open_shift


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
def owner(facility_app, clinic):
    return browser(facility_app, clinic, clinic.owner)


@pytest.fixture
def paid(clinic, desk):
    """Two packs (25.00) and a treatment (20.00) of one visit, 30.00 by card and the rest in cash; returns (visit, bill)."""
    goods, service = make_goods(clinic, 9), make_service(clinic)
    visit, sheets = signed_visit(clinic, sheet("WESTERN", (goods.product_id, 48)), sheet("TREATMENT", (service, 1)))
    bill, version = open_bill(desk, visit, sheets)
    assert settling.settle_bill(desk, bill, version, [Tender("bank", 3000), Tender("cash", 1500)]).kind == "settled"
    return visit, bill


def today():
    return clock.business_date(), clock.business_date()


def rows(desk, key, days=None):
    return queries.read_summary(desk, SUMMARIES[key], days or today())


def test_what_was_taken_stands_with_its_cashier_payer_doctor_drug_and_service(desk, paid):
    [cashier], [payer], [doctor] = rows(desk, "cashiers"), rows(desk, "payers"), rows(desk, "doctors")
    assert (cashier.bills, cashier.in_fen, cashier.cash_fen, cashier.bank_fen, cashier.net_fen) == (
        1,
        4500,
        1500,
        3000,
        4500,
    )
    assert (payer.payer, payer.visits, payer.in_fen) == ("self", 1, 4500)
    assert (doctor.visits, doctor.prescriptions, doctor.amount_fen, doctor.medicine_fen, doctor.share, doctor.each_fen) == (1, 1, 4500, 2500, 5555, 4500)  # fmt: skip
    [drug], [item] = rows(desk, "drugs"), rows(desk, "items")
    assert (drug.packs, drug.loose, drug.amount_fen, drug.visits) == (2, 0, 2500, 1)
    assert (item.packs, item.amount_fen) == (1, 2000)
    assert {row.who[:3]: (row.seen, row.sheets, row.reviewed, row.bills) for row in rows(desk, "workload")} == {
        "002": (0, 0, 0, 1), "003": (0, 0, 1, 0), "004": (1, 2, 0, 0)
    }  # fmt: skip


def test_a_refund_belongs_to_its_own_day_and_goes_off_the_goods(desk, paid):
    refunds.refund_bill(desk, uuid4(), paid[1], "not_dispensed")

    [cashier] = rows(desk, "cashiers")
    assert (cashier.in_fen, cashier.refunds, cashier.out_fen, cashier.net_fen) == (4500, 1, 4500, 0)
    assert (cashier.cash_fen, cashier.bank_fen) == (0, 0)
    assert rows(desk, "drugs") == rows(desk, "items") == []


def test_other_days_and_other_facilities_are_not_counted(desk, paid, facility_app):
    before = clock.business_date() - timedelta(days=1)
    for key in SUMMARIES:
        assert rows(desk, key, (before, before)) == []
    assert queries.read_log(desk, (before, before)) == ([], None)
    with pytest.raises(DaysTooMany):
        rows(desk, "doctors", (clock.business_date(), before))


def test_the_log_has_every_visit_a_doctor_saw_page_by_page(clinic, desk, paid):
    make_visit(clinic, begun=False)
    make_visit(clinic)

    first, following = queries.read_log(desk, today(), most=1)
    second, nothing = queries.read_log(desk, today(), following, most=1)
    assert (first[0].number > second[0].number, second[0].diagnoses, nothing) == (True, "高血压", None)


def test_a_log_too_long_for_one_file_is_refused_not_cut(clinic, desk, paid, monkeypatch):
    make_visit(clinic)
    assert len(queries.read_whole_log(desk, today())) == 2
    monkeypatch.setattr(queries, "MOST_ROWS", 1)
    with pytest.raises(LogTooLong):
        queries.read_whole_log(desk, today())


def test_visits_with_nothing_left_are_closed_and_others_stay(clinic, desk, paid):
    done, _sheets = signed_visit(clinic)
    waiting, _sheets = signed_visit(clinic, sheet("TREATMENT", (make_service(clinic), 1)))

    assert actions.close_visits(desk) == 1
    assert actions.close_visits(desk) == 0
    assert [state(one) for one in (done, waiting, paid[0])] == ["CLOSED", "SIGNED", "SIGNED"]
    assert visits.STATES[state(done)] == "已结束"
    still = queries.what_is_open(desk)
    assert (still.signed, still.to_charge, still.to_dispense) == (2, 1, 2)


def state(visit):
    return run("select state from visit where id = :v", v=visit).scalar_one()


def test_the_pages_show_figures_in_yuan_with_sums_and_mask_people(owner, desk, paid):
    page = text(owner.get("/clinic/day"))
    assert "待发药或治疗" in page
    page = text(owner.get("/clinic/day/cashiers"))
    assert "45.00" in page
    assert "002 李*" in page
    assert "合计" in page
    assert "55.6%" in text(owner.get("/clinic/day/doctors"))
    assert "高血压" in text(owner.get("/clinic/day/log"))
    for key in (*SUMMARIES, "log"):
        assert owner.get(f"/clinic/day/{key}").status_code == 200
        assert owner.get(f"/clinic/day/{key}/print").status_code == 200
        assert owner.get(f"/clinic/day/{key}/excel").data.startswith(b"PK")
    assert owner.get("/clinic/day/nothing").status_code == 404
    assert owner.get("/clinic/day/doctors?from=2026-02-31&to=9999-01-01").status_code == 200
    assert owner.get("/clinic/day/doctors?from=2020-01-01&to=2026-01-01").status_code == 409


def test_closing_says_how_many(owner, clinic, desk):
    signed_visit(clinic)

    assert "已结束 1 次就诊" in text(post_form(owner, "/clinic/day/closings", {}, follow_redirects=True))


def test_an_empty_day_says_so_and_a_pharmacy_sees_none_of_it(owner, facility_app, paid):
    assert "这段日期没有记录" in text(owner.get("/clinic/day/drugs?from=2025-01-01&to=2025-01-02"))
    assert "这段日期没有接诊" in text(owner.get("/clinic/day/log?from=2025-01-01&to=2025-01-02"))
    other = make_pharmacy(facility_app)
    stranger = browser(facility_app, other, other.owner)
    assert "45.00" not in text(stranger.get("/clinic/day/cashiers"))


@pytest.mark.parametrize("key", [*SUMMARIES, "log"])
def test_a_table_is_one_statement(owner, paid, key):
    owner.get(f"/clinic/day/{key}")
    with statements() as ran:
        owner.get(f"/clinic/day/{key}")

    assert len([one for one in ran if "bill" in one or "from visit " in one]) == 1
