"""The center looks at the draft beside the doctor: what it finds stands at its line, is answered, and the answer is told."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import Outage
from app.facility.clinic.desk import checking
from app.facility.db import run
from app.facility.insurance import desk as desks
from app.facility.insurance import worker
from tests.center import world
from tests.center.world import charge, description, settle_visit
from tests.facility.clinic.desk.test_pages import fields, keep, line, seated, sheet
from tests.factories.billing import registered_visit
from tests.factories.city import at_center, make_covered_goods, make_insured
from tests.factories.clinic import make_clinic, make_patient, make_visit
from tests.factories.people import post
from tests.factories.shop import desk_of


@pytest.fixture
def clinic(facility_app, center_app):
    made = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made


@pytest.fixture
def person(center_app, clinic):
    return make_insured(center_app)


@pytest.fixture
def drug(clinic, center_app):
    return make_covered_goods(center_app, clinic, generic_name="苯磺酸氨氯地平片").product_id


@pytest.fixture
def visit(clinic, person):
    return registered_visit(clinic, person)


@pytest.fixture
def doctor(facility_app, clinic, visit):
    return seated(facility_app, clinic, clinic.doctor)


def got_elsewhere(center_app, person, drug, days=30, ago=10):
    """Another clinic gave this person the same drug."""
    elsewhere = world.make_shop(center_app, kind="clinic")
    code = run("select national_code from product where id = :d", d=drug).scalar_one()
    at = clock.local(clock.now()) - timedelta(days=ago)
    visit = world.register_visit(elsewhere, person)
    elsewhere.ask("2203", description(person, visit))
    row = charge(person, visit, code, prd_days=str(days), fee_ocur_time=f"{at:%Y-%m-%d} 09:00:00")
    assert elsewhere.ask("2204", {"feedetail": [row]}).accepted
    assert settle_visit(elsewhere, person, visit, [row]).accepted


def write(doctor, visit, drug, version=0, one=None, **changed):
    """One line of the drug for seven days on a western sheet."""
    one = one or str(uuid4())
    told = sheet(one) | line(one, drug, days="7", quantity="1", **changed)
    told |= {"dx_kind": "WESTERN", "dx_code": "I10.x00x002", "dx_name": "高血压"}
    assert keep(doctor, visit, version, **told).status_code == 200
    return told


def look(doctor, visit):
    answer = post(doctor, f"/clinic/desk/visits/{visit}/checks")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def there(center_app, visit):
    mdtrt_id = run("select mdtrt_id from visit where id = :v", v=visit).scalar_one()
    return at_center(center_app, "select w.jr_id, w.rule_id, a.way, a.reason from warning w left join warning_answer a on a.jr_id = w.jr_id where w.mdtrt_id = %(m)s order by a.id", m=mdtrt_id)  # fmt: skip


def test_what_was_got_elsewhere_stands_at_its_line_and_the_answer_is_told(center_app, person, drug, visit, doctor):
    got_elsewhere(center_app, person, drug)
    write(doctor, visit, drug)

    said = look(doctor, visit)
    assert 'data-checked="full"' in said
    assert "在另一家机构开过" in said[said.index('id="notes-0-0"') :]
    key = re.search(r'data-note="(center:[^"]+)"', said)[1]
    to = f"/clinic/desk/visits/{visit}/answers"
    answered = post(doctor, to, data={"key": key, "answer": "reasoned", "reason": "bridging", "note": "外出两周"})
    assert "衔接用药" in answered.get_data(as_text=True)
    look(doctor, visit)

    [row] = there(center_app, visit)
    assert (row.rule_id, row.way, row.reason) == ("R046", "1", "衔接用药，防止断药：外出两周")
    kept = run("select checked_by, reason_code from reminder_answer where visit_id = :v", v=visit).one()
    assert tuple(kept) == ("center", "bridging")
    assert run("select told_at is not null from center_warning where visit_id = :v", v=visit).scalar_one()
    sealed = run("select sealed from center_warning where visit_id = :v", v=visit).scalar_one()
    assert "另一家".encode() not in bytes(sealed)


def test_a_line_that_is_changed_tells_the_center_so(center_app, person, drug, visit, doctor):
    got_elsewhere(center_app, person, drug)
    told = write(doctor, visit, drug)
    assert "在另一家机构开过" in look(doctor, visit)
    fewer = told | line(told["sheet_id"], drug, days="3", quantity="1")
    assert "在另一家机构开过" not in keep(doctor, visit, 1, **fewer).get_data(as_text=True)
    assert keep(doctor, visit, 2, drop="0.0", **told).status_code == 200
    assert "在另一家机构开过" not in look(doctor, visit)

    [row] = there(center_app, visit)
    assert (row.way, row.reason) == ("2", "")


def test_a_center_that_is_away_leaves_the_local_check(center_app, person, drug, visit, doctor, monkeypatch):
    got_elsewhere(center_app, person, drug)
    write(doctor, visit, drug)
    asked = []

    def silent(call):
        asked.append((call.infno, call.seconds))
        raise Outage("silent")

    with monkeypatch.context() as patch:
        patch.setattr(desks.national_client(), "ask", silent)
        said = look(doctor, visit)
        assert post(doctor, f"/clinic/desk/visits/{visit}/signature", data=write(doctor, visit, drug, 1) | {"version": 2, "complaint": "头晕"}).status_code == 204  # fmt: skip
    assert ('data-checked="partial"' in said, "在另一家机构" in said) == (True, False)
    assert asked == [("3101", 1.0)]


def test_what_an_outage_kept_back_is_told_later(clinic, center_app, person, drug, visit, doctor, monkeypatch):
    got_elsewhere(center_app, person, drug)
    write(doctor, visit, drug)
    key = re.search(r'data-note="(center:[^"]+)"', look(doctor, visit))[1]
    post(doctor, f"/clinic/desk/visits/{visit}/answers", data={"key": key, "answer": "kept"})
    desk = desk_of(clinic, clinic.doctor)
    with monkeypatch.context() as patch:
        patch.setattr(desks.national_client(), "ask", lambda call: (_ for _ in ()).throw(Outage("silent")))
        with pytest.raises(Outage):
            checking.tell_answers(desk)
    assert checking.tell_answers(desk) == 1
    assert checking.tell_answers(desk) == 0
    assert there(center_app, visit)[0].reason == "照常"


def test_the_worker_tells_what_no_later_look_took_along(
    facility_app, center_app, person, drug, visit, doctor, monkeypatch
):
    checking.tell_kept_back()  # What others left.
    got_elsewhere(center_app, person, drug)
    write(doctor, visit, drug)
    key = re.search(r'data-note="(center:[^"]+)"', look(doctor, visit))[1]
    post(doctor, f"/clinic/desk/visits/{visit}/answers", data={"key": key, "answer": "kept"})
    asked = []

    def silent(call):
        asked.append(call.infno)
        raise Outage("silent")

    with monkeypatch.context() as patch:
        patch.setattr(desks.national_client(), "ask", silent)
        worker.run_jobs(facility_app)
    assert asked == ["3103"]
    assert there(center_app, visit)[0].way is None

    worker.run_jobs(facility_app)
    assert (there(center_app, visit)[0].way, there(center_app, visit)[0].reason) == ("1", "照常")
    assert checking.tell_kept_back() == 0


def test_no_name_travels_and_a_self_paid_visit_stays_in_the_house(clinic, drug, visit, doctor, person, monkeypatch):
    client = desks.national_client()
    bodies, ask = [], client.ask
    monkeypatch.setattr(client, "ask", lambda call: bodies.append(call.body.decode()) or ask(call))
    write(doctor, visit, drug)
    look(doctor, visit)
    assert person.psn_no in bodies[0]
    assert not [what for what in (person.name, person.certno, person.card) if what in bodies[0]]

    bodies.clear()
    alone = make_visit(clinic, make_patient(clinic))
    write(doctor, alone, drug)
    assert 'data-checked="none"' in look(doctor, alone)
    assert bodies == []


def test_a_plain_violation_keeps_the_visit_open_until_it_is_answered(clinic, center_app, person, drug, visit, doctor):
    told = write(doctor, visit, drug)
    desk = desk_of(clinic, clinic.doctor)
    place = checking.wire.Finding("a" * 32, "R044", "药品区分性别", "限女性使用", True, f"{drug}.1", 7, 24)
    checking._keep(desk, visit, [place])
    to, sent = f"/clinic/desk/visits/{visit}/signature", told | {"version": 1, "complaint": "头晕"}
    refused = post(doctor, to, data=sent)
    assert (refused.status_code, "限女性使用" in refused.get_data(as_text=True)) == (409, True)
    answers = f"/clinic/desk/visits/{visit}/answers"
    post(doctor, answers, data={"key": f"center:{'a' * 32}", "answer": "reasoned", "reason": "mistaken"})
    assert post(doctor, to, data=sent | {"version": 2}).status_code == 204
    assert UUID(fields(doctor.get(f"/clinic/desk/visits/{visit}").get_data(as_text=True))["sheet_id"][0])


def test_a_stranger_asks_nothing(facility_app, center_app, visit):
    other = make_clinic(facility_app, center_app, name="别家诊所")
    stranger = seated(facility_app, other, other.doctor)
    with tenancy.as_tenant(other.tenant_id):
        assert post(stranger, f"/clinic/desk/visits/{visit}/checks").status_code == 404


def elsewhere(doctor, visit):
    return post(doctor, f"/clinic/desk/visits/{visit}/elsewhere")


def test_what_a_person_had_elsewhere_is_shown_beside_the_record(clinic, center_app, person, drug, visit, doctor):
    assert "别处没有就诊和用药" in elsewhere(doctor, visit).get_data(as_text=True)
    got_elsewhere(center_app, person, drug)

    said = elsewhere(doctor, visit).get_data(as_text=True)
    assert "还可用 19 天" in said
    assert "急性上呼吸道感染" in said
    assert person.psn_no not in said
    page = doctor.get(f"/clinic/desk/visits/{visit}").get_data(as_text=True)
    assert f'hx-post="/clinic/desk/visits/{visit}/elsewhere"' in page  # After the page, by the id alone.


def test_a_center_that_is_away_says_so_in_place(center_app, person, drug, visit, doctor, monkeypatch):
    got_elsewhere(center_app, person, drug)
    monkeypatch.setattr(desks.national_client(), "ask", lambda call: (_ for _ in ()).throw(Outage("silent")))

    said = elsewhere(doctor, visit)
    assert (said.status_code, "中心没有回答" in said.get_data(as_text=True)) == (200, True)


def test_only_a_registered_visit_in_hand_is_asked_about(facility_app, center_app, clinic, person, visit, doctor):
    alone = make_visit(clinic, make_patient(clinic))
    assert elsewhere(doctor, alone).status_code == 404
    assert "elsewhere" not in doctor.get(f"/clinic/desk/visits/{alone}").get_data(as_text=True)
    other = make_clinic(facility_app, center_app, name="别家诊所")
    stranger = seated(facility_app, other, other.doctor)
    with tenancy.as_tenant(other.tenant_id):
        assert elsewhere(stranger, visit).status_code == 404


def test_the_pharmacist_reads_what_the_center_found_and_the_doctor_answered(
    facility_app, clinic, center_app, person, drug, visit, doctor
):
    got_elsewhere(center_app, person, drug)
    told = write(doctor, visit, drug)
    key = re.search(r'data-note="(center:[^"]+)"', look(doctor, visit))[1]
    answered = {"key": key, "answer": "reasoned", "reason": "bridging", "note": "外出两周"}
    post(doctor, f"/clinic/desk/visits/{visit}/answers", data=answered)
    sent = told | {"version": 1, "complaint": "头晕"}
    assert post(doctor, f"/clinic/desk/visits/{visit}/signature", data=sent).status_code == 204

    page = seated(facility_app, clinic, clinic.pharmacist).get("/clinic/review").get_data(as_text=True)
    for said in ("重复开药", "医保中心", "在另一家机构开过", "衔接用药，防止断药", "外出两周"):
        assert said in page
