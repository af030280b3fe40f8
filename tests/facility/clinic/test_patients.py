"""One person, one file: found again by citizen id, merged with a trace, shown masked."""

from datetime import date
from itertools import count
from uuid import uuid4

import msgspec
import pytest

from app.core import personal, tenancy
from app.core.errors import DocumentChanged, NotFound, WrongInput
from app.facility.clinic.errors import NotMergeable, PatientChanged, PatientIncomplete, PatientKnown
from app.facility.clinic.patients import actions, queries, rules
from app.facility.clinic.patients.rules import Person
from app.facility.db import transaction
from app.national import codes
from tests.center.world import some_certno
from tests.factories.clinic import make_clinic, make_patient
from tests.factories.shop import desk_of

_numbers = count(10_000_001)
SUN = Person("孙秀兰", "2", date(1964, 3, 1), phone="13900001234", address="宁波市鄞州区")


def test_a_file_is_found_by_whatever_somebody_says(clinic):
    number, patient = some_certno("2", "19640301"), uuid4()
    made = actions.register_patient(
        desk_of(clinic), patient, Person("孙秀兰", certno=number, phone="13900001234"), "33020000000000000077"
    )

    for typed in (number, f" {number.lower()}", "13900001234", str(made), "孙秀兰", "sx", "SXL"):
        assert [row.id for row in queries.find_patients(typed)] == [patient], typed
    assert queries.find_by_person("33020000000000000077").id == patient
    assert queries.find_patients("") == queries.find_patients("孙") == queries.find_patients("x" * 300) == []
    row = queries.get_patient(patient)
    assert (row.name_shown, row.sex, row.born_on) == ("孙*兰", "2", date(1964, 3, 1))
    assert queries.unseal(row).certno == number


def test_two_files_of_one_citizen_id_cannot_stand_side_by_side(clinic):
    number = some_certno("2", "19640301")
    first = uuid4()
    made = actions.register_patient(desk_of(clinic), first, Person("孙秀兰", certno=number))
    again = actions.register_patient(desk_of(clinic), first, Person("孙秀兰", certno=number))

    assert again == made
    with pytest.raises(DocumentChanged):
        actions.register_patient(desk_of(clinic), first, Person("孙秀英", certno=number))
    with pytest.raises(PatientKnown) as known:
        actions.register_patient(desk_of(clinic), uuid4(), Person("孙秀兰", certno=number))
    assert known.value.facts["number"] == made


def test_another_paper_has_no_check_digit_and_is_found_by_its_number(clinic):
    desk, traveller, officer = desk_of(clinic), uuid4(), uuid4()
    number = f"E{next(_numbers):08d}"
    foreign = Person("SMITH JOHN", "1", date(1980, 5, 1), certno=f" {number.lower()} ", cert_type="08")
    made = actions.register_patient(desk, traveller, foreign)
    actions.register_patient(desk, officer, Person("高山", "1", date(1981, 5, 1), certno=number, cert_type="02"))
    assert {row.id for row in queries.find_patients(number.lower())} == {traveller, officer}
    assert queries.find_by_person("", number, "08").id == traveller
    assert queries.find_by_person("", number) is None
    kept = queries.unseal(queries.get_patient(traveller))
    assert (kept.certno, kept.cert_type, kept.citizen_id, kept.born_on) == (number, "08", "", date(1980, 5, 1))
    with pytest.raises(PatientKnown) as known:
        actions.register_patient(desk, uuid4(), msgspec.structs.replace(foreign, name="SMITH J"))
    assert known.value.facts["number"] == made
    assert queries.find_patients(str(made))[0].id == traveller
    before = b'{"name":"X","sex":"1","born_on":"1980-05-01","certno":"","phone":"","address":"","guardian":""}'
    assert rules.encoded(Person("X", "1", date(1980, 5, 1))) == before
    assert rules.tidy(Person("林", "2", date(2026, 1, 1), cert_type="08")).cert_type == "01"
    assert {code: codes.name("psn_cert_type", code) for code in rules.CERT_TYPES} == rules.CERT_TYPES


def test_a_passport_and_a_citizen_id_may_be_one_person_s(clinic):
    desk, number, passport = desk_of(clinic), some_certno("2", "19640301"), f"G{next(_numbers):08d}"
    told = {"sex": "2", "born_on": date(1964, 3, 1)}
    one = make_patient(clinic, certno=number)
    other = make_patient(clinic, certno=passport, cert_type="16", **told)
    third = make_patient(clinic, certno=f"G{next(_numbers):08d}", cert_type="16", **told)
    with pytest.raises(NotMergeable, match="证件号码不同"):
        actions.merge_patients(desk, other, third, "重复建档")
    actions.merge_patients(desk, one, other, "同一个人")
    for typed in (number, passport):
        assert [row.id for row in queries.find_patients(typed)] == [one]
    assert queries.find_by_person("", passport, "16").id == one
    with pytest.raises(PatientKnown) as known:
        actions.register_patient(desk, uuid4(), Person("孙秀兰", certno=passport, cert_type="16", **told))
    assert known.value.facts["number"] == queries.get_patient(one).number


@pytest.mark.parametrize(("number", "shown"), [
    ("330205198001011234", "330205********1234"), ("E12345678", "E******78"), ("12345", "1**45"), ("1234", "1234"), ("", ""),
])  # fmt: skip
def test_the_number_of_a_paper_is_masked(number, shown):
    assert personal.mask_certno(number) == shown


@pytest.mark.parametrize(
    "person",
    [
        Person("", "2", date(1964, 3, 1)), Person("孙秀兰", "2"), Person("孙秀兰", "3", date(1964, 3, 1)), Person("孙秀兰", certno="330212196403010021"),
        Person("孙秀兰", "2", date(2999, 1, 1)), Person("孙秀兰", "2", date(1964, 3, 1), phone="12"), Person("孙秀兰", "2", date(1964, 3, 1), address="宁" * 201),
        Person("孙秀兰", "2", date(1964, 3, 1), certno="E12", cert_type="08"), Person("孙秀兰", "2", date(1964, 3, 1), certno="护照E1234567", cert_type="08"),
        Person("孙秀兰", "2", date(1964, 3, 1), certno="E1234567", cert_type="90"), Person("孙秀兰", certno="E12345678", cert_type="08"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_true_is_refused(clinic, person):
    with pytest.raises(PatientIncomplete):
        actions.register_patient(desk_of(clinic), uuid4(), person)


def test_a_change_by_somebody_else_is_not_overwritten(clinic):
    patient = make_patient(clinic)

    assert actions.change_patient(desk_of(clinic), patient, 1, SUN) == 2
    with pytest.raises(PatientChanged):
        actions.change_patient(desk_of(clinic), patient, 1, SUN)
    assert queries.get_patient(patient).name_shown == "孙*兰"


def test_merged_files_are_read_as_one_and_both_stay(clinic):
    keep, gone, older = (make_patient(clinic, name="孙秀兰") for _ in range(3))
    desk = desk_of(clinic)
    actions.merge_patients(desk, gone, older, "同一人")
    actions.note_allergy(desk, uuid4(), older, "青霉素类", "皮疹", "severe", "patient")
    actions.merge_patients(desk, keep, gone, "同一人，旧档没有身份证号")
    actions.merge_patients(desk, keep, gone, "同一人，旧档没有身份证号")

    assert queries.get_patient(gone).id == queries.get_patient(older).id == keep
    assert [row.id for row in queries.find_patients("孙秀兰")] == [keep]
    with transaction(settings=desk.settings) as hot:
        assert [row.substance for row in actions.allergies(hot, desk, keep)] == ["青霉素类"]
    for one, other, reason in (
        (keep, keep, "x"),
        (gone, keep, "x"),
        (keep, make_patient(clinic, sex="1"), "x"),
        (keep, older, " "),
    ):
        with pytest.raises(NotMergeable):
            actions.merge_patients(desk, one, other, reason)
    with pytest.raises(NotFound):
        actions.merge_patients(desk, keep, uuid4(), "x")


def test_people_with_different_citizen_ids_are_never_merged(clinic):
    one, other = (make_patient(clinic, certno=some_certno("2", "19640301")) for _ in range(2))

    with pytest.raises(NotMergeable, match="not_mergeable"):
        actions.merge_patients(desk_of(clinic), one, other, "看起来一样")


def test_a_withdrawn_allergy_is_no_longer_told(clinic):
    patient, allergy, desk = make_patient(clinic), uuid4(), desk_of(clinic)
    for _ in range(2):
        actions.note_allergy(desk, allergy, patient, "头孢类", "", "unknown", "record")
    with pytest.raises(WrongInput):
        actions.withdraw_allergy(desk, allergy, "")
    for _ in range(2):
        actions.withdraw_allergy(desk, allergy, "皮试阴性，本人记错")

    with transaction(settings=desk.settings) as hot:
        assert actions.allergies(hot, desk, patient) == []
    for wrong in (("", "mild", "patient"), ("青霉素", "deadly", "patient"), ("青霉素", "mild", "aunt")):
        with pytest.raises(WrongInput):
            actions.note_allergy(desk, uuid4(), patient, wrong[0], "", *wrong[1:])


def test_a_stranger_sees_no_file(clinic, facility_app):
    patient, other = make_patient(clinic, name="孙秀兰"), make_clinic(facility_app)

    with tenancy.as_tenant(other.tenant_id):
        assert queries.find_patients("孙秀兰") == []
        with pytest.raises(NotFound):
            queries.get_patient(patient)
