"""A clinic with a doctor, a nurse and a department; patients, visits and signed sheets, made through the acts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

from app.core import clock, tenancy
from tests.factories.city import make_insured_pharmacy
from tests.factories.people import PASSWORD, Pharmacy, make_pharmacy
from tests.factories.shop import desk_of, make_product

_turn = itertools.count(1)


@dataclass(frozen=True)
class Clinic(Pharmacy):
    """An organization whose facility is a clinic: besides owner, clerk and pharmacist a doctor (004), a nurse (005), another doctor (006)."""

    doctor: int = 0
    nurse: int = 0
    second_doctor: int = 0
    department: int = 0
    room: int = 0


def make_clinic(facility_app, center_app=None, **changes) -> Clinic:
    """Known to the center when one is given; the doctors may prescribe everything but narcotics."""
    from app.facility.clinic.practice import actions as practice
    from app.facility.organizations import actions
    from app.facility.organizations.actions import NewStaff
    from app.facility.organizations.rules import Grant

    settled = {"name": "五号诊所", "kind": "clinic", **changes}
    made = (
        make_insured_pharmacy(facility_app, center_app, **settled)
        if center_app
        else make_pharmacy(facility_app, **settled)
    )
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        people = []
        for number, name, role, code in (
            ("004", "江海明", "doctor", "D330212000004"), ("005", "林小燕", "nurse", "N330212000005"), ("006", "方志远", "doctor", "D330212000006"),
        ):  # fmt: skip
            people.append(
                actions.add_staff(NewStaff(number, name, code, PASSWORD), [Grant(role, made.facility_id)]).staff_id
            )
        desk = desk_of(made, made.owner)
        department = practice.add_department(desk, "QK", "全科", "A02")
        room = practice.add_room(desk, "1 诊室")
        for person in (people[0], people[2]):
            practice.set_practitioner(
                desk, person, practice.Practice(department, "主治医师", clock.business_date() - timedelta(days=30))
            )
        practice.set_practitioner(
            desk, made.pharmacist, practice.Practice(department, "药师", clock.business_date() - timedelta(days=30), prescribes=False, herbs=False, antimicrobials="none")
        )  # fmt: skip
        practice.set_practitioner(
            desk, people[1], practice.Practice(department, "护师", clock.business_date() - timedelta(days=30), prescribes=False, herbs=False, antimicrobials="none")
        )  # fmt: skip
    numbers = {**made.numbers, people[0]: "004", people[1]: "005", people[2]: "006"}
    known = {field: getattr(made, field) for field in made.__dataclass_fields__ if field != "numbers"}
    return Clinic(
        **known,
        numbers=numbers,
        doctor=people[0],
        nurse=people[1],
        second_doctor=people[2],
        department=department,
        room=room,
    )


def make_patient(clinic, **fields):
    """A patient of the clinic, without a citizen id unless one is told; returns the id of the file."""
    from app.facility.clinic.patients import actions
    from app.facility.clinic.patients.rules import Person

    told = {
        "name": f"孙{'一二三四五六七八九十'[next(_turn) % 10]}兰",
        "sex": "2",
        "born_on": date(1964, 3, 1),
        "phone": f"139{next(_turn):08d}",
    } | fields
    patient = uuid4()
    with tenancy.as_tenant(clinic.tenant_id):
        actions.register_patient(desk_of(clinic), patient, Person(**told))
    return patient


def make_visit(clinic, patient=None, *, begun=True, **fields):
    """A visit of today with the doctor, begun and asked about allergies unless told otherwise; returns its id."""
    from app.facility.clinic import visits
    from app.facility.clinic.desk import answers

    visit = uuid4()
    told = {
        "patient_id": patient or make_patient(clinic),
        "department_id": clinic.department,
        "doctor_id": clinic.doctor,
    } | fields
    with tenancy.as_tenant(clinic.tenant_id):
        visits.open_visit(desk_of(clinic), visit, visits.Arrival(**told))
        if begun:
            visits.step(desk_of(clinic, clinic.doctor), visit, "began", room=clinic.room)
            answers.note_asked(desk_of(clinic, clinic.doctor), visit)
    return visit


def make_service(clinic, **fields) -> int:
    """A service at 20.00 yuan a time; returns the product."""
    told = {
        "generic_name": f"诊疗项目{next(_turn)}", "spec": "", "maker": "", "rx_class": "SERVICE", "pack_unit": "次", "base_unit": "次", "pack_size": 1,
        "split_allowed": False, "trace_required": False, "barcode": None, "pack_price": Decimal("20.00"),
    } | fields  # fmt: skip
    return make_product(clinic, **told)


def sheet(kind, *lines, **fields):
    """A sheet of lines; (product, quantity) or ready lines."""
    from app.facility.clinic.desk.rules import Line, Sheet

    made = tuple(line if isinstance(line, Line) else Line(*line) for line in lines)
    return Sheet(uuid4(), kind, made, **({"doses": 7} if kind == "HERB" else {}) | fields)


def content(*sheets, complaint="头晕一周", diagnoses=(("WESTERN", "I10.x00x002", "高血压"),)):
    """A record with its diagnosis and these sheets."""
    from app.facility.clinic.desk.rules import Content, Diagnosis, Record

    return Content(Record(complaint=complaint), tuple(Diagnosis(*one) for one in diagnoses), tuple(sheets))


def sign(clinic, visit, *sheets, doctor=None, **fields) -> int:
    """The doctor signs the visit with these sheets; returns the version."""
    from app.facility.clinic.desk import signing

    with tenancy.as_tenant(clinic.tenant_id):
        return signing.sign_visit(desk_of(clinic, doctor or clinic.doctor), visit, content(*sheets, **fields))
