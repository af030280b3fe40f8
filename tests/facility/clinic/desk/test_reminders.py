"""What speaks against a draft: found in place, kept from signing until answered, and every answer stays."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest

from app.core import clock
from app.core.errors import NotFound, WrongInput
from app.facility.clinic.desk import answers, reminders, signing
from app.facility.clinic.desk.reminders import InUse, Who
from app.facility.clinic.desk.rules import Content, Diagnosis, Line, Record, Sheet
from app.facility.clinic.errors import AllergiesNotAsked, RemindersOpen, VisitIncomplete
from app.facility.clinic.patients import actions as patients
from app.facility.db import run, transaction
from tests.facility.clinic.desk.test_limits import card
from tests.factories.clinic import content, make_patient, make_visit, sheet, sign
from tests.factories.shop import desk_of, make_product

TODAY = date(2026, 11, 22)
NAMES = {
    1: "阿莫西林胶囊", 2: "头孢呋辛酯片", 3: "苯磺酸氨氯地平片", 4: "阿托伐他汀钙片", 5: "瑞舒伐他汀钙片", 6: "左氧氟沙星片", 11: "甘草", 12: "甘遂", 13: "制川乌", 14: "桃仁",
}  # fmt: skip
CARDS = {
    n: card(n, name, **({"rx_class": "HERB", "base_unit": "0.01克", "pack_size": 100} if n > 10 else {}))
    for n, name in NAMES.items()
}


def found(*sheets, who=None, record=None, diagnoses=()):
    told = Content(record or Record(), tuple(Diagnosis(*one) for one in diagnoses), sheets)
    return reminders.reminders(told, CARDS, who or Who(), TODAY)


def western(*lines):
    return Sheet(uuid4(), "WESTERN", lines)


def herbs(*lines, doses=7):
    return Sheet(uuid4(), "HERB", lines, doses=doses)


def rules(*args, **fields):
    return [(one.rule, one.firm, one.sheet, one.line) for one in found(*args, **fields)]


def test_an_allergy_meets_the_group_and_its_neighbours():
    who = Who(allergens=("青霉素类",))
    assert rules(western(Line(3, 7), Line(1, 24), Line(2, 12)), who=who) == [
        ("allergy", True, 0, 1),
        ("cross", False, 0, 2),
    ]
    assert rules(western(Line(1, 24))) == []


def test_what_is_still_in_use_says_how_many_days_are_enough():
    had = InUse(3, "苯磺酸氨氯地平片", "R26-1103-0001", date(2026, 11, 3), date(2026, 12, 11), 28)
    who = Who(in_use=(had,))
    [one] = found(western(Line(3, 28, days=28)), who=who)
    assert (one.rule, one.days) == ("in_use", 9)
    assert found(western(Line(3, 7, days=7)), who=who)[0].days is None
    assert found(western(Line(3, 7)), who=Who(in_use=(InUse(3, "x", "R", TODAY, TODAY, 1),))) == []


def test_the_same_drug_or_group_twice_in_a_draft():
    assert rules(western(Line(4, 7)), western(Line(4, 7))) == [("duplicate", True, 1, 0)]
    assert rules(western(Line(4, 7), Line(5, 7))) == [("duplicate", False, 0, 1)]


def test_pregnancy_and_sex_and_age():
    pregnant = Record(pregnancy="yes")
    assert rules(western(Line(4, 7)), record=pregnant) == [("pregnancy", True, 0, 0)]
    assert rules(herbs(Line(14, 7 * 900)), record=pregnant) == [("pregnancy", False, 0, 0)]
    assert rules(western(Line(4, 7)), record=Record(pregnancy="no")) == []
    assert rules(western(Line(6, 7)), who=Who(age=10)) == [("age", True, 0, 0)]
    man = Who(sex="1", age=40)
    assert rules(diagnoses=[("WESTERN", "O80.0", "顺产")], who=man)[0] == ("sex_age", True, -1, None)
    assert rules(diagnoses=[("TCM_DISEASE", "O80.0", "x")], who=man) == []


def test_herbs_that_do_not_go_together_and_too_many_grams():
    told = herbs(Line(11, 7 * 600), Line(12, 7 * 100))
    assert ("incompatible", True, 0, 1) in rules(told)
    [one] = found(herbs(Line(14, 7 * 5000)))
    assert (one.rule, "50 g" in str(one.said)) == ("grams", True)
    assert found(herbs(Line(14, 7 * 900))) == []
    assert [one.rule for one in reminders.reminders(Content(sheets=(told,)), CARDS, Who(), TODAY, 1)][-1] == "many_herbs"  # fmt: skip


def test_more_than_the_days_need():
    taken = {"dose": Decimal("0.5"), "dose_unit": "g", "frequency": "tid", "days": 7}
    assert rules(western(Line(1, 48, **taken))) == []
    assert rules(western(Line(1, 72, **taken))) == [("quantity", True, 0, 0)]
    assert rules(western(Line(1, 43, split=True, **taken))) == [("quantity", True, 0, 0)]


def test_years_are_whole():
    assert reminders.age_on(date(1964, 11, 23), TODAY) == 61
    assert reminders.age_on(date(1964, 11, 22), TODAY) == 62
    assert reminders.age_on(None, TODAY) is None


def allergic_visit(clinic):
    patient = make_patient(clinic)
    patients.note_allergy(desk_of(clinic), uuid4(), patient, "青霉素类", "皮疹", "severe", "patient")
    return make_visit(clinic, patient), make_product(clinic, generic_name="阿莫西林胶囊")


def test_an_open_reminder_keeps_the_visit_from_being_signed_until_it_is_answered(clinic):
    visit, drug = allergic_visit(clinic)
    desk, told = desk_of(clinic, clinic.doctor), content(sheet("WESTERN", (drug, 24)))
    with pytest.raises(RemindersOpen):
        signing.sign_visit(desk, visit, told)
    with transaction(settings=desk.settings) as hot:
        who, asked, answered = answers.facts(hot, desk, visit)
    assert (asked is not None, answered) == (True, {})
    from app.facility.catalog.queries import get_products

    [one] = reminders.reminders(told, get_products({drug}), who, clock.business_date())
    for wrong in (("kept",), ("reasoned",), ("reasoned", "x"), ("reasoned", "other", " "), ("no", "tested")):
        with pytest.raises(WrongInput):
            answers.answer_reminder(desk, uuid4(), visit, one, *wrong)
    with pytest.raises(NotFound):
        answers.answer_reminder(desk, uuid4(), uuid4(), one, "reasoned", "tested")
    kept = uuid4()
    for _again in range(2):
        answers.answer_reminder(desk, kept, visit, one, "reasoned", "tested", "皮试 11-22 阴性")

    assert signing.sign_visit(desk, visit, told) == 1
    row = run(
        "select rule, reason_code, note, said, checked_by from reminder_answer where visit_id = :v", v=visit
    ).one()
    assert row[:3] == ("allergy", "tested", "皮试 11-22 阴性")
    assert "青霉素类" in row.said


def test_what_was_signed_for_days_is_in_use_at_the_next_visit(clinic):
    patient, drug = make_patient(clinic), make_product(clinic)
    first, second = make_visit(clinic, patient), make_visit(clinic, patient)
    told = sheet("WESTERN", Line(drug, 24, days=7))
    sign(clinic, first, told)
    with pytest.raises(RemindersOpen, match="reminders_open"):
        sign(clinic, second, sheet("WESTERN", Line(drug, 24, days=7)))
    assert (
        sign(clinic, first, msgspec.structs.replace(told, id=uuid4(), usage="饭后")) == 2
    )  # Its own sheet is not in use beside it.


def test_allergies_are_asked_once_before_signing(clinic):
    from app.facility.clinic import visits

    visit, desk = make_visit(clinic, begun=False), desk_of(clinic, clinic.doctor)
    with pytest.raises(NotFound):
        answers.note_asked(desk, visit)
    visits.step(desk, visit, "began")
    with pytest.raises(AllergiesNotAsked):
        signing.sign_visit(desk, visit, content())
    answers.note_asked(desk, visit)
    first = run("select allergies_asked_at from visit where id = :v", v=visit).scalar_one()
    answers.note_asked(desk, visit)
    assert run("select allergies_asked_at from visit where id = :v", v=visit).scalar_one() == first
    assert signing.sign_visit(desk, visit, content()) == 1


def test_limits_are_looked_at_when_it_is_signed(clinic):
    visit, drug = make_visit(clinic), make_product(clinic)
    with pytest.raises(VisitIncomplete):
        sign(clinic, visit, sheet("WESTERN", Line(drug, 24, days=8)))
    assert sign(clinic, visit, sheet("WESTERN", Line(drug, 24, days=8), reason="慢性病，路远")) == 1
    until = run("select valid_until from clinic_order where visit_id = :v", v=visit).scalar_one()
    assert until == clock.business_date()
