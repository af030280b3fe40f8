"""A resident signs up with a team: one contract at a time, what was promised is ticked with the paper that shows it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound
from app.facility.clinic.care import actions, contract_queries, contracts, plans
from app.facility.clinic.care.contracts import Terms
from app.facility.clinic.care.errors import (
    AlreadyEnded,
    CareIncomplete,
    ContractOver,
    ContractOverlaps,
    PaperNotTheirs,
)
from app.facility.clinic.care.rules import FollowUp, Item, Package
from app.facility.clinic.errors import NotEligible, NotPractitioner
from tests.factories.clinic import make_clinic, make_patient, make_service, make_visit, sheet, sign
from tests.factories.shop import desk_of

TODAY = clock.business_date


def terms(clinic, patient, begins=0, days=364, **changes):
    package = next(one.id for one in plans.list_packages() if one.code == "basic")
    first = TODAY() + timedelta(days=begins)
    told = {"patient_id": patient, "package_id": package, "doctor_id": clinic.doctor, "nurse_id": clinic.nurse, "from_on": first, "until_on": first + timedelta(days=days)}  # fmt: skip
    return Terms(**told | changes)


@pytest.fixture
def contract(clinic, nurse):
    made, patient = uuid4(), make_patient(clinic)
    contracts.sign_contract(nurse, made, terms(clinic, patient))
    return made, patient


def done(clinic, contract):
    return contract_queries.get_contract(clinic.facility_id, contract).done or {}


def test_one_resident_has_one_contract_at_a_time(clinic, nurse, contract):
    made, patient = contract
    contracts.sign_contract(nurse, made, terms(clinic, patient))
    with pytest.raises(DocumentChanged):
        contracts.sign_contract(nurse, made, terms(clinic, patient, nurse_id=None))
    with pytest.raises(ContractOverlaps):
        contracts.sign_contract(nurse, uuid4(), terms(clinic, patient, begins=364))
    contracts.sign_contract(nurse, uuid4(), terms(clinic, patient, begins=365))
    assert [row.doctor for row in contract_queries.contracts_of(patient)] == ["江海明", "江海明"]


def test_a_contract_needs_a_doctor_who_practises_days_and_a_package_that_is_offered(clinic, nurse):
    patient = make_patient(clinic)
    with pytest.raises(NotEligible):
        contracts.sign_contract(nurse, uuid4(), terms(clinic, patient, doctor_id=clinic.nurse))
    with pytest.raises(NotPractitioner):
        contracts.sign_contract(nurse, uuid4(), terms(clinic, patient, nurse_id=clinic.clerk))
    for wrong in ({"days": 0}, {"days": 1200}, {"begins": 400}, {"package_id": 999_999_999}):
        with pytest.raises(CareIncomplete):
            contracts.sign_contract(nurse, uuid4(), terms(clinic, patient, **wrong))
    owner = desk_of(clinic, clinic.owner)
    plans.set_package(
        owner, Package("basic", "基本服务包", 0, 6000, 0, (Item("s1", "随访", 4),), offered=False), TODAY()
    )
    with pytest.raises(CareIncomplete):
        contracts.sign_contract(nurse, uuid4(), terms(clinic, patient))


def test_a_signed_contract_keeps_its_package(clinic, nurse, contract):
    owner = desk_of(clinic, clinic.owner)
    plans.set_package(owner, Package("basic", "基本服务包", 0, 9000, 0, (Item("s1", "上门", 9),)), TODAY())
    row = contract_queries.get_contract(clinic.facility_id, contract[0])
    assert (row.fee_fen, row.items[0]["name"]) == (6000, "随访")


def test_services_are_ticked_with_the_paper_that_shows_them(clinic, nurse, contract):
    made, patient = contract
    visit, note = make_visit(clinic, patient), uuid4()
    treatment = sheet("TREATMENT", (make_service(clinic), 1))
    sign(clinic, visit, treatment)
    actions.note_follow_up(nurse, note, patient, FollowUp("call", "reached", 130, 80))
    tick = uuid4()
    for _turn in range(2):
        contracts.tick_service(nurse, tick, made, "followup", "note", note)
    contracts.tick_service(nurse, uuid4(), made, "advice", "visit", visit)
    contracts.tick_service(nurse, uuid4(), made, "checkup", "order", treatment.id)

    assert done(clinic, made) == {"followup": 1, "advice": 1, "checkup": 1}
    with pytest.raises(PaperNotTheirs):
        contracts.tick_service(nurse, uuid4(), made, "followup", "note", note)
    with pytest.raises(DocumentChanged):
        contracts.tick_service(nurse, tick, made, "advice", "note", note)
    with pytest.raises(CareIncomplete):
        contracts.tick_service(nurse, uuid4(), made, "dentist", "note", note)
    kinds = sorted(row.kind for row in contract_queries.list_papers(contract_queries.get_contract(clinic.facility_id, made)))  # fmt: skip
    assert kinds == ["note", "order", "visit"]
    contracts.withdraw_service(nurse, tick, "记错人")
    contracts.withdraw_service(nurse, tick, "记错人")
    assert done(clinic, made) == {"advice": 1, "checkup": 1}
    assert [row.withdrawn_why for row in contract_queries.list_services(made) if row.withdrawn_at] == ["记错人"]


def test_the_paper_of_somebody_else_or_of_other_days_shows_nothing(clinic, nurse, contract):
    made, patient = contract
    strange, unsigned, note = make_visit(clinic), make_visit(clinic, patient), uuid4()
    sign(clinic, strange)
    for paper in (strange, unsigned):
        with pytest.raises(PaperNotTheirs):
            contracts.tick_service(nurse, uuid4(), made, "advice", "visit", paper)
    later = uuid4()
    contracts.end_contract(nurse, made, "wish")
    contracts.sign_contract(nurse, later, terms(clinic, patient, begins=1))
    actions.note_follow_up(nurse, note, patient, FollowUp("call", "reached"))
    with pytest.raises(ContractOver):
        contracts.tick_service(nurse, uuid4(), later, "followup", "note", note)


def test_a_contract_ends_once_with_its_reason(clinic, nurse, contract):
    made, _patient = contract
    with pytest.raises(CareIncomplete):
        contracts.end_contract(nurse, made, "tired")
    contracts.end_contract(nurse, made, "moved")
    with pytest.raises(AlreadyEnded):
        contracts.end_contract(nurse, made, "wish")
    assert [row.ended_why for row in contract_queries.list_contracts(clinic.facility_id, "ended")] == ["moved"]
    assert contract_queries.list_contracts(clinic.facility_id, "standing") == []


def test_who_is_to_renew_stands_on_the_list_until_renewed(clinic, nurse):
    patient, later = make_patient(clinic), make_patient(clinic)
    contracts.sign_contract(nurse, uuid4(), terms(clinic, patient, begins=-340))
    contracts.sign_contract(nurse, uuid4(), terms(clinic, later))
    rows = contract_queries.list_contracts(clinic.facility_id, "renew")
    assert [row.patient_id for row in rows] == [patient]
    contracts.sign_contract(nurse, uuid4(), terms(clinic, patient, begins=25))
    assert contract_queries.list_contracts(clinic.facility_id, "renew") == []
    assert len(contract_queries.list_contracts(clinic.facility_id, "standing")) == 3


def test_a_stranger_touches_no_contract(facility_app, clinic, contract):
    made, _patient = contract
    other = make_clinic(facility_app)
    with tenancy.as_tenant(other.tenant_id):
        desk = desk_of(other, other.nurse)
        for act in (
            lambda: contracts.end_contract(desk, made, "moved"),
            lambda: contracts.tick_service(desk, uuid4(), made, "advice", "visit", uuid4()),
            lambda: contract_queries.get_contract(other.facility_id, made),
        ):
            with pytest.raises(NotFound):
                act()
