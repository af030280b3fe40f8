"""A recall at a clinic: patients who got its goods are listed, masked, called and counted like buyers at a counter."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from app.core import tenancy
from app.core.errors import NotFound
from app.core.hot import statements
from app.facility.clinic.dispensing import handing, returning
from app.facility.clinic.dispensing.returning import Back
from app.facility.clinic.dispensing.rules import Take
from app.facility.db import run, transaction
from app.facility.stock.recalls import actions, queries
from tests.facility.stock.conftest import text
from tests.facility.stock.recalls.world import facts, issue
from tests.factories.billing import charged_visit
from tests.factories.clinic import make_clinic, sheet
from tests.factories.people import browser, make_pharmacy, post
from tests.factories.shop import desk_of, make_goods, open_shift, sell

PAGE = "/stock/recalls"


@pytest.fixture
def clinic(facility_app):
    made = make_clinic(facility_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        open_shift(desk_of(made))
        yield made


@pytest.fixture
def goods(clinic):
    return make_goods(clinic, 10, lot_number="PT01")


@pytest.fixture
def desk(clinic):
    """The pharmacist, who hands over and recalls."""
    return desk_of(clinic, clinic.pharmacist)


@pytest.fixture
def owner(facility_app, clinic):
    return browser(facility_app, clinic, clinic.owner)


def paid(clinic, goods, packs=2):
    made = sheet("WESTERN", (goods.product_id, packs * goods.pack_size))
    charged_visit(clinic, made)
    return made.id


def given(clinic, goods, codes):
    """Packs in the hands of a patient; returns the hand-over and its sheet."""
    handing_id, order = uuid4(), paid(clinic, goods, len(codes))
    handing.hand_over(
        desk_of(clinic, clinic.pharmacist), handing_id, order, [Take(1, len(codes) * goods.pack_size, codes)], (clinic.nurse, "005 林*燕")
    )  # fmt: skip
    return handing_id, order


def test_patients_are_found_masked_called_and_counted(clinic, desk, goods):
    handing_id, order = given(clinic, goods, goods.codes[:2])
    sold = sell(desk_of(clinic), goods.codes[2])
    recall, _ = issue(desk, goods)

    buyers = {row.id: row for row in queries.buyers_of(clinic.facility_id, recall)}
    patient = buyers[handing_id]
    assert set(buyers) == {handing_id, sold.sale_id}
    assert (patient.receipt[0], patient.order_id, patient.quantity, patient.lots) == (
        "D",
        order,
        2 * goods.pack_size,
        "PT01",
    )
    assert "*" in patient.who
    assert buyers[sold.sale_id].order_id is None
    assert queries.find_lots("PT01")[0].sold == 3 * goods.pack_size

    actions.note_call(desk, recall, handing_id, "unreached", "占线")
    actions.note_call(desk, recall, handing_id, "used", "已服完")
    called = {row.id: row.outcome for row in queries.buyers_of(clinic.facility_id, recall)}
    assert called == {handing_id: "used", sold.sale_id: None}
    figures = actions.report_recall(desk, recall, "已全部下架")
    assert (figures["held"], figures["sold"], figures["buyers"], figures["reached"]) == (
        7 * goods.pack_size,
        3 * goods.pack_size,
        2,
        1,
    )
    assert facts(clinic, "recall.reported")[-1]["buyers"] == 2


def test_what_came_back_of_a_hand_over_is_told(clinic, desk, goods):
    handing_id, order = given(clinic, goods, goods.codes[:2])
    recall, _ = issue(desk, goods)

    back = [Back(handing_id, 1, goods.pack_size, goods.codes[:1])]
    returning.take_back(desk, uuid4(), order, back, "recall", "召回", (clinic.nurse, "005 林*燕"))

    [patient] = queries.buyers_of(clinic.facility_id, recall)
    assert patient.came_back == goods.pack_size
    assert actions.report_recall(desk, recall, "退回一盒")["came_back"] == goods.pack_size


def test_paid_sheets_that_still_wait_are_told_of(clinic, desk, goods):
    paid(clinic, goods)
    recall, _ = issue(desk, goods)
    packs, _ = issue(desk, make_goods(clinic, 2))

    assert queries.waiting(clinic.facility_id, recall).sheets == 1
    assert queries.waiting(clinic.facility_id, packs).sheets == 0


def test_the_page_lists_them_takes_the_call_and_leads_to_the_sheet(facility_app, clinic, desk, goods, owner):
    handing_id, order = given(clinic, goods, goods.codes[:2])
    paid(clinic, goods, 1)
    recall, _ = issue(desk, goods)
    where = f"{PAGE}/{recall}"
    shown, patient = run("select p.name_shown, p.id from clinic_order o join patient p on p.id = o.patient_id where o.id = :o", o=order).one()  # fmt: skip

    page = text(owner.get(where))
    assert shown in page
    assert f"/clinic/dispensing/sheets/{order}" in page
    assert f"/clinic/patients/{patient}" in page
    assert "有 1 张已收费的处方占着这个批号" in page
    answer = post(owner, f"{where}/calls", {"buyer": handing_id, "outcome": "coming", "note": "明天来"})
    assert answer.status_code == 303
    assert "明天来" in text(owner.get(where))
    assert str(patient) not in text(browser(facility_app, clinic, clinic.pharmacist).get(where))
    owner.set_cookie("lang", "en")
    page = text(owner.get(where))
    assert "Who bought or got it" in page
    assert "not handed over yet: 1." in page


def test_a_stranger_reaches_nobody(facility_app, clinic, desk, goods):
    handing_id, _order = given(clinic, goods, goods.codes[:1])
    recall, _ = issue(desk, goods)
    stranger = make_pharmacy(facility_app)
    client = browser(facility_app, stranger, stranger.owner)

    assert client.get(f"{PAGE}/{recall}").status_code == 404
    assert post(client, f"{PAGE}/{recall}/calls", {"buyer": handing_id, "outcome": "coming"}).status_code == 404
    with tenancy.as_tenant(stranger.tenant_id), pytest.raises(NotFound):
        actions.note_call(desk_of(stranger, stranger.owner), recall, handing_id, "coming")


def test_sales_and_hand_overs_share_the_pages_and_few_questions(clinic, desk, goods, owner, monkeypatch):
    told = [given(clinic, goods, goods.codes[n : n + 1])[0] for n in range(2)]
    told += [sell(desk_of(clinic), goods.codes[n]).sale_id for n in (2, 3)]
    recall, _ = issue(desk, goods)
    monkeypatch.setattr(queries, "PAGE", 2)
    owner.get(PAGE)

    with statements() as ran:
        page = text(owner.get(f"{PAGE}/{recall}"))
    assert len(ran) <= 9, len(ran)
    following = page.split("?before=")[1].split('"')[0].replace("&amp;", "&")
    rest = text(owner.get(f"{PAGE}/{recall}?before={following}"))
    first, second = ({one for one in told if f'value="{one}"' in shown} for shown in (page, rest))
    assert (len(first), first | second, first & second) == (2, set(told), set())


def test_a_call_is_to_one_buyer_or_to_one_patient(clinic, desk, goods):
    recall, _ = issue(desk, goods)
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="recall_call_one_buyer"),
        transaction(settings=clinic.scope) as hot,
    ):
        hot.run_last(
            "insert into recall_call (recall_id, facility_id, outcome, staff_id, called_at) values (%(r)s, %(f)s, 'used', %(s)s, now())",
            {"r": recall, "f": clinic.facility_id, "s": clinic.owner},
        )
