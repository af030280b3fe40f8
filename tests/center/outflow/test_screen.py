"""The officer's page: where each prescription stands and what happened to it; never what it says."""

from __future__ import annotations

import pytest

from app.core.hot import statements
from tests.center.outflow.papers import CERTNO, DIAGNOSIS, NAME, issue, lock
from tests.factories.people import center_client, make_officer, sign_in_officer

PAGE = "/prescriptions"


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


def test_it_shows_who_and_where_and_not_what(officer, clinic, shop):
    told = issue(clinic)
    lock(shop, told["rx_trace_code"])

    page = text(officer(), f"{PAGE}?institution={clinic.code}")

    assert told["rx_no"] in page
    assert "药店配药中" in page
    assert "药店接方" in page
    assert "欧**配" in page
    for secret in (NAME, CERTNO, DIAGNOSIS, "氨氯地平片", told["rx_trace_code"]):
        assert secret not in page


def test_a_pharmacy_of_another_district_is_named_by_its_code(officer, clinic, other_shop):
    told = issue(clinic)
    lock(other_shop, told["rx_trace_code"])

    page = text(officer(), f"{PAGE}?institution={clinic.code}")

    assert "药店接方" in page
    assert page.count(other_shop.code) >= 2, "in the list and among what happened"


def test_another_districts_are_not_there(officer, clinic):
    told = issue(clinic)
    stranger = officer(district="330282")
    page = text(officer(), f"{PAGE}?institution={clinic.code}")
    address = page.split(f"{PAGE}?open=")[1].split("&")[0]

    assert told["rx_no"] not in text(stranger, PAGE)
    assert stranger.get(f"{PAGE}?open={address}").status_code == 404


def test_who_is_no_officer_of_these_is_refused(center_app, officer):
    assert officer("audit_admin").get(PAGE).status_code == 403
    assert center_app.test_client().get(PAGE).status_code in {302, 303, 401}


def test_filters_and_pages(officer, clinic, shop):
    first = issue(clinic)
    many = [issue(clinic)["rx_no"] for _ in range(51)]
    lock(shop, first["rx_trace_code"])
    client = officer()

    page = text(client, f"{PAGE}?institution={clinic.code}")
    with statements() as ran:
        text(client, f"{PAGE}?institution={clinic.code}")

    assert many[-1] in page
    assert first["rx_no"] not in page
    assert len([one for one in ran if "eprescription" in one]) == 3
    link = page.split("before=")[1].split('"')[0]
    assert first["rx_no"] in text(client, f"{PAGE}?institution={clinic.code}&before={link.split('&')[0]}")
    locked = text(client, f"{PAGE}?institution={clinic.code}&state=LOCKED")
    assert first["rx_no"] in locked
    assert many[-1] not in locked
    assert "没有这样的外配处方" in text(client, f"{PAGE}?institution={clinic.code}&state=VOID")


@pytest.mark.parametrize(
    "query",
    ["?state=x", "?since=x&until=9999-99-99", "?before=x", "?open=x", "?institution=%25%00", "?until=2020-01-01"],
)
def test_strange_addresses_are_harmless(officer, query):
    assert officer().get(PAGE + query).status_code == 200


def test_it_speaks_english(officer, clinic):
    issue(clinic)
    client = officer()
    client.set_cookie("lang", "en")

    page = text(client, f"{PAGE}?institution={clinic.code}")

    for chinese in ("外配", "处方", "药店", "审方"):
        assert chinese not in page.replace("测试药店", "")
