"""A notice of the center: published once, pulled by the institutions, counted; told in the trail."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.center.db import run
from app.core import tenancy
from app.core.hot import statements
from tests.center.supervision.test_recalls import officer, page
from tests.factories import people
from tests.factories.bridge import pull
from tests.factories.city import make_insured_pharmacy

PAGE = "/notices"


@pytest.fixture
def pharmacy(facility_app, center_app):
    return make_insured_pharmacy(facility_app, center_app, name="通知药店")


def sent(**changes):
    return {
        "document": str(uuid4()),
        "level": "warn",
        "title": "系统维护",
        "text": "今晚两点到三点\r\n医保结算暂停。",
        **changes,
    }


def test_a_notice_is_published_once_and_its_reach_is_counted(facility_app, center_app, pharmacy):
    client, form = officer(center_app), sent()
    assert people.post(client, PAGE, form).status_code == 303
    assert people.post(client, PAGE, form).status_code == 303
    assert people.post(client, PAGE, {**form, "title": "别的"}).status_code == 409
    shown = page(client, f"{PAGE}?open={form['document']}")
    assert "系统维护" in shown
    assert "还没收到" in shown

    pull(facility_app, center_app, pharmacy)
    pull(facility_app, center_app, pharmacy)

    with center_app.app_context(), tenancy.acting_as(district="330212"):
        trail = run("select count(*) from audit_trail where act = 'notice.published' and object = :id", id=form["document"])  # fmt: skip
        assert trail.scalar_one() == 1
        told = "select count(*) from notice_sent s join news_head h on h.stream = s.stream where s.notice_id = :id and s.stream = :stream and h.pulled_number >= s.number"
        assert run(told, id=form["document"], stream=pharmacy.code).scalar_one() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"level": "x"},
        {"title": " "},
        {"title": "一" * 61},
        {"text": ""},
        {"text": "一" * 2001},
        {"text": "a\0b"},
        {"document": "x"},
    ],
)
def test_an_incomplete_notice_goes_nowhere(center_app, change):
    answer = people.post(officer(center_app), PAGE, sent(**change))

    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)


def test_who_only_looks_or_belongs_elsewhere_does_nothing(center_app, pharmacy):
    form = sent(title=f"只给鄞州 {uuid4()}"[:60])
    people.post(officer(center_app), PAGE, form)

    assert form["title"] not in page(officer(center_app, district="330282"), f"{PAGE}?open={form['document']}")
    auditor = officer(center_app, role="auditor")
    assert form["title"] in page(auditor, PAGE)
    assert auditor.get(f"{PAGE}/new").status_code == 403
    assert people.post(auditor, PAGE, sent()).status_code == 403


def test_empty_long_and_english(center_app, monkeypatch):
    from app.center.supervision.queries import notices

    client = officer(center_app, district="330281")
    assert "还没有通知" in page(client, PAGE)
    monkeypatch.setattr(notices, "PAGE", 2)
    for number in range(3):
        people.post(client, PAGE, sent(title=f"第{number}条"))
    shown = page(client, PAGE)
    assert "第0条" not in shown
    following = shown.split("before=")[1].split('"')[0].split("&amp;")[0]
    assert "before=" in shown
    assert client.get(f"{PAGE}?before={following}").status_code == 200
    assert client.get(f"{PAGE}?before=nonsense").status_code == 200
    with statements() as ran:
        page(client, PAGE)
    assert len(ran) <= 6, len(ran)
    client.set_cookie("lang", "en")
    assert "Write a notice" in page(client, PAGE)
    assert "no personal data" in page(client, f"{PAGE}/new")
