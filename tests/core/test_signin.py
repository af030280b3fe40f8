"""The door of the facility wing, driven through its pages."""

from __future__ import annotations

import pytest
from flask import Blueprint

from app.core import accounts, door, passwords, signin, tenancy
from app.core.hot import statements
from tests.core.conftest import WRONG, add_newcomer, is_in, knock, later, number_of
from tests.factories import people

# ---- coming in -----------------------------------------------------------------------------------------------------


def test_owner_signs_in_by_name_and_by_number(client, pharmacy):
    assert knock(client, pharmacy.code, "王店长", people.PASSWORD).status_code == 303
    assert is_in(client)

    people.post(client, "/signout")

    assert not is_in(client)
    assert knock(client, f" {pharmacy.code.lower()} ", "００１", people.PASSWORD).status_code == 303
    assert is_in(client)


def test_the_three_wrong_things_get_one_answer_and_the_same_work(client, pharmacy, somebody, facility_app, monkeypatch):
    number, pages, costs, hashed = number_of(facility_app, pharmacy, somebody), [], [], []
    hasher = passwords._made((1, 8, 1))
    monkeypatch.setattr(
        type(hasher), "verify", lambda self, h, p, real=type(hasher).verify: hashed.append(1) or real(self, h, p)
    )
    attempts = [
        ("NOSUCHCODE99", number, people.PASSWORD),
        (pharmacy.code, "没有这个人", people.PASSWORD),
        (pharmacy.code, number, "wrong wrong 1"),
    ]

    for code, name, password in attempts:
        people.form_token(client, "/signin")
        with statements() as ran:
            page = knock(client, code, name, password)
        assert page.status_code == 422
        assert WRONG in page.get_data(as_text=True)
        pages.append(page.get_data(as_text=True).count("state stop"))
        costs.append(len(ran))

    assert len(hashed) == 3
    assert len(set(pages)) == 1
    assert len(set(costs)) == 1


def test_two_people_of_one_name_use_their_numbers(client, facility_app, pharmacy):
    first = people.add_person(facility_app, pharmacy, "clerk", name="双胞胎")
    people.add_person(facility_app, pharmacy, "clerk", name="双胞胎")

    assert WRONG in knock(client, pharmacy.code, "双胞胎", people.PASSWORD).get_data(as_text=True)
    assert knock(client, pharmacy.code, number_of(facility_app, pharmacy, first), people.PASSWORD).status_code == 303


def test_a_code_shows_the_public_name_and_district_and_no_more(client, pharmacy):
    assert "一号药店 · 鄞州区" in client.get(f"/signin/code?code={pharmacy.code}").get_data(as_text=True)
    unknown = client.get("/signin/code?code=P33021299999").get_data(as_text=True)
    assert "药店" not in unknown
    assert "没有查到" in unknown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 5000,
        "\x00",
        "'; drop table staff; --",
        "/",
        "张/三",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_strange_words_get_a_sentence(client, text):
    page = knock(client, text, text, text)

    assert page.status_code == 422


def test_a_form_without_its_token_changes_nothing(client, pharmacy):
    page = client.post("/signin", data={"code": pharmacy.code, "name": "001", "password": people.PASSWORD})

    assert page.status_code == 400
    assert not is_in(client)


def test_the_cookie_is_kept_from_scripts_and_other_sites(client, pharmacy):
    answer = knock(client, pharmacy.code, "001", people.PASSWORD)

    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if each.startswith("sunmed_facility="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_old_session_content_does_not_survive_signing_in(client, pharmacy):
    with client.session_transaction() as kept:
        kept["planted"] = "before"

    knock(client, pharmacy.code, "001", people.PASSWORD)

    with client.session_transaction() as kept:
        assert "planted" not in kept


@pytest.mark.parametrize(
    "target", ["//evil.example/x", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(client, pharmacy, target):
    answer = knock(client, pharmacy.code, "001", people.PASSWORD, address=f"/signin?next={target}")

    assert answer.location == "/"


def test_after_signing_in_one_is_where_one_wanted_to_be(client, pharmacy):
    sent = client.get("/organizations/staff?q=1")

    assert sent.location.endswith("next=/organizations/staff?q%3D1") or "next=" in sent.location
    answer = knock(client, pharmacy.code, "001", people.PASSWORD, address=sent.location)
    assert answer.location == "/organizations/staff?q=1"


# ---- locks ---------------------------------------------------------------------------------------------------------


def test_five_failures_lock_for_fifteen_minutes(client, facility_app, pharmacy, somebody):
    number = number_of(facility_app, pharmacy, somebody)

    for _ in range(5):
        assert knock(client, pharmacy.code, number, "wrong wrong 1").status_code == 422

    locked = knock(client, pharmacy.code, number, people.PASSWORD)
    assert locked.status_code == 429
    assert "15 分钟" in locked.get_data(as_text=True)
    with later(minutes=14):
        assert knock(client, pharmacy.code, number, people.PASSWORD).status_code == 429
    with later(minutes=16):
        assert knock(client, pharmacy.code, number, people.PASSWORD).status_code == 303


def test_an_account_that_does_not_exist_locks_the_same_way(client, pharmacy):
    answers = [knock(client, pharmacy.code, "无此人员甲", "wrong wrong 1").status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


def test_name_and_number_share_one_count(client, facility_app, pharmacy):
    staff_id = people.add_person(facility_app, pharmacy, "clerk", name="共用计数")
    number = number_of(facility_app, pharmacy, staff_id)

    answers = [knock(client, pharmacy.code, name, "wrong wrong 1").status_code for name in ("共用计数", number) * 3]

    assert answers == [422] * 5 + [429]


def test_coming_in_forgets_the_failures(client, facility_app, pharmacy, somebody):
    number = number_of(facility_app, pharmacy, somebody)
    for _ in range(2):
        for _ in range(4):
            knock(client, pharmacy.code, number, "wrong wrong 1")
        assert knock(client, pharmacy.code, number, people.PASSWORD).status_code == 303
        people.post(client, "/signout")


def test_an_address_is_locked_after_sixty(facility_app):
    store = facility_app.extensions["keeper"].accounts
    with facility_app.app_context():
        refused = [
            store.strike(f"nobody {turn}".encode(), b"one address") for turn in range(accounts.ADDRESS_LOCK_AFTER + 1)
        ]

    assert refused[:-1] == [None] * accounts.ADDRESS_LOCK_AFTER
    assert refused[-1] is not None


# ---- first change, demo, age of passwords --------------------------------------------------------------------------


def test_a_one_time_password_must_be_changed_before_anything_else(client, facility_app, pharmacy):
    number, added = add_newcomer(facility_app, pharmacy)

    assert knock(client, pharmacy.code, number, added.password).location == "/signin/change"
    assert client.get("/account").location == "/signin/change"
    token = people.form_token(client, "/signin/change")
    for chosen, sentence in (
        ("short1", "长度"),
        ("abcdefghijkl", "一类"),
        (f"{number}-2026-x", "工号"),
        (added.password, "相同"),
    ):
        page = client.post("/signin/change", data={"csrf_token": token, "chosen": chosen, "again": chosen})
        assert page.status_code == 422
        assert sentence in page.get_data(as_text=True)
    done = client.post("/signin/change", data={"csrf_token": token, "chosen": "brand new 77", "again": "brand new 77"})
    assert done.status_code == 303
    assert is_in(client)
    people.post(client, "/signout")
    assert WRONG in knock(client, pharmacy.code, number, added.password).get_data(as_text=True)
    assert knock(client, pharmacy.code, number, "brand new 77").status_code == 303


def test_after_ninety_days_the_password_is_changed(client, pharmacy):
    with later(days=91):
        assert knock(client, pharmacy.code, "001", people.PASSWORD).location == "/signin/change"


def test_a_demo_account_comes_in_on_a_demo_site_only(client, facility_app, pharmacy, monkeypatch):
    number, _ = add_newcomer(facility_app, pharmacy, password="demo demo 1", demo=True)

    assert knock(client, pharmacy.code, number, "demo demo 1").status_code == 303
    assert is_in(client)
    refused = people.post(
        client, "/account/password", {"present": "demo demo 1", "chosen": "brand new 77", "again": "brand new 77"}
    )
    assert "演示账号" in refused.get_data(as_text=True)
    people.post(client, "/signout")
    monkeypatch.setitem(facility_app.config, "DEMO", False)
    assert WRONG in knock(client, pharmacy.code, number, "demo demo 1").get_data(as_text=True)


# ---- whose data ----------------------------------------------------------------------------------------------------


def test_the_scope_outside_comes_back_after_a_request_inside(center_app, pharmacy):
    with tenancy.as_tenant(pharmacy.tenant_id):
        people.center_client(center_app).get("/signin")

        assert tenancy.scope() == (("app.tenant_id", str(pharmacy.tenant_id)),)


def test_a_view_without_a_mark_is_closed(facility_app):
    unmarked = [
        rule.endpoint
        for rule in facility_app.url_map.iter_rules()
        if rule.endpoint.startswith(("door.", "account.", "shell.", "organizations."))
        and not hasattr(facility_app.view_functions[rule.endpoint], "needs_roles")
        and not getattr(facility_app.view_functions[rule.endpoint], "is_public", False)
    ]

    assert unmarked == []


def test_machines_have_no_session():
    blueprint = Blueprint("robots", __name__)

    signin.machines_only(blueprint)

    assert blueprint.is_for_machines


def test_every_step_of_the_door_has_a_page(facility_app):
    assert {"door.second", "door.enrol", "door.change"} <= set(facility_app.view_functions)
    assert door.blueprint.name == "door"
