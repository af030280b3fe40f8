"""A clinic's day in small: a department, a doctor, a patient with an allergy, a visit signed and one still being written."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from unittest.mock import patch
from uuid import uuid4

from app.core import clock
from app.core.errors import words
from app.facility.clinic import visits
from app.facility.clinic.care import actions as care
from app.facility.clinic.care import contracts, plans
from app.facility.clinic.care.rules import FollowUp
from app.facility.clinic.charging import bills, refunds, settling
from app.facility.clinic.desk import answers, checking, formulas, signing, wire
from app.facility.clinic.desk.reminders import Reminder
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.dispensing import handing, returning, substituting, treating
from app.facility.clinic.dispensing.rules import Take
from app.facility.clinic.outflow import sending
from app.facility.clinic.packages import actions as offered
from app.facility.clinic.packages import rules as packages
from app.facility.clinic.patients import actions as patients
from app.facility.clinic.patients.rules import Person
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.practice import fees
from app.facility.clinic.reception import duties, walls
from app.facility.clinic.referral import actions as referring
from app.facility.clinic.referral.rules import Letter
from app.facility.clinic.review import actions as review
from app.facility.insurance import machine
from app.national import rx_code
from tests.factories.billing import pass_sheets
from tests.factories.clinic import content, make_service, sheet
from tests.factories.outflow import a_national_code
from tests.factories.shop import desk_of, make_goods, make_product, make_twins


def fill_clinic(made) -> None:
    """Everything a clinic has a table for, once. The owner practises."""
    pharmacy = made.pharmacy
    desk = desk_of(pharmacy, pharmacy.owner)
    department = practice.add_department(desk, "QK", "全科", "A02")
    room = practice.add_room(desk, "1 诊室")
    fees.set_fee(desk, fees.Payee(department), "", clock.business_date())
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
        visits.step(desk, visit, "began", doctor=desk.staff_id)
        answers.note_asked(desk, visit)
    wanted = content(sheet("WESTERN", (make_product(pharmacy), 24)), complaint=f"头晕 {phone}")
    signing.sign_visit(desk, signed, wanted)
    signing.keep_draft(desk, open_, 0, wanted)
    cross = Reminder("cross", f"cross:{phone}", words("可能交叉过敏。"), False, 0, 0)
    answers.answer_reminder(desk, uuid4(), open_, cross, "reasoned", "watched")
    finding = wire.Finding("0" * 32, "R046", "重复开药", f"还有 {phone}", False, "1.1")
    checking._keep(desk, open_, [finding])
    fill_review(made, desk, patient, department, phone)
    formula = uuid4()
    formulas.save_formula(desk, formula, "感冒常用", wanted.sheets[0], "mine")
    fill_bill(made, desk, department, patient)
    fill_outflow(made, department, patient)
    fill_referral(made, desk, signed)
    fill_care(made, desk, patient, signed, phone)
    duty, screen = uuid4(), uuid4()
    duties.add_duty(desk, duty, pharmacy.owner, department, None, 1, "am", 20)
    walls.add_screen(desk, screen, "大厅屏")
    made.ids |= {
        "duty_id": duty,
        "formula_id": formula,
        "screen_id": screen,
        "visit_id": open_,
        "patient_id": patient,
        "allergy_id": allergy,
        "department_id": department,
        "room_id": room,
        "table": "doctors",
    }
    made.marks += [phone]
    fill_dispensing(made, desk, department, patient, phone)


def fill_review(made, desk, patient, department, phone) -> None:
    """A sheet that the pharmacist sent back, another that still waits."""
    told = practice.Practice(department, "药师", clock.business_date() - timedelta(days=9), prescribes=False)
    practice.set_practitioner(desk, made.pharmacy.pharmacist, told)
    waiting, returned = (sheet("WESTERN", (make_product(made.pharmacy), 24)) for _turn in range(2))
    visit = uuid4()
    visits.open_visit(desk, visit, visits.Arrival(patient, department))
    visits.step(desk, visit, "began")
    answers.note_asked(desk, visit)
    signing.sign_visit(desk, visit, content(waiting, returned, complaint=f"咳嗽 {phone}"))
    pharmacist = desk_of(made.pharmacy, made.pharmacy.pharmacist)
    review.review_sheet(pharmacist, uuid4(), returned.id, "RETURN", ["dose"], f"请核对剂量 {phone}")


def fill_outflow(made, department, patient) -> None:
    """A sheet that went out; this house is a pharmacy to the center, so the answer is ours."""
    desk, visit, asked = desk_of(made.pharmacy, made.ids["doctor"]), uuid4(), uuid4()
    wanted = sheet("WESTERN", (make_product(made.pharmacy, national_code=a_national_code()), 24))
    visits.open_visit(desk, visit, visits.Arrival(patient, department))
    visits.step(desk, visit, "began")
    answers.note_asked(desk, visit)
    signing.sign_visit(desk, visit, content(wanted))
    pass_sheets(made.pharmacy, visit)
    said = {"rx_no": "W0000000000", "rx_trace_code": rx_code.make(), "vali_end_date": str(clock.business_date()), "rx_stas": "REVIEWED"}  # fmt: skip
    with patch.object(machine, "_send", return_value=SimpleNamespace(accepted=True, output={"data": said})):
        assert sending.send_out(desk, asked, wanted.id) == "out"
    made.ids["outflow_id"] = asked


def fill_referral(made, desk, visit) -> None:
    """A patient sent on; this house is a pharmacy to the center, so the answer is ours."""
    asked = uuid4()
    letter = Letter(
        "H33020300001", "城东医院", urgent=False, valid_days=14, reason="请调整用药", summary="血压 168/100"
    )
    said = {"refl_no": "Z9990000001", "refl_stas": "SENT", "refl_sn": "9990000001", "refl_fixmedins_name": "城东医院", "refl_time": "2026-11-22 09:00:00",
        "chg_time": "2026-11-22 09:00:00", "vali_end_date": "2026-12-06"}  # fmt: skip
    with patch.object(machine, "_send", return_value=SimpleNamespace(accepted=True, output={"data": said})):
        assert referring.refer(desk, asked, visit, letter) == "sent"
    made.ids["referral_id"] = asked


def fill_dispensing(made, desk, department, patient, phone) -> None:
    """An infusion that was paid, tested, paused, handed over in part, given once, and a part of it taken back."""
    pharmacy = made.pharmacy
    vials = make_goods(pharmacy, 6, pack_size=1, pack_unit="支", base_unit="支", split_allowed=False)
    wanted = sheet("INFUSION", Line(vials.product_id, 4, frequency="bid", route="ivgtt", days=2, skin_test=True))
    visit, bill, given = uuid4(), uuid4(), uuid4()
    visits.open_visit(desk, visit, visits.Arrival(patient, department))
    visits.step(desk, visit, "began")
    answers.note_asked(desk, visit)
    signing.sign_visit(desk, visit, content(wanted))
    pass_sheets(pharmacy, visit)
    bills.open_bill(desk, bill, visit, [wanted.id])
    settling.settle_bill(desk, bill, 1)
    pharmacist, owner = desk_of(pharmacy, pharmacy.pharmacist), (pharmacy.owner, "001")
    treating.note_skin_test(pharmacist, uuid4(), wanted.id, 1, "negative", pharmacy.owner, f"20 分钟 {phone}")
    handing.pause(pharmacist, uuid4(), wanted.id, f"等 {phone}")
    handing.pause(pharmacist, uuid4(), wanted.id, "")
    handing.hand_over(pharmacist, given, wanted.id, [Take(1, 3, vials.codes[:3])], owner)
    treating.carry_out(desk, uuid4(), wanted.id, {1: 1}, f"左手 {phone}")
    returning.take_back(
        pharmacist, uuid4(), wanted.id, [returning.Back(given, 1, 1, vials.codes[:1])], "quality", f"裂 {phone}", owner
    )
    made.ids["sheet_id"] = wanted.id
    fill_substitution(made, desk, department, patient, phone)


def fill_substitution(made, desk, department, patient, phone) -> None:
    """Another maker's pack: one that the doctor agreed to, one that still waits."""
    pharmacy, visit, bill = made.pharmacy, uuid4(), uuid4()
    pairs = [make_twins(pharmacy) for _turn in range(2)]
    wanted = sheet("WESTERN", *((drug.product_id, 24) for drug, _other in pairs))
    visits.open_visit(desk, visit, visits.Arrival(patient, department))
    visits.step(desk, visit, "began")
    answers.note_asked(desk, visit)
    signing.sign_visit(desk, visit, content(wanted))
    pass_sheets(pharmacy, visit)
    bills.open_bill(desk, bill, visit, [wanted.id])
    settling.settle_bill(desk, bill, 1)
    for line, (_drug, other) in enumerate(pairs, 1):
        swap = uuid4()
        substituting.propose(
            desk_of(pharmacy, pharmacy.pharmacist), swap, wanted.id, line, other.product_id, "other", f"缺 {phone}"
        )
        if line == 1:
            substituting.answer(desk, swap, "consented")
    made.ids["swap_id"] = swap


def fill_bill(made, desk, department, patient) -> None:
    """A bill that was paid, one that was given back, and one that is still open."""
    goods = make_goods(made.pharmacy, 3)
    open_, settled, returned, refund = uuid4(), uuid4(), uuid4(), uuid4()
    for bill in (settled, returned, open_):
        visit, wanted = uuid4(), sheet("WESTERN", (goods.product_id, 24))
        visits.open_visit(desk, visit, visits.Arrival(patient, department))
        visits.step(desk, visit, "began")
        answers.note_asked(desk, visit)
        signing.sign_visit(desk, visit, content(wanted))
        pass_sheets(made.pharmacy, visit)
        bills.open_bill(desk, bill, visit, [wanted.id])
    fill_package(made, desk, department, patient)
    settling.settle_bill(desk, settled, 1)
    settling.settle_bill(desk, returned, 1)
    refunds.refund_bill(desk, refund, returned, "not_dispensed")
    made.ids |= {"bill_id": settled, "bill_refund_id": refund}


def fill_package(made, desk, department, patient) -> None:
    """A service at half its price, on a bill."""
    service, visit = make_service(made.pharmacy), uuid4()
    wanted = sheet("TREATMENT", (service, 2))
    package = packages.Package("pair", "两次一起", "TREATMENT", 2000, (packages.Item(service, "两次", 2),))
    offered.set_package(desk, package, clock.business_date())
    visits.open_visit(desk, visit, visits.Arrival(patient, department))
    visits.step(desk, visit, "began")
    answers.note_asked(desk, visit)
    signing.sign_visit(desk, visit, content(wanted))
    bills.open_bill(desk, uuid4(), visit, [wanted.id], packages=[offered.list_offered()[0].id])


def fill_care(made, desk, patient, visit, phone) -> None:
    """Somebody on a plan, called once, with a contract and a service done."""
    plans.take_starters(desk)
    today, enrolment, contract, service = clock.business_date(), uuid4(), uuid4(), uuid4()
    care.enrol(desk, enrolment, patient, "hypertension", today - timedelta(days=400), today)
    care.note_follow_up(desk, uuid4(), patient, FollowUp("call", "coming", next_on=today, note=f"改打 {phone}"))
    package = plans.list_packages()[0].id
    told = contracts.Terms(patient, package, desk.staff_id, None, today, today + timedelta(days=364))
    contracts.sign_contract(desk, contract, told)
    contracts.tick_service(desk, service, contract, "advice", "visit", visit)
    made.ids |= {"enrolment_id": enrolment, "contract_id": contract, "service_id": service}
