"""A prescription of another tenant's clinic: fetched by its code, taken on, reviewed again, sold; the center counts it once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from uuid import uuid4

import pytest

from app.core import faults
from app.core.errors import NotFound, Outage
from app.facility.clinic.outflow import queries as sent
from app.facility.clinic.outflow import sending
from app.facility.counter import baskets, settling
from app.facility.counter.errors import PrescriptionNotReady
from app.facility.db import db, run
from app.facility.insurance import desk as desks
from app.facility.insurance import outflow
from app.facility.insurance.errors import OutflowRefused
from app.facility.till import prescriptions
from app.facility.till.outflow import taking
from app.facility.till.outflow.errors import NotACode, NotGivenBack, NothingTaken
from app.facility.till.tenders import Tender
from launcher.databases import connect
from tests.center.world import some_certno
from tests.factories.city import at_center, identify_at, make_covered_goods, make_insured
from tests.factories.clinic import make_patient
from tests.factories.outflow import NAME, a_national_code, relaying, send_out
from tests.factories.shop import check_books, desk_of, fill_basket, make_goods, on_hand, one


def national(goods, pharmacy):
    return one(
        pharmacy, "select national_code from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id
    ).national_code


@contextmanager
def within(place):
    """As this tenant's people, with nothing read before for another."""
    db.end_reading()
    with place.acting():
        yield
        db.end_reading()


@pytest.fixture
def paper(clinic, goods, pharmacy, desk):
    """Sent out for the drug that the pharmacy carries; returns (document, code)."""
    return send_out(clinic, national(goods, pharmacy))


def review(pharmacy, prescription):
    prescriptions.review_prescription(desk_of(pharmacy, pharmacy.pharmacist), prescription, "赵*师", passed=True)


def sell(desk, prescription, goods, packs=2, person=None, basket=None):
    """Put it into a basket, scan its packs, pay."""
    basket = basket or uuid4()
    baskets.add_prescription(desk, basket, prescription)
    fill_basket(desk, *goods.codes[:packs], basket_id=basket)
    if person:
        identify_at(desk, basket, person)
        baskets.preview(desk, basket)
        return settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version, seen=True), basket
    kept = baskets.get_basket(desk, basket)
    cash = [Tender("cash", kept.content.total_fen)]
    return settling.settle_basket(desk, basket, kept.version, cash), basket


@pytest.fixture
def relay(database_urls):
    """Carry a facility's facts to the center, as the relay does."""
    with relaying(database_urls) as carry:
        yield carry


def standing(center_app, clinic):
    [row] = at_center(
        center_app,
        "select state, overrun, lock_no, lock_institution, (select array_agg(dispensed order by line_no) from eprescription_line l where l.prescription_id = p.id) as had from eprescription p where institution_code = %(c)s",
        c=clinic.code,
    )
    return row


def test_fetched_it_says_what_is_here_and_hides_the_name(clinic, pharmacy, desk, goods):
    _document, code = send_out(clinic, national(goods, pharmacy), a_national_code())

    read, seen, here = taking.look_up(desk, code.lower())

    assert read == code
    assert (seen.patient, seen.certno, seen.state) == ("欧**配", "", "REVIEWED")
    assert [(offer.product is not None, offer.packs_left) for offer in here] == [(True, 2), (False, 0)]
    assert here[1].why == "本店没有"
    with pytest.raises(NotACode):
        taking.look_up(desk, "123")


def test_taken_on_it_is_reviewed_again_and_sold_and_the_center_knows(
    clinic, pharmacy, desk, goods, paper, center_app, relay
):
    document, code = paper

    made = taking.take_on(desk, uuid4(), code, {1: 2})
    row = run(
        "select state, patient_shown, valid_until, institution, diagnosis, number from prescription where id = :id",
        id=made,
    ).one()
    assert (row.state, row.patient_shown, row.institution, row.diagnosis) == (
        "pending",
        "欧**配",
        clinic.name,
        "高血压",
    )
    assert prescriptions.ready_to_take(pharmacy.facility_id) == []
    review(pharmacy, made)
    outcome, _basket = sell(desk, made, goods)

    assert outcome.kind == "settled"
    assert standing(center_app, clinic).state == "LOCKED"
    relay(pharmacy)
    relay(pharmacy, again=True)
    known = standing(center_app, clinic)
    assert (known.state, known.had, known.overrun) == ("CLOSED", [48], False)
    with within(clinic):
        clinic_desk = desk_of(clinic, clinic.doctor)
        sending.refresh(clinic_desk, [document])
        shown = sent.get_sent(clinic.facility_id, document)
        assert (shown.center_state, shown.keeper, shown.had) == ("CLOSED", pharmacy.name, {"1": 48})
        assert sending.take_back(clinic_desk, document, "不去了") == "out"
    with pytest.raises(NothingTaken):
        taking.take_on(desk, uuid4(), code, {1: 1})
    check_books(pharmacy)


def test_the_patients_own_insurance_pays_and_nobody_elses(clinic, pharmacy, desk, goods, center_app):
    person, stranger = make_insured(center_app), make_insured(center_app)
    with within(clinic):
        patient = make_patient(clinic, name=person.name, certno=person.certno)
    _document, code = send_out(clinic, national(goods, pharmacy), patient=patient)
    made = taking.take_on(desk, uuid4(), code, {1: 2})
    review(pharmacy, made)

    with pytest.raises(PrescriptionNotReady, match="不是同一人"):
        sell(desk, made, goods, person=stranger, basket=(wrong := uuid4()))
    baskets.drop(desk, wrong)
    outcome, _basket = sell(desk, made, goods, person=person)
    assert outcome.kind == "settled"


def test_a_part_is_had_here_and_the_rest_elsewhere(
    facility_app, clinic, pharmacy, desk, goods, other, paper, center_app, relay
):
    _document, code = paper
    made = taking.take_on(desk, uuid4(), code, {1: 1})
    review(pharmacy, made)
    sell(desk, made, goods, packs=1)
    relay(pharmacy)
    assert (standing(center_app, clinic).state, standing(center_app, clinic).had) == ("DISPENSED", [24])

    drug = national(goods, pharmacy)
    with within(other):
        there = desk_of(other)
        theirs = make_goods(other, 5, national_code=drug, rx_class="RX")
        _code, seen, here = taking.look_up(there, code)
        assert (seen.state, here[0].packs_left) == ("DISPENSED", 1)
        rest = taking.take_on(there, uuid4(), code, {1: 1})
        review(other, rest)
        sell(there, rest, theirs, packs=1)
    relay(other)
    assert standing(center_app, clinic).state == "CLOSED"


def test_one_pharmacy_at_a_time(facility_app, clinic, pharmacy, desk, goods, other, paper, center_app):
    _document, code = paper
    drug = national(goods, pharmacy)
    with within(other):
        make_goods(other, 5, national_code=drug, rx_class="RX")
    said = []

    def take(shop):
        with facility_app.app_context(), shop.acting():
            try:
                said.append(taking.take_on(desk_of(shop), uuid4(), code, {1: 2}))
            except OutflowRefused as refused:
                said.append(refused.message)

    threads = [threading.Thread(target=take, args=(shop,)) for shop in (pharmacy, other) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    refused = [each for each in said if isinstance(each, str)]
    assert len(refused) == 2
    assert all("一家药店" in each for each in refused)
    assert (
        len({each for each in said if not isinstance(each, str)}) == 1
    )  # Both of the winner's people have the same one.
    assert standing(center_app, clinic).lock_no == 1


class Stopped(BaseException):
    """The process ends here."""


def test_stopped_between_lock_and_record_the_code_is_typed_again(
    clinic, pharmacy, desk, goods, paper, monkeypatch, center_app
):
    _document, code = paper

    def at(name):
        if name == "outflow.locked":
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(faults, "at", at)
        with pytest.raises(Stopped):
            taking.take_on(desk, uuid4(), code, {1: 2})
    assert run("select count(*) from prescription").scalar_one() == 0

    made = taking.take_on(desk, uuid4(), code, {1: 2})
    assert taking.take_on(desk, uuid4(), code, {1: 2}) == made
    assert standing(center_app, clinic).lock_no == 1


def test_a_lost_answer_to_the_lock_is_asked_for_again(clinic, pharmacy, desk, goods, paper, monkeypatch, center_app):
    _document, code = paper
    client = desks.national_client()
    really = client.ask

    def silent(call):
        really(call)
        raise Outage("silence after it was done")

    with monkeypatch.context() as patch:
        patch.setattr(client, "ask", silent)
        with pytest.raises(Outage):
            taking.take_on(desk, uuid4(), code, {1: 2})

    assert taking.take_on(desk, uuid4(), code, {1: 2})
    assert standing(center_app, clinic).lock_no == 1


@pytest.mark.parametrize("packs", [{}, {1: 0}, {1: 3}, {9: 1}])
def test_nothing_or_too_much_is_not_taken(clinic, pharmacy, desk, paper, packs):
    with pytest.raises(NothingTaken):
        taking.take_on(desk, uuid4(), paper[1], packs)
    assert run("select count(*) from prescription").scalar_one() == 0


# ---- given back ------------------------------------------------------------------------------------------------------


def test_given_back_it_is_not_sold_here_and_had_elsewhere(clinic, pharmacy, desk, goods, other, paper, center_app):
    _document, code = paper
    made = taking.take_on(desk, uuid4(), code, {1: 2})
    review(pharmacy, made)

    taking.give_back(desk, made)
    taking.give_back(desk, made)

    with pytest.raises(NotFound):
        baskets.add_prescription(desk, uuid4(), made)
    drug = national(goods, pharmacy)
    with within(other):
        make_goods(other, 5, national_code=drug, rx_class="RX")
        assert taking.take_on(desk_of(other), uuid4(), code, {1: 2})
    assert standing(center_app, clinic).lock_institution == other.code


def test_a_basket_that_holds_it_already_does_not_sell_it(clinic, pharmacy, desk, goods, paper):
    made = taking.take_on(desk, uuid4(), paper[1], {1: 2})
    review(pharmacy, made)
    basket = uuid4()
    baskets.add_prescription(desk, basket, made)
    fill_basket(desk, *goods.codes[:2], basket_id=basket)
    taking.give_back(desk, made)
    kept = baskets.get_basket(desk, basket)

    with pytest.raises(PrescriptionNotReady):
        settling.settle_basket(desk, basket, kept.version, [Tender("cash", kept.content.total_fen)])

    assert on_hand(pharmacy, goods) == (240, 0)


def test_when_the_center_was_not_told_it_is_told_before_it_is_taken_again(
    clinic, pharmacy, desk, goods, paper, monkeypatch, center_app
):
    _document, code = paper
    made = taking.take_on(desk, uuid4(), code, {1: 2})

    def silent(*_):
        raise Outage("silent")

    with monkeypatch.context() as patch:
        patch.setattr(outflow, "let_go", silent)
        with pytest.raises(Outage):
            taking.give_back(desk, made)
    assert standing(center_app, clinic).state == "LOCKED"

    again = taking.take_on(desk, uuid4(), code, {1: 2})

    assert again != made
    assert standing(center_app, clinic).lock_no == 2
    assert run("select number from prescription where id = :id", id=again).scalar_one().endswith("-2")


def test_stopped_while_giving_back_it_cannot_be_sold(clinic, pharmacy, desk, goods, paper, monkeypatch, center_app):
    made = taking.take_on(desk, uuid4(), paper[1], {1: 2})
    review(pharmacy, made)

    def at(name):
        if name == "outflow.closing":
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(faults, "at", at)
        with pytest.raises(Stopped):
            taking.give_back(desk, made)

    with pytest.raises(NotFound):
        baskets.add_prescription(desk, uuid4(), made)
    taking.give_back(desk, made)
    assert standing(center_app, clinic).state == "REVIEWED"


def test_what_was_sold_is_not_given_back_nor_a_paper_one(clinic, pharmacy, desk, goods, paper):
    from tests.facility.counter.test_sell_on_prescription import a_prescription

    made = taking.take_on(desk, uuid4(), paper[1], {1: 2})
    review(pharmacy, made)
    sell(desk, made, goods)

    with pytest.raises(NotGivenBack):
        taking.give_back(desk, made)
    with pytest.raises(NotFound):
        taking.give_back(desk, a_prescription(pharmacy, desk, goods))


def test_after_the_locks_last_day_it_is_not_sold(clinic, pharmacy, desk, goods, paper, database_urls):
    made = taking.take_on(desk, uuid4(), paper[1], {1: 2})
    review(pharmacy, made)
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute("update prescription set valid_until = current_date - 2 where id = %s", (made,))

    with pytest.raises(NotFound):
        baskets.add_prescription(desk, uuid4(), made)


def test_who_it_is_lies_sealed_and_no_fact_names_them(clinic, pharmacy, desk, goods, paper, database_urls):
    with within(clinic):
        certno = some_certno()
        patient = make_patient(clinic, name=NAME, certno=certno)
    _document, code = send_out(clinic, national(goods, pharmacy), patient=patient)
    made = taking.take_on(desk, uuid4(), code, {1: 2})
    review(pharmacy, made)
    sell(desk, made, goods)

    with connect(database_urls["facility"]["owner"]) as owner:
        for table in ("prescription", "outbox", "outflow", "sale"):
            [many] = owner.execute(f"select count(*) from {table} t where strpos(t::text, %s) > 0 or strpos(t::text, %s) > 0 or strpos(t::text, %s) > 0", (NAME, certno, code)).fetchone()  # fmt: skip
            assert many == 0, table


def test_a_strange_pharmacy_gives_nothing_back(facility_app, clinic, pharmacy, desk, goods, other, paper):
    made = taking.take_on(desk, uuid4(), paper[1], {1: 2})

    with within(other), pytest.raises(NotFound):
        taking.give_back(desk_of(other), made)


def test_covered_goods_are_goods_of_ones_own(center_app, pharmacy, desk):
    """Two products of one national code: the one with more on the shelf is offered."""
    first = make_covered_goods(center_app, pharmacy, packs=1, rx_class="RX")
    code = national(first, pharmacy)
    more = make_goods(pharmacy, 5, national_code=code, rx_class="RX")
    drug = outflow.Drug(1, code, "x", "", 48, 48, 24, "盒", "片", "")

    [offer] = taking.offered(pharmacy.facility_id, [drug])

    assert offer.product.id == more.product_id
