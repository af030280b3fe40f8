"""The officer's page: where each referral stands, which are late, what happened; never why somebody is sent on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.hot import statements
from tests.center import world
from tests.center.referral.slips import CERTNO, NAME, REASON, move, refer
from tests.factories.people import center_client, make_officer, sign_in_officer

PAGE = "/referrals"


@pytest.fixture
def clinic(center_app):
    return world.make_shop(center_app, kind="clinic")


@pytest.fixture
def hospital(center_app):
    return world.make_shop(center_app, kind="hospital", district="330203")


@pytest.fixture
def officer(center_app):
    def enter(role="officer", district="330212"):
        client = center_client(center_app)
        sign_in_officer(client, make_officer(center_app, role, district))
        return client

    return enter


def text(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def test_it_shows_the_way_and_not_the_reason(officer, clinic, hospital):
    told = refer(clinic, hospital)
    move(hospital, told["refl_no"], "accept")
    move(hospital, told["refl_no"], "close", "已调整用药")

    page = text(officer(), f"{PAGE}?institution={clinic.code}")

    for shown in (told["refl_no"], "欧**诊", "已接收", "已回复", "急转", "江海明"):
        assert shown in page
    for secret in (NAME, CERTNO, REASON, "四药", "转诊高血压", "已调整用药"):
        assert secret not in page


def test_what_nobody_took_or_answered_in_time_is_late(officer, clinic, hospital, owner_sql):
    expired, open_ended, fresh = (refer(clinic, hospital)["refl_no"] for _turn in range(3))
    move(hospital, open_ended, "accept")
    yesterday = clock.business_date() - timedelta(days=1)
    owner_sql("update referral set valid_until = %s where number = any(%s) returning id", yesterday, [expired, open_ended])  # fmt: skip

    page = text(officer(), f"{PAGE}?institution={clinic.code}&state=LATE")

    assert expired in page
    assert open_ended in page
    assert fresh not in page
    assert "还没有回复" in page


def test_another_districts_are_not_there(officer, clinic, hospital):
    told = refer(clinic, hospital)
    page = text(officer(), f"{PAGE}?institution={clinic.code}")
    address = page.split(f"{PAGE}?open=")[1].split("&")[0]
    stranger = officer(district="330282")

    assert told["refl_no"] not in text(stranger, PAGE)
    assert stranger.get(f"{PAGE}?open={address}").status_code == 404


def test_officers_of_the_receivers_district_see_what_was_sent_to_it(officer, clinic, hospital):
    told = refer(clinic, hospital)
    move(hospital, told["refl_no"], "accept")

    page = text(officer(district="330203"), f"{PAGE}?institution={clinic.code}")

    for shown in (told["refl_no"], "欧**诊", "江海明", "已接收"):
        assert shown in page
    assert page.count(told["refl_no"]) == text(officer(), f"{PAGE}?institution={clinic.code}").count(told["refl_no"])
    assert REASON not in page


def test_who_is_no_officer_of_these_is_refused(center_app, officer):
    assert officer("audit_admin").get(PAGE).status_code == 403
    assert center_app.test_client().get(PAGE).status_code in {302, 303, 401}


def test_pages_and_few_statements(officer, clinic, hospital):
    first = refer(clinic, hospital)["refl_no"]
    many = [refer(clinic, hospital)["refl_no"] for _turn in range(50)]
    client = officer()
    text(client, PAGE)

    with statements() as ran:
        page = text(client, f"{PAGE}?institution={clinic.code}")

    assert many[-1] in page
    assert first not in page
    assert len([one for one in ran if "referral" in one]) == 3
    following = page.split("before=")[1].split('"')[0].split("&")[0]
    assert first in text(client, f"{PAGE}?institution={clinic.code}&before={following}")
    assert "没有更多转诊单了" in text(client, f"{PAGE}?institution={clinic.code}&before=1")
    assert "没有这样的转诊单" in text(client, f"{PAGE}?institution={clinic.code}&state=DECLINED")
    assert "这段时间没有转诊" in text(client, f"{PAGE}?since=2020-01-01&until=2020-01-02")


@pytest.mark.parametrize(
    "query",
    ["?state=x", "?since=x&until=9999-12-31", "?before=x", "?open=x", "?institution=%25%00", "?until=2020-01-01"],
)
def test_strange_addresses_are_harmless(officer, query):
    assert officer().get(PAGE + query).status_code == 200


def test_it_speaks_english(officer, clinic, hospital):
    refer(clinic, hospital)
    client = officer()
    client.set_cookie("lang", "en")

    page = text(client, f"{PAGE}?institution={clinic.code}")

    for chinese in ("转诊", "机构", "接收", "有效"):
        assert chinese not in page.replace("欧**诊", "")
