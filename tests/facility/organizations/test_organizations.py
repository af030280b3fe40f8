"""Organizations, terminals, duty, and what the database itself refuses."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from app.core import clock, signin, tenancy
from app.facility.organizations import actions, queries
from app.facility.organizations.errors import (
    CodeTaken,
    DutyUnchanged,
    NoPharmacist,
    NotFound,
    TerminalTaken,
    WrongInput,
)
from app.facility.organizations.rules import Grant
from launcher.databases import connect
from tests.factories import people


@pytest.fixture(scope="module")
def pharmacy(facility_app):
    return people.make_pharmacy(facility_app)


@pytest.fixture(scope="module")
def stranger(facility_app):
    return people.make_pharmacy(facility_app, name="三号药店")


@pytest.fixture
def inside(facility_app, pharmacy):
    with facility_app.app_context(), pharmacy.acting():
        yield


# ---- signing up ----------------------------------------------------------------------------------------------------


def test_an_organization_opens_with_its_stream(facility_app, database_urls, pharmacy):
    with connect(database_urls["facility"]["owner"]) as connection:
        row = connection.execute(
            "select stream, number from stream_head where facility_id = %s", (pharmacy.facility_id,)
        ).fetchone()

    assert row == (pharmacy.code, 0)


def test_the_secret_is_sealed_and_opens_for_its_tenant(inside, database_urls, pharmacy):
    with connect(database_urls["facility"]["owner"]) as connection:
        stored = connection.execute(
            "select center_secret from facility where id = %s", (pharmacy.facility_id,)
        ).fetchone()[0]

    assert pharmacy.center_secret.encode() not in bytes(stored)
    assert queries.center_secret(pharmacy.facility_id) == pharmacy.center_secret


@pytest.mark.parametrize("code", ["", "abc", "A B C D", "P" * 21, "药店药店"])
def test_a_strange_code_is_refused(facility_app, code):
    with facility_app.app_context(), pytest.raises(WrongInput):
        actions.create_organization(
            code, "某店", actions.NewFacility(people.make_code(), "某店", "330212"), actions.NewStaff("1", "甲")
        )


def test_a_taken_code_is_refused_and_nothing_is_left(facility_app, pharmacy):
    fresh = people.make_code()
    facility = actions.NewFacility(pharmacy.code, "某店", "330212")
    with facility_app.app_context():
        for code in (pharmacy.code, fresh):
            with pytest.raises(CodeTaken):
                actions.create_organization(code, "某店", facility, actions.NewStaff("1", "甲"))
        assert queries.describe(fresh) == ""


def test_settings_of_screens(inside, pharmacy):
    actions.change_settings(pharmacy.facility_id, sounds=False, receipt="80")

    assert queries.get_facility(pharmacy.facility_id).settings == {"sounds": False, "receipt": "80"}
    with pytest.raises(WrongInput):
        actions.change_settings(pharmacy.facility_id, nonsense=1)


def test_the_agreement_has_its_days(inside, pharmacy):
    card = queries.get_facility(pharmacy.facility_id)

    assert card.has_agreement(clock.business_date())
    assert not card.has_agreement(card.agreement_from - timedelta(days=1))
    assert not card.has_agreement(card.agreement_until + timedelta(days=1))


# ---- the fence -----------------------------------------------------------------------------------------------------

TABLES = ("organization", "facility", "staff", "staff_role", "terminal", "attendance", "session_end", "audit_trail")


@pytest.mark.parametrize("table", TABLES)
def test_no_tenant_no_rows_and_another_tenants_rows_never(facility_app, pharmacy, stranger, table):
    database = facility_app.extensions["sqlalchemy"]
    with facility_app.app_context():
        with database.transaction(settings={}) as hot:
            assert hot.run(f"select count(*) as n from {table}")[0].n == 0
        with database.transaction(settings=pharmacy.scope) as hot:
            owners = {row.tenant_id for row in hot.run(f"select distinct tenant_id from {table}")}
            assert owners <= {pharmacy.tenant_id}


@pytest.mark.parametrize("login", ["{code}/没有这个人", "{code}/", "/王店长", "王店长", "%/%", ""])
def test_the_door_shows_only_the_one_who_stands_there(facility_app, pharmacy, login):
    settings = {"app.login": login.format(code=pharmacy.code)}
    with facility_app.app_context(), facility_app.extensions["sqlalchemy"].transaction(settings=settings) as hot:
        assert hot.run("select id from staff") == []
        assert hot.run("select id from staff_role") == []
        assert hot.run("select id from audit_trail") == []


def test_the_door_shows_one_person_of_one_organization(facility_app, pharmacy, stranger):
    settings = {"app.login": f"{pharmacy.code}/王店长"}
    with facility_app.app_context(), facility_app.extensions["sqlalchemy"].transaction(settings=settings) as hot:
        assert [row.id for row in hot.run("select id from staff")] == [pharmacy.owner]
        assert [row.id for row in hot.run("select id from facility")] == [pharmacy.facility_id]


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_trail set name = 'somebody else'",
        "delete from audit_trail",
        "truncate audit_trail",
        "update attendance set at = now()",
        "delete from attendance",
        "delete from session_end",
        "delete from staff",
        "delete from staff_role",
        "update staff_role set role = 'owner'",
        "update staff set demo = true",
        "update facility set national_code = 'P33021200000'",
        "alter table audit_trail disable row level security",
    ],
)
@pytest.mark.parametrize("role", ["app", "worker"])
def test_what_the_application_cannot_do(database_urls, pharmacy, role, statement):
    with connect(database_urls["facility"][role]) as connection:
        connection.execute("select set_config('app.tenant_id', %s, true)", (str(pharmacy.tenant_id),))

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_nobody_writes_into_another_tenants_trail(facility_app, pharmacy, stranger):
    insert = """
        insert into audit_trail (tenant_id, name, act, object, result, address, terminal, facts)
        values (%(tenant)s, 'x', 'x', '', 'done', '', '', '{}')
    """
    with (
        facility_app.app_context(),
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        facility_app.extensions["sqlalchemy"].transaction(settings=pharmacy.scope) as hot,
    ):
        hot.run(insert, {"tenant": stranger.tenant_id})


# ---- terminals -----------------------------------------------------------------------------------------------------


def test_a_registered_browser_is_that_terminal_for_everybody(facility_app, pharmacy):
    browser = facility_app.test_client()
    people.sign_in(browser, pharmacy, pharmacy.owner)
    people.post(browser, "/organizations/terminals", {"facility": str(pharmacy.facility_id), "name": "07"})
    with facility_app.app_context(), pharmacy.acting():
        terminal_id = next(row.id for row in queries.list_terminals() if row.name == "07")

    assert people.post(browser, f"/organizations/terminals/{terminal_id}/registrations").status_code == 303
    assert "07" in browser.get("/account").get_data(as_text=True)
    people.post(browser, "/signout")
    token = people.form_token(browser, "/signin")
    browser.post(
        "/signin", data={"csrf_token": token, "code": pharmacy.code, "name": "002", "password": people.PASSWORD}
    )

    with browser:
        browser.get("/account")
        assert signin.me().terminal == "07"
        assert signin.me().terminal_id == terminal_id


def test_a_terminal_out_of_use_sells_as_00(facility_app, pharmacy):
    client = facility_app.test_client()
    with facility_app.app_context(), pharmacy.acting():
        terminal_id = actions.add_terminal(pharmacy.facility_id, "09")
        with pytest.raises(TerminalTaken):
            actions.add_terminal(pharmacy.facility_id, "09")
        actions.disable_terminal(terminal_id)
        with pytest.raises(NotFound):
            actions.register_terminal(terminal_id)
    people.sign_in(client, pharmacy, pharmacy.clerk, terminal_id=terminal_id)

    with client:
        client.get("/account")
        assert signin.me().terminal == "00"


def test_a_stranger_cannot_touch_a_terminal(facility_app, pharmacy, stranger):
    with facility_app.app_context(), pharmacy.acting():
        terminal_id = actions.add_terminal(pharmacy.facility_id, "11")
    client = facility_app.test_client()
    people.sign_in(client, stranger, stranger.owner)

    assert people.post(client, f"/organizations/terminals/{terminal_id}/registrations").status_code == 404
    assert people.post(client, f"/organizations/terminals/{terminal_id}/disablings").status_code == 404
    page = people.post(client, "/organizations/terminals", {"facility": str(pharmacy.facility_id), "name": "12"})
    assert page.status_code == 422


# ---- duty ----------------------------------------------------------------------------------------------------------


def test_a_pharmacist_is_on_duty_between_coming_and_leaving(facility_app):
    shop = people.make_pharmacy(facility_app, on_duty=False)
    with facility_app.app_context(), shop.acting():
        assert queries.pharmacist_on_duty(shop.facility_id) is None
        actions.come_on_duty(shop.facility_id, shop.pharmacist, "02")
        with pytest.raises(DutyUnchanged):
            actions.come_on_duty(shop.facility_id, shop.pharmacist)

        present = queries.pharmacist_on_duty(shop.facility_id)
        assert (present.staff_id, present.name, present.national_code) == (shop.pharmacist, "赵药师", "33020001")
        assert queries.pharmacist_on_duty(shop.facility_id, clock.now() - timedelta(minutes=1)) is None
        assert queries.pharmacist_on_duty(shop.facility_id, clock.now() + timedelta(hours=17)) is None

        actions.leave_duty(shop.facility_id, shop.pharmacist)
        assert queries.pharmacist_on_duty(shop.facility_id) is None
        with pytest.raises(DutyUnchanged):
            actions.leave_duty(shop.facility_id, shop.pharmacist)


def test_who_forgot_to_leave_may_come_again_next_morning(facility_app):
    shop = people.make_pharmacy(facility_app)
    with facility_app.app_context(), shop.acting(), clock.at_moment(clock.now() + timedelta(hours=24)):
        actions.come_on_duty(shop.facility_id, shop.pharmacist)

        assert queries.pharmacist_on_duty(shop.facility_id) is not None


def test_without_a_valid_role_there_is_no_duty(facility_app):
    shop = people.make_pharmacy(facility_app)
    with facility_app.app_context(), shop.acting():
        with pytest.raises(NoPharmacist):
            actions.come_on_duty(shop.facility_id, shop.clerk)
        role_id = queries.list_roles(shop.pharmacist)[0].id
        actions.end_role(shop.pharmacist, role_id, shop.owner)

        assert queries.pharmacist_on_duty(shop.facility_id) is None


def test_a_disabled_pharmacist_is_not_on_duty(facility_app):
    shop = people.make_pharmacy(facility_app)
    with facility_app.app_context(), shop.acting():
        actions.disable_staff(shop.pharmacist, shop.owner)

        assert queries.pharmacist_on_duty(shop.facility_id) is None


def test_a_registration_that_has_run_out_ends_duty(facility_app):
    shop = people.make_pharmacy(facility_app, on_duty=False)
    yesterday = clock.business_date() - timedelta(days=1)
    with facility_app.app_context(), shop.acting():
        late = Grant("pharmacist", shop.facility_id, yesterday - timedelta(days=5), yesterday)
        actions.grant_role(shop.pharmacist, late, shop.owner)

        with pytest.raises(NoPharmacist):
            actions.come_on_duty(shop.facility_id, shop.pharmacist)


def test_the_pharmacist_uses_the_page(facility_app):
    shop = people.make_pharmacy(facility_app, on_duty=False)
    client = facility_app.test_client()
    people.sign_in(client, shop, shop.pharmacist)

    assert "没有药师在岗" in client.get("/organizations/duty").get_data(as_text=True)
    assert people.post(client, "/organizations/duty/comings").status_code == 303
    assert "现在在岗：赵药师" in client.get("/organizations/duty").get_data(as_text=True)
    assert people.post(client, "/organizations/duty/comings").status_code == 409
    assert people.post(client, "/organizations/duty/leavings").status_code == 303
    people.sign_in(client, shop, shop.clerk)
    assert people.post(client, "/organizations/duty/comings").status_code == 403


# ---- the trail -----------------------------------------------------------------------------------------------------


def test_the_audit_administrator_alone_reads_the_trail(facility_app, pharmacy, stranger):
    auditor = people.add_person(facility_app, pharmacy, "audit_admin", name="吴审计")
    client = facility_app.test_client()
    people.sign_in(client, pharmacy, pharmacy.owner)
    assert client.get("/organizations/trail").status_code == 403

    people.sign_in(client, pharmacy, auditor)
    page = client.get("/organizations/trail").get_data(as_text=True)

    assert "staff.added" in page
    assert "organization.created" in page
    assert client.get("/organizations/trail?act=duty.in").get_data(as_text=True).count("duty.in") >= 1
    for odd in ("-1", "x", "9" * 30, "", "%00"):
        assert client.get(f"/organizations/trail?before={odd}&act={odd}&who={odd}").status_code in {200, 422}


def test_the_trail_names_who_where_and_what(facility_app):
    shop = people.make_pharmacy(facility_app)
    client = facility_app.test_client()
    people.sign_in(client, shop, shop.owner)

    people.post(client, f"/organizations/staff/{shop.clerk}/disablings", environ_base={"REMOTE_ADDR": "10.1.2.3"})

    with facility_app.app_context(), tenancy.as_tenant(shop.tenant_id):
        row = queries.list_trail(act="staff.disabled")[0][0]
    assert (row.name, row.object, row.result, row.address, row.terminal) == (
        "王店长",
        str(shop.clerk),
        "done",
        "10.1.2.3",
        "00",
    )


def test_a_refused_act_leaves_no_line(facility_app):
    shop = people.make_pharmacy(facility_app)
    client = facility_app.test_client()
    people.sign_in(client, shop, shop.owner)

    people.post(client, f"/organizations/staff/{shop.owner}/disablings")

    with facility_app.app_context(), tenancy.as_tenant(shop.tenant_id):
        assert queries.list_trail(act="staff.disabled")[0] == []
