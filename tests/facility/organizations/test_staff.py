"""The owner and the security administrator manage people; it holds at once, and powers stay apart."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.organizations import actions, queries
from app.facility.organizations.errors import (
    LastOwner,
    NotForOwners,
    NotFound,
    NotYourself,
    NumberTaken,
    PowersSeparated,
    WrongInput,
)
from app.facility.organizations.rules import Grant
from tests.factories import people


@pytest.fixture(scope="module")
def pharmacy(facility_app):
    return people.make_pharmacy(facility_app)


@pytest.fixture(scope="module")
def stranger(facility_app):
    return people.make_pharmacy(facility_app, name="三号药店")


@pytest.fixture
def somebody(facility_app, pharmacy):
    return people.add_person(facility_app, pharmacy, "clerk")


@pytest.fixture
def owner(facility_app, pharmacy):
    client = facility_app.test_client()
    people.sign_in(client, pharmacy, pharmacy.owner)
    return client


@pytest.fixture
def inside(facility_app, pharmacy):
    with facility_app.app_context(), pharmacy.acting():
        yield


def is_in(client):
    return client.get("/account").status_code == 200


# ---- the screens ---------------------------------------------------------------------------------------------------

PAGES = ("/organizations/staff", "/organizations/staff/new", "/organizations/terminals", "/organizations/duty")


@pytest.mark.parametrize("page", PAGES)
def test_the_owner_opens_every_page(owner, page):
    assert owner.get(page).status_code == 200


@pytest.mark.parametrize("page", [*PAGES[:3], "/organizations/trail"])
def test_a_clerk_is_told_no(facility_app, pharmacy, page):
    client = facility_app.test_client()
    people.sign_in(client, pharmacy, pharmacy.clerk)

    assert client.get(page).status_code == 403


def test_a_stranger_gets_404_on_every_screen_of_a_person(facility_app, pharmacy, stranger, somebody):
    client = facility_app.test_client()
    people.sign_in(client, stranger, stranger.owner)
    here = f"/organizations/staff/{somebody}"

    assert client.get(here).status_code == 404
    for act in ("disablings", "enablings", "password-resets", "second-factor-resets", "unlockings", "roles/1/endings"):
        assert people.post(client, f"{here}/{act}").status_code == 404, act
    assert people.post(client, f"{here}/names", {"name": "甲", "number": "77"}).status_code == 404
    assert people.post(client, f"{here}/roles", {"role": "clerk", "facility": ""}).status_code == 404
    assert people.post(client, f"/organizations/facilities/{pharmacy.facility_id}/entry").status_code == 404
    assert "孙某某" not in client.get("/organizations/staff").get_data(as_text=True)


def test_statement_budgets(owner, somebody):
    budgets = {
        "/organizations/staff": 2,
        f"/organizations/staff/{somebody}": 4,
        "/organizations/terminals": 2,
        "/organizations/duty": 2,
    }
    around = asked_by(owner, "/account")  # What every page of the wing asks for its bar.

    for page, budget in budgets.items():
        asked = asked_by(owner, page)
        assert len(asked) - len(around) == budget, (page, asked)


def asked_by(client, page):
    with statements() as ran:
        assert client.get(page).status_code == 200
    return [each for each in ran if "session_version = %(version)s" not in each]


def test_a_new_person_gets_a_password_shown_once(owner, facility_app, pharmacy):
    number = f"a{people._letters(6)}"
    form = {
        "name": "钱新",
        "number": number,
        "national_code": "",
        "role": "clerk",
        "facility": str(pharmacy.facility_id),
    }

    page = people.post(owner, "/organizations/staff/new", form).get_data(as_text=True)

    password = re.search(r"<code[^>]*>([a-z0-9-]{14})</code>", page)[1]
    assert "钱新" in owner.get(f"/organizations/staff?q={number}").get_data(as_text=True)
    assert password not in owner.get("/organizations/staff").get_data(as_text=True)
    again = people.post(owner, "/organizations/staff/new", form)
    assert again.status_code == 409
    assert "已有人使用" in again.get_data(as_text=True)
    assert "钱新" in again.get_data(as_text=True)


@pytest.mark.parametrize(
    "bad",
    [
        {"number": ""},
        {"number": "a b"},
        {"name": "张/三"},
        {"role": "king"},
        {"facility": "999999999"},
        {"facility": "x"},
        {"valid_until": "2026-99-99"},
        {"name": "长" * 41},
    ],
)
def test_bad_input_is_refused_in_its_place(owner, pharmacy, bad):
    form = {"name": "钱新", "number": f"a{people._letters(6)}", "role": "clerk", "facility": str(pharmacy.facility_id)}

    page = people.post(owner, "/organizations/staff/new", {**form, **bad})

    assert page.status_code == 422


def test_a_long_list_comes_in_pages(facility_app):
    big = people.make_pharmacy(facility_app, name="大药店", on_duty=False)
    with facility_app.app_context(), big.acting():
        for turn in range(queries.PAGE):
            actions.add_staff(actions.NewStaff(f"x{turn:03d}", f"员工{turn}", password=people.PASSWORD))
        first, following = queries.list_staff()
        rest, end = queries.list_staff(after=following)

    assert len(first) == queries.PAGE
    assert end is None
    assert len({row.id for row in first + rest}) == queries.PAGE + 3


def test_a_percent_sign_is_just_a_percent_sign(owner):
    assert "没有找到" in owner.get("/organizations/staff?q=%25").get_data(as_text=True)
    assert "没有找到" in owner.get("/organizations/staff?q=_%5C").get_data(as_text=True)


# ---- at once -------------------------------------------------------------------------------------------------------


def test_a_disabled_person_is_out_at_once(owner, facility_app, pharmacy, somebody):
    client = facility_app.test_client()
    people.sign_in(client, pharmacy, somebody)
    assert is_in(client)

    assert people.post(owner, f"/organizations/staff/{somebody}/disablings").status_code == 303

    assert not is_in(client)
    people.post(owner, f"/organizations/staff/{somebody}/enablings")
    assert not is_in(client)
    people.sign_in(client, pharmacy, somebody)
    assert is_in(client)


def test_a_password_reset_ends_sessions_and_unlocks(owner, facility_app, pharmacy, somebody):
    client = facility_app.test_client()
    people.sign_in(client, pharmacy, somebody)
    with facility_app.app_context():
        for _ in range(6):
            queries.ACCOUNTS.strike(queries.ACCOUNTS.key(somebody), b"elsewhere")
    assert "登录已锁定" in owner.get(f"/organizations/staff/{somebody}").get_data(as_text=True)

    page = people.post(owner, f"/organizations/staff/{somebody}/password-resets")

    assert "一次性密码" in page.get_data(as_text=True)
    assert "登录已锁定" not in page.get_data(as_text=True)
    assert not is_in(client)


def test_unlocking(owner, facility_app, somebody):
    with facility_app.app_context():
        for _ in range(6):
            queries.ACCOUNTS.strike(queries.ACCOUNTS.key(somebody), b"elsewhere")

    people.post(owner, f"/organizations/staff/{somebody}/unlockings")

    with facility_app.app_context():
        assert queries.ACCOUNTS.strike(queries.ACCOUNTS.key(somebody), b"elsewhere") is None


def test_a_role_holds_at_once_without_signing_in_again(owner, facility_app, pharmacy, somebody):
    client = facility_app.test_client()
    people.sign_in(client, pharmacy, somebody)
    assert client.get("/organizations/staff").status_code == 403

    people.post(owner, f"/organizations/staff/{somebody}/roles", {"role": "owner", "facility": ""})
    assert client.get("/organizations/staff").status_code == 200

    with facility_app.app_context(), pharmacy.acting():
        role_id = next(row.id for row in queries.list_roles(somebody) if row.role == "owner")
    people.post(owner, f"/organizations/staff/{somebody}/roles/{role_id}/endings")
    assert client.get("/organizations/staff").status_code == 403


def test_a_role_holds_in_its_time_only(inside, facility_app, pharmacy, somebody):
    today = clock.business_date()
    client = facility_app.test_client()
    actions.grant_role(somebody, Grant("owner", None, today + timedelta(days=1)), pharmacy.owner)

    people.sign_in(client, pharmacy, somebody)

    assert roles_of(pharmacy, somebody) == {"clerk"}
    with clock.at_moment(clock.now() + timedelta(days=2)):
        assert roles_of(pharmacy, somebody) == {"clerk", "owner"}


def roles_of(pharmacy, staff_id):
    from app.core.signin import Ticket

    return queries.standing(Ticket(pharmacy.tenant_id, staff_id, "0" * 32, 1, 0, 0)).roles


def test_a_role_at_one_facility_is_none_at_another(facility_app):
    chain = people.make_pharmacy(facility_app, name="连锁", on_duty=False)
    with facility_app.app_context(), chain.acting():
        second = actions.open_facility(actions.NewFacility(people.make_code(), "二店", "330212", "鄞州区"))
        actions.grant_role(chain.clerk, Grant("pharmacist", second.facility_id), chain.owner)
    client = facility_app.test_client()
    people.sign_in(client, chain, chain.clerk)

    here = client.get("/account").get_data(as_text=True)
    assert client.get("/organizations/duty").status_code == 200
    assert people.post(client, "/organizations/duty/comings").status_code == 403
    assert "二店" in here
    entry = f"/organizations/facilities/{second.facility_id}/entry"
    assert client.get(entry).status_code == 405  # A link must not move anybody.
    assert people.post(client, "/organizations/duty/comings").status_code == 403
    assert people.post(client, entry).status_code == 303
    assert people.post(client, "/organizations/duty/comings").status_code == 303


# ---- powers apart --------------------------------------------------------------------------------------------------


def test_nobody_administers_two(inside, facility_app, pharmacy):
    security = people.add_person(facility_app, pharmacy, "security_admin")

    for role in ("owner", "audit_admin"):
        with pytest.raises(PowersSeparated):
            actions.grant_role(security, Grant(role), pharmacy.owner)
    with pytest.raises(PowersSeparated):
        actions.add_staff(actions.NewStaff("two1", "两权"), [Grant("owner"), Grant("audit_admin")])
    actions.grant_role(security, Grant("clerk", pharmacy.facility_id), pharmacy.owner)


def test_the_database_itself_keeps_powers_apart(facility_app, pharmacy):
    import psycopg

    insert = """
        insert into staff_role (tenant_id, staff_id, role, valid_from)
        values (%(tenant)s, %(id)s, 'audit_admin', '2020-01-01')
    """
    with (
        facility_app.app_context(),
        pytest.raises(psycopg.errors.ExclusionViolation),
        facility_app.extensions["sqlalchemy"].transaction(settings=pharmacy.scope) as hot,
    ):
        hot.run(insert, {"tenant": pharmacy.tenant_id, "id": pharmacy.owner})


def test_nobody_changes_their_own_rights(inside, pharmacy):
    for act in (
        lambda: actions.disable_staff(pharmacy.owner, pharmacy.owner),
        lambda: actions.grant_role(pharmacy.owner, Grant("clerk", pharmacy.facility_id), pharmacy.owner),
        lambda: actions.reset_password(pharmacy.owner, pharmacy.owner),
    ):
        with pytest.raises(NotYourself):
            act()


def test_the_last_owner_stays(inside, facility_app, pharmacy):
    security = people.add_person(facility_app, pharmacy, "security_admin")

    with pytest.raises(LastOwner):
        actions.disable_staff(pharmacy.owner, security)

    assert queries.get_staff(pharmacy.owner).disabled_at is None


def test_an_owner_cannot_take_over_the_audit_administrator(inside, facility_app, pharmacy):
    auditor = people.add_person(facility_app, pharmacy, "audit_admin")
    security = people.add_person(facility_app, pharmacy, "security_admin")

    with pytest.raises(NotForOwners):
        actions.reset_password(auditor, pharmacy.owner, by_owner=True)
    with pytest.raises(NotForOwners):
        actions.reset_second_factor(auditor, pharmacy.owner, by_owner=True)
    assert actions.reset_password(auditor, security)


def test_administrations_belong_to_the_whole_organization(inside, pharmacy, somebody):
    with pytest.raises(WrongInput):
        actions.grant_role(somebody, Grant("owner", pharmacy.facility_id), pharmacy.owner)


def test_renaming(inside, pharmacy, somebody):
    actions.rename_staff(somebody, "孙改名", "r" + people._letters(5), "33029999")
    assert queries.get_staff(somebody).name == "孙改名"

    with pytest.raises(NumberTaken):
        actions.rename_staff(somebody, "孙改名", "001", None)
    with pytest.raises(NotFound):
        actions.rename_staff(999_999_999, "无", "zz9", None)


def test_giving_a_role_again_changes_its_dates(inside, pharmacy, somebody):
    until = clock.business_date() + timedelta(days=30)

    actions.grant_role(somebody, Grant("clerk", pharmacy.facility_id, valid_until=until), pharmacy.owner)

    assert [(row.role, row.valid_until) for row in queries.list_roles(somebody)] == [("clerk", until)]
