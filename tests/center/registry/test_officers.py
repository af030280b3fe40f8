"""The center's people: who manages whom, and what nobody can."""

from __future__ import annotations

import re
from datetime import timedelta

import psycopg
import pytest

from app.center.registry import officer_actions as actions
from app.center.registry import officer_queries as queries
from app.center.registry.officer_errors import (
    LastAdministrator,
    NotYourself,
    OfficerNumberTaken,
    OutsideDistrict,
    SecurityResets,
)
from app.core import clock, tenancy, totp
from app.core.errors import NotFound, WrongInput
from app.core.hot import statements
from launcher.databases import connect
from tests.factories import people

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def administrator(center_app):
    return people.make_officer(center_app, "administrator", name="郑管理")


@pytest.fixture
def officer(center_app):
    return people.make_officer(center_app, totp_secret=SECRET)


@pytest.fixture
def client(center_app, administrator):
    made = people.center_client(center_app)
    people.sign_in_officer(made, administrator)
    return made


@pytest.fixture
def visitor(center_app):
    return people.center_client(center_app)


@pytest.fixture
def inside(center_app):
    with center_app.app_context(), tenancy.acting_as(district="3302"):
        yield


def is_in(client):
    return client.get("/account").status_code == 200


def knock(client, officer, password=people.PASSWORD, code="330200"):
    token = people.form_token(client, "/signin")
    return client.post(
        "/signin", data={"csrf_token": token, "code": code, "name": officer.number, "password": password}
    )


def give_code(client, code, step="second"):
    token = people.form_token(client, f"/signin/{step}")
    return client.post(f"/signin/{step}", data={"csrf_token": token, "code": code})


def later(**delta):
    return clock.at_moment(clock.now() + timedelta(**delta))


# ---- the door ------------------------------------------------------------------------------------------------------


def test_an_officer_needs_password_and_code(visitor, officer):
    assert knock(visitor, officer).location == "/center/signin/second"
    assert not is_in(visitor)

    assert give_code(visitor, totp.code_at(SECRET, clock.now())).location == "/center/"

    assert is_in(visitor)


def test_a_code_is_good_once(center_app, visitor, officer):
    code = totp.code_at(SECRET, clock.now())
    knock(visitor, officer)
    give_code(visitor, code)
    second = people.center_client(center_app)
    knock(second, officer)

    assert give_code(second, code).status_code == 422
    assert not is_in(second)


def test_without_a_second_factor_the_first_sign_in_sets_it_up(center_app, visitor):
    with center_app.app_context(), tenancy.acting_as(district="3302"):
        number = f"e{people._letters(7)}"
        added = actions.add_officer(actions.NewOfficer("3302", number, "新来的", "auditor"))
    newcomer = people.Officer(added.officer_id, "3302", "auditor", "新来的", number, added.password)

    assert knock(visitor, newcomer, added.password).location == "/center/signin/enrol"
    assert not is_in(visitor)
    page = visitor.get("/signin/enrol").get_data(as_text=True)
    secret = page.partition('secret">')[2].partition("</code>")[0].replace(" ", "")
    assert give_code(visitor, "000000", "enrol").status_code == 422
    assert give_code(visitor, totp.code_at(secret, clock.now()), "enrol").location == "/center/signin/change"
    token = people.form_token(visitor, "/signin/change")
    visitor.post("/signin/change", data={"csrf_token": token, "chosen": "brand new 77", "again": "brand new 77"})
    assert is_in(visitor)


def test_the_second_factor_cannot_be_given_up(visitor, center_app):
    person = people.make_officer(center_app, totp_secret=SECRET)
    people.sign_in_officer(visitor, person)

    page = people.post(visitor, "/account/second-factor/end", {"password": people.PASSWORD})

    assert page.status_code == 409
    assert "不能停用" in page.get_data(as_text=True)


def test_fifteen_idle_minutes_end_a_session(visitor, officer):
    people.sign_in_officer(visitor, officer)

    with later(minutes=14):
        assert is_in(visitor)
    with later(minutes=28):
        assert is_in(visitor)
    with later(minutes=44):
        assert not is_in(visitor)


def test_a_person_is_found_under_the_own_district_only(visitor, officer):
    assert knock(visitor, officer, code="330212").status_code == 422
    assert knock(visitor, officer, code="3302").status_code == 303


def test_five_failures_lock(visitor, officer):
    answers = [knock(visitor, officer, "wrong wrong 1").status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


def test_the_two_wings_do_not_sign_each_other_out(facility_app, center_app, officer):
    shop = people.make_pharmacy(facility_app)
    browser = facility_app.test_client()
    people.sign_in(browser, shop, shop.clerk)
    at_center = people.center_client(center_app)
    people.sign_in_officer(at_center, officer)

    people.post(at_center, "/signout")

    assert not is_in(at_center)
    assert browser.get("/account").status_code == 200
    assert {browser.get_cookie("sunmed_facility").key} == {"sunmed_facility"}


# ---- screens -------------------------------------------------------------------------------------------------------


def test_pages_open(client, administrator, officer):
    for page in ("/registry/officers", "/registry/officers/new", f"/registry/officers/{officer.id}", "/account"):
        assert client.get(page).status_code == 200, page


@pytest.mark.parametrize("role", ["officer", "auditor", "audit_admin"])
def test_others_are_told_no(center_app, visitor, role, officer):
    people.sign_in_officer(visitor, people.make_officer(center_app, role))

    assert visitor.get("/registry/officers").status_code == 403
    assert visitor.get("/registry/officers/new").status_code == 403
    assert people.post(visitor, f"/registry/officers/{officer.id}/disablings").status_code == 403


def test_another_district_answers_404(center_app, visitor, officer):
    people.sign_in_officer(visitor, people.make_officer(center_app, "administrator", "3301"))
    here = f"/registry/officers/{officer.id}"

    assert visitor.get(here).status_code == 404
    for act in ("disablings", "enablings", "password-resets", "second-factor-resets", "unlockings"):
        assert people.post(visitor, f"{here}/{act}").status_code == 404, act
    form = {"name": "甲", "role": "officer", "district": "3301"}
    assert people.post(visitor, f"{here}/assignments", form).status_code == 404
    assert (
        officer.number
        not in visitor.get(f"/registry/officers?q={officer.number}").get_data(as_text=True).partition("<table")[2]
    )


def test_the_list_takes_two_statements(client):
    around, asked = asked_by(client, "/account"), asked_by(client, "/registry/officers")

    assert len(asked) - len(around) == 2


def asked_by(client, page):
    with statements() as ran:
        assert client.get(page).status_code == 200
    return [each for each in ran if "session_version = %(version)s" not in each]


def test_a_new_person_gets_a_password_shown_once(client):
    number = f"f{people._letters(7)}"

    page = people.post(
        client, "/registry/officers/new", {"name": "冯新", "number": number, "role": "officer", "district": "330212"}
    )

    assert re.search(r"<code[^>]*>[a-z0-9-]{14}</code>", page.get_data(as_text=True))
    assert number in client.get(f"/registry/officers?q={number}").get_data(as_text=True)


@pytest.mark.parametrize(
    "bad",
    [{"district": "33021"}, {"district": "3301"}, {"district": "%"}, {"role": "king"}, {"name": ""}, {"number": "a/b"}],
)
def test_bad_input_is_refused(client, bad):
    form = {"name": "冯新", "number": f"f{people._letters(7)}", "role": "officer", "district": "3302"}

    assert people.post(client, "/registry/officers/new", {**form, **bad}).status_code in {409, 422}


def test_disabled_is_out_at_once(client, visitor, officer):
    people.sign_in_officer(visitor, officer)
    assert is_in(visitor)

    people.post(client, f"/registry/officers/{officer.id}/disablings")

    assert not is_in(visitor)


def test_another_role_or_district_ends_the_session(client, visitor, officer):
    people.sign_in_officer(visitor, officer)

    form = {"name": officer.name, "role": "auditor", "district": "330212"}
    assert people.post(client, f"/registry/officers/{officer.id}/assignments", form).status_code == 303

    assert not is_in(visitor)


# ---- powers apart --------------------------------------------------------------------------------------------------


def test_nobody_manages_themselves(inside, administrator):
    with pytest.raises(NotYourself):
        actions.disable_officer(administrator.id, administrator.id)


def test_the_last_administrator_of_a_district_stays(center_app):
    only = people.make_officer(center_app, "administrator", "3311")
    security = people.make_officer(center_app, "security_admin", "3311")
    with center_app.app_context(), tenancy.acting_as(district="3311"):
        with pytest.raises(LastAdministrator):
            actions.disable_officer(only.id, security.id)
        with pytest.raises(LastAdministrator):
            actions.reassign_officer(only.id, "甲", "officer", "3311", security.id)
        assert queries.get_officer(only.id).disabled_at is None


def test_an_administrator_cannot_take_over_the_others(center_app, inside, administrator):
    for role in ("security_admin", "audit_admin"):
        other = people.make_officer(center_app, role)
        with pytest.raises(SecurityResets):
            actions.reset_password(other.id, administrator.id, by_administrator=True)
        with pytest.raises(SecurityResets):
            actions.reset_second_factor(other.id, administrator.id, by_administrator=True)


def test_refusals(inside, officer):
    with pytest.raises(OfficerNumberTaken):
        actions.add_officer(actions.NewOfficer("3302", officer.number, "甲", "officer"))
    with pytest.raises(OutsideDistrict):
        actions.add_officer(actions.NewOfficer("3301", "zz1", "甲", "officer"))
    with pytest.raises(WrongInput):
        actions.add_officer(actions.NewOfficer("3302", "zz1", "甲", "king"))
    with pytest.raises(NotFound):
        queries.get_officer(999_999_999)


# ---- the database --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_trail set name = 'x'",
        "delete from audit_trail",
        "delete from session_end",
        "delete from officer",
        "update officer set demo = true",
    ],
)
@pytest.mark.parametrize("role", ["app", "interface", "inbox"])
def test_what_the_application_cannot_do(database_urls, role, statement):
    with connect(database_urls["center"][role]) as connection:
        connection.execute("select set_config('app.district', '3302', true)")

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.parametrize("district", [None, "", "3301"])
def test_no_district_no_rows(center_app, officer, district):
    settings = {"app.district": district} if district is not None else {}
    with center_app.app_context(), center_app.extensions["sqlalchemy"].transaction(settings=settings) as hot:
        seen = {row.district for row in hot.run("select district from officer union select district from audit_trail")}

    assert not any(each.startswith("3302") for each in seen)


def test_the_audit_administrator_reads_the_trail(center_app, visitor, administrator):
    people.sign_in_officer(visitor, administrator)
    assert visitor.get("/registry/officers/trail").status_code == 403

    people.sign_in_officer(visitor, people.make_officer(center_app, "audit_admin"))

    assert "officer.added" in visitor.get("/registry/officers/trail").get_data(as_text=True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("330200", "3302"), ("330000", "33"), ("330212", "330212"), ("3302", "3302"), ("", ""), ("00", "00")],
)
def test_idle_zeros_of_a_district_say_nothing(typed, meant):
    assert queries.normal_code(typed) == meant
