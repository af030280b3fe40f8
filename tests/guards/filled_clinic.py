"""A clinic's day in small: a department, a doctor, a patient with an allergy, a visit signed and one still being written."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

from app.core import clock
from app.core.errors import words
from app.facility.clinic import visits
from app.facility.clinic.charging import bills, refunds, settling
from app.facility.clinic.desk import answers, signing
from app.facility.clinic.desk.reminders import Reminder
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.patients.rules import Person
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.reception import duties, walls
from tests.factories.billing import pass_sheets
from tests.factories.clinic import content, sheet
from tests.factories.shop import desk_of, make_goods, make_product


def fill_clinic(made) -> None:
    """Everything a clinic has a table for, once. The owner practises."""
    pharmacy = made.pharmacy
    desk = desk_of(pharmacy, pharmacy.owner)
    department = practice.add_department(desk, "QK", "全科", "A02")
    practice.add_room(desk, "1 诊室")
    for person in (pharmacy.owner, made.ids["doctor"]):
        told = practice.Practice(department, "主治医师", clock.business_date() - timedelta(days=9))
        practice.set_practitioner(desk, person, told)
    patient, allergy = uuid4(), uuid4()
    phone = f"137{uuid4().int % 10**8:08d}"
    patients.register_patient(desk, patient, Person("孙秀兰", "2", date(1964, 3, 1), phone=phone))
    patients.note_allergy(desk, allergy, patient, "青霉素类", "皮疹", "severe", "patient")
    signed, open_ = uuid4(), uuid4()
    for visit in (signed, open_):
        visits.open_visit(desk, visit, visits.Arrival(patient, department))
        visits.step(desk, visit, "began")
        answers.note_asked(desk, visit)
    wanted = content(sheet("WESTERN", (make_product(pharmacy), 24)), complaint=f"头晕 {phone}")
    signing.sign_visit(desk, signed, wanted)
    signing.keep_draft(desk, open_, 0, wanted)
    cross = Reminder("cross", f"cross:{phone}", words("可能交叉过敏。"), False, 0, 0)
    answers.answer_reminder(desk, uuid4(), open_, cross, "reasoned", "watched")
    fill_bill(made, desk, department, patient)
    duty, screen = uuid4(), uuid4()
    duties.add_duty(desk, duty, pharmacy.owner, department, None, 1, "am", 20)
    walls.add_screen(desk, screen, "大厅屏")
    made.ids |= {
        "duty_id": duty,
        "screen_id": screen,
        "visit_id": open_,
        "patient_id": patient,
        "allergy_id": allergy,
        "sheet_id": wanted.sheets[0].id,
        "department_id": department,
    }
    made.marks += [phone]


def fill_bill(made, desk, department, patient) -> None:
    """A bill that was paid and given back, and one that is still open."""
    goods = make_goods(made.pharmacy, 2)
    open_, settled, refund = uuid4(), uuid4(), uuid4()
    for bill in (settled, open_):
        visit, wanted = uuid4(), sheet("WESTERN", (goods.product_id, 24))
        visits.open_visit(desk, visit, visits.Arrival(patient, department))
        visits.step(desk, visit, "began")
        answers.note_asked(desk, visit)
        signing.sign_visit(desk, visit, content(wanted))
        pass_sheets(made.pharmacy, visit)
        bills.open_bill(desk, bill, visit, [wanted.id])
    settling.settle_bill(desk, settled, 1)
    refunds.refund_bill(desk, refund, settled, "not_dispensed")
    made.ids |= {"bill_id": open_, "bill_refund_id": refund}
