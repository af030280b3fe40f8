"""A visit goes its way and no other; the doctor signs once, with rights looked at when it is done."""

import threading
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound, WrongInput
from app.core.hot import statements
from app.facility.clinic import visits
from app.facility.clinic.desk import answers, signing
from app.facility.clinic.desk.rules import Content, Line, Record
from app.facility.clinic.errors import (
    DraftChanged,
    NotEligible,
    NotPractitioner,
    SheetPaid,
    VisitIncomplete,
    VisitMovedOn,
)
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.practice import queries as practice_queries
from app.facility.clinic.visits import Arrival
from app.facility.db import run, transaction
from tests.factories.clinic import content, make_patient, make_service, make_visit, sheet, sign
from tests.factories.shop import desk_of, make_product


def state(visit):
    return run("select state from visit where id = :v", v=visit).scalar_one()


def orders(visit):
    return run(
        "select id, number, kind, state, version from clinic_order where visit_id = :v order by version, number",
        v=visit,
    ).all()


def test_tickets_count_up_within_a_department_and_a_day(clinic):
    desk, patient, first = desk_of(clinic), make_patient(clinic), uuid4()
    made = visits.open_visit(desk, first, Arrival(patient, clinic.department))

    assert visits.open_visit(desk, first, Arrival(patient, clinic.department)) == made
    with pytest.raises(DocumentChanged):
        visits.open_visit(desk, first, Arrival(patient, clinic.department, kind="again"))
    later = visits.open_visit(desk, uuid4(), Arrival(patient, clinic.department))
    tomorrow = visits.open_visit(
        desk,
        uuid4(),
        Arrival(patient, clinic.department, booked_for=clock.business_date() + timedelta(days=1), period="am"),
    )
    assert (made.ticket, later.ticket, tomorrow.ticket) == (1, 2, 1)
    assert made.number.startswith(f"M{clock.business_date():%y-%m%d}-")
    for wrong in (Arrival(uuid4(), clinic.department), Arrival(patient, 0), Arrival(patient, clinic.department, kind="x"),
                  Arrival(patient, clinic.department, booked_for=clock.business_date() - timedelta(days=1))):  # fmt: skip
        with pytest.raises(VisitIncomplete):
            visits.open_visit(desk, uuid4(), wrong)


def test_every_step_is_allowed_from_its_states_only(clinic):
    desk, visit = desk_of(clinic), make_visit(clinic, begun=False)

    for event, now in (
        ("called", "CALLED"),
        ("called", "CALLED"),
        ("passed", "PASSED"),
        ("returned", "WAITING"),
        ("began", "IN_VISIT"),
    ):
        visits.step(desk, visit, event, room=clinic.room)
        assert state(visit) == now
    signing.keep_draft(desk, visit, 0, Content(Record(complaint="头晕")))  # Somebody came.
    for event in ("arrived", "passed", "cancelled", "closed", "reopened"):
        with pytest.raises(VisitMovedOn):
            visits.step(desk, visit, event, note="x")
    assert [row.kind for row in run("select kind from visit_event where visit_id = :v order by id", v=visit)] == ["arrived", "called", "called", "passed", "returned", "began"]  # fmt: skip
    assert run("select calls from visit where id = :v", v=visit).scalar_one() == 2
    with pytest.raises(VisitIncomplete):
        visits.step(desk, make_visit(clinic, begun=False), "cancelled")
    with pytest.raises(NotFound):
        visits.step(desk, uuid4(), "called")


def test_a_draft_outlives_the_browser_and_tells_another_window(clinic):
    desk, visit = desk_of(clinic, clinic.doctor), make_visit(clinic)
    assert signing.keep_draft(desk, visit, 0, Content(Record(complaint="头晕"))) == 1
    assert signing.keep_draft(desk, visit, 1, Content(Record(complaint="头晕一周"))) == 2

    for version in (0, 1):
        with pytest.raises(DraftChanged):
            signing.keep_draft(desk, visit, version, Content())
    with transaction(settings=desk.settings) as hot:
        assert signing.read_draft(hot, desk, visit) == (2, Content(Record(complaint="头晕一周")))
    with pytest.raises(NotFound):
        signing.keep_draft(desk, uuid4(), 0, Content())
    with pytest.raises(VisitMovedOn):
        signing.keep_draft(desk, make_visit(clinic, begun=False), 0, Content())


def test_signing_writes_everything_once(clinic):
    drug, herb, service = make_product(clinic), make_product(clinic, rx_class="HERB", pack_unit="克", base_unit="0.01克", pack_size=100, pack_price=Decimal("0.12"), trace_required=False), make_service(clinic)  # fmt: skip
    visit, desk = make_visit(clinic), desk_of(clinic, clinic.doctor)
    told = content(
        sheet("WESTERN", Line(drug, 48, dose=Decimal("0.5"), dose_unit="g", frequency="tid", days=7)), sheet("HERB", Line(herb, 900 * 7, handling="先煎")),
        sheet("TREATMENT", (service, 2)),
    )  # fmt: skip

    assert signing.sign_visit(desk, visit, told) == 1
    assert signing.sign_visit(desk, visit, told) == 1
    assert state(visit) == "SIGNED"
    assert [(row.kind, row.state) for row in orders(visit)] == [
        ("WESTERN", "SIGNED"),
        ("HERB", "SIGNED"),
        ("TREATMENT", "PASSED"),
    ]
    fens = run("select amount_fen from clinic_order_line l join clinic_order o on o.tenant_id = l.tenant_id and o.id = l.order_id where o.visit_id = :v order by o.number", v=visit)  # fmt: skip
    assert [row.amount_fen for row in fens] == [2500, 756, 4000]
    with transaction(settings=desk.settings) as hot:
        assert signing.read_draft(hot, desk, visit) == (0, told)


def test_signing_anew_ends_what_was_not_paid_for(clinic):
    visit, drug = make_visit(clinic), make_product(clinic)
    sign(clinic, visit, sheet("WESTERN", (drug, 24)))
    assert sign(clinic, visit, sheet("WESTERN", (drug, 48)), complaint="头晕两周") == 2

    assert [(row.version, row.state) for row in orders(visit)] == [(1, "VOID"), (2, "SIGNED")]
    assert run("select count(*) from visit_record where visit_id = :v", v=visit).scalar_one() == 2


def test_the_same_sheet_signed_again_is_a_new_one_and_a_paid_one_stands(clinic):
    desk, visit, drug = desk_of(clinic, clinic.doctor), make_visit(clinic), make_product(clinic)
    told = content(sheet("WESTERN", (drug, 24)), sheet("TREATMENT", (make_service(clinic), 1)))
    signing.sign_visit(desk, visit, told)
    visits.step(desk, visit, "reopened")

    assert signing.sign_visit(desk, visit, msgspec.structs.replace(told, record=Record(complaint="头晕两周"))) == 2
    assert [(row.version, row.state) for row in orders(visit)] == [(1, "VOID"), (1, "VOID"), (2, "SIGNED"), (2, "PASSED")]  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        hot.run_last("update clinic_order set state = 'CHARGED' where visit_id = %(v)s and kind = 'WESTERN' and version = 2", {"v": visit})  # fmt: skip
    visits.step(desk, visit, "reopened")
    with transaction(settings=desk.settings) as hot:
        _version, signed = signing.read_draft(hot, desk, visit)
    paid, unpaid = signed.sheets
    changed = msgspec.structs.replace(paid, lines=(Line(drug, 48),))
    with pytest.raises(SheetPaid):
        signing.sign_visit(desk, visit, msgspec.structs.replace(signed, sheets=(changed, unpaid)))
    assert signing.sign_visit(desk, visit, signed) == 3
    assert [(row.version, row.state) for row in orders(visit)][2:] == [(2, "CHARGED"), (2, "VOID"), (3, "PASSED")]


@pytest.mark.parametrize("state", ["CHARGED", "DISPENSING", "DONE", "OUT"])
def test_after_a_return_signing_again_leaves_what_was_paid_or_given_out(clinic, state):
    desk, visit, drug = desk_of(clinic, clinic.doctor), make_visit(clinic), make_product(clinic)
    stands, returned = sheet("WESTERN", (drug, 24)), sheet("WESTERN", (make_product(clinic), 24))
    signing.sign_visit(desk, visit, content(stands, returned))
    with transaction(settings=desk.settings) as hot:
        change = "update clinic_order set state = %(s)s, reviewer_id = %(p)s where id = %(o)s"
        hot.run_all(
            [
                (change, {"s": state, "o": stands.id, "p": clinic.pharmacist}),
                (change, {"s": "RETURNED", "o": returned.id, "p": clinic.pharmacist}),
            ]
        )
    mended = msgspec.structs.replace(returned, lines=(Line(returned.lines[0].product_id, 48),))

    visits.step(desk, visit, "reopened")
    assert signing.sign_visit(desk, visit, content(stands, mended)) == 2
    assert [(row.version, row.state) for row in orders(visit)] == [(1, state), (1, "VOID"), (2, "SIGNED")]
    visits.step(desk, visit, "reopened")
    assert (
        signing.sign_visit(desk, visit, content(mended, complaint="头晕两周")) == 3
    )  # Off the page is not off the books.
    assert (1, state) in {(row.version, row.state) for row in orders(visit)}


def test_a_sheet_that_goes_out_while_the_doctor_signs_is_not_written_twice(facility_app, clinic):
    desk, visit, wanted = (
        desk_of(clinic, clinic.doctor),
        make_visit(clinic),
        sheet("WESTERN", (make_product(clinic), 24)),
    )
    signing.sign_visit(desk, visit, content(wanted))
    visits.step(desk, visit, "reopened")
    signed = []

    def sign_again():
        with facility_app.app_context(), tenancy.as_tenant(clinic.tenant_id):
            signed.append(signing.sign_visit(desk, visit, content(wanted, complaint="头晕两周")))

    doctor = threading.Thread(target=sign_again)
    with transaction(settings=desk.settings) as hot:
        hot.run("update clinic_order set state = 'OUT', reviewer_id = %(p)s where id = %(o)s", {"o": wanted.id, "p": clinic.pharmacist})  # fmt: skip
        doctor.start()
        doctor.join(0.5)
    doctor.join(20)

    assert (signed, [(row.version, row.state) for row in orders(visit)]) == ([2], [(1, "OUT")])


def test_signing_takes_the_same_statements_whatever_it_writes(clinic):
    drugs = [make_product(clinic) for _ in range(20)]
    one, many = make_visit(clinic), make_visit(clinic)
    counts = []
    for visit, wanted in ((one, [drugs[:1]]), (many, [drugs[n : n + 5] for n in range(0, 20, 5)])):
        with statements() as ran:
            sign(clinic, visit, *(sheet("WESTERN", *((drug, 24) for drug in five)) for five in wanted))
        counts.append(len(ran))

    assert counts[0] == counts[1] <= 15


def test_what_cannot_be_signed_is_said(clinic):
    visit, drug, herb, service = (
        make_visit(clinic),
        make_product(clinic, split_allowed=False),
        make_product(clinic, rx_class="HERB"),
        make_service(clinic),
    )
    wrong = [
        content(complaint=" "), content(diagnoses=()), content(sheet("WESTERN", (herb, 24))), content(sheet("WESTERN", (service, 1))),
        content(sheet("TREATMENT", (drug, 24))), content(sheet("WESTERN", (drug, 23))), content(sheet("WESTERN", Line(drug, 24, split=True))),
        content(sheet("WESTERN", (drug, 24), doses=7)), content(sheet("WESTERN")), content(sheet("WESTERN", (0, 24))), content(sheet("WESTERN", Line(drug, 24, days=999))),
    ]  # fmt: skip

    for told in wrong:
        with pytest.raises(VisitIncomplete):
            signing.sign_visit(desk_of(clinic, clinic.doctor), visit, told)
    assert state(visit) == "IN_VISIT"


def test_rights_are_looked_at_when_it_is_done(clinic):
    visit, drug, owner = make_visit(clinic), make_product(clinic), desk_of(clinic, clinic.owner)
    wanted = content(sheet("WESTERN", (drug, 24)))
    with pytest.raises(NotPractitioner):
        signing.sign_visit(desk_of(clinic), visit, wanted)
    with pytest.raises(NotEligible):
        signing.sign_visit(desk_of(clinic, clinic.nurse), visit, wanted)
    today = clock.business_date()
    practice.suspend(owner, clinic.doctor, today, None, "医保支付资格暂停")
    with pytest.raises(NotEligible, match="not_eligible"):
        signing.sign_visit(desk_of(clinic, clinic.doctor), visit, wanted)
    why = {row.id: row.suspended_why for row in practice_queries.list_practitioners(clinic.facility_id)}
    assert why[clinic.doctor] == "医保支付资格暂停"

    urgent = make_visit(clinic, kind="emergency", begun=False)
    visits.step(desk_of(clinic, clinic.second_doctor), urgent, "began")
    answers.note_asked(desk_of(clinic, clinic.second_doctor), urgent)
    assert signing.sign_visit(desk_of(clinic, clinic.doctor), urgent, wanted) == 1
    practice.suspend(owner, clinic.doctor, None, None, "")
    practice.set_practitioner(
        owner, clinic.doctor, practice.Practice(clinic.department, "主治医师", today + timedelta(days=1))
    )
    with pytest.raises(NotEligible):
        sign(clinic, make_visit(clinic), sheet("WESTERN", (drug, 24)))


def test_departments_and_rights_are_written_down_with_care(clinic):
    owner = desk_of(clinic, clinic.owner)
    for wrong in (("QK", "全科", "A02"), ("x!", "外科", "A04"), ("WK", " ", "A04")):
        with pytest.raises(WrongInput):
            practice.add_department(owner, *wrong)
    for name in ("1 诊室", "", "诊" * 21):
        with pytest.raises(WrongInput):
            practice.add_room(owner, name)
    today = clock.business_date()
    with pytest.raises(WrongInput):
        practice.set_practitioner(owner, clinic.doctor, practice.Practice(clinic.department, "", today))
    with pytest.raises(WrongInput):
        practice.set_practitioner(
            owner, clinic.doctor, practice.Practice(clinic.department, "医师", today, today - timedelta(days=1))
        )
    with pytest.raises(NotFound):
        practice.set_practitioner(owner, clinic.doctor, practice.Practice(0, "医师", today))
    with pytest.raises(WrongInput):
        practice.suspend(owner, clinic.doctor, today, None, "")
    with pytest.raises(NotFound):
        practice.suspend(owner, 0, None, None, "")
    assert [row.name for row in practice_queries.list_rooms(clinic.facility_id)] == ["1 诊室"]
    assert [row.code for row in practice_queries.list_departments(clinic.facility_id)] == ["QK"]
