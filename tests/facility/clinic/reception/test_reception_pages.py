"""The reception on screen: practice, patients, registration, queue, duties, wall; kept from strangers."""

from __future__ import annotations

from uuid import uuid4

from app.core.hot import statements
from app.facility.clinic.reception import queue, walls
from tests.center.world import some_certno
from tests.facility.stock.conftest import text
from tests.factories.clinic import make_patient, make_visit
from tests.factories.people import browser, make_pharmacy
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


def person(**changes):
    return {
        "document": str(uuid4()),
        "name": "周建国",
        "sex": "1",
        "born_on": "1950-02-03",
        "phone": "13912345678",
    } | changes


def test_a_patient_is_registered_found_changed_and_never_shown_whole_in_a_list(clerk):
    made = post(clerk, "/clinic/patients/new", **person())
    assert made.status_code == 303
    for typed in ("周建国", "zjg", "13912345678"):
        found = text(post(clerk, "/clinic/patients", q=typed))
        assert made.location in found
        assert "周建国" not in found.replace('value="周建国"', "")
    form = text(clerk.get(f"{made.location}/edit"))
    assert "周建国" in form
    version = form.partition('name="version" value="')[2].partition('"')[0]
    assert (
        post(clerk, f"{made.location}/edit", **person(version=version, sex="1", born_on="1950-02-04")).status_code
        == 303
    )
    assert post(clerk, f"{made.location}/edit", **person(version=version)).status_code == 409


def test_a_citizen_id_that_is_known_leads_to_its_file(clerk):
    told = person(certno=some_certno("1", "19500203"))
    first = post(clerk, "/clinic/patients/new", **told)
    again = post(clerk, "/clinic/patients/new", **(told | {"document": str(uuid4())}))

    assert again.status_code == 409
    assert first.location in text(again)


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
    assert str(patient) in text(clerk.get(f"/clinic/patients/{other}"))


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


def test_a_screen_changes_when_somebody_is_called(facility_app, owner, clinic, monkeypatch):
    make_visit(clinic, begun=False)
    where, wall = hang_up(owner), facility_app.test_client()
    again = asked_again(text(wall.get(where)))
    queue.call_next(_desk(clinic), doctor=clinic.doctor, room=clinic.room)
    walls.forget(clinic.tenant_id, clinic.facility_id)

    answer = wall.get(again)
    assert answer.status_code == 200
    assert "1 诊室" in text(answer)
