"""Puts the demo's clinic in working order: departments, rooms, rights, services, herbs; each day a few people who wait.

Codes and names of services are those of the national list of medical services; prices, people and herb lots are made up.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from app.core import clock
from app.core.errors import Outage
from app.facility.catalog import demo as catalog
from app.facility.catalog import queries as catalog_queries
from app.facility.clinic import visits
from app.facility.clinic.desk import answers, signing
from app.facility.clinic.desk.rules import Content, Diagnosis, Line, Record, Sheet
from app.facility.clinic.outflow import sending
from app.facility.clinic.outflow.errors import NotToSendOut
from app.facility.clinic.packages import actions as packages
from app.facility.clinic.packages.rules import Item, Package
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.patients.rules import Person
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.practice import fees
from app.facility.clinic.practice import queries as practices
from app.facility.clinic.reception import duties, registering
from app.facility.clinic.review import actions as review
from app.facility.db import run
from app.facility.insurance import identify
from app.facility.stock.receiving import open_stock
from app.facility.stock.rules import ReceiptLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.tenancy import Desk

PRODUCTS = Path(__file__).resolve().parents[3] / "demo" / "clinic.csv"
DEPARTMENTS = (("QK", "全科", "A02"), ("ZY", "中医科", "A50"))
ROOMS = ("1 诊室", "2 诊室", "治疗室")
GRAMS = 800  # Of each herb in its drawer.
# Who comes each day: the card read at the counter, or name, sex, day of birth and telephone of somebody without one.
INSURED = ("N20260002", "N20260001", "N20260011")
SENT_OUT = "S0002"  # A drug on prescription that every demo shop carries.
STRANGER = Person(name="林阿香", sex="2", born_on=date(1959, 5, 20), phone="13900003302")


def furnish(owner: Desk, doctors: Mapping[str, int], nurses: Mapping[str, int], pharmacists: Mapping[str, int]) -> bool:
    """Departments, rooms, rights and duties, once; people by staff number. False when that was done. Call as the tenant."""
    if practices.list_departments(owner.facility_id):
        return False
    departments = [practice.add_department(owner, *one) for one in DEPARTMENTS]
    rooms = [practice.add_room(owner, name) for name in ROOMS]
    since = clock.business_date() - timedelta(days=100)
    for turn, doctor in enumerate(doctors.values()):
        practice.set_practitioner(owner, doctor, practice.Practice(departments[turn % 2], "主治医师", since))
        for weekday in range(1, 7):
            for period, most in (("am", 20), ("pm", 10)):
                duty = _named(owner, f"duty:{doctor}:{weekday}:{period}")
                duties.add_duty(
                    owner, duty, doctor, departments[turn % 2], rooms[turn % len(rooms)], weekday, period, most
                )
    for title, people in (
        ("护师", nurses),
        ("药师", pharmacists),
    ):  # Who reviews, hands over or treats has to practise here.
        held = practice.Practice(departments[0], title, since, prescribes=False, herbs=False, antimicrobials="none")
        for person in people.values():
            practice.set_practitioner(owner, person, held)
    return True


def stock(owner: Desk) -> None:
    """Services into the catalog, herbs into the catalog and their drawers, once."""
    document, ends = _named(owner, "herbs"), clock.business_date() + timedelta(days=500)
    loaded = catalog.load(owner.staff_id, PRODUCTS)
    lines = [
        ReceiptLine(product, "260801", ends, GRAMS) for product, draft, _price in loaded if draft.rx_class == "HERB"
    ]
    open_stock(owner, document, lines, "期初入库")


def ask_fee(owner: Desk) -> None:
    """What a visit to the department of Chinese medicine costs; once, also in homes from before there were fees."""
    if fees.list_said(owner.facility_id):
        return
    for one in practices.list_departments(owner.facility_id):
        if one.code == DEPARTMENTS[1][0]:
            fees.set_fee(owner, fees.Payee(one.id), "F001", clock.business_date())


def offer_package(owner: Desk) -> None:
    """The tests a chronic patient has each quarter, for less together; once, also in homes from before there were packages."""
    found = [catalog_queries.product_by_code(code) for code in ("F007", "F008", "F009")]
    items = tuple(Item(card.id, card.generic_name, 1) for card in found if card)
    if len(items) == len(found) and not packages.list_packages():
        package = Package("quarterly", "慢病季度检查套餐", "TEST", 3000, items)
        packages.set_package(owner, package, clock.business_date())


def begin_day(clerk: Desk) -> None:
    """The day's first patients: some with a card, one without, who cannot bear penicillin. Once a day.

    Where the center does not answer yet, those with a card stay away.
    """
    doctors = [one for one in practices.list_practitioners(clerk.facility_id) if one.prescribes]
    if not doctors:
        return
    with suppress(Outage):
        for card in INSURED:
            _insured(clerk, card, doctors[0])
    patient = _named(clerk, "stranger")
    patients.register_patient(clerk, patient, STRANGER)
    patients.note_allergy(clerk, _named(clerk, "allergy"), patient, "青霉素", "皮疹", "severe", "patient")
    visit = _named(clerk, f"visit:{clock.business_date()}:stranger")
    if not _is_there(visit):  # Also where an older version of the product opened today's.
        registering.register(clerk, visit, visits.Arrival(patient, doctors[0].department_id, doctors[0].id))


def send_one_out(doctor: Desk, pharmacist: Desk) -> None:
    """A reviewed prescription that the patient has at a pharmacy of their choice (外配), once. The pharmacist has to be on duty.

    Where the center does not answer yet, the recovery worker sends it.
    """
    visit, sheet, drug = _named(doctor, "visit:outflow"), _named(doctor, "sheet:outflow"), catalog_queries.product_by_code(SENT_OUT)  # fmt: skip
    patient, doctors = _named(doctor, "stranger"), practices.list_practitioners(doctor.facility_id)
    department = next((one.department_id for one in doctors if one.id == doctor.staff_id), None)
    if _is_there(visit) or drug is None or department is None:
        return
    line = Line(drug.id, drug.pack_size, dose=Decimal(4), dose_unit=drug.base_unit, frequency="tid", route="po", days=4)
    diagnosis = Diagnosis("WESTERN", "I10.x00x002", "高血压病")
    written = Content(Record(complaint="头晕三天"), (diagnosis,), (Sheet(sheet, "WESTERN", (line,)),))
    visits.open_visit(doctor, visit, visits.Arrival(patient, department, doctor.staff_id))
    visits.step(doctor, visit, "began")
    answers.note_asked(doctor, visit)
    signing.sign_visit(doctor, visit, written)
    review.review_sheet(pharmacist, _named(doctor, "review:outflow"), sheet, "PASS")
    with suppress(Outage, NotToSendOut):
        sending.send_out(doctor, _named(doctor, "outflow"), sheet)


def _insured(clerk: Desk, card: str, doctor: Any) -> None:
    """Read a card as the reception does, make its file, register the visit at the center (1101, 2201)."""
    today = clock.business_date()
    reading, visit = _named(clerk, f"reading:{today}:{card}"), _named(clerk, f"visit:{today}:{card}")
    if _is_there(visit):
        return
    identify.identify(clerk, reading, card, "card")
    loaded = identify.get(clerk, reading)
    patient = registering.file_of(clerk, reading)
    insutype = str(loaded.shown.get("insutype") or "") if loaded else ""
    arrival = visits.Arrival(patient, doctor.department_id, doctor.id, identification_id=reading, insutype=insutype)
    registering.register(clerk, visit, arrival)
    registering.ask_registration(clerk, visit)


def _is_there(visit: UUID) -> bool:
    return run("select 1 from visit where id = :visit", visit=visit).one_or_none() is not None


def _named(desk: Desk, what: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"demo:{desk.tenant_id}:{desk.facility_id}:{what}")
