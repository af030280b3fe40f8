"""The owner's screen of parameters: what holds, since when and by whom; setting one; history; who may not come in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.organizations import actions, parameters
from app.facility.organizations import parameter_table as table
from launcher import translations
from tests.factories import people

PAGE = "/organizations/parameters"
translations.prepare()  # The English page is looked at too.


@pytest.fixture
def pharmacy(facility_app):
    return people.make_pharmacy(facility_app)


def browser(facility_app, pharmacy, staff_id):
    client = facility_app.test_client()
    people.sign_in(client, pharmacy, staff_id)
    return client


@pytest.fixture
def owner(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.owner)


@pytest.fixture
def inside(facility_app, pharmacy):
    with facility_app.app_context(), pharmacy.acting():
        yield pharmacy


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def change(client, name, value, begins_on=""):
    return people.post(client, PAGE, {"parameter": name, "value": value, "begins_on": begins_on})


def test_all_are_shown_with_what_holds_and_where_it_comes_from(owner):
    page = text(owner.get(f"{PAGE}?parameter=prescription_days"))

    for parameter in table.TABLE:
        assert parameter.title in page
    assert "200.00 元 没有改过 200.00 元" in page
    assert "《处方管理办法》第十八条" in page
    assert "还没有改过" in page


def test_an_unknown_name_opens_the_first(owner):
    assert "上午读的卡，下午不能再用来付钱" in text(owner.get(f"{PAGE}?parameter=nonsense"))


def test_setting_one_shows_it_with_who_and_when(owner, inside):
    answer = change(owner, "match_above", "300")

    assert answer.status_code == 303
    page = text(owner.get(answer.location))
    assert "已保存" in page
    assert re.search(r"超过多少金额须核对人证一致 300\.00 元 \d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? 王店长 200\.00 元", page)
    assert parameters.of(inside.tenant_id).fen("match_above") == 30_000


def test_a_planned_change_stands_beside_what_holds_now(owner, inside):
    day = clock.business_date() + timedelta(days=3)

    change(owner, "match_above", "300", day.isoformat())

    page = text(owner.get(f"{PAGE}?parameter=match_above"))
    assert f"{day:%m-%d} 起 300.00 元" in page
    assert "未到" in page
    assert parameters.of(inside.tenant_id).fen("match_above") == 20_000


@pytest.mark.parametrize(
    ("name", "value", "begins_on", "status", "said"),
    [
        ("identification_valid", "241", "", 422, "应填 5 到 240 之间的数"),
        ("identification_valid", "", "", 422, "请填新的值"),
        ("identification_valid", "20", "2020-01-01", 422, "已经过去的日子不能改"),
        ("identification_valid", "20", "nonsense", 422, "新的值"),
        ("identification_valid", "30", "", 409, "那时的值已经是这样了"),
        ("hold_from", "40", "", 409, "查证件的分数必须始终小于"),
        ("hotline", "打电话", "", 422, "位数字，中间可以有短横"),
        ("no_such_thing", "1", "", 404, ""),
    ],
)
def test_a_refusal_says_why_and_keeps_what_was_typed(owner, inside, name, value, begins_on, status, said):
    answer = change(owner, name, value, begins_on)

    assert answer.status_code == status
    assert said in text(answer)
    if value and status != 404:
        assert f'value="{value}"' in answer.get_data(as_text=True)
    assert parameters.list_changes_now() == []


def test_a_double_click_changes_once(owner, inside):
    first, second = change(owner, "match_above", "300"), change(owner, "match_above", "300")

    assert (first.status_code, second.status_code) == (303, 409)
    assert len(parameters.list_history("match_above")[0]) == 1


def test_a_long_history_has_pages(owner, inside):
    for number in range(parameters.PAGE + 5):
        actions.set_parameter("match_above", str(300 + number), None, inside.owner)

    page = owner.get(f"{PAGE}?parameter=match_above").get_data(as_text=True)
    following = page.partition('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    rest = owner.get(following).get_data(as_text=True)

    assert "320.00 元" in page
    assert "304.00 元" not in page
    assert "304.00 元" in rest
    assert "300.00 元" in rest
    assert 'rel="next"' not in rest


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "²"])
def test_strange_pages_are_harmless(owner, before):
    assert owner.get(PAGE, query_string={"before": before, "parameter": "hotline"}).status_code == 200


def test_the_screen_asks_for_two_lists(owner):
    owner.get(PAGE)
    around = asked_by(owner, "/account")

    assert len(asked_by(owner, PAGE)) - len(around) == 2


def asked_by(client, page):
    with statements() as ran:
        assert client.get(page).status_code == 200
    return [each for each in ran if "session_version = %(version)s" not in each]


@pytest.mark.parametrize("person", ["clerk", "pharmacist", "security_admin", "audit_admin"])
def test_only_the_owner_comes_in(facility_app, inside, person):
    staff = getattr(inside, person, None) or people.add_person(facility_app, inside, person)
    client = browser(facility_app, inside, staff)

    assert client.get(PAGE).status_code == 403
    assert change(client, "match_above", "300").status_code == 403
    assert PAGE not in client.get("/account").get_data(as_text=True)
    assert parameters.list_changes_now() == []


def test_the_owner_finds_the_way_in(owner):
    assert f'href="{PAGE}"' in owner.get("/account").get_data(as_text=True)


def test_a_stranger_sees_and_changes_only_their_own(facility_app, owner, pharmacy):
    change(owner, "hotline", "0574-8718")
    other = people.make_pharmacy(facility_app, name="三号药店")
    stranger = browser(facility_app, other, other.owner)

    assert "0574-8718" not in text(stranger.get(f"{PAGE}?parameter=hotline"))
    assert change(stranger, "hotline", "0571-1111").status_code == 303
    with facility_app.app_context(), pharmacy.acting():
        assert parameters.of(pharmacy.tenant_id).text("hotline") == "0574-8718"
    assert "0571-1111" not in text(owner.get(f"{PAGE}?parameter=hotline"))


def test_in_english(owner):
    owner.set_cookie("lang", "en")
    change(owner, "duty_hours", "12")

    page = text(owner.get(f"{PAGE}?parameter=duty_hours"))

    assert "How long a pharmacist counts as on duty 12 hours" in page
    assert not re.search("[\u4e00-\u9fff]", page.replace("王店长", "").replace("一号药店", "").replace("中文", ""))
