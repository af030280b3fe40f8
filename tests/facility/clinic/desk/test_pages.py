"""The doctor's desk over HTTP: who may sit there, what is kept and added, in which words it answers, what a stranger finds."""

import re
from uuid import uuid4

import pytest
from flask import g

from app.core import clock, tenancy
from app.core.hot import statements
from app.facility.clinic import visits
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.practice import fees
from app.facility.db import run, transaction
from tests.factories.clinic import make_clinic, make_patient, make_service, make_visit, sign
from tests.factories.clinic import sheet as sheet_of
from tests.factories.people import post, sign_in
from tests.factories.shop import desk_of, make_goods, make_product


def seated(app, clinic, person):
    for kept in ("csrf_token", "csrf_valid"):  # The form token is one browser's; the fixture's context would keep it.
        g.pop(kept, None)
    client = app.test_client()
    sign_in(client, clinic, person)
    return client


@pytest.fixture
def doctor(facility_app, clinic):
    return seated(facility_app, clinic, clinic.doctor)


def page(client, visit):
    return client.get(f"/clinic/desk/visits/{visit}").get_data(as_text=True)


def keep(client, visit, version=0, **fields):
    return post(
        client, f"/clinic/desk/visits/{visit}/draft", data={"version": version, "complaint": "头晕一周"} | fields
    )


def fields(html):
    """What the answer's form would send again."""
    return {
        "sheet_id": re.findall(r'name="sheet_id" value="([^"]+)"', html),
        "version": re.search(r'data-version="(\d+)"', html)[1],
    }


def line(sheet, product, **changed):
    told = {"dose": "", "unit": "", "frequency": "", "route": "", "days": "", "quantity": "", "split": "0", "handling": "", "group": "", "skin": "0", "note": ""}  # fmt: skip
    return {f"line_{name}": value for name, value in ({"sheet": sheet, "product": product} | told | changed).items()}


def sheet(id_, kind="WESTERN", **changed):
    told = {"tag": "ordinary", "doses": "7" if kind == "HERB" else "", "usage": "", "reason": "", "long": "0"}
    return {f"sheet_{name}": value for name, value in ({"id": id_, "kind": kind} | told | changed).items()}


def test_the_next_patient_is_taken_and_stands_on_the_desk(clinic, doctor):
    assert "还没有接诊" in doctor.get("/clinic/desk").get_data(as_text=True)
    assert post(doctor, "/clinic/desk/next").status_code == 303
    first, second = make_visit(clinic, begun=False), make_visit(clinic, begun=False)
    visits.step(desk_of(clinic), second, "called")

    assert post(doctor, "/clinic/desk/next").location.endswith(str(second))  # Who was called comes first.
    assert post(doctor, f"/clinic/desk/visits/{first}/beginning").location.endswith(str(first))
    assert "今日 2 人" in page(doctor, first)


def test_a_visit_begins_with_its_fee_which_is_signed_or_taken_off(clinic, doctor):
    fee = make_service(clinic, code=f"FEE{clinic.tenant_id}", generic_name="普通门诊诊查费")
    owner = desk_of(clinic, clinic.owner)
    fees.set_fee(owner, fees.Payee(clinic.department), f"FEE{clinic.tenant_id}", clock.business_date())
    paid, spared = make_visit(clinic), make_visit(clinic)
    [one] = fields(page(doctor, paid))["sheet_id"]
    assert fields(page(doctor, paid))["sheet_id"] == [one]  # Opened again, still the same sheet.

    told = {"dx_kind": "WESTERN", "dx_code": "I10.x00x002", "dx_name": "高血压"}
    kept = keep(doctor, paid, **sheet(one, "FEE") | line(one, fee, quantity="1") | told)
    assert "20.00" in kept.get_data(as_text=True)
    keep(doctor, spared, **told)
    for visit, what in ((paid, sheet(one, "FEE") | line(one, fee, quantity="1")), (spared, {})):
        written = {"version": 1, "complaint": "头晕一周"} | told | what
        assert post(doctor, f"/clinic/desk/visits/{visit}/signature", data=written).status_code == 204
    rows = run("select visit_id, kind, state from clinic_order where visit_id = any(:v)", v=[paid, spared])
    assert list(rows) == [(paid, "FEE", "PASSED")]  # Nobody reviews a fee.
    visits.step(desk_of(clinic, clinic.doctor), spared, "reopened")
    assert 'name="sheet_id"' not in page(doctor, spared)  # What was taken off does not come again.


def test_a_drug_is_added_reckoned_and_signed(clinic, doctor):
    visit, drug = make_visit(clinic), make_goods(clinic, 3).product_id
    added = keep(
        doctor, visit, add=drug, add_kind="WESTERN", dx_kind="WESTERN", dx_code="I10.x00x002", dx_name="高血压"
    )
    [one] = fields(added.get_data(as_text=True))["sheet_id"]
    told = (
        sheet(one) | line(one, drug, dose="0.5", unit="g", frequency="tid", days="7", route="po")
        | {"dx_kind": "WESTERN", "dx_code": "I10.x00x002", "dx_name": "高血压"}
    )  # fmt: skip
    kept = keep(doctor, visit, 1, **told).get_data(as_text=True)
    assert 'data-sum="25.00"' in kept  # 42 capsules are two packs.
    assert 'value="2" inputmode' in kept
    assert "头晕一周" in page(doctor, visit)  # As after a crash of the browser.

    signed = post(doctor, f"/clinic/desk/visits/{visit}/signature", data={"version": 2, "complaint": "头晕一周"} | told)
    assert (signed.status_code, signed.headers["HX-Redirect"]) == (204, f"/clinic/desk/visits/{visit}")
    assert "已签名，第 1 版" in page(doctor, visit)
    assert run("select quantity from clinic_order_line l join clinic_order o on o.tenant_id = l.tenant_id and o.id = l.order_id where o.visit_id = :v", v=visit).scalar_one() == 48  # fmt: skip
    assert post(doctor, f"/clinic/desk/visits/{visit}/reopening").status_code == 303
    assert 'data-state="IN_VISIT"' in page(doctor, visit)


def test_another_window_is_told_politely(clinic, doctor):
    visit = make_visit(clinic)
    assert keep(doctor, visit).status_code == 200
    late = keep(doctor, visit)
    assert late.status_code == 409
    assert "另一个窗口" in late.get_data(as_text=True)


def test_herbs_are_written_in_grams_and_a_line_can_go(clinic, doctor):
    visit = make_visit(clinic)
    herb = make_product(clinic, rx_class="HERB", pack_unit="克", base_unit="0.01克", pack_size=100, pack_price="0.12", trace_required=False, split_allowed=False, generic_name="黄芪")  # fmt: skip
    one = str(uuid4())
    told = sheet(one, "HERB", doses="7") | line(one, herb, dose="9", unit="g", handling="first")
    assert 'data-sum="7.56"' in keep(doctor, visit, **told).get_data(as_text=True)
    assert 'name="sheet_id"' not in keep(doctor, visit, 1, drop="0.0", **told).get_data(as_text=True)


def test_a_reminder_is_answered_in_place(clinic, doctor):
    patient = make_patient(clinic)
    patients.note_allergy(desk_of(clinic), uuid4(), patient, "青霉素类", "皮疹", "severe", "patient")
    visit, drug = make_visit(clinic, patient), make_product(clinic, generic_name="阿莫西林胶囊")
    said = keep(doctor, visit, add=drug, add_kind="WESTERN").get_data(as_text=True)
    key = re.search(r'data-note="([^"]+)"', said)[1]
    to = f"/clinic/desk/visits/{visit}/answers"

    assert post(doctor, to, data={"key": "x", "answer": "kept"}).status_code == 422
    assert post(doctor, to, data={"key": key, "answer": "kept"}).status_code == 422
    answered = post(doctor, to, data={"key": key, "answer": "reasoned", "reason": "tested"})
    assert "皮试阴性" in answered.get_data(as_text=True)
    assert "青霉素类过敏" in page(doctor, visit)


def test_pickers_find_their_own_kind(clinic, doctor):
    drug, service = (
        make_goods(clinic, 3, generic_name="阿司匹林肠溶片"),
        make_service(clinic, generic_name="阿是穴针刺"),
    )
    western = doctor.get("/clinic/desk/drugs?q=as").get_data(as_text=True)
    assert (f'data-product="{drug.product_id}"' in western, f'data-product="{service}"' in western, "库存 3" in western) == (True, False, True)  # fmt: skip
    assert f'data-product="{service}"' in doctor.get("/clinic/desk/services?q=asx").get_data(as_text=True)
    assert "没有找到" in doctor.get("/clinic/desk/herbs?q=as").get_data(as_text=True)


def test_half_a_page_and_nonsense_are_refused(clinic, doctor):
    visit, one, drug = make_visit(clinic), str(uuid4()), make_product(clinic)
    assert keep(doctor, visit, **sheet("x") | line("x", drug)).status_code == 422
    assert keep(doctor, visit, line_sheet=one).status_code == 422
    assert keep(doctor, visit, add="0", add_kind="WESTERN").status_code == 404
    odd = line(one, drug, dose="-1", days="9999999", quantity="0", unit="x" * 99, frequency="x", route="x", split="1", handling="x")  # fmt: skip
    assert keep(doctor, visit, next_on="morgen", pregnancy="x", drop="9.9", **sheet(one) | odd).status_code == 200


def test_the_desk_asks_the_same_whatever_stands_there(clinic, doctor):
    visit = make_visit(clinic)
    page(doctor, visit)
    counts = []
    for _more in range(2):
        tries = []
        for _again in range(3):  # Who is signed in is looked up anew now and then; the fewest are the page's own.
            with statements() as ran:
                page(doctor, visit)
            tries.append(len(ran))
        counts.append(min(tries))
        for _one in range(5):
            make_visit(clinic)
    assert counts[0] == counts[1] <= 20


def test_a_refused_sheet_shows_in_the_queue(clinic, doctor):
    visit = make_visit(clinic)
    sign(clinic, visit, sheet_of("WESTERN", (make_product(clinic), 24)))
    with transaction(settings=clinic.scope) as hot:
        hot.run_last("update clinic_order set state = 'REFUSED', reviewer_id = %(staff)s, reviewed_at = now(), review_note = '禁忌' where visit_id = %(v)s", {"v": visit, "staff": clinic.pharmacist})  # fmt: skip
    assert ">已拒绝<" in page(doctor, visit)


def test_a_returned_sheet_stands_big_and_is_signed_again(clinic, doctor):
    visit = make_visit(clinic)
    sign(clinic, visit, sheet_of("WESTERN", (make_product(clinic), 24)))
    desk = desk_of(clinic)
    with transaction(settings=desk.settings) as hot:
        hot.run_last(
            "update clinic_order set state = 'RETURNED', reviewer_id = %(staff)s, reviewed_at = now(), review_note = '剂量请核对' where visit_id = %(v)s",
            {"v": visit, "staff": clinic.pharmacist},
        )
    said = page(doctor, visit)
    assert ("药师退回" in said, "剂量请核对" in said, ">已退回<" in said) == (True, True, True)

    assert post(doctor, f"/clinic/desk/visits/{visit}/reopening").status_code == 303
    again = page(doctor, visit)
    one, drug = fields(again)["sheet_id"], re.search(r'name="line_product" value="(\d+)"', again)[1]
    told = (
        {"dx_kind": "WESTERN", "dx_code": "I10.x00x002", "dx_name": "高血压"}
        | sheet(one[0])
        | line(one[0], drug, quantity="2")
    )
    signed = post(doctor, f"/clinic/desk/visits/{visit}/signature", data={"version": 0, "complaint": "头晕"} | told)
    assert signed.status_code == 204
    assert ("药师退回" in page(doctor, visit), "已签名，第 2 版" in page(doctor, visit)) == (False, True)


def test_somebody_who_did_not_come_is_passed_until_something_is_written(clinic, doctor):
    visit = make_visit(clinic, begun=False)
    assert post(doctor, "/clinic/desk/next").location.endswith(str(visit))
    assert [row.kind for row in run("select kind from visit_event where visit_id = :v order by id", v=visit)] == ["arrived", "called", "began"]  # fmt: skip
    assert "没来，过号" in page(doctor, visit)
    assert post(doctor, f"/clinic/desk/visits/{visit}/passing").status_code == 303
    assert post(doctor, f"/clinic/desk/visits/{visit}/beginning").status_code == 303
    assert keep(doctor, visit).status_code == 200
    assert "没来，过号" not in page(doctor, visit)
    assert post(doctor, f"/clinic/desk/visits/{visit}/passing").status_code == 409


def test_a_doctor_comes_home_to_the_desk(clinic, doctor):
    assert doctor.get("/").location == "/clinic/desk"


def test_only_doctors_sit_here_and_strangers_find_nothing(facility_app, clinic, doctor):
    visit = make_visit(clinic)
    nurse = seated(facility_app, clinic, clinic.nurse)
    assert (nurse.get("/clinic/desk").status_code, nurse.get(f"/clinic/desk/visits/{visit}").status_code) == (403, 403)
    other = make_clinic(facility_app)
    stranger = seated(facility_app, other, other.doctor)
    with tenancy.as_tenant(other.tenant_id):
        assert stranger.get(f"/clinic/desk/visits/{visit}").status_code == 404
        for act in ("draft", "answers", "allergies-asked", "signature", "beginning", "reopening", "passing"):
            assert post(stranger, f"/clinic/desk/visits/{visit}/{act}", data={"version": 0}).status_code == 404
