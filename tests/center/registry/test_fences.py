"""Who sees what: officers their district, the interface what it serves, nobody edits what is written once."""

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors as pg

from app.center.audit import models as audit_models
from app.center.fund import models as fund_models
from app.center.registry import models as registry_models
from tests.center import world
from tests.center.world import fresh_code, line, purchase

OF_DISTRICT = (
    "institution",
    "person",
    "coverage",
    "entitlement",
    "account",
    "code_claim",
    "sign_on",
    "person_year",
    "message",
    "settlement",
    "settlement_line",
    "account_entry",
)
WRITTEN_ONCE = ("settlement", "settlement_line", "account_entry")


@pytest.fixture(scope="module")
def a_settlement(center_app):
    world.make_policies(center_app)
    shop, drug = world.make_shop(center_app), world.make_item(center_app)
    person = world.make_person(center_app, current_fen=500, entitlements=(("low_income", ""),))
    shop.ask("9001", {"signIn": {"opter_no": "1", "mac": "-", "ip": "-"}})
    assert shop.ask("2102", purchase(person, [line(drug, codes=[fresh_code()])])).accepted
    return person


@pytest.fixture
def as_role(database_urls):
    def run(role, statement, district=None):
        with psycopg.connect(database_urls["center"][role].replace("+psycopg", "")) as connection:
            if district is not None:
                connection.execute("select set_config('app.district', %s, true)", (district,))
            return connection.execute(statement).fetchall()

    return run


@pytest.mark.parametrize("table", OF_DISTRICT)
def test_an_officer_sees_the_own_district_only(a_settlement, as_role, table):
    count = f"select count(*) from {table}"

    [(here,)] = as_role("app", count, "330212")
    [(city,)] = as_role("app", count, "3302")
    [(stranger,)] = as_role("app", count, "3301")
    [(nobody,)] = as_role("app", count)

    assert city >= here > 0
    assert stranger == nobody == 0


@pytest.mark.parametrize("table", WRITTEN_ONCE)
@pytest.mark.parametrize("role", ["app", "interface", "inbox"])
def test_what_is_written_once_is_never_changed(a_settlement, as_role, table, role):
    column = "amount_fen" if table != "settlement" else "total_fen"

    for statement in (f"update {table} set {column} = 0 returning 1", f"delete from {table} returning 1"):
        with pytest.raises(pg.InsufficientPrivilege):
            as_role(role, statement, "33")


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("app", "insert into settlement (setl_id) values ('x') returning 1"),
        ("app", "update benefit_policy set segments = '[]' returning 1"),
        ("app", "update message set answer = null returning 1"),
        ("app", "select 1 from ecert_token"),
        ("interface", "update person set status = 'normal' returning 1"),
        ("interface", "update institution set agreement_until = now() returning 1"),
        ("interface", "update benefit_policy set valid_until = now() returning 1"),
        ("interface", "select 1 from officer"),
        ("inbox", "select 1 from person"),
        ("inbox", "select 1 from account"),
    ],
)
def test_each_role_does_its_own_work_only(as_role, role, statement):
    with pytest.raises(pg.InsufficientPrivilege):
        as_role(role, statement, "33")


def test_an_officer_cannot_register_into_another_district(center_app):
    with pytest.raises(sa.exc.DBAPIError), center_app.app_context(), world.tenancy.acting_as(district="3301"):
        world.enrol_persons(
            [world.NewPerson(psn_no="x1", name="x", certno=world.some_certno(), card="NX1", district="330212")]
        )


def test_an_account_never_falls_below_zero_whoever_tries(a_settlement, database_urls):
    with (
        psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection,
        pytest.raises(pg.CheckViolation),
    ):
        connection.execute("update account set current_fen = -1 where psn_no = %s", (a_settlement.psn_no,))


def test_policies_in_force_at_once_are_refused(a_settlement, database_urls):
    again = """insert into benefit_policy (version, name, area, insutype, person_class, benefit_class, valid_from, segments)
        select 'v9', name, area, insutype, person_class, benefit_class, valid_from + 1, segments from benefit_policy limit 1"""
    with (
        psycopg.connect(database_urls["center"]["owner"].replace("+psycopg", "")) as connection,
        pytest.raises(pg.ExclusionViolation),
    ):
        connection.execute(again)


TABLES = [
    table
    for models in (registry_models, fund_models, audit_models)
    for name in dir(models)
    if (table := getattr(getattr(models, name), "__table__", None)) is not None
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_models_equal_their_tables(database_urls, table):
    engine = sa.create_engine(database_urls["center"]["owner"])
    try:
        found = {column["name"]: column for column in sa.inspect(engine).get_columns(table.name)}
        key = sa.inspect(engine).get_pk_constraint(table.name)["constrained_columns"]
    finally:
        engine.dispose()

    assert list(found) == [column.name for column in table.columns]
    assert key == [column.name for column in table.primary_key]
    for column in table.columns:
        assert found[column.name]["nullable"] == column.nullable, column
        assert found[column.name]["type"].compile(engine.dialect) == column.type.compile(engine.dialect), column
