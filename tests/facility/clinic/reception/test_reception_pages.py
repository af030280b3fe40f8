"""The reception on screen: practice, patients, registration, queue, duties, wall; kept from strangers."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import clock, tenancy
from app.core.errors import Outage
from app.core.hot import statements
from app.facility.clinic.reception import duties, queue, walls
from app.facility.clinic.reception.errors import NobodyWaits
from app.facility.insurance import identify
from tests.facility.stock.conftest import text
from tests.factories.city import make_insured
from tests.factories.clinic import make_clinic, make_patient, make_service, make_visit
from tests.factories.people import PASSWORD, browser, make_pharmacy
from tests.factories.people import post as post_form
from tests.factories.shop import desk_of, one


def post(client, address, **data):
    return post_form(client, address, data)


def test_the_rail_of_a_clinic_has_the_reception_and_that_of_a_pharmacy_has_not(facility_app, clerk):
    pharmacy = make_pharmacy(facility_app)
    client = browser(facility_app, pharmacy, pharmacy.clerk)

    assert 'href="/clinic/reception"' in text(clerk.get("/clinic/reception"))
    assert 'href="/clinic/reception"' not in text(client.get("/counter"))


def test_the_owner_opens_departments_and_rooms_and_says_who_may_what(owner, clinic):
    post(owner, "/clinic/practice/departments", code="ZY", name="中医科", caty="A50")
    post(owner, "/clinic/practice/rooms", name="9 诊室")
    page = text(owner.get("/clinic/practice"))
    assert "中医科" in page
    assert "9 诊室" in page
    told = {
        "department": clinic.department,
        "title": "副主任医师",
        "eligible_from": "2026-01-01",
        "prescribes": "1",
        "antimicrobials": "restricted",
    }
    assert post(owner, f"/clinic/practice/people/{clinic.doctor}", **told).status_code == 303
    assert "副主任医师" in text(owner.get("/clinic/practice"))
    post(owner, f"/clinic/practice/people/{clinic.doctor}/suspensions", first="2026-01-01", why="记分")
    assert "记分" in text(owner.get(f"/clinic/practice/people/{clinic.doctor}"))
    post(owner, f"/clinic/practice/people/{clinic.doctor}/suspensions", lift="1")
    assert "记分" not in text(owner.get(f"/clinic/practice/people/{clinic.doctor}"))


def test_a_visit_s_fee_is_named_where_it_is_set_and_where_one_registers(owner, clerk, clinic):
    make_service(clinic, code="FEE1", generic_name="普通门诊诊查费")
    make_service(clinic, code="FEE2", generic_name="副主任医师门诊诊查费", pack_price=Decimal(35))
    page, today = "/clinic/fees", clock.business_date()
    assert "还没有诊查费" in text(owner.get(page))
    ours = {"payee": f"d{clinic.department}", "service": "FEE1", "first": today.isoformat()}
    assert "目录里没有这个编码" in text(post(owner, page, **ours | {"service": "FEE9"}))
    assert "不能早于今天" in text(post(owner, page, **ours | {"first": "2026-01-01"}))
    assert post(owner, page, **ours).status_code == 303
    form = f"/clinic/reception/patients/{make_patient(clinic)}"
    shown = text(clerk.get(form))
    assert "诊查费 20.00" in shown
    assert "诊查费 35.00" not in shown

    theirs = {"payee": f"s{clinic.doctor}", "service": "FEE2", "first": today.isoformat()}
    assert post(owner, page, **theirs).status_code == 303
    assert f'value="s{clinic.doctor}" selected' in text(owner.get(page, query_string={"of": f"s{clinic.doctor}"}))
    assert "诊查费 35.00" in text(clerk.get(form))
    post(owner, page, **ours | {"service": "FEE2", "emergency": "1"})
    assert "急诊 35.00" in text(clerk.get(form))
    with_nobody, with_them = make_visit(clinic, doctor_id=None, begun=False), make_visit(clinic, begun=False)
    urgent = make_visit(clinic, doctor_id=None, begun=False, kind="emergency")
    for visit, price in ((with_nobody, "20.00"), (with_them, "35.00"), (urgent, "35.00")):
        assert f"诊查费 {price} 元，看完一起付" in text(clerk.get(f"/clinic/reception/visits/{visit}"))
    for wrong in ("", "x", "d", "d0", "s9", f"x{clinic.department}"):
        assert post(owner, page, **ours | {"payee": wrong}).status_code == 404
    assert clerk.get(page).status_code == 403


def test_departments_and_rooms_are_renamed_and_closed_when_nobody_is_there(owner, clinic):
    own, room = f"/clinic/practice/departments/{clinic.department}", f"/clinic/practice/rooms/{clinic.room}"
    post(owner, own, name="全科门诊", caty="A02")
    post(owner, room, name="8 诊室")
    page = text(owner.get("/clinic/practice"))
    assert 'value="全科门诊"' in page
    assert 'value="8 诊室"' in page
    assert "还有人登记在这个科室" in text(post(owner, own, close="1"))
    post(owner, room, close="1")
    assert 'value="8 诊室"' not in text(owner.get("/clinic/practice"))
    post(owner, "/clinic/practice/departments", code="EK", name="儿科", caty="A07")
    child = one(clinic, "select id from department where tenant_id = %(t)s and code = 'EK'").id
    assert post(owner, own, name="儿科门诊", caty="").status_code == 422
    assert post(owner, f"/clinic/practice/departments/{child}", close="1").status_code == 303
    assert post(owner, f"/clinic/practice/departments/{child}", close="1").status_code == 404
    assert 'value="儿科"' not in text(owner.get("/clinic/practice"))


def test_a_half_of_a_day_is_booked_listed_and_reported(facility_app, clerk, clinic):
    day = clock.business_date() + timedelta(days=1)
    duties.add_duty(_desk(clinic), uuid4(), clinic.doctor, clinic.department, None, day.isoweekday(), "pm", 1)
    patient, half = make_patient(clinic), f"{day}|pm"
    form, chosen = f"/clinic/reception/patients/{patient}", f"doctor={clinic.doctor}&department={clinic.department}"
    told = {"department": clinic.department, "doctor": clinic.doctor, "kind": "first", "half": half}

    assert "先选医师" in text(clerk.get(form))
    assert f'value="{half}"' in text(clerk.get(f"/clinic/reception/halves?{chosen}"))
    assert "没有排班" in text(clerk.get(f"/clinic/reception/halves?doctor={clinic.second_doctor}&department=1"))
    visit = post(clerk, form, document=str(uuid4()), **told).location
    assert f"{visit}/arrivals" not in text(clerk.get(visit))
    assert visit in text(clerk.get(form))
    assert visit in text(clerk.get(f"/clinic/queue?list=booked&on={day}"))
    assert visit not in text(clerk.get("/clinic/queue?list=booked&on=x"))
    assert "没有预约" in text(clerk.get("/clinic/queue?list=booked"))
    other = f"/clinic/reception/patients/{make_patient(clinic)}"
    assert "约满" in text(clerk.get(f"/clinic/reception/halves?{chosen}"))
    assert "约满" in text(post(clerk, other, document=str(uuid4()), **told))
    assert post(clerk, other, document=str(uuid4()), **(told | {"half": "x|pm"})).status_code == 422
    with clock.at_moment(datetime.combine(day, time(10), clock.CHINA)):
        that_day = browser(facility_app, clinic, clinic.clerk)
        assert f"{visit}/arrivals" in text(that_day.get(visit))
        assert post(that_day, f"{visit}/arrivals").status_code == 303
        waiting = text(that_day.get("/clinic/queue"))
        assert ("下午" in waiting, visit in waiting) == (True, True)


def test_who_did_not_come_stands_in_their_history_and_where_they_register_again(facility_app, clinic, monkeypatch):
    patient = make_patient(clinic)
    booked = make_visit(clinic, patient, begun=False, booked_for=clock.business_date() + timedelta(days=1), period="pm")
    unseen = make_visit(clinic, begun=False)
    monkeypatch.setattr(clock, "now", lambda at=clock.now() + timedelta(days=2): at)
    clerk = browser(facility_app, clinic, clinic.clerk)

    page = text(clerk.get(f"/clinic/reception/visits/{booked}"))
    assert "约了没有来" in page
    assert "退号的原因" not in page
    assert "读卡改用医保" not in page
    for address in (f"/clinic/patients/{patient}", f"/clinic/reception/patients/{patient}"):
        assert "近一年爽约 1 次" in text(clerk.get(address))
    assert post(clerk, f"/clinic/reception/visits/{booked}/cancellations", reason="没来").status_code == 409
    assert "往日未看" in text(clerk.get("/clinic/day"))
    assert post(clerk, "/clinic/day/closings").status_code == 303
    assert "1 个已退号" in text(clerk.get("/clinic/day"))
    assert "没有就诊" in text(clerk.get(f"/clinic/reception/visits/{unseen}"))


def test_allergies_are_noted_struck_out_and_files_merged(clerk, clinic):
    patient, other = make_patient(clinic), make_patient(clinic)
    where, note = f"/clinic/patients/{patient}", str(uuid4())
    post(
        clerk,
        f"{where}/allergies",
        document=note,
        substance="青霉素类",
        reaction="皮疹",
        severity="severe",
        told_by="patient",
    )
    assert "青霉素类" in text(clerk.get(where))
    post(clerk, f"{where}/allergies/{note}/withdrawals", why="皮试阴性")
    assert "皮试阴性" in text(clerk.get(where))
    number = one(clinic, "select number from patient where tenant_id = %(t)s and id = %(p)s", p=other).number
    assert post(clerk, f"{where}/merges", number=number, reason="重复建档").status_code == 303
    assert post(clerk, f"{where}/merges", number="99999", reason="重复建档").status_code == 409
    kept = text(clerk.get(f"/clinic/patients/{other}"))
    assert str(patient) in kept
    assert f"病历号 {number} →" in kept
    assert "重复建档" in kept


def test_somebody_is_looked_up_and_gets_a_ticket(clerk, clinic):
    patient = make_patient(clinic, name="冯巩义")
    found = text(post(clerk, "/clinic/reception", q="冯巩义", document=str(uuid4())))
    assert f"/clinic/reception/patients/{patient}" in found
    told = {"document": str(uuid4()), "department": clinic.department, "doctor": clinic.doctor, "kind": "first"}
    assert "F9" in text(clerk.get(f"/clinic/reception/patients/{patient}"))
    made = post(clerk, f"/clinic/reception/patients/{patient}", **told)
    assert made.status_code == 303
    assert post(clerk, f"/clinic/reception/patients/{patient}", **told).location == made.location
    assert "<strong>1</strong>" in text(clerk.get(made.location))
    assert (
        post(
            clerk, f"/clinic/reception/patients/{patient}", **(told | {"document": str(uuid4()), "kind": "x"})
        ).status_code
        == 422
    )


def test_the_queue_calls_passes_and_returns(doctor, clerk, clinic):
    first, second = make_visit(clinic, begun=False), make_visit(clinic, begun=False)
    told = {"doctor": clinic.doctor, "room": clinic.room}
    assert post(doctor, "/clinic/queue/calls", **told).status_code == 303
    assert "1 诊室" in text(clerk.get("/clinic/queue"))
    post(clerk, f"/clinic/queue/visits/{first}/steps", event="passed")
    assert str(first) in text(clerk.get("/clinic/queue?list=passed"))
    assert str(first) not in text(clerk.get("/clinic/queue"))
    post(clerk, f"/clinic/queue/visits/{first}/steps", event="returned")
    assert post(clerk, f"/clinic/queue/visits/{first}/steps", event="closed").status_code == 422
    assert post(clerk, f"/clinic/reception/visits/{second}/cancellations", reason="走了").status_code == 303
    assert "走了" in text(clerk.get(f"/clinic/reception/visits/{second}"))


def test_the_queue_costs_as_many_statements_for_one_as_for_thirty(clerk, clinic):
    def cost():
        with statements() as ran:
            assert clerk.get("/clinic/queue").status_code == 200
        return len(ran)

    make_visit(clinic, begun=False)
    clerk.get("/clinic/queue")
    few = cost()
    for _ in range(5):
        make_visit(clinic, begun=False)
    assert cost() == few


def test_duties_are_made_and_ended_by_the_owner(owner, clerk, clinic):
    told = {"doctor": clinic.doctor, "department": clinic.department, "weekday": "1", "period": "am", "most": "20"}
    assert post(owner, "/clinic/duties", document=str(uuid4()), **told).status_code == 303
    assert "周一" in text(clerk.get("/clinic/duties"))
    assert post(clerk, "/clinic/duties", document=str(uuid4()), **told).status_code == 403


def test_a_stranger_finds_nothing(stranger, clinic):
    patient, visit = make_patient(clinic), make_visit(clinic, begun=False)

    assert stranger.get(f"/clinic/patients/{patient}").status_code == 404
    assert stranger.get(f"/clinic/reception/patients/{patient}").status_code == 404
    assert stranger.get(f"/clinic/reception/visits/{visit}").status_code == 404
    assert post(stranger, f"/clinic/queue/visits/{visit}/steps", event="called").status_code == 404
    assert stranger.get(f"/clinic/practice/people/{clinic.doctor}").status_code == 404


def hang_up(owner):
    assert post(owner, "/clinic/wall", document=str(uuid4()), name="大厅屏").status_code == 303
    return "/clinic/wall/shown/" + text(owner.get("/clinic/wall")).partition("/clinic/wall/shown/")[2].partition('"')[0]


def asked_again(page):
    return page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")


def test_a_screen_shows_masked_names_without_sign_in_until_it_is_taken_back(facility_app, owner, clinic):
    patient = make_patient(clinic, name="冯巩义")
    make_visit(clinic, patient, begun=False)
    queue.call_next(_desk(clinic), doctor=clinic.doctor, room=clinic.room)
    where, wall = hang_up(owner), facility_app.test_client()
    page = text(wall.get(where))

    assert "1 诊室" in page
    assert "冯" in page
    assert "冯巩义" not in page
    assert wall.get(asked_again(page)).status_code == 204
    assert wall.get(f"{where}x").status_code == 404
    screen = one(clinic, "select id from wall_screen where tenant_id = %(t)s").id
    post(owner, f"/clinic/wall/{screen}/revocations")
    assert wall.get(where).status_code == 404


def _desk(clinic):
    return desk_of(clinic, clinic.doctor)


def test_a_hundred_screens_read_a_facility_once_a_second(facility_app, owner, clinic, monkeypatch):
    make_visit(clinic, begun=False)
    where, wall = hang_up(owner), facility_app.test_client()
    again, reads, read = asked_again(text(wall.get(where))), [], walls._read
    monkeypatch.setattr(walls, "_read", lambda *key: reads.append(key) or read(*key))
    monkeypatch.setattr(walls, "KEPT_SECONDS", 60.0)
    walls.forget(clinic.tenant_id, clinic.facility_id)

    with statements() as ran:
        assert {wall.get(again).status_code for _ in range(100)} == {204}
    assert (len(reads), len(ran)) == (1, 1)


def test_whom_a_doctor_takes_from_the_desk_is_called_on_the_wall_to_their_room(facility_app, owner, clinic):
    duties.add_duty(_desk(clinic), uuid4(), clinic.doctor, clinic.department, clinic.room, clock.business_date().isoweekday(), "pm", 20)  # fmt: skip
    first, second = (
        make_visit(clinic, make_patient(clinic, name="冯巩义"), begun=False),
        make_visit(clinic, begun=False),
    )
    queue.call_next(_desk(clinic), doctor=clinic.doctor)
    assert [queue.take_next(_desk(clinic)), queue.take_next(_desk(clinic))] == [first, second]
    with pytest.raises(NobodyWaits):
        queue.take_next(_desk(clinic))

    shown = text(facility_app.test_client().get(hang_up(owner)))
    assert ("1 诊室" in shown, "冯" in shown) == (True, True)


def test_a_screen_changes_when_somebody_is_called(facility_app, owner, clinic, monkeypatch):
    make_visit(clinic, begun=False)
    where, wall = hang_up(owner), facility_app.test_client()
    again = asked_again(text(wall.get(where)))
    queue.call_next(_desk(clinic), doctor=clinic.doctor, room=clinic.room)
    walls.forget(clinic.tenant_id, clinic.facility_id)

    answer = wall.get(again)
    assert answer.status_code == 200
    assert "1 诊室" in text(answer)


def test_opening_a_file_whole_is_written_into_the_trail(clerk, clinic):
    patient = make_patient(clinic)
    clerk.get(f"/clinic/patients/{patient}")
    assert looks(clinic) == 0
    clerk.get(f"/clinic/patients/{patient}/edit")
    assert looks(clinic) == 1


def looks(clinic) -> int:
    asked = "select count(*) as many from audit_trail where tenant_id = %(t)s and act = 'patient.revealed'"
    return one(clinic, asked).many


@pytest.fixture
def there(facility_app, center_app):
    """A clinic that the center knows."""
    made = make_clinic(facility_app, center_app)
    with facility_app.app_context(), tenancy.as_tenant(made.tenant_id):
        yield made


@pytest.mark.parametrize("band", ["ask", "hold"])
def test_a_card_read_on_arrival_is_registered_once_somebody_looked_at_its_holder(
    facility_app, center_app, there, monkeypatch, band
):
    clerk, person = browser(facility_app, there, there.clerk), make_insured(center_app)
    visit = make_visit(there, make_patient(there, name=person.name, certno=person.certno), begun=False)
    monkeypatch.setattr(identify, "band_of", lambda _desk, _identity: band)
    page, again = f"/clinic/reception/visits/{visit}", f"/clinic/reception/visits/{visit}/registrations"
    assert "人证一致" not in text(clerk.get(page))

    stopped = post(clerk, again, q=person.card, document=str(uuid4()))
    assert (stopped.status_code, "人证一致" in text(stopped), "核对持卡人" in text(stopped)) == (409, True, True)
    assert "人证一致" in text(clerk.get(page))
    assert ("主管密码" in text(clerk.get(page))) is (band == "hold")
    assert "已向医保登记" not in text(post(clerk, again, match="nonsense"))
    told = {"match": "document_seen"}
    if band == "hold":
        assert post(clerk, again, **told).status_code in {403, 409, 422}
        told |= {"approver": "001", "approver_password": PASSWORD}
    assert post(clerk, again, **told).status_code == 303
    assert "已向医保登记" in text(clerk.get(page))
    assert "人证一致" not in text(clerk.get(page))
    kept = one(there, "select matched_by, override_reason from identification where tenant_id = %(t)s")
    assert (kept.matched_by, kept.override_reason) == (there.clerk, "document_seen")


def test_somebody_else_s_card_and_a_center_that_is_away_are_said_beside_the_ticket(
    facility_app, center_app, there, monkeypatch
):
    clerk, person = browser(facility_app, there, there.clerk), make_insured(center_app)
    visit = make_visit(there, begun=False)
    again = f"/clinic/reception/visits/{visit}/registrations"

    other = post(clerk, again, q=person.card, document=str(uuid4()))
    assert (other.status_code, "不是这位患者的卡" in text(other)) == (422, True)
    monkeypatch.setattr(identify, "identify", lambda *_, **__: (_ for _ in ()).throw(Outage("silence")))
    away = post(clerk, again, q=person.card, document=str(uuid4()))
    assert (away.status_code, "没有回答" in text(away)) == (503, True)
    assert "自费就诊" in text(away)


def test_a_lost_card_says_so_and_how_to_go_on(facility_app, center_app):
    there = make_clinic(facility_app, center_app)
    clerk = browser(facility_app, there, there.clerk)
    person = make_insured(center_app, status="lost")

    refused = post(clerk, "/clinic/reception", q=person.card, document=str(uuid4()))

    page = text(refused)
    assert (refused.status_code, "挂失" in page, "先按自费挂号" in page) == (409, True, True)
    assert "。。" not in page
    assert "扣款" not in page


def test_the_chronic_diseases_of_a_card_are_chosen_not_typed(facility_app, center_app):
    there = make_clinic(facility_app, center_app)
    clerk = browser(facility_app, there, there.clerk)
    person = make_insured(center_app, entitlements=(("chronic", "M03900"),))

    page = text(
        post_form(clerk, "/clinic/reception", {"q": person.card, "document": str(uuid4())}, follow_redirects=True)
    )

    assert '<option value="M03900">门慢门特 M03900</option>' in page
