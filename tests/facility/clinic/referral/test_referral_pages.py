"""转诊 on screen: the letter, those sent, those who come, the paper, the desk's part, news; nothing of it for strangers."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.errors import Outage
from app.core.hot import statements
from app.facility.clinic.referral import queries, wire
from tests.facility.stock.conftest import next_page, text
from tests.factories.bridge import pull
from tests.factories.clinic import make_visit
from tests.factories.people import add_person, browser, post
from tests.factories.referral import CERTNO, NAME, PHONE, REASON, send, signed_visit

PAGE = "/clinic/referrals"


def written(target, **changes):
    told = {"document": str(uuid4()), "target": f"{target.code}|{target.name}", "valid_days": "14", "reason": REASON, "summary": "三药联用仍 168/100"}  # fmt: skip
    return told | changes


def away(*_args, **_more):
    raise Outage("silent")


def test_empty_lists_say_what_they_are_for(doctor):
    assert "还没有转出过患者" in text(doctor.get(PAGE))
    assert "还没有人转来" in text(doctor.get(f"{PAGE}?show=in"))


def test_the_letter_begins_with_the_record_and_is_sent_once(doctor, receiver, hospital, visit):
    page = text(doctor.get(f"{PAGE}/visits/{visit}"))
    assert "主诉：头晕一周" in page
    assert "高血压" in page
    assert "城东医院" in text(doctor.get(f"{PAGE}/institutions?q=城东"))

    form = written(hospital)
    answers = [post(doctor, f"{PAGE}/visits/{visit}", form) for _again in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    page = text(doctor.get(answers[0].location))
    assert "城东医院" in page
    assert "待接收" in page
    assert NAME not in page
    coming = text(receiver.get(f"{PAGE}?show=in"))
    assert "欧**诊" in coming
    assert REASON in coming
    assert PHONE not in coming


def test_what_is_missing_is_said_beside_what_was_typed(doctor, hospital, visit):
    answer = post(doctor, f"{PAGE}/visits/{visit}", written(hospital, reason=""))

    assert answer.status_code == 422
    assert "三药联用仍" in answer.get_data(as_text=True)
    assert "要写转诊原因" in answer.get_data(as_text=True)
    refused = post(doctor, f"{PAGE}/visits/{visit}", written(hospital, valid_days="60"))
    page = text(doctor.get(refused.location))
    assert "没有转出" in page
    assert "三药联用仍" in page


def test_those_who_may_not_refer_are_told(facility_app, clinic, doctor, hospital):
    open_visit = make_visit(clinic)
    assert "还没有签名" in text(doctor.get(f"{PAGE}/visits/{open_visit}"))
    other = browser(facility_app, clinic, clinic.second_doctor)
    visit = signed_visit(clinic)
    assert "不是您接诊的" in text(other.get(f"{PAGE}/visits/{visit}"))
    assert post(other, f"{PAGE}/visits/{visit}", written(hospital)).status_code == 409


def test_taken_on_registered_and_answered(doctor, receiver, facility_app, clinic, hospital, visit):
    document, number = send(clinic, hospital, visit)
    clerk = browser(facility_app, hospital, hospital.clerk)
    assert post(clerk, f"{PAGE}/in/{number}/registration", {}).status_code == 409

    taken = post(receiver, f"{PAGE}/in/{number}/moves", {"act": "accept"})
    page = text(receiver.get(taken.location))
    assert "已接收" in page
    assert "送出回复" in page
    assert CERTNO not in page
    registered = post(clerk, f"{PAGE}/in/{number}/registration", {})
    assert "/clinic/reception/patients/" in registered.location
    assert "欧**诊" in text(clerk.get(registered.location))
    assert post(receiver, f"{PAGE}/in/{number}/moves", {"act": "close", "said": ""}).status_code == 422
    post(receiver, f"{PAGE}/in/{number}/moves", {"act": "close", "said": "已调整用药"})

    part = text(post(doctor, f"{PAGE}/standing?open={document}", {"before": ""}))
    assert "已回复" in part
    assert "已调整用药" in text(doctor.get(f"{PAGE}?open={document}"))
    assert "已回复" in text(doctor.get(f"{PAGE}/visits/{visit}/state"))


def test_declined_with_a_reason_and_withdrawn(doctor, receiver, clinic, hospital, visit):
    _document, number = send(clinic, hospital, visit)
    post(receiver, f"{PAGE}/in/{number}/moves", {"act": "decline", "said": "没有床位"})
    text(post(doctor, f"{PAGE}/standing", {}))
    assert "没有床位" in text(doctor.get(PAGE))

    document, _number = send(clinic, hospital, visit)
    assert post(doctor, f"{PAGE}/{document}/withdrawal", {"why": ""}).status_code == 422
    done = post(doctor, f"{PAGE}/{document}/withdrawal", {"why": "患者不去了"})
    assert "不再看到" in text(doctor.get(done.location))
    assert "待接收" not in text(receiver.get(f"{PAGE}?show=in"))
    assert doctor.get(f"{PAGE}/{document}/print").status_code == 404


def test_another_doctor_is_not_offered_to_withdraw_and_the_owner_is(facility_app, doctor, clinic, hospital, visit):
    document, _number = send(clinic, hospital, visit)
    other, owner = (browser(facility_app, clinic, person) for person in (clinic.second_doctor, clinic.owner))
    way = f"{PAGE}/{document}/withdrawal"

    assert [way in text(each.get(f"{PAGE}?open={document}")) for each in (doctor, other, owner)] == [True, False, True]
    refused = post(other, way, {"why": "我来撤"})
    assert (refused.status_code, "江海明" in text(refused)) == (409, True)
    assert "不再看到" in text(owner.get(post(owner, way, {"why": "开单医师离职"}).location))


def test_the_desk_shows_the_way_and_how_it_stands(doctor, clinic, hospital, visit):
    page = text(doctor.get(f"/clinic/desk/visits/{visit}"))
    assert f"{PAGE}/visits/{visit}/state" in page
    assert f"{PAGE}/visits/{visit}/state" not in text(doctor.get(f"/clinic/desk/visits/{make_visit(clinic)}"))
    send(clinic, hospital, visit, urgent=True)

    part = text(doctor.get(f"{PAGE}/visits/{visit}/state"))

    assert "城东医院" in part
    assert "急转" in part


def test_the_paper_carries_the_number_as_bars(doctor, clinic, hospital, visit):
    document, number = send(clinic, hospital, visit)

    page = text(doctor.get(f"{PAGE}/{document}/print"))

    for shown in (NAME, number, "城东医院", REASON, 'class="barcode"'):
        assert shown in page
    summary = text(doctor.get(f"/clinic/desk/visits/{visit}/summary"))
    assert f"已转往 城东医院，转诊单号 {number}" in summary


def test_a_center_that_is_away_is_said_in_place(doctor, clinic, hospital, visit, monkeypatch):
    send(clinic, hospital, visit)
    monkeypatch.setattr(wire, "_asked", away)

    assert "上次知道的状态" in text(post(doctor, f"{PAGE}/standing", {}))
    coming = doctor.get(f"{PAGE}?show=in")
    assert coming.status_code == 503
    assert "再问一次" in coming.get_data(as_text=True)
    part = text(doctor.get(f"{PAGE}/institutions?q=城"))
    assert "最近转过的机构" in part
    assert hospital.code in part
    moved = post(doctor, f"{PAGE}/in/Z0000000001/moves", {"act": "accept"})
    assert "不知道办成了没有" in doctor.get(moved.location).get_data(as_text=True)


def test_while_the_center_has_not_said_it_is_shown_as_open(doctor, hospital, visit, monkeypatch):
    from app.facility.insurance import machine

    monkeypatch.setattr(machine, "_send", away)

    answer = post(doctor, f"{PAGE}/visits/{visit}", written(hospital))

    page = text(doctor.get(answer.location))
    assert "会自动再送" in page
    assert "核对中" in page


def test_news_lead_to_it(facility_app, center_app, receiver, doctor, clinic, hospital, visit):
    _document, number = send(clinic, hospital, visit, urgent=True)
    post(receiver, f"{PAGE}/in/{number}/moves", {"act": "accept"})

    pull(facility_app, center_app, clinic, hospital)

    there, here = text(receiver.get("/notices")), text(doctor.get("/notices"))
    assert f"{clinic.name}转来一位患者" in there
    assert f"show=in&amp;open={number}" in there
    assert "城东医院接收了转去的患者" in here
    assert NAME not in there + here


def test_long_lists_have_pages_and_few_statements(doctor, clinic, hospital, visit, database_urls):
    from launcher.databases import connect

    document, _number = send(clinic, hospital, visit)
    with connect(database_urls["facility"]["owner"]) as owner:
        owner.execute(
            "insert into referral select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'number', 'Y' || n, 'asked_at', r.asked_at - make_interval(mins => n)))).*"
            " from referral r cross join generate_series(1, 55) n where r.id = %s",
            (document,),
        )
    text(doctor.get(PAGE))

    with statements() as ran:
        page = text(doctor.get(PAGE))

    assert page.count('class="b nm"') == 50
    assert len([one for one in ran if "referral" in one or "visit_diagnosis" in one]) == 2
    following = text(doctor.get(next_page(page)))
    assert following.count('class="b nm"') == 6
    assert len(queries.list_recent_targets(clinic.facility_id)) == 1


def test_what_comes_has_pages_too(receiver, clinic, hospital, database_urls):
    from launcher.databases import connect

    _document, number = send(clinic, hospital)
    with connect(database_urls["center"]["owner"]) as owner:
        owner.execute(
            "insert into referral (institution_code, target_code, target_name, district, document, digest, patient_sealed, patient_shown, urgent, department, doctor,"
            " doctor_name, sent_at, valid_until, state, changed_at, institution_name, target_district) select institution_code, target_code, target_name, district, gen_random_uuid(), digest, patient_sealed,"
            " patient_shown, urgent, department, doctor, doctor_name, sent_at, valid_until, state, changed_at, institution_name, target_district from referral cross join generate_series(1, 50) where number = %s",
            (number,),
        )

    page = text(receiver.get(f"{PAGE}?show=in"))

    assert page.count('class="b nm"') == 50
    assert number not in page
    assert number in text(receiver.get(next_page(page)))
    assert number in text(receiver.get(f"{PAGE}?show=in&open={number}"))


def test_strangers_and_those_without_a_part_see_nothing(facility_app, clinic, hospital, stranger, visit):
    document, number = send(clinic, hospital, visit)
    auditor = browser(facility_app, clinic, add_person(facility_app, clinic, "audit_admin"))
    clerk = browser(facility_app, clinic, clinic.clerk)

    for path in (f"?open={document}", f"/{document}/print", f"/visits/{visit}", f"/visits/{visit}/state", f"?show=in&open={number}"):  # fmt: skip
        assert stranger.get(f"{PAGE}{path}").status_code == 404, path
    assert post(stranger, f"{PAGE}/{document}/withdrawal", {"why": "x"}).status_code == 404
    assert post(stranger, f"{PAGE}/visits/{visit}", written(hospital)).status_code == 404
    assert post(stranger, f"{PAGE}/in/{number}/moves", {"act": "close", "said": "x"}).status_code == 404
    assert auditor.get(PAGE).status_code == 403
    assert clerk.get(f"{PAGE}/visits/{visit}").status_code == 403
    assert post(clerk, f"{PAGE}/in/{number}/moves", {"act": "accept"}).status_code == 403


@pytest.mark.parametrize("query", ["?before=x", "?before=_", "?show=in&before=x", "?show=in&open=x", "?show=nonsense", "?show=in&before=0", "/institutions?q=%25%00"])  # fmt: skip
def test_strange_addresses_are_harmless(doctor, query):
    assert doctor.get(PAGE + query).status_code == 200


@pytest.mark.parametrize("path", ["", "?show=in", "/visits/{visit}", "/institutions"])
def test_pages_speak_english(doctor, receiver, clinic, hospital, visit, path):
    send(clinic, hospital, visit)
    who = receiver if path == "?show=in" else doctor
    who.set_cookie("lang", "en")

    page = text(who.get(PAGE + path.format(visit=visit)))

    for chinese in ("转诊", "机构", "接收", "有效", "患者"):
        assert chinese not in page.replace(NAME, "").replace("欧**诊", "").replace(REASON, "")
