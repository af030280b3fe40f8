"""What the doctor reads of a person's care beside the record: plans, family doctor, readings; one statement, of others nothing."""

from datetime import timedelta
from uuid import uuid4

from app.core import clock, tenancy
from app.core.hot import statements
from app.facility.clinic.care import actions, contracts, queries
from app.facility.clinic.care.rules import FollowUp
from app.facility.clinic.patients import actions as patients
from tests.facility.clinic.care.test_contracts import terms
from tests.factories.clinic import make_clinic, make_patient, make_visit
from tests.factories.people import browser
from tests.factories.shop import desk_of


def on_the_desk(facility_app, clinic, patient):
    visit = make_visit(clinic, patient)
    answer = browser(facility_app, clinic, clinic.doctor).get(f"/clinic/desk/visits/{visit}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_plans_family_doctor_and_readings_stand_beside_the_record(facility_app, clinic, nurse, put_on):
    patient = make_patient(clinic)
    contracts.sign_contract(nurse, uuid4(), terms(clinic, patient))
    for pressure, glucose in ((150, None), (146, 68), (148, None), (152, None)):
        actions.note_follow_up(nurse, uuid4(), patient, FollowUp("home", "reached", pressure, 90, glucose))

    put_on(6, patient=patient)
    page = on_the_desk(facility_app, clinic, patient)

    part = page[page.index('class="beside"') :]
    today = clock.business_date()
    for said in ("慢病管理", "高血压", f"应来 {today - timedelta(days=6)}", "本机构 · 至", "近 3 次血压", "152/90 · 148/90 · 146/90", "6.8 · ", f"/clinic/care/patients/{patient}"):  # fmt: skip
        assert said in part


def test_a_merged_file_speaks_of_the_same_person_in_one_statement(clinic, nurse, put_on):
    patient, _enrolment = put_on(-20)
    other = make_patient(clinic)
    patients.merge_patients(desk_of(clinic), other, patient, "同一个人")
    with statements() as ran:
        row = queries.get_beside(clinic.facility_id, other)
    assert len([one for one in ran if "with" in str(one)]) == 1
    assert (row.plans[0]["plan"], row.patient_id) == ("高血压", other)
    assert queries.get_beside(clinic.facility_id, patient).patient_id == other


def test_of_whoever_is_not_cared_for_and_of_strangers_nothing_stands(facility_app, clinic, nurse, put_on):
    assert 'class="beside"' not in on_the_desk(facility_app, clinic, make_patient(clinic))
    patient, _enrolment = put_on(6)
    other = make_clinic(facility_app, name="别家诊所")
    with tenancy.as_tenant(other.tenant_id):
        assert queries.get_beside(other.facility_id, patient) is None
