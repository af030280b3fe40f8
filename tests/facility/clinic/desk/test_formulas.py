"""Sheets to begin from: saved, found by who may use them, put on a draft without what stopped; the patient's last ones; what is used often."""

import re
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import tenancy
from app.core.errors import NotFound, WrongInput
from app.core.hot import statements
from app.facility.catalog import actions as catalog
from app.facility.clinic.desk import formulas, signing
from app.facility.clinic.desk.rules import Content, Line
from app.facility.db import run, transaction
from tests.facility.clinic.desk.test_pages import fields, keep, line, seated
from tests.facility.clinic.desk.test_pages import sheet as sheet_of
from tests.factories.clinic import content, make_clinic, make_patient, make_visit, sheet, sign
from tests.factories.people import post
from tests.factories.shop import desk_of, make_product


@pytest.fixture
def doctor(facility_app, clinic):
    return seated(facility_app, clinic, clinic.doctor)


def found(clinic, person, text=""):
    return [row.name for row in formulas.find_formulas(desk_of(clinic, person), text)]


def test_a_formula_is_its_makers_the_departments_or_everybodys(clinic):
    desk, wanted = desk_of(clinic, clinic.doctor), sheet("WESTERN", (make_product(clinic), 24))
    for name, scope in (("感冒我的", "mine"), ("感冒科室", "department"), ("高血压", "all")):
        formulas.save_formula(desk, uuid4(), name, wanted, scope)
    again = uuid4()
    with pytest.raises(WrongInput):
        formulas.save_formula(desk, again, "感冒我的", wanted, "mine")
    for name, scope in (("", "mine"), ("x" * 41, "mine"), ("新的", "somebody")):
        with pytest.raises(WrongInput):
            formulas.save_formula(desk, uuid4(), name, wanted, scope)

    assert found(clinic, clinic.doctor, "gm") == ["感冒我的", "感冒科室"]
    assert found(clinic, clinic.doctor, "血压") == ["高血压"]
    assert sorted(found(clinic, clinic.second_doctor)) == ["感冒科室", "高血压"]
    one = run("select id from formula where name = '感冒科室'").scalar_one()
    with pytest.raises(NotFound):
        formulas.end_formula(desk_of(clinic, clinic.second_doctor), one)
    formulas.end_formula(desk, one)
    formulas.end_formula(desk, one)
    assert found(clinic, clinic.second_doctor) == ["高血压"]


def test_what_stopped_is_left_out_and_named(clinic, doctor):
    good, gone, visit = make_product(clinic, generic_name="布洛芬片"), make_product(clinic, generic_name="旧药片"), make_visit(clinic)  # fmt: skip
    one = str(uuid4())
    two = {name: [first, line(one, gone)[name]] for name, first in line(one, good, quantity="1").items()}
    kept = post(doctor, f"/clinic/desk/visits/{visit}/formulas", data=sheet_of(one) | two | {"at": 0, "formula_name": "发热", "scope": "mine"})  # fmt: skip
    assert kept.status_code == 204
    catalog.stop_product(gone)
    formula = run("select id from formula").scalar_one()

    said = keep(doctor, visit, formula=f"f{formula}").get_data(as_text=True)
    assert ("旧药片 已停用" in said, said.count('name="line_product"')) == (True, 1)
    assert "发热" in doctor.get(f"/clinic/desk/visits/{visit}/formulas?q=fr").get_data(as_text=True)
    for wrong in ("f", "x", f"f{uuid4()}", f"l{uuid4()}"):
        assert keep(doctor, visit, 1, formula=wrong).status_code == 404


def test_the_last_sheets_are_written_again(clinic, doctor):
    patient, drug = make_patient(clinic), make_product(clinic, generic_name="布洛芬片")
    first = make_visit(clinic, patient)
    sign(clinic, first, sheet("WESTERN", Line(drug, 24, dose=Decimal("0.5"), dose_unit="g", frequency="tid", route="po", days=3)))  # fmt: skip
    visit, other = make_visit(clinic, patient), make_visit(clinic)
    offered = doctor.get(f"/clinic/desk/visits/{visit}/formulas").get_data(as_text=True)
    assert "布洛芬片" in offered
    assert "布洛芬片" not in doctor.get(f"/clinic/desk/visits/{other}/formulas").get_data(as_text=True)
    last = re.search(r'data-product="(l[^"]+)"', offered)[1]

    said = keep(doctor, visit, formula=last).get_data(as_text=True)
    assert ('value="0.5"' in said, '<option value="tid" selected>' in said) == (True, True)
    before = run("select id from clinic_order where visit_id = :v", v=first).scalar_one()
    assert fields(said)["sheet_id"] != [str(before)]
    assert keep(doctor, other, formula=last).status_code == 404  # Somebody else's sheet.


def test_what_a_doctor_signs_often_is_offered_before_anything_is_typed(clinic, doctor):
    often, once = make_product(clinic, generic_name="常用片"), make_product(clinic, generic_name="偶用片")
    for drugs in ((often,), (often, once)):
        sign(clinic, make_visit(clinic), sheet("WESTERN", *((drug, 24) for drug in drugs)))
    said = doctor.get("/clinic/desk/drugs?q=").get_data(as_text=True)
    assert 0 < said.index("常用片") < said.index("偶用片")
    with statements() as ran:
        doctor.get("/clinic/desk/drugs?q=")
    assert len(ran) <= 8
    assert "没有找到" in doctor.get("/clinic/desk/herbs?q=").get_data(as_text=True)


def test_the_formulas_page_and_strangers(facility_app, clinic, doctor):
    assert "没有协定处方" in doctor.get("/clinic/desk/formulas").get_data(as_text=True)
    one = uuid4()
    formulas.save_formula(
        desk_of(clinic, clinic.doctor), one, "发热", sheet("WESTERN", (make_product(clinic), 24)), "all"
    )
    assert "发热" in doctor.get("/clinic/desk/formulas").get_data(as_text=True)
    assert "没有找到" in doctor.get("/clinic/desk/formulas?q=zzz").get_data(as_text=True)
    visit, other = make_visit(clinic), make_clinic(facility_app)
    colleague = seated(facility_app, clinic, clinic.second_doctor)
    assert post(colleague, f"/clinic/desk/formulas/{one}/removal").status_code == 404
    stranger = seated(facility_app, other, other.doctor)
    with tenancy.as_tenant(other.tenant_id):
        assert post(stranger, f"/clinic/desk/formulas/{one}/removal").status_code == 404
        assert stranger.get(f"/clinic/desk/visits/{visit}/formulas").status_code == 404
        assert post(stranger, f"/clinic/desk/visits/{visit}/formulas", data={"at": 0}).status_code == 404


def test_formulas_go_on_page_by_page(clinic, doctor):
    desk, wanted = desk_of(clinic, clinic.doctor), sheet("WESTERN", (make_product(clinic), 24))
    for number in range(formulas.PAGE + 2):
        formulas.save_formula(desk, uuid4(), f"方{number:02}", wanted, "all" if number % 2 else "mine")
    first = doctor.get("/clinic/desk/formulas").get_data(as_text=True)
    following = re.search(r'href="(/clinic/desk/formulas\?after=[^"]+)" rel="next"', first)[1]
    second = doctor.get(following).get_data(as_text=True)
    named = [re.findall(r'class="b">(方\d\d)<', page) for page in (first, second)]
    assert [len(page) for page in named] == [formulas.PAGE, 2]
    assert len({*named[0], *named[1]}) == formulas.PAGE + 2
    assert "没有更多了" in second
    assert doctor.get("/clinic/desk/formulas?after=x").status_code == 200
    assert "没有协定处方" in doctor.get(f"/clinic/desk/formulas?after={uuid4()}").get_data(as_text=True)


def test_a_draft_takes_no_more_sheets_than_there_is_room_for(clinic):
    drug = make_product(clinic)
    full = Content(sheets=tuple(sheet("WESTERN", (drug, 24)) for _ in range(12)))
    from app.facility.catalog.queries import get_products

    with pytest.raises(WrongInput):
        formulas.put_on(full, full.sheets[0], get_products([drug]))


def test_its_maker_takes_a_formula_off_the_page(clinic, doctor):
    one = uuid4()
    formulas.save_formula(
        desk_of(clinic, clinic.doctor), one, "发热", sheet("WESTERN", (make_product(clinic), 24)), "all"
    )
    assert post(doctor, f"/clinic/desk/formulas/{one}/removal").status_code == 303
    assert "发热" not in doctor.get("/clinic/desk/formulas").get_data(as_text=True)


def test_a_template_fills_what_is_empty_and_changes_nothing_written(clinic, doctor):
    desk, [main] = desk_of(clinic, clinic.doctor), content().diagnoses
    kept = {"complaint": "头晕一周", "history": "反复发作", "past": "无特殊", "dx_kind": "WESTERN", "dx_code": main.code, "dx_name": main.name}  # fmt: skip
    said = post(doctor, f"/clinic/desk/visits/{make_visit(clinic)}/formulas", data=kept | {"at": "record", "formula_name": "高血压复诊", "scope": "department"})  # fmt: skip
    assert said.status_code == 204
    visit = make_visit(clinic)
    offered = doctor.get(f"/clinic/desk/visits/{visit}/formulas?q=gxyfz").get_data(as_text=True)
    assert ("病历模板" in offered, "头晕一周" in offered) == (True, True)
    one = re.search(r'data-product="(f[^"]+)"', offered)[1]

    answer = keep(doctor, visit, complaint="胸闷", formula=one)

    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")
    with transaction(settings=desk.settings) as hot:
        _version, draft = signing.read_draft(hot, desk, visit)
    assert (draft.record.complaint, draft.record.history, draft.record.past) == ("胸闷", "反复发作", "无特殊")
    assert draft.diagnoses == (main,)
    assert "病历模板" in doctor.get("/clinic/desk/formulas").get_data(as_text=True)


def test_a_template_needs_words_and_a_name(clinic):
    desk = desk_of(clinic, clinic.doctor)
    for name, written, scope in (("空的", Content(), "mine"), ("", content(), "mine"), ("高血压", content(), "x")):
        with pytest.raises(WrongInput):
            formulas.save_template(desk, uuid4(), name, written, scope)
    again = uuid4()
    for _ in range(2):
        formulas.save_template(desk, again, "高血压", content(), "mine")
    assert found(clinic, clinic.doctor) == ["高血压"]
    assert found(clinic, clinic.second_doctor) == []
