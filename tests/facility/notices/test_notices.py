"""The page of news: empty, filled, what was not carried out, long, in English, closed to strangers."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility import news
from app.facility.notices import queries
from tests.facility.stock.recalls.world import an_issue
from tests.facility.test_news import Refused
from tests.factories.bridge import a_notice, a_view, pull, tell
from tests.factories.city import make_insured_pharmacy
from tests.factories.people import add_person, browser

PAGE = "/notices"


@pytest.fixture
def pharmacy(facility_app, center_app):
    return make_insured_pharmacy(facility_app, center_app)


def page(client, address=PAGE):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_before_anything_was_told_the_page_says_what_it_is_for(clerk):
    assert "还没有消息" in page(clerk)
    assert "都执行了" in page(clerk, f"{PAGE}?show=aside")


def test_notices_and_recalls_stand_newest_first(facility_app, center_app, clerk, pharmacy):
    issue = an_issue("XA404", ["NN1", "NN2"])
    tell(center_app, [pharmacy.code], "notice.published", a_notice(title="系统维护", level="warn"))
    tell(center_app, [pharmacy.code], "recall.issued", issue)
    closed = {
        "recall": issue["recall"],
        "number": issue["number"],
        "closed_at": issue["issued_at"],
        "summary": "复检合格",
    }
    tell(center_app, [pharmacy.code], "recall.closed", closed)

    pull(facility_app, center_app, pharmacy)

    shown = page(clerk)
    assert shown.index("复检合格") < shown.index("批号 NN1、NN2") < shown.index("今晚两点维护。")
    assert "重要通知" in shown
    assert f"/stock/recalls/{issue['recall']}" in shown
    assert "都执行了" in page(clerk, f"{PAGE}?show=aside")


def test_a_look_at_this_facilitys_records_is_told_with_who_and_which(facility_app, center_app, clerk, pharmacy):
    tell(center_app, [pharmacy.code], "record.viewed", a_view())

    pull(facility_app, center_app, pharmacy)

    shown = page(clerk)
    assert "江东诊所 调阅了本机构的记录" in shown
    assert "就诊 2 次，药品 3 项" in shown
    assert "33021220261122000004 …" in " ".join(shown.replace("</span>", "").split())
    assert "33021220261122000005" not in shown


def test_what_was_not_carried_out_stands_there_with_its_reason(facility_app, center_app, clerk, pharmacy, monkeypatch):
    def refuse(*_):
        raise Refused

    monkeypatch.setitem(news.HANDLERS, "recall.issued", refuse)
    tell(center_app, [pharmacy.code], "recall.issued", an_issue("XA405", ["NA1"]))
    tell(center_app, [pharmacy.code], "notice.published", a_notice(title="后面的通知"))

    pull(facility_app, center_app, pharmacy)

    assert "后面的通知" in page(clerk)
    shown = page(clerk, f"{PAGE}?show=aside")
    assert "后面的通知" not in shown
    assert "这条消息不能处理" in shown
    assert "请先人工下架" in shown


def test_a_long_list_comes_a_page_at_a_time(facility_app, center_app, clerk, pharmacy, monkeypatch):
    monkeypatch.setattr(queries, "PAGE", 2)
    for number in range(5):
        tell(center_app, [pharmacy.code], "notice.published", a_notice(title=f"第{number}条"))
    pull(facility_app, center_app, pharmacy)

    seen, address = [], PAGE
    while address:
        shown = page(clerk, address)
        seen += [number for number in (4, 3, 2, 1, 0) if f"第{number}条" in shown]
        address = shown.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in shown else ""
        address = address.replace("&amp;", "&")

    assert seen == [4, 3, 2, 1, 0]
    assert clerk.get(f"{PAGE}?before=nonsense").status_code == 200
    assert clerk.get(f"{PAGE}?before=2026-11-22T00:00:00_9").status_code == 200


def test_english_speaks_english(facility_app, center_app, clerk, pharmacy):
    tell(center_app, [pharmacy.code], "notice.published", a_notice())
    pull(facility_app, center_app, pharmacy)
    clerk.set_cookie("lang", "en")

    assert "Recalls, notices, referrals and looks at records from the center" in page(clerk)


def test_a_stranger_sees_only_their_own(facility_app, center_app, pharmacy):
    tell(center_app, [pharmacy.code], "notice.published", a_notice(title="只给一家"))
    pull(facility_app, center_app, pharmacy)
    stranger = make_insured_pharmacy(facility_app, center_app, name="三号药店")
    auditor = add_person(facility_app, stranger, "audit_admin", name="查某某")
    stranger.numbers[auditor] = "009"

    assert "只给一家" not in page(browser(facility_app, stranger, stranger.owner))
    assert browser(facility_app, stranger, auditor).get(PAGE).status_code == 403


def test_the_list_asks_few_questions(facility_app, center_app, clerk, pharmacy):
    for _ in range(5):
        tell(center_app, [pharmacy.code], "notice.published", a_notice(notice=str(uuid4())))
    pull(facility_app, center_app, pharmacy)
    page(clerk)

    with statements() as ran:
        page(clerk)
    assert len(ran) <= 8, len(ran)
