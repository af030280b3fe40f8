"""A reviewed sheet goes out once, whatever is lost on the way; it is not charged here; it is taken back while nobody has it."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound
from app.facility.clinic import visits
from app.facility.clinic.charging import bills
from app.facility.clinic.desk.rules import Line
from app.facility.clinic.errors import SheetSentOut
from app.facility.clinic.outflow import queries, sending
from app.facility.clinic.outflow.errors import NotToSendOut, OutflowPending, OutflowReasonNeeded
from app.facility.db import run
from app.facility.insurance import machine, worker
from launcher.databases import connect
from tests.center import world
from tests.center.outflow.papers import fetch, let_go, lock
from tests.factories.billing import open_bill, signed_visit
from tests.factories.city import at_center
from tests.factories.clinic import make_clinic, make_service, make_visit, sheet, sign
from tests.factories.outflow import NAME, a_national_code, code_of, ready_sheet, send_out
from tests.factories.shop import desk_of, make_product


def sheet_state(order):
    return run("select state from clinic_order where id = :o", o=order).scalar_one()


def issued(center_app, clinic):
    return at_center(
        center_app, "select number, state from eprescription where institution_code = %(c)s", c=clinic.code
    )


def test_what_goes_out_can_be_had_by_its_code(clinic, desk, center_app):
    national = a_national_code()

    document, code = send_out(clinic, national)

    seen = fetch(world.make_shop(center_app), code).output
    assert [(row["med_list_codg"], row["cnt"], row["medc_way_dscr"], row["prd_days"]) for row in seen["rxdetail"]] == [
        (national, "48", "口服", "7")
    ]
    assert seen["data"]["psn_name"] == "欧**配"
    assert (seen["data"]["fixmedins_name"], seen["data"]["dr_name"], seen["data"]["phar_name"]) == (
        clinic.name,
        "江海明",
        "赵药师",
    )
    assert [row["diag_name"] for row in seen["diseinfo"]] == ["高血压"]
    [row] = queries.list_sent(clinic.facility_id)
    assert (row.id, row.state, row.center_state) == (document, "out", "REVIEWED")
    assert sheet_state(row.order_id) == "OUT"
    assert code not in str(run("select o::text from outflow o").scalar_one())


def test_sent_again_it_is_one(clinic, desk, order, center_app):
    document = uuid4()

    assert [sending.send_out(desk, document, order) for _ in range(2)] == ["out", "out"]

    assert len(issued(center_app, clinic)) == 1
    with pytest.raises(DocumentChanged):
        sending.send_out(desk, document, ready_sheet(clinic))
    with pytest.raises(NotToSendOut):
        sending.send_out(desk, uuid4(), order)


def test_what_is_out_is_not_charged_here(clinic, desk, order):
    visit = run("select visit_id from clinic_order where id = :o", o=order).scalar_one()
    sending.send_out(desk, uuid4(), order)

    with pytest.raises(SheetSentOut) as refused:
        bills.open_bill(desk_of(clinic), uuid4(), visit, [order])

    assert "已经外配" in refused.value.message


def test_what_is_on_a_bill_does_not_go_out(clinic, desk, order):
    visit = run("select visit_id from clinic_order where id = :o", o=order).scalar_one()
    open_bill(desk_of(clinic), visit, [order])

    with pytest.raises(NotToSendOut, match="收费单"):
        sending.send_out(desk, uuid4(), order)


def test_what_is_out_stands_when_the_doctor_signs_again(clinic, desk):
    drug = make_product(clinic, national_code=a_national_code())
    visit, wanted = make_visit(clinic), sheet("WESTERN", (drug, 24))
    signed_visit(clinic, wanted, visit=visit)
    sending.send_out(desk, uuid4(), wanted.id)
    reopen(clinic, visit)

    sign(clinic, visit, wanted, sheet("TREATMENT", (make_service(clinic), 1)), complaint="又来")
    assert sheet_state(wanted.id) == "OUT"
    reopen(clinic, visit)
    with pytest.raises(SheetSentOut):
        sign(clinic, visit, msgspec.structs.replace(wanted, lines=(Line(drug, 48),)))


def reopen(clinic, visit):
    visits.step(desk_of(clinic, clinic.doctor), visit, "reopened")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("state = 'SIGNED', reviewer_id = null", "审方"),
        ("reviewer_id = null", "审方"),
        ("kind = 'INFUSION'", "西药"),
        ("tag = 'narcotic'", "麻醉"),
        ("valid_until = current_date - 3", "已过期"),
    ],
)
def test_what_may_not_go_out_stays(clinic, desk, order, database_urls, change, why):
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute(f"update clinic_order set {change} where id = %s", (order,))

    with pytest.raises(NotToSendOut, match=why):
        sending.send_out(desk, uuid4(), order)


def test_split_packs_and_drugs_without_a_national_code_stay(clinic, desk):
    own = make_product(clinic, national_code=None, rx_class="RX")
    coded = make_product(clinic, national_code=a_national_code(), rx_class="RX", split_allowed=True)
    _visit, sheets = signed_visit(clinic, sheet("WESTERN", (own, 24)), sheet("WESTERN", Line(coded, 6, split=True)))

    for order, why in zip(sheets, ("国家医保编码", "整盒"), strict=True):
        with pytest.raises(NotToSendOut, match=why):
            sending.send_out(desk, uuid4(), order)


def test_a_strange_clinic_finds_no_such_sheet(facility_app, clinic, order):
    other = make_clinic(facility_app, name="别家诊所")
    with other.acting(), pytest.raises(NotFound):
        sending.send_out(desk_of(other, other.doctor), uuid4(), order)


def test_a_refusal_leaves_the_sheet_to_the_cashier(clinic, desk, order, database_urls):
    with connect(database_urls["center"]["owner"]) as owner:
        owner.execute(
            "insert into practitioner (code, institution_code, district, name, eligible_from, suspended_until) values ('D330212000004', %s, '330212', '江海明', '2020-01-01', '2030-01-01')",
            (clinic.code,),
        )
    document = uuid4()

    assert sending.send_out(desk, document, order) == "refused"

    assert sheet_state(order) == "PASSED"
    assert "江海明" in queries.get_sent(clinic.facility_id, document).refusal


def test_an_answer_that_was_lost_is_asked_for_again(clinic, desk, order, lost, center_app):
    document = uuid4()

    assert lost(lambda: sending.send_out(desk, document, order)) == "unknown"
    assert sheet_state(order) == "OUT"
    with pytest.raises(OutflowPending):
        sending.take_back(desk, document, "不去了")
    worker.run_once()

    assert sending.became(desk, document) == "out"
    assert len(issued(center_app, clinic)) == 1
    assert fetch(world.make_shop(center_app), code_of(clinic, document)).accepted


class Stopped(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("point", ["outflow.sending", "ask.committed", "ask.answered"])
def test_stopped_anywhere_it_goes_out_once(clinic, desk, order, facility_app, monkeypatch, center_app, point):
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)
    document = uuid4()

    def at(name):
        if name == point:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(faults, "at", at)
        with pytest.raises(Stopped):
            sending.send_out(desk, document, order)
    time.sleep(0.05)
    worker.run_once()

    assert sending.send_out(desk, document, order) == "out"
    assert len(issued(center_app, clinic)) == 1


# ---- taken back ------------------------------------------------------------------------------------------------------


def test_what_nobody_had_is_void_and_paid_here_again(clinic, desk, order, center_app):
    document = uuid4()
    sending.send_out(desk, document, order)
    code = code_of(clinic, document)

    with pytest.raises(OutflowReasonNeeded):
        sending.take_back(desk, document, " ")
    assert [sending.take_back(desk, document, "改在本院取药") for _ in range(2)] == ["void", "void"]

    assert sheet_state(order) == "PASSED"
    assert lock(world.make_shop(center_app), code).code == "PRESCRIPTION_OVER"
    again = uuid4()
    assert sending.send_out(desk, again, order) == "out"
    assert code_of(clinic, again) != code


def test_what_a_pharmacy_has_is_not_taken_back(clinic, desk, order, center_app):
    document = uuid4()
    sending.send_out(desk, document, order)
    shop = world.make_shop(center_app)
    locked = lock(shop, code_of(clinic, document)).output["data"]

    assert sending.take_back(desk, document, "不去了") == "out"
    assert "药店配药" in queries.get_sent(clinic.facility_id, document).refusal
    sending.refresh(desk, [document])
    assert queries.get_sent(clinic.facility_id, document).center_state == "LOCKED"
    let_go(shop, locked["rx_no"], 1)
    assert sending.take_back(desk, document, "不去了") == "void"


def test_a_lost_answer_to_void_is_asked_for_again(clinic, desk, order, lost):
    document = uuid4()
    sending.send_out(desk, document, order)

    assert lost(lambda: sending.take_back(desk, document, "不去了")) == "unknown"
    worker.run_once()

    assert sending.became(desk, document) == "void"
    assert sheet_state(order) == "PASSED"


def test_the_machine_only_goes_forward(clinic, desk, order, lost, monkeypatch, center_app):
    """However late: what was sent out is out, not taken back by 2601."""
    document = uuid4()
    lost(lambda: sending.send_out(desk, document, order))
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(machine.clock, "now", lambda: later)

    worker.run_once()

    assert sending.became(desk, document) == "out"


def test_names_stay_out_of_the_log_of_messages(clinic, order, desk):
    sending.send_out(desk, uuid4(), order)

    assert NAME not in str(run("select string_agg(a::text, ' ') from insurance_attempt a").scalar_one())
