"""S020-S023 through the door: sent once, read by the two alone, taken on, declined, answered, withdrawn, too old; told as news."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core import clock
from app.core.hot import statements
from app.national import envelope
from tests.center import world
from tests.center.interface.test_races import at_once, sender
from tests.center.interface.test_visit_nonsense import NONSENSE, places, put
from tests.center.referral.slips import CERTNO, NAME, REASON, listed, move, refer, slip


@pytest.fixture
def clinic(center_app):
    return world.make_shop(center_app, kind="clinic")


@pytest.fixture
def hospital(center_app):
    return world.make_shop(center_app, kind="hospital", district="330203")


@pytest.fixture
def other(center_app):
    return world.make_shop(center_app, kind="clinic")


def test_a_referral_is_kept_once_and_says_nothing_in_the_table(clinic, hospital, owner_sql):
    sent = slip(hospital)
    first, again = clinic.ask("S020", sent).output["data"], clinic.ask("S020", sent).output["data"]

    assert first == again
    assert (first["refl_stas"], first["refl_fixmedins_name"]) == ("SENT", "测试药店")
    assert clinic.ask("S020", sent | {"data": sent["data"] | {"refl_rea": "别的"}}).code == "REFERRAL_CHANGED"
    [(row,)] = owner_sql("select r::text from referral r where number = %s", first["refl_no"])
    for secret in (NAME, CERTNO, REASON, REASON.encode().hex(), "13912345678"):
        assert secret not in row


def test_twins_are_kept_once(center_app, clinic, hospital, owner_sql):
    sent = slip(hospital)
    bodies = [clinic.compose("S020", sent) for _ in range(4)]
    answers = at_once(center_app, [sender(center_app, clinic, "S020", body) for body in bodies])

    assert len({envelope.parse_answer(one.data).output["data"]["refl_no"] for one in answers}) == 1
    assert owner_sql("select count(*) from referral where document = %s", sent["data"]["refl_docm_id"]) == [(1,)]


def test_the_receiver_learns_whole_who_it_is_when_it_takes_them_on(clinic, hospital, owner_sql):
    number = refer(clinic, hospital)["refl_no"]
    [row] = listed(hospital, "in")
    assert (row["psn_name"], row["certno"], row["tel"], row["brdy"], row["refl_rea"]) == (
        "欧**诊",
        "",
        "",
        "1980",
        REASON,
    )
    told = move(hospital, number, "accept").output["data"]
    assert move(hospital, number, "accept").output["data"] == told
    assert (told["psn_name"], told["certno"], told["refl_stas"]) == (NAME, CERTNO, "ACCEPTED")
    assert move(hospital, number, "close").code == "REFERRAL_NOT_ACCEPTABLE"
    assert move(hospital, number, "close", "已调整为四药联用，两周后复诊").accepted
    [row] = listed(clinic, "out")
    assert (row["refl_stas"], row["memo"]) == ("CLOSED", "已调整为四药联用，两周后复诊")
    kinds = (
        "select e.kind from referral_event e join referral r on r.id = e.referral_id where r.number = %s order by e.id"
    )
    assert [kind for (kind,) in owner_sql(kinds, number)] == ["SENT", "ACCEPTED", "CLOSED"]


def test_nobody_else_reads_or_moves_it(clinic, hospital, other):
    number = refer(clinic, hospital)["refl_no"]
    assert listed(other, "in") == listed(other, "out") == listed(clinic, "in") == []
    for who, act in ((other, "accept"), (clinic, "accept"), (hospital, "withdraw"), (other, "withdraw")):
        assert move(who, number, act, "x").code == "UNKNOWN_REFERRAL"
    assert move(hospital, "Z0", "accept").code == "UNKNOWN_REFERRAL"


def test_a_withdrawn_one_is_gone_for_the_receiver_and_a_declined_one_says_why(clinic, hospital):
    withdrawn, declined = refer(clinic, hospital)["refl_no"], refer(clinic, hospital)["refl_no"]
    assert move(clinic, withdrawn, "withdraw", "患者不去了").accepted
    assert move(hospital, withdrawn, "accept").code == "REFERRAL_MOVED_ON"
    assert move(hospital, declined, "decline").code == "REFERRAL_NOT_ACCEPTABLE"
    assert move(hospital, declined, "decline", "没有床位").accepted
    assert move(clinic, declined, "withdraw", "x").code == "REFERRAL_MOVED_ON"
    assert [(row["refl_no"], row["psn_name"]) for row in listed(hospital, "in")] == [(declined, "欧**诊")]


def test_what_nobody_took_in_time_is_expired(clinic, hospital, owner_sql):
    number = refer(clinic, hospital)["refl_no"]
    owner_sql(
        "update referral set valid_until = %s where number = %s returning id",
        clock.business_date() - timedelta(days=1),
        number,
    )
    assert listed(hospital, "in")[0]["refl_stas"] == "EXPIRED"
    assert move(hospital, number, "accept").code == "REFERRAL_MOVED_ON"


def test_it_is_refused_what_cannot_be_a_referral(center_app, clinic, hospital):
    pharmacy = world.make_shop(center_app)
    over = world.make_shop(center_app, kind="clinic", agreement_until=clock.business_date() - timedelta(days=1))
    wrong = [slip(clinic), slip(pharmacy), slip(over), slip(hospital, refl_fixmedins_code="H33021299999"), slip(hospital, days=31), slip(hospital, days=-1), slip(hospital, refl_rea=" "), slip(hospital) | {"diseinfo": []}]  # fmt: skip
    for sent in wrong:
        answer = clinic.ask("S020", sent)
        assert not answer.accepted, sent
    assert clinic.ask("S020", wrong[0]).code == "REFERRAL_NOT_ACCEPTABLE"


def test_pages_follow_each_other_with_one_statement_each(clinic, hospital):
    numbers = [refer(clinic, hospital) for _turn in range(3)]
    with statements() as ran:
        rows = listed(hospital, "in", before_sn=numbers[2]["refl_sn"])
    assert [row["refl_no"] for row in rows] == [numbers[1]["refl_no"], numbers[0]["refl_no"]]
    assert len([one for one in ran if "referral" in one]) == 1


def test_each_step_is_told_to_the_other_without_a_name(clinic, hospital, owner_sql):
    number = refer(clinic, hospital)["refl_no"]
    for _again in range(2):
        move(hospital, number, "accept")
    move(hospital, number, "close", "已调整用药")
    withdrawn = refer(clinic, hospital)["refl_no"]
    move(clinic, withdrawn, "withdraw", "不去了")

    def news(institution):
        bodies = owner_sql(
            "select body from news where stream = %s and kind = 'referral.moved' order by number", institution.code
        )
        return [json.loads(bytes(body)) for (body,) in bodies]

    coming, answered = news(hospital), news(clinic)
    assert [(one["referral"], one["state"]) for one in coming] == [(number, "SENT"), (withdrawn, "SENT"), (withdrawn, "WITHDRAWN")]  # fmt: skip
    assert [(one["referral"], one["state"]) for one in answered] == [(number, "ACCEPTED"), (number, "CLOSED")]
    assert {one["direction"] for one in coming} == {"in"}
    assert {one["direction"] for one in answered} == {"out"}
    assert not any(secret in str(coming + answered) for secret in (NAME, CERTNO, REASON, "已调整用药"))


def test_a_clinic_finds_whom_it_may_send_somebody_to(center_app, clinic):
    mark = f"城东{secrets.token_hex(3)}"  # Other tests of the same run have hospitals too.
    near = world.make_shop(center_app, kind="hospital", name=f"{mark}中心医院")
    far = world.make_shop(center_app, kind="hospital", name=f"{mark}第二医院", district="330203")
    world.make_shop(center_app, name=f"{mark}大药房")
    world.make_shop(center_app, kind="clinic", name=f"{mark}旧诊所", agreement_until=clock.business_date() - timedelta(days=1))  # fmt: skip

    def find(asked):
        answer = clinic.ask("S023", {"data": {"fixmedins_name": asked}})
        assert answer.accepted, answer.message
        return [(row["fixmedins_code"], row["same_admdvs_flag"]) for row in answer.output["result"]]

    assert find(mark.upper()) == [(near.code, "1"), (far.code, "0")]
    assert find(far.code.lower()) == [(far.code, "0")]
    assert clinic.code not in {code for code, _near in find("")}
    assert len(find("")) <= 20
    assert find("%") == []


@pytest.fixture(scope="module")
def asking(center_app):
    clinic, hospital = world.make_shop(center_app, kind="clinic"), world.make_shop(center_app, kind="hospital")
    return {
        "S020": (clinic, slip(hospital, refl_docm_id=str(uuid4()))), "S021": (clinic, {"data": {"drct": "in", "before_sn": "9"}}),
        "S022": (hospital, {"data": {"refl_no": "Z1", "act": "close", "memo": "x"}}), "S023": (clinic, {"data": {"fixmedins_name": "医院"}}),
    }  # fmt: skip


@pytest.mark.parametrize("infno", ["S020", "S021", "S022", "S023"])
@settings(max_examples=40, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nonsense_in_any_place_is_answered(asking, infno, data):
    who, good = asking[infno]
    path = data.draw(st.sampled_from([path for path in places(good) if path]))
    response = who.send(infno, who.compose(infno, put(good, path, data.draw(NONSENSE))))

    assert response.status_code == 200, (path, response.get_data(as_text=True))
    answer = envelope.parse_answer(response.data)
    assert answer.accepted or answer.message
