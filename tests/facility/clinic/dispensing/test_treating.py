"""Skin tests, treatments counted and signed, what comes back: by two people where it must be, into quarantine."""

from uuid import uuid4

import pytest

from app.core import clock
from app.core.errors import DocumentChanged
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.dispensing import handing, queries, returning, treating
from app.facility.clinic.dispensing.errors import (
    ExecutionIncomplete,
    NotToDispense,
    ReturnIncomplete,
    SkinTestIncomplete,
    SkinTestMissing,
    SkinTestPositive,
)
from app.facility.clinic.dispensing.returning import Back
from app.facility.clinic.dispensing.rules import Take
from app.facility.clinic.errors import NotEligible, NotPractitioner
from app.facility.clinic.practice import actions as practice
from app.facility.db import run
from tests.factories.billing import charged_visit
from tests.factories.clinic import make_service, sheet
from tests.factories.shop import check_books, desk_of, make_goods, on_hand


@pytest.fixture
def nurse(clinic):
    return desk_of(clinic, clinic.nurse)


@pytest.fixture
def vials(clinic):
    return make_goods(clinic, 10, generic_name="注射用青霉素钠", pack_size=1, pack_unit="支", base_unit="支", split_allowed=False)  # fmt: skip


def state(order):
    return run("select state from clinic_order where id = :o", o=order).scalar_one()


def infusion(clinic, vials):
    made = sheet("INFUSION", Line(vials.product_id, 4, frequency="bid", route="ivgtt", days=2, skin_test=True))
    visit, _bill = charged_visit(clinic, made)
    return made.id, visit


def test_what_needs_a_skin_test_waits_for_a_negative_one(clinic, desk, nurse, checker, vials):
    order, _visit = infusion(clinic, vials)
    take = [Take(1, 4, vials.codes[:4])]
    with pytest.raises(SkinTestMissing):
        handing.hand_over(desk, uuid4(), order, take, checker)
    for result, second in (("so", clinic.pharmacist), ("negative", clinic.nurse)):
        with pytest.raises(SkinTestIncomplete):
            treating.note_skin_test(nurse, uuid4(), order, 1, result, second)
    test = uuid4()
    treating.note_skin_test(nurse, test, order, 1, "negative", clinic.pharmacist, "20 分钟")
    treating.note_skin_test(nurse, test, order, 1, "negative", clinic.pharmacist, "20 分钟")
    with pytest.raises(DocumentChanged):
        treating.note_skin_test(nurse, test, order, 1, "positive", clinic.pharmacist)
    handing.hand_over(desk, uuid4(), order, take, checker)
    assert on_hand(clinic, vials) == (6, 0)
    assert state(order) == "DISPENSING"  # It is still to be given.


def test_whoever_reads_a_skin_test_practises_here_at_that_moment(clinic, nurse, vials):
    order, _visit = infusion(clinic, vials)
    practice.suspend(desk_of(clinic, clinic.owner), clinic.pharmacist, clock.business_date(), None, "记分")
    with pytest.raises(NotEligible):
        treating.note_skin_test(nurse, uuid4(), order, 1, "negative", clinic.pharmacist)
    with pytest.raises(NotPractitioner):
        treating.note_skin_test(nurse, uuid4(), order, 1, "negative", clinic.clerk)
    assert run("select count(*) from skin_test").scalar_one() == 0


def test_a_positive_one_stops_it_and_stands_on_the_file(clinic, desk, nurse, checker, vials):
    order, visit = infusion(clinic, vials)
    treating.note_skin_test(nurse, uuid4(), order, 1, "positive", clinic.pharmacist)
    with pytest.raises(SkinTestPositive):
        handing.hand_over(desk, uuid4(), order, [Take(1, 4, vials.codes[:4])], checker)
    with pytest.raises(SkinTestIncomplete):
        treating.note_skin_test(nurse, uuid4(), order, 1, "negative", clinic.pharmacist)
    patient = run("select patient_id from visit where id = :v", v=visit).scalar_one()
    assert run("select substance, told_by from allergy where patient_id = :p", p=patient).one() == (
        "注射用青霉素钠",
        "test",
    )


def test_an_infusion_is_handed_over_and_then_given_dose_by_dose(clinic, desk, nurse, checker, vials):
    order, _visit = infusion(clinic, vials)
    treating.note_skin_test(nurse, uuid4(), order, 1, "negative", clinic.pharmacist)
    with pytest.raises(ExecutionIncomplete, match="还没有发药"):
        treating.carry_out(nurse, uuid4(), order, {1: 1})
    handing.hand_over(desk, uuid4(), order, [Take(1, 4, vials.codes[:4])], checker)
    for left in (3, 2, 1):
        treating.carry_out(nurse, uuid4(), order, {1: 1}, "左手")
        assert queries.get_sheet(desk, order).lines[1].times_left == left
    assert state(order) == "DISPENSING"
    treating.carry_out(nurse, uuid4(), order, {1: 1})
    assert state(order) == "DONE"
    with pytest.raises(NotToDispense):
        treating.carry_out(nurse, uuid4(), order, {1: 1})


def test_treatments_are_counted_signed_and_never_more_than_paid(clinic, nurse):
    made = sheet("TREATMENT", (make_service(clinic, generic_name="推拿"), 3), (make_service(clinic), 1))
    _visit, bill = charged_visit(clinic, made)
    first = uuid4()
    treating.carry_out(nurse, first, made.id, {1: 1, 2: 1}, "腰部")
    treating.carry_out(nurse, first, made.id, {1: 1, 2: 1}, "腰部")
    for wrong in ({1: 3}, {2: 1}, {}, {9: 1}):
        with pytest.raises(ExecutionIncomplete):
            treating.carry_out(nurse, uuid4(), made.id, wrong)
    with pytest.raises(NotPractitioner):
        treating.carry_out(desk_of(clinic, clinic.clerk), uuid4(), made.id, {1: 1})
    assert [row.id for row in queries.list_to_treat(clinic.facility_id)] == [made.id]
    treating.carry_out(nurse, uuid4(), made.id, {1: 2})
    assert state(made.id) == "DONE"
    assert queries.list_to_treat(clinic.facility_id) == []
    assert [
        row.handed_over for row in run("select handed_over from bill_line where bill_id = :b order by line_no", b=bill)
    ] == [3, 1]
    signed = run(
        "select order_line_no, times, staff_id, note from execution where order_id = :o order by at, order_line_no",
        o=made.id,
    ).all()
    assert [tuple(row) for row in signed] == [
        (1, 1, clinic.nurse, "腰部"),
        (2, 1, clinic.nurse, "腰部"),
        (1, 2, clinic.nurse, ""),
    ]


def handed(desk, checker, goods, order):
    handing_id = uuid4()
    handing.hand_over(desk, handing_id, order, [Take(1, 48, goods.codes[:2])], checker)
    return handing_id


def test_what_comes_back_lies_in_quarantine_and_its_money_may_be_given_back(clinic, desk, checker, goods, order):
    given, back = handed(desk, checker, goods, order), uuid4()
    wanted = [Back(given, 1, 24, goods.codes[:1])]
    number = returning.take_back(desk, back, order, wanted, "quality", "泡罩破损", checker)

    assert returning.take_back(desk, back, order, wanted, "quality", "泡罩破损", checker) == number
    zones = dict(run("select zone, on_hand from lot_balance where product_id = :p", p=goods.product_id).all())
    assert zones == {"SALEABLE": 192, "QUARANTINE": 24}
    assert tuple(run("select state, zone, remaining from trace_code where code = :c", c=goods.codes[0]).one()) == (
        "RETURNED_QUARANTINE",
        "QUARANTINE",
        24,
    )
    assert tuple(run("select handed_over, came_back from bill_line where order_id = :o", o=order).one()) == (48, 24)
    check_books(clinic)
    told = run("select convert_from(body, 'UTF8')::jsonb as body from outbox where facility_id = :f and kind = 'stock.moved' order by number desc limit 1", f=clinic.facility_id).scalar_one()  # fmt: skip
    assert told["lines"][0]["original"] == str(given)
    with pytest.raises(ReturnIncomplete):
        returning.take_back(desk, uuid4(), order, wanted, "quality", "再退一次", checker)


def test_nothing_comes_back_for_other_reasons_or_with_other_packs(clinic, desk, checker, goods, order):
    given = handed(desk, checker, goods, order)
    one = [Back(given, 1, 24, goods.codes[:1])]
    for wanted, reason, note, second in [
        (one, "unwanted", "不想要了", checker), (one, "quality", " ", checker), (one, "quality", "破", (desk.staff_id, "003")), ([], "quality", "破", checker),
        ([Back(given, 9, 24)], "quality", "破", checker), ([Back(given, 1, 72, goods.codes[:3])], "quality", "破", checker),
        ([Back(given, 1, 24, goods.codes[4:5])], "quality", "破", checker), ([Back(given, 1, 24)], "quality", "破", checker),
    ]:  # fmt: skip
        with pytest.raises(ReturnIncomplete):
            returning.take_back(desk, uuid4(), order, wanted, reason, note, second)
    assert on_hand(clinic, goods) == (192, 0)


def test_a_pack_that_came_back_may_go_to_the_supplier_and_not_to_another_patient(clinic, desk, checker, goods, order):
    given = handed(desk, checker, goods, order)
    returning.take_back(
        desk, uuid4(), order, [Back(given, 1, 24, goods.codes[:1])], "dispensing_error", "发错人", checker
    )
    other = sheet("WESTERN", (goods.product_id, 24))
    charged_visit(clinic, other)
    with pytest.raises(Exception, match="code_not_for"):
        handing.hand_over(desk, uuid4(), other.id, [Take(1, 24, goods.codes[:1])], checker)
