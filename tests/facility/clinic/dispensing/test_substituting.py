"""Another product instead: proposed with a reason, agreed to by whoever prescribed, held, handed over, told and taken back as what it is."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound
from app.facility.catalog import queries as catalog
from app.facility.clinic.charging import refund_plans, refunds
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.dispensing import handing, queries, returning, rules, substitutes, substituting, treating
from app.facility.clinic.dispensing.errors import (
    CodeNotFor,
    DeclineIncomplete,
    NotSubstitutable,
    NotThePrescriber,
    NotToDispense,
    Paused,
    SkinTestMissing,
    SubstitutionIncomplete,
    SubstitutionMovedOn,
    SubstitutionWaits,
)
from app.facility.clinic.dispensing.rules import Take
from app.facility.clinic.errors import NotEligible, NotPractitioner
from app.facility.clinic.practice import actions as practice
from app.facility.db import run, transaction
from tests.facility.clinic.dispensing.test_handing import last_told, left, state
from tests.factories.billing import charged_visit
from tests.factories.clinic import make_clinic, sheet
from tests.factories.shop import check_books, desk_of, make_goods, make_twins, on_hand


@pytest.fixture
def twins(clinic):
    return make_twins(clinic)


@pytest.fixture
def goods(twins):
    return twins[0]


@pytest.fixture
def other(twins):
    """The same drug of another maker at the same price."""
    return twins[1]


@pytest.fixture
def doctor(clinic):
    return desk_of(clinic, clinic.doctor)


def propose(desk, order, product, reason="out_of_stock", note="", line=1):
    swap = uuid4()
    substituting.propose(desk, swap, order, line, product, reason, note)
    return swap


def test_another_makers_pack_goes_after_the_prescriber_agreed_and_everything_says_so(
    clinic, desk, checker, doctor, goods, other, order
):
    bill_line = run("select amount_fen from bill_line where order_id = :o", o=order).scalar_one()
    swap = uuid4()
    for _turn in range(2):  # Sent again it changes nothing.
        substituting.propose(desk, swap, order, 1, other.product_id, "out_of_stock")
    with pytest.raises(DocumentChanged):
        substituting.propose(desk, swap, order, 1, other.product_id, "patient")
    with pytest.raises(SubstitutionWaits):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)
    for _turn in range(2):
        substituting.answer(doctor, swap, "consented")
    assert (on_hand(clinic, goods), on_hand(clinic, other), left(order)) == ((72, 0), (72, 48), 48)

    with pytest.raises(CodeNotFor):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)
    handing_id = uuid4()
    handing.hand_over(desk, handing_id, order, [Take(1, 48, other.codes[:2])], checker)
    assert (state(order), on_hand(clinic, goods), on_hand(clinic, other)) == ("DONE", (72, 0), (24, 0))
    [line] = last_told(clinic)["lines"]
    assert (line["product"]["maker"], line["instead_of"]["product"]["maker"]) == ("另一药厂", "试药厂")
    told = line["instead_of"]
    assert last_told(clinic)["reason"] == f"发药；换药：{goods.name} 另一药厂 代替 试药厂"
    assert (told["reason"], told["proposed_by"][:3], told["consented_by"]) == ("out_of_stock", "003", "004 江*明")
    assert run("select amount_fen from bill_line where order_id = :o", o=order).scalar_one() == bill_line
    paper = queries.get_sheet(desk, order)
    [(_line, drug, units)] = paper.labels
    assert (drug["maker"], units, paper.given[0].instead_of["maker"]) == ("另一药厂", 48, "试药厂")

    backs = [returning.Back(handing_id, 1, 24, other.codes[:1])]
    returning.take_back(desk, uuid4(), order, backs, "quality", "破损", checker)
    assert last_told(clinic)["lines"][0]["product"]["maker"] == "另一药厂"
    assert run("select state from trace_code where code = :c", c=other.codes[0]).scalar_one() == "RETURNED_QUARANTINE"
    check_books(clinic)


def test_a_part_went_before_and_another_pack_size_fills_the_rest(clinic, desk, checker, doctor):
    goods, small = make_twins(clinic, 5, pack_size=12, spec="250mg*12粒", pack_price="6.25")
    made = sheet("WESTERN", (goods.product_id, 48))
    charged_visit(clinic, made)
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 24, goods.codes[:1])], checker)
    substituting.answer(doctor, propose(desk, made.id, small.product_id), "consented")
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 24, small.codes[:2])], checker)

    assert (state(made.id), on_hand(clinic, goods), on_hand(clinic, small)) == ("DONE", (96, 0), (36, 0))
    paper = queries.get_sheet(desk, made.id)
    assert {drug["spec"]: units for _line, drug, units in paper.labels} == {"0.25g×24粒": 24, "250mg*12粒": 24}
    check_books(clinic)


def test_single_units_come_out_of_a_pack_of_the_substitute(clinic, desk, checker, doctor, goods, other):
    made = sheet("WESTERN", Line(goods.product_id, 6, split=True))
    charged_visit(clinic, made)
    swap = propose(desk, made.id, other.product_id)
    with pytest.raises(SubstitutionWaits):
        handing.open_pack(desk, uuid4(), made.id, 1)
    substituting.answer(doctor, swap, "consented")
    handing.open_pack(desk, uuid4(), made.id, 1, other.codes[0])
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 6)], checker)
    assert (on_hand(clinic, goods), on_hand(clinic, other)) == ((72, 0), (66, 0))
    check_books(clinic)


@pytest.mark.parametrize(("fields", "why"), [
    ({"generic_name": "别的药胶囊"}, "通用名不同"), ({"dosage_form": "颗粒剂"}, "剂型不同"), ({"spec": "0.5g×24粒"}, "含量不同"), ({"rx_class": "RX"}, "管理类别不同"),
    ({"pack_price": "13.00"}, "价格不同"), ({"pack_size": 36, "spec": "0.25g×36粒", "pack_price": "18.75"}, "凑不成整盒"),
])  # fmt: skip
def test_whatever_differs_more_is_a_new_prescription_or_a_new_bill(clinic, desk, fields, why):
    goods, unlike = make_twins(clinic, **fields)
    made = sheet("WESTERN", (goods.product_id, 24))
    charged_visit(clinic, made)
    with pytest.raises(NotSubstitutable, match=why):
        propose(desk, made.id, unlike.product_id)
    shown = substituting.choices(desk, queries.get_sheet(desk, made.id).lines[1], insured=False)
    assert [why in one.why_not.shown for one in shown] == ([] if "generic_name" in fields else [True])
    assert run("select count(*) from substitution").scalar_one() == 0


def test_insurance_pays_for_what_it_was_told_of(clinic, desk, goods, other, order):
    line = queries.get_sheet(desk, order).lines[1]
    card = catalog.get_products([other.product_id])[other.product_id]
    assert substitutes.unlike(line, card, insured=False) is None
    assert "医保编码不同" in substitutes.unlike(line, card, insured=True).shown
    line.ordered["national"] = card.national_code
    assert substitutes.unlike(line, card, insured=True) is None
    line.ordered["insurance"] = "B"
    assert "医保类别不同" in substitutes.unlike(line, card, insured=True).shown


@pytest.mark.parametrize(("one", "two", "same"), [
    ("0.25g×24粒", "250mg*12粒/盒", True), ("0.25g×24粒", "0.25 g x 12 粒", True), ("5mg×7片", "５ｍｇ×14片", True), ("5ml:10mg×5支", "5ml:10mg*2支", True),
    ("0.25g×24粒", "0.5g×24粒", False), ("5mg", "50mg", False), ("24粒", "12粒", False), ("10g×9袋", "10mg×9袋", False), ("100μg×10片", "0.1mg×20片", True),
])  # fmt: skip
def test_a_specification_tells_how_strong_a_drug_is(one, two, same):
    assert (substitutes.strength(one) == substitutes.strength(two)) is same


def test_what_is_proposed_needs_a_reason_goods_and_something_left(clinic, desk, checker, goods, other, order):
    for reason, note in (("", ""), ("nonsense", ""), ("other", " "), ("patient", "长" * 201)):
        with pytest.raises(SubstitutionIncomplete):
            propose(desk, order, other.product_id, reason, note)
    for product, line in ((10**9, 1), (other.product_id, 9)):
        with pytest.raises(SubstitutionIncomplete):
            propose(desk, order, product, line=line)
    with pytest.raises(NotSubstitutable, match="就是这一种"):
        propose(desk, order, goods.product_id)
    _own, few = make_goods(clinic, 1), make_goods(clinic, 1, generic_name=goods.name, maker="小药厂")
    with pytest.raises(NotSubstitutable, match="货架上只有 1 盒，要 2"):
        propose(desk, order, few.product_id)
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)
    with pytest.raises(NotToDispense):
        propose(desk, order, other.product_id)


def test_who_proposes_does_not_agree_and_both_need_the_right(clinic, desk, doctor, other, order):
    with pytest.raises(NotPractitioner):
        propose(desk_of(clinic, clinic.clerk), order, other.product_id)
    practice.suspend(desk_of(clinic, clinic.owner), clinic.pharmacist, clock.business_date(), None, "记分")
    with pytest.raises(NotEligible):
        propose(desk, order, other.product_id)
    practice.suspend(desk_of(clinic, clinic.owner), clinic.pharmacist, None, None, "")
    own = propose(doctor, order, other.product_id)
    with pytest.raises(NotThePrescriber):
        substituting.answer(doctor, own, "consented")
    substituting.withdraw(desk, own)

    swap = propose(desk, order, other.product_id)
    for somebody in (desk, desk_of(clinic, clinic.second_doctor), desk_of(clinic, clinic.owner)):
        with pytest.raises(NotThePrescriber):
            substituting.answer(somebody, swap, "consented")
    practice.suspend(desk_of(clinic, clinic.owner), clinic.doctor, clock.business_date(), None, "记分")
    with pytest.raises(NotEligible):
        substituting.answer(doctor, swap, "consented")
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="substitution_answer_other_eyes"),
        transaction(settings=clinic.scope) as hot,
    ):
        hot.run_last("insert into substitution_answer (substitution_id, proposer_id, staff_id, at, digest, answer) values (%(s)s, %(p)s, %(p)s, now(), '', 'consented')", {"s": swap, "p": clinic.pharmacist})  # fmt: skip
    assert left(order) == 48


def test_a_doctor_declines_with_a_reason_and_the_prescribed_one_goes(
    clinic, desk, checker, doctor, goods, other, order
):
    swap = propose(desk, order, other.product_id)
    for said, note in (("declined", " "), ("declined", "长" * 201), ("withdrawn", ""), ("", "")):
        with pytest.raises(DeclineIncomplete):
            substituting.answer(doctor, swap, said, note)
    substituting.answer(doctor, swap, "declined", "患者对辅料过敏")
    with pytest.raises(SubstitutionMovedOn, match="已经不同意了"):
        substituting.answer(doctor, swap, "consented")
    with pytest.raises(SubstitutionMovedOn):
        substituting.withdraw(desk, swap)
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)
    assert (on_hand(clinic, goods), on_hand(clinic, other)) == ((24, 0), (72, 0))


def test_what_was_agreed_to_goes_back_to_the_prescribed_one_the_same_way(
    clinic, desk, checker, doctor, goods, other, order
):
    for product in (other.product_id, goods.product_id):
        substituting.answer(doctor, propose(desk, order, product, "patient"), "consented")
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, goods.codes[:2])], checker)

    assert (on_hand(clinic, goods), on_hand(clinic, other)) == ((24, 0), (72, 0))
    assert "instead_of" not in last_told(clinic)["lines"][0]
    check_books(clinic)


def test_a_pause_keeps_goods_back_not_an_answer(desk, checker, doctor, other, order):
    swap = propose(desk, order, other.product_id)
    handing.pause(desk, uuid4(), order, "缺药，等医师")
    substituting.answer(doctor, swap, "consented")
    with pytest.raises(Paused):
        handing.hand_over(desk, uuid4(), order, [Take(1, 48, other.codes[:2])], checker)
    handing.pause(desk, uuid4(), order, "")
    handing.hand_over(desk, uuid4(), order, [Take(1, 48, other.codes[:2])], checker)
    assert state(order) == "DONE"


def test_the_rest_of_the_sheet_goes_while_a_line_waits(clinic, desk, checker, goods, other):
    beside = make_goods(clinic, 2)
    made = sheet("WESTERN", (goods.product_id, 24), (beside.product_id, 24))
    charged_visit(clinic, made)
    propose(desk, made.id, other.product_id)
    handing.hand_over(desk, uuid4(), made.id, [Take(2, 24, beside.codes[:1])], checker)
    assert (state(made.id), left(made.id)) == ("DISPENSING", 24)


def test_two_dispensers_propose_once_and_the_goods_may_have_gone(
    facility_app, clinic, desk, doctor, goods, other, order
):
    third = make_goods(clinic, 3, generic_name=goods.name, maker="第三药厂")

    def ask(product):
        with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
            try:
                return str(propose(desk, order, product))
            except SubstitutionWaits as told:
                return told.code

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(ask, [other.product_id, third.product_id]))
    assert answers.count("substitution_waits") == 1
    [swap] = queries.list_swaps(doctor)
    taken = other if swap.described["maker"] == "另一药厂" else third
    charged_visit(clinic, sheet("WESTERN", (taken.product_id, 48)))  # Somebody else's now.
    with pytest.raises(NotSubstitutable, match="货架上只有 1 盒"):
        substituting.answer(doctor, swap.id, "consented")
    assert (on_hand(clinic, goods), left(order)) == ((72, 48), 48)
    check_books(clinic)


def test_an_answer_and_a_withdrawal_at_once_leave_one_of_them(facility_app, clinic, desk, doctor, goods, other, order):
    swap = propose(desk, order, other.product_id)

    def act(what):
        with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
            try:
                what()
            except SubstitutionMovedOn as told:
                return told.code
            return "done"

    with ThreadPoolExecutor(2) as both:
        said = list(both.map(act, [lambda: substituting.answer(doctor, swap, "consented"), lambda: substituting.withdraw(desk, swap)]))  # fmt: skip
    assert sorted(said) == ["done", "substitution_moved_on"]
    agreed = (
        run("select answer from substitution_answer where substitution_id = :s", s=swap).scalar_one() == "consented"
    )
    assert (on_hand(clinic, goods)[1], on_hand(clinic, other)[1]) == ((0, 48) if agreed else (48, 0))
    check_books(clinic)


def test_a_refund_ends_what_was_proposed_and_frees_what_was_agreed(clinic, desk, doctor, goods, other):
    made = sheet("WESTERN", (goods.product_id, 48))
    _visit, bill = charged_visit(clinic, made)
    swap = propose(desk, made.id, other.product_id)
    refunds.refund_bill(desk_of(clinic), uuid4(), bill, "not_dispensed", [refund_plans.Back(1, 1)])
    with pytest.raises(SubstitutionMovedOn, match="剩的数量变了"):
        substituting.answer(doctor, swap, "consented")
    substituting.withdraw(desk, swap)
    substituting.answer(doctor, propose(desk, made.id, other.product_id), "consented")
    assert (on_hand(clinic, goods), on_hand(clinic, other)) == ((72, 0), (72, 24))
    refunds.refund_bill(desk_of(clinic), uuid4(), bill, "not_dispensed", [refund_plans.Back(1, 1)])
    assert (on_hand(clinic, goods), on_hand(clinic, other)) == ((72, 0), (72, 0))
    check_books(clinic)


def test_another_makers_drug_needs_its_own_skin_test(clinic, desk, checker, doctor):
    drug, other = make_twins(clinic)
    made = sheet("WESTERN", Line(drug.product_id, 24, skin_test=True))
    charged_visit(clinic, made)
    treating.note_skin_test(desk, uuid4(), made.id, 1, "negative", clinic.nurse)
    substituting.answer(doctor, propose(desk, made.id, other.product_id), "consented")
    with pytest.raises(SkinTestMissing):
        handing.hand_over(desk, uuid4(), made.id, [Take(1, 24, other.codes[:1])], checker)
    treating.note_skin_test(desk, uuid4(), made.id, 1, "negative", clinic.nurse)
    handing.hand_over(desk, uuid4(), made.id, [Take(1, 24, other.codes[:1])], checker)
    assert state(made.id) == "DONE"


def test_a_stranger_finds_no_proposal(facility_app, clinic, desk, other, order):
    swap = propose(desk, order, other.product_id)
    stranger = make_clinic(facility_app)
    with tenancy.as_tenant(stranger.tenant_id):
        for act in (substituting.withdraw, lambda who, one: substituting.answer(who, one, "consented")):
            with pytest.raises(NotFound):
                act(desk_of(stranger, stranger.doctor), swap)
        with pytest.raises(NotFound):
            propose(desk_of(stranger, stranger.pharmacist), order, other.product_id)


def test_herbs_are_not_changed(clinic, desk):
    assert not substituting.may_change("HERB", rules.Line(1, 1, 1, 100, 0, 0, 0, False, False, False, {"rx_class": "HERB"}, price=Decimal(1)))  # fmt: skip
