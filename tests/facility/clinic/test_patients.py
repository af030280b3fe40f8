"""One person, one file: found again by citizen id, merged with a trace, shown masked."""

from datetime import date
from uuid import uuid4

import pytest

from app.core import tenancy
from app.core.errors import DocumentChanged, NotFound, WrongInput
from app.facility.clinic.errors import NotMergeable, PatientChanged, PatientIncomplete, PatientKnown
from app.facility.clinic.patients import actions, queries
from app.facility.clinic.patients.rules import Person
from app.facility.db import transaction
from tests.center.world import some_certno
from tests.factories.clinic import make_clinic, make_patient
from tests.factories.shop import desk_of

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


@pytest.mark.parametrize(
    "person",
    [
        Person("", "2", date(1964, 3, 1)), Person("孙秀兰", "2"), Person("孙秀兰", "3", date(1964, 3, 1)), Person("孙秀兰", certno="330212196403010021"),
        Person("孙秀兰", "2", date(2999, 1, 1)), Person("孙秀兰", "2", date(1964, 3, 1), phone="12"), Person("孙秀兰", "2", date(1964, 3, 1), address="宁" * 201),
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
