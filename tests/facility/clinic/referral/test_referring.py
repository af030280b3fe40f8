"""A patient is sent on once, whatever is lost on the way; the other side takes them on, declines, answers; news say so."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock, faults, tenancy
from app.core.errors import DocumentChanged, NotFound, Outage
from app.facility.clinic import visits
from app.facility.clinic.errors import NotEligible
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.referral import actions, queries, wire
from app.facility.clinic.referral.errors import (
    LetterIncomplete,
    NotTakenOn,
    NotToRefer,
    NotYourReferral,
    ReferralPending,
    ReferralReasonNeeded,
    ReferralRefused,
)
from app.facility.db import run
from app.facility.insurance import machine, worker
from app.national.errors import CenterSlow
from launcher.databases import connect
from tests.factories.bridge import pull
from tests.factories.city import at_center
from tests.factories.clinic import make_clinic, make_visit
from tests.factories.referral import CERTNO, NAME, PHONE, REASON, letter, send, signed_visit
from tests.factories.shop import desk_of


def at_hospital(hospital, act):
    with tenancy.as_tenant(hospital.tenant_id):
        return act(desk_of(hospital, hospital.doctor))


def kept_at_center(center_app, clinic):
    return at_center(center_app, "select number, state from referral where institution_code = %(c)s", c=clinic.code)


def test_it_goes_there_and_the_answer_comes_back(clinic, hospital, desk, visit):
    document, number = send(clinic, hospital, visit)

    [coming] = at_hospital(hospital, lambda there: wire.look(there, "in"))
    assert (coming.number, coming.sender, coming.reason, coming.diagnoses) == (number, clinic.name, REASON, ("高血压",))
    assert (coming.name, coming.certno, coming.phone) == ("欧**诊", "", "")
    whole = at_hospital(hospital, lambda there: actions.move(there, number, "accept"))
    assert (whole.name, whole.certno, whole.phone) == (NAME, CERTNO, PHONE)
    at_hospital(hospital, lambda there: actions.move(there, number, "close", "已调整用药，两周后复诊"))

    actions.refresh(desk)
    row = queries.get_sent(clinic.facility_id, document)
    assert (row.state, row.target_name) == ("closed", "城东医院")
    assert row.answer_sealed
    assert not any(secret in str(run("select r::text from referral r").scalar_one()) for secret in (NAME, REASON))


def test_sent_again_it_is_one(clinic, hospital, desk, visit, center_app):
    document = uuid4()

    assert [actions.refer(desk, document, visit, letter(hospital)) for _again in range(2)] == ["sent", "sent"]

    assert len(kept_at_center(center_app, clinic)) == 1
    with pytest.raises(DocumentChanged):
        actions.refer(desk, document, visit, letter(hospital, reason="别的"))


def test_one_is_open_at_a_time(clinic, hospital, desk, visit):
    document, _number = send(clinic, hospital, visit)

    with pytest.raises(NotToRefer, match="城东医院"):
        actions.refer(desk, uuid4(), visit, letter(hospital))
    actions.withdraw(desk, document, "患者不去了")
    actions.withdraw(desk, document, "患者不去了")

    assert queries.get_sent(clinic.facility_id, document).state == "withdrawn"
    send(clinic, hospital, visit)


def test_only_its_writer_or_the_head_withdraws(clinic, hospital, visit):
    document, _number = send(clinic, hospital, visit)

    with pytest.raises(NotYourReferral, match="江海明"):
        actions.withdraw(desk_of(clinic, clinic.second_doctor), document, "我来撤")
    actions.withdraw(desk_of(clinic, clinic.owner), document, "开单医师离职", as_head=True)

    assert queries.get_sent(clinic.facility_id, document).state == "withdrawn"


def test_only_the_treating_doctor_refers_and_only_what_is_signed(clinic, hospital, desk, visit):
    with pytest.raises(NotToRefer, match="接诊医师"):
        actions.refer(desk_of(clinic, clinic.second_doctor), uuid4(), visit, letter(hospital))
    with pytest.raises(NotToRefer, match="签名"):
        actions.refer(desk, uuid4(), make_visit(clinic), letter(hospital))
    with pytest.raises(NotToRefer, match="自己"):
        actions.refer(desk, uuid4(), visit, letter(clinic))
    visits.step(desk, visit, "reopened")
    send(clinic, hospital, visit)


def test_a_suspended_doctor_refers_in_an_emergency_only(clinic, hospital, desk, visit, database_urls):
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute("update practitioner set suspended_from = current_date - 1, suspended_why = '核查' where staff_id = %s", (clinic.doctor,))  # fmt: skip

    with pytest.raises(NotEligible):
        actions.refer(desk, uuid4(), visit, letter(hospital))
    assert actions.refer(desk, uuid4(), visit, letter(hospital, urgent=True)) == "sent"


@pytest.mark.parametrize(
    "change",
    [{"target_code": ""}, {"reason": ""}, {"summary": ""}, {"reason": "长" * 1001}, {"valid_days": 0}, {"valid_days": 366}],
)  # fmt: skip
def test_an_incomplete_letter_is_not_sent(hospital, desk, visit, change):
    with pytest.raises(LetterIncomplete):
        actions.refer(desk, uuid4(), visit, letter(hospital, **change))


def test_what_the_center_refuses_is_kept_with_its_reason_and_may_be_written_anew(clinic, hospital, desk, visit):
    document = uuid4()

    assert actions.refer(desk, document, visit, letter(hospital, valid_days=90)) == "refused"

    assert "30" in queries.get_sent(clinic.facility_id, document).refusal
    send(clinic, hospital, visit)


def test_a_lost_answer_is_asked_for_again(clinic, hospital, desk, visit, lost, center_app):
    document = uuid4()

    assert lost(lambda: actions.refer(desk, document, visit, letter(hospital))) == "asked"
    with pytest.raises(ReferralPending):
        actions.withdraw(desk, document, "不去了")
    worker.run_once()

    assert queries.get_sent(clinic.facility_id, document).state == "sent"
    assert len(kept_at_center(center_app, clinic)) == 1


def test_an_answer_that_comes_late_tells_how_it_stands_by_then(clinic, hospital, desk, visit, lost, center_app):
    document = uuid4()
    lost(lambda: actions.refer(desk, document, visit, letter(hospital)))
    [(number, _state)] = kept_at_center(center_app, clinic)
    at_hospital(hospital, lambda there: actions.move(there, number, "accept"))

    worker.run_once()

    assert queries.get_sent(clinic.facility_id, document).state == "accepted"


def test_old_news_change_nothing(clinic, hospital, desk, visit, facility_app, center_app):
    document, number = send(clinic, hospital, visit)
    at_hospital(hospital, lambda there: actions.move(there, number, "accept"))
    at_hospital(hospital, lambda there: actions.move(there, number, "close", "好了"))
    actions.refresh(desk)

    pull(facility_app, center_app, clinic)

    assert queries.get_sent(clinic.facility_id, document).state == "closed"


def test_what_a_busy_center_was_not_asked_is_sent_by_the_worker(
    clinic, hospital, desk, visit, facility_app, monkeypatch
):
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)
    document = uuid4()

    def full(_attempt):
        raise CenterSlow

    with monkeypatch.context() as patch:
        patch.setattr(machine, "_send", full)
        assert actions.refer(desk, document, visit, letter(hospital)) == "asked"
    time.sleep(0.05)
    worker.run_once()

    assert queries.get_sent(clinic.facility_id, document).state == "sent"


@pytest.mark.parametrize("point", ["referral.sending", "ask.committed", "ask.sending", "ask.answered"])
def test_killed_anywhere_it_is_sent_once_or_not_at_all(clinic, hospital, desk, visit, center_app, facility_app, monkeypatch, point):  # fmt: skip
    monkeypatch.setitem(facility_app.config, "DEADLINE_SECONDS", -1)
    document = uuid4()

    class Killed(Exception):
        pass

    def at(name):
        if name == point:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(faults, "at", at)
        with pytest.raises(Killed):
            actions.refer(desk, document, visit, letter(hospital))
    time.sleep(0.05)
    worker.run_once()

    asked = run("select state from referral where id = :d", d=document).scalar()
    assert asked == (None if point == "referral.sending" else "sent")
    assert actions.refer(desk, document, visit, letter(hospital)) == "sent"
    assert len(kept_at_center(center_app, clinic)) == 1


def test_news_move_ours_on_without_being_asked(clinic, hospital, desk, visit, facility_app, center_app):
    document, number = send(clinic, hospital, visit)
    at_hospital(hospital, lambda there: actions.move(there, number, "decline", "没有床位"))

    pull(facility_app, center_app, clinic, hospital)

    row = queries.get_sent(clinic.facility_id, document)
    assert (row.state, row.answer_sealed) == ("declined", None)
    actions.refresh(desk)
    assert queries.get_sent(clinic.facility_id, document).answer_sealed
    send(clinic, hospital, visit)


def test_each_move_needs_its_words_and_its_turn(clinic, hospital, desk, visit):
    document, number = send(clinic, hospital, visit)
    for act in ("decline", "close"):
        with pytest.raises(ReferralReasonNeeded):
            at_hospital(hospital, lambda there, act=act: actions.move(there, number, act, " "))
    with pytest.raises(ReferralRefused, match="待接收"):
        at_hospital(hospital, lambda there: actions.move(there, number, "close", "好了"))
    at_hospital(hospital, lambda there: actions.move(there, number, "accept"))
    with pytest.raises(ReferralRefused, match="已接收"):
        actions.withdraw(desk, document, "不去了")
    with pytest.raises(ReferralReasonNeeded):
        actions.withdraw(desk, document, "")


def test_whoever_was_taken_on_gets_a_file_once(clinic, hospital, visit):
    _document, number = send(clinic, hospital, visit)
    [coming] = at_hospital(hospital, lambda there: wire.look(there, "in"))
    with pytest.raises(NotTakenOn):
        at_hospital(hospital, lambda there: actions.file_of(there, coming))

    def register(there):
        slip = actions.move(there, number, "accept")
        made = [actions.file_of(there, slip) for _again in range(2)]
        return made, patients.unseal(patients.get_patient(made[0]))

    made, person = at_hospital(hospital, register)

    assert made[0] == made[1]
    assert (person.name, person.certno, person.phone, person.sex) == (NAME, CERTNO, PHONE, "1")


def test_somebody_without_a_citizen_id_gets_a_file_too(clinic, hospital):
    _document, number = send(clinic, hospital, signed_visit(clinic, certno=""))

    def register(there):
        slip = actions.move(there, number, "accept")
        return [actions.file_of(there, slip) for _again in range(2)]

    first, again = at_hospital(hospital, register)
    assert first == again


def test_what_nobody_took_in_time_is_over(clinic, hospital, desk, visit, database_urls):
    document, number = send(clinic, hospital, visit)
    yesterday = clock.business_date() - timedelta(days=1)
    with connect(database_urls["center"]["owner"]) as owner:
        owner.execute("update referral set valid_until = %s where number = %s", (yesterday, number))
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute("update referral set valid_until = %s where id = %s", (yesterday, document))

    with pytest.raises(ReferralRefused, match="已过期"):
        at_hospital(hospital, lambda there: actions.move(there, number, "accept"))
    actions.refresh(desk)
    assert queries.get_sent(clinic.facility_id, document).state == "sent"
    send(clinic, hospital, visit)


def test_another_house_finds_nothing_of_it(clinic, hospital, visit, facility_app, center_app):
    document, number = send(clinic, hospital, visit)
    other = make_clinic(facility_app, center_app, name="别家诊所")

    with tenancy.as_tenant(other.tenant_id):
        there = desk_of(other, other.doctor)
        assert wire.look(there, "in") == wire.look(there, "out") == []
        with pytest.raises(NotFound):
            actions.refer(there, uuid4(), visit, letter(hospital))
        with pytest.raises(NotFound):
            actions.withdraw(there, document, "x")
        with pytest.raises(ReferralRefused):
            actions.move(there, number, "accept")


def test_an_outage_while_moving_is_told_and_may_be_repeated(clinic, hospital, visit, lost):
    _document, number = send(clinic, hospital, visit)

    with pytest.raises(Outage):
        at_hospital(hospital, lambda there: lost(lambda: actions.move(there, number, "accept")))

    assert at_hospital(hospital, lambda there: actions.move(there, number, "accept")).state == "accepted"
