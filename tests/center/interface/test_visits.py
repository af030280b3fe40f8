"""2201-2205 through the door: a visit registered once, described, charged in whole batches, and taken back while unsettled."""

from datetime import timedelta

import pytest

from app.center.registry.actions import NewPractitioner, register_practitioner, suspend_practitioner
from app.core import clock
from app.core.hot import statements
from app.national import envelope
from tests.center import world
from tests.center.world import charge, description, diagnosis, registration


@pytest.fixture
def person(center_app):
    return world.make_person(center_app)


@pytest.fixture
def visit(clinic, person):
    return world.register_visit(clinic, person)


def lines_of(owner_sql, visit):
    return owner_sql("select number, batch, state from visit_line where mdtrt_id = %s order by id", visit)


def take_back(clinic, person, visit, batch="B1"):
    return clinic.ask("2205", {"data": {"mdtrt_id": visit, "chrg_bchno": batch, "psn_no": person.psn_no}})


def cancel(clinic, person, visit, number):
    return clinic.ask("2202", {"data": {"psn_no": person.psn_no, "mdtrt_id": visit, "ipt_otp_no": number}})


def test_a_registration_gives_an_id_and_says_who_stands_there(clinic, person, owner_sql):
    answer = clinic.ask("2201", registration(person, "M-1"))

    told = answer.output["data"]
    assert (len(told["mdtrt_id"]), told["psn_no"], told["ipt_otp_no"]) == (30, person.psn_no, "M-1")
    assert envelope.extension(told["exp_content"])["identity"]["band"] == "pass"
    assert owner_sql(
        "select psn_no, number, department_name, doctor_name, state from visit where mdtrt_id = %s", told["mdtrt_id"]
    ) == [(person.psn_no, "M-1", "内科", "郑医师", "registered")]


def test_the_same_registration_again_is_one_visit_and_another_under_its_number_is_refused(center_app, clinic, person):
    asked, other = registration(person, "M-2"), world.make_person(center_app)

    first, second = clinic.ask("2201", asked), clinic.ask("2201", asked)

    assert first.output["data"]["mdtrt_id"] == second.output["data"]["mdtrt_id"]
    assert clinic.ask("2201", registration(other, "M-2")).code == "VISIT_NUMBER_TAKEN"
    assert clinic.ask("2201", registration(person, "M-2", dept_code="07")).code == "VISIT_NUMBER_TAKEN"


def test_two_clinics_may_use_the_same_number(center_app, clinic, person):
    other = world.make_shop(center_app, kind="clinic")

    assert world.register_visit(clinic, person, number="M-3") != world.register_visit(other, person, number="M-3")


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"status": "lost"}, "CARD_LOST"),
        ({"status": "frozen", "status_reason": "F02"}, "PERSON_FROZEN"),
        ({"status": "deceased"}, "PERSON_DECEASED"),
        ({"coverage_status": "stopped"}, "NOT_COVERED"),
    ],
)
def test_who_may_not_use_insurance_is_not_registered(center_app, clinic, facts, code):
    assert clinic.ask("2201", registration(world.make_person(center_app, **facts))).code == code


def test_another_persons_credential_another_insurance_and_an_ended_agreement_are_refused(center_app, clinic, person):
    other = world.make_person(center_app)
    ended = world.make_shop(center_app, kind="clinic", agreement_until=clock.business_date() - timedelta(days=1))

    assert clinic.ask("2201", registration(person, psn_no=other.psn_no)).code == "CREDENTIAL_MISMATCH"
    assert clinic.ask("2201", registration(person, certno=other.certno)).code == "CREDENTIAL_MISMATCH"
    assert clinic.ask("2201", registration(person, insutype="390")).code == "NOT_COVERED"
    assert clinic.ask("2201", registration(person, begntime="0001-01-01 00:00:00")).code == "wrong_input"
    assert ended.ask("2201", registration(person)).code == "INSTITUTION_NOT_IN_FORCE"


def test_a_suspended_doctor_neither_registers_nor_prescribes_but_in_an_emergency(center_app, clinic, person, drug):
    doctor, today = "D330200000099", clock.business_date()
    with center_app.app_context(), world.tenancy.acting_as(district="33"):
        register_practitioner(NewPractitioner(doctor, clinic.code, clinic.district, "周医师", today))
    asked = registration(person, atddr_no=doctor)
    visit = clinic.ask("2201", asked).output["data"]["mdtrt_id"]
    row = charge(person, visit, drug, bilg_dr_codg=doctor)
    with center_app.app_context(), world.tenancy.acting_as(district="33"):
        suspend_practitioner(doctor, clinic.code, today + timedelta(days=30), "违规")

    refused = clinic.ask("2204", {"feedetail": [row]})
    clinic.ask("2203", description(person, visit, med_type="13"))

    assert refused.code == "DOCTOR_NOT_ELIGIBLE"
    assert "周医师" in refused.message
    assert clinic.ask("2201", registration(person, atddr_no=doctor)).code == "DOCTOR_NOT_ELIGIBLE"
    assert clinic.ask("2204", {"feedetail": [row]}).accepted


def test_diagnoses_are_corrected_and_made_void_by_sending_them_again(clinic, person, visit, owner_sql):
    first = [diagnosis(), diagnosis("I10.x00", "高血压", 2)]
    again = [diagnosis(name="上呼吸道感染"), diagnosis("I10.x00", "高血压", 2, valid=False)]

    for rows in (first, again, again):
        assert clinic.ask("2203", description(person, visit, rows)).accepted

    assert owner_sql("select code, name, valid from visit_diagnosis where mdtrt_id = %s order by position", visit) == [
        ("J06.900", "上呼吸道感染", True),
        ("I10.x00", "高血压", False),
    ]


def test_what_the_person_complained_of_lies_sealed(clinic, person, visit, owner_sql):
    clinic.ask("2203", description(person, visit))

    [(sealed, text)] = owner_sql("select condition_sealed, v::text from visit v where mdtrt_id = %s", visit)
    assert sealed
    assert "发热" not in text
    assert "发热".encode().hex() not in text


def test_each_line_is_answered_with_what_the_catalog_makes_of_it(center_app, clinic, visit, person, owner_sql):
    cheap = world.make_item(center_app, grade="B", selfpay=1000, ceiling="8.00", restriction="限二级以上医院")
    women = world.make_item(center_app, sex_limit="2")
    rows = [
        charge(
            person, visit, cheap, "10.00", "3", number="1", prd_days="7.5", sin_dos_dscr="1片", used_frqu_dscr="bid"
        ),
        charge(person, visit, women, "5.00", "1", number="2"),
        charge(person, visit, "001102000010000", "20.00", "1", number="3"),
    ]

    first, again = clinic.ask("2204", {"feedetail": rows}), clinic.ask("2204", {"feedetail": rows})

    a, b, c = first.output["result"]
    assert (a["pric_uplmt_amt"], a["selfpay_prop"], a["chrgitm_lv"], a["lmt_used_flag"]) == (
        "8.000000",
        "0.1000",
        "02",
        "1",
    )
    assert (a["overlmt_amt"], a["preselfpay_amt"], a["inscp_scp_amt"]) == ("6.00", "2.40", "21.60")
    assert (b["fulamt_ownpay_amt"], b["chrgitm_lv"]) == ("5.00", "03")
    assert (c["fulamt_ownpay_amt"], c["med_chrgitm_type"], c["memo"]) == ("20.00", "05", "目录外")
    assert again.output == first.output
    assert lines_of(owner_sql, visit) == [(number, "B1", "uploaded") for number in "123"]
    assert owner_sql(
        "select days, supply_until::text, dose from visit_line where mdtrt_id = %s and number = '1'", visit
    ) == [(8, "2026-01-12", "1片")]


def test_a_batch_is_whole_and_its_numbers_are_used_once(clinic, visit, person, drug, owner_sql):
    row = charge(person, visit, drug)
    assert clinic.ask("2204", {"feedetail": [row]}).accepted

    def code(*rows):
        return clinic.ask("2204", {"feedetail": list(rows)}).code

    assert code(charge(person, visit, drug, "90.00")) == "BATCH_CHANGED"
    assert code(row, charge(person, visit, drug, number="2")) == "BATCH_CHANGED"
    assert code(charge(person, visit, drug, batch="B2")) == "LINE_NOT_ACCEPTABLE"
    assert code(row | {"cnt": "0", "det_item_fee_sumamt": "0"}) == "LINE_NOT_ACCEPTABLE"
    assert code(row | {"det_item_fee_sumamt": "99.00"}) == "AMOUNT_MISMATCH"
    assert code(row, charge(person, world.register_visit(clinic, person), drug, number="2")) == "wrong_input"
    assert code(*[charge(person, visit, drug, number=str(n), batch="B9") for n in range(201)]) == "wrong_input"
    assert code(charge(person, "330212", drug)) == "UNKNOWN_VISIT"
    assert lines_of(owner_sql, visit) == [("1", "B1", "uploaded")]


def test_two_hundred_lines_are_as_many_statements_as_one(clinic, visit, person, drug):
    def rows(many, batch):
        return {"feedetail": [charge(person, visit, drug, number=f"{batch}{n}", batch=batch) for n in range(many)]}

    with statements() as one:
        clinic.ask("2204", rows(1, "A"))
    with statements() as many:
        assert clinic.ask("2204", rows(200, "B")).accepted

    assert len(one) == len(many) == 4


def test_lines_are_taken_back_by_batch_or_all_and_may_come_again(clinic, visit, person, drug, owner_sql):
    one, two = charge(person, visit, drug), charge(person, visit, drug, number="2", batch="B2")
    clinic.ask("2204", {"feedetail": [one]})
    clinic.ask("2204", {"feedetail": [two]})

    assert take_back(clinic, person, visit, "B1").accepted
    assert take_back(clinic, person, visit, "B1").accepted
    assert take_back(clinic, person, visit, "B7").code == "UNKNOWN_BATCH"
    assert clinic.ask("2204", {"feedetail": [one]}).accepted
    assert [state for *_, state in lines_of(owner_sql, visit)] == ["cancelled", "uploaded", "uploaded"]
    assert take_back(clinic, person, visit, "0000").accepted
    assert {state for *_, state in lines_of(owner_sql, visit)} == {"cancelled"}


def test_a_registration_is_cancelled_with_its_lines_and_then_nothing_is_added(clinic, person, drug, owner_sql):
    visit = world.register_visit(clinic, person, number="M-9")
    clinic.ask("2204", {"feedetail": [charge(person, visit, drug)]})

    assert cancel(clinic, person, visit, "M-8").code == "UNKNOWN_VISIT"
    assert cancel(clinic, person, visit, "M-9").accepted
    assert cancel(clinic, person, visit, "M-9").accepted
    assert lines_of(owner_sql, visit) == [("1", "B1", "cancelled")]
    assert clinic.ask("2204", {"feedetail": [charge(person, visit, drug)]}).code == "VISIT_CANCELLED"
    assert clinic.ask("2203", description(person, visit)).code == "VISIT_CANCELLED"
    assert clinic.ask("2201", registration(person, "M-9")).code == "VISIT_CANCELLED"


def test_a_stranger_and_another_person_do_not_touch_a_visit(center_app, clinic, visit, person, drug, owner_sql):
    elsewhere, other = world.make_shop(center_app, kind="clinic"), world.make_person(center_app)

    for place, who in ((elsewhere, person), (clinic, other)):
        assert place.ask("2203", description(who, visit)).code == "UNKNOWN_VISIT"
        assert place.ask("2204", {"feedetail": [charge(who, visit, drug)]}).code == "UNKNOWN_VISIT"
        assert take_back(place, who, visit).code == "UNKNOWN_VISIT"
        assert cancel(place, who, visit, "M").code == "UNKNOWN_VISIT"
    assert lines_of(owner_sql, visit) == []
