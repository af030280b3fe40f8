"""Parameters: read by date, bounded, set from now or from a day to come, kept in memory, each tenant's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.db import action, run, transaction
from app.facility.organizations import actions, parameters, queries
from app.facility.organizations import parameter_table as table
from app.facility.organizations.errors import (
    NotFound,
    ParameterOutOfBounds,
    ParameterStart,
    ParameterUnchanged,
    ParameterUnreadable,
    ScoresTurnedRound,
    TooManyPlanned,
    WrongInput,
)
from app.facility.organizations.parameter_table import Step
from launcher.databases import connect
from tests.factories import people

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def pharmacy(facility_app):
    return people.make_pharmacy(facility_app)


@pytest.fixture
def inside(facility_app, pharmacy):
    with facility_app.app_context(), pharmacy.acting():
        yield pharmacy


def set_now(pharmacy, name, typed):
    actions.set_parameter(name, typed, None, pharmacy.owner)


def set_from(pharmacy, name, typed, days):
    actions.set_parameter(name, typed, clock.business_date() + days * DAY, pharmacy.owner)


# ---- the table -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", table.TABLE, ids=lambda parameter: parameter.name)
def test_each_parameter_is_whole(parameter):
    sizes = {
        "text": lambda: [len(str(parameter.default))],
        "steps": lambda: [int(day) for day in str(parameter.default).split(",")],
    }
    for size in sizes.get(parameter.kind, lambda: [parameter.default])():
        assert parameter.least <= size <= parameter.most
    assert table.read_typed(parameter, table.figure(parameter, parameter.default)) == parameter.default
    assert parameter.title
    assert parameter.reason.endswith("。")
    assert any(word in parameter.source for word in ("领域说明", "热线", "办法》"))  # Where the default comes from.
    assert bool(parameter.unit) == (parameter.kind != "text")


def test_names_are_there_once():
    assert len(table.BY_NAME) == len(table.TABLE)


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("identification_valid", " ４５ ", 45),
        ("match_above", "1,250.5", 125_050),
        ("match_above", "0", 0),
        ("prescription_days", "0", 0),
        ("hotline", "0574-12393", "0574-12393"),
    ],
)
def test_what_is_typed_is_read(name, typed, value):
    assert table.read_typed(table.BY_NAME[name], typed) == value


@pytest.mark.parametrize("typed", ["", " ", "4", "241", "-5", "30.5", "三十", "²", "9" * 400, "1e2", "\0"])
def test_what_is_no_number_or_out_of_bounds_is_refused(typed):
    with pytest.raises(ParameterOutOfBounds) as refused:
        table.read_typed(table.BY_NAME["identification_valid"], typed)

    assert refused.value.facts == {"least": "5", "most": "240"}


@pytest.mark.parametrize("typed", ["", "x", "-1", "1.234", "1e9"])
def test_a_strange_amount_is_refused(typed):
    with pytest.raises(WrongInput):
        table.read_typed(table.BY_NAME["match_above"], typed)


def test_bounds_of_money_are_told_in_yuan():
    with pytest.raises(ParameterOutOfBounds) as refused:
        table.read_typed(table.BY_NAME["match_above"], "100000.01")

    assert refused.value.facts == {"least": "0.00", "most": "100,000.00"}


@pytest.mark.parametrize("typed", ["12", "1" * 21, "12393转1", "-12393", "12393-", "<b>1</b>", "1\n2"])
def test_a_strange_number_to_call_is_refused(typed):
    with pytest.raises(ParameterUnreadable):
        table.read_typed(table.BY_NAME["hotline"], typed)


@pytest.mark.parametrize("name", ["prescription_days", "prescription_drugs"])
def test_no_site_may_be_laxer_than_the_law(name):
    parameter = table.BY_NAME[name]

    with pytest.raises(ParameterOutOfBounds):
        table.read_typed(parameter, str(int(parameter.default) + 1))


# ---- which value holds when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (NOON - DAY, 30),
        (NOON - timedelta(microseconds=1), 30),
        (NOON, 20),
        (NOON + DAY - timedelta(seconds=1), 20),
        (NOON + DAY, 45),  # Set twice for that moment: the later word holds.
        (NOON + 9 * DAY, 45),
    ],
)
def test_the_value_of_a_moment(at, value):
    steps = {
        "identification_valid": [Step(NOON, 1, "20"), Step(NOON + DAY, 2, "60"), Step(NOON + DAY, 3, "45")],
    }

    assert table.value_at(steps, "identification_valid", at) == value


def test_two_thresholds_turned_round_at_any_moment_are_found():
    fine = {"ask_from": [Step(NOON, 1, "50")], "hold_from": [Step(NOON + DAY, 2, "60")]}
    later = {"ask_from": [Step(NOON, 1, "65")], "hold_from": [Step(NOON + DAY, 2, "60")]}

    assert not table.turned_round(fine, NOON)
    assert table.turned_round(later, NOON)


# ---- setting and reading -------------------------------------------------------------------------------------------


def test_without_a_change_the_defaults_hold(inside):
    said = parameters.of(inside.tenant_id)

    assert said.minutes("identification_valid") == timedelta(minutes=30)
    assert said.hours("duty_hours") == timedelta(hours=16)
    assert said.days("prescription_days") == 3
    assert said.fen("match_above") == 20_000
    assert said.count("ask_from") == 40
    assert said.text("hotline") == "12393"


def test_reading_as_another_kind_is_a_bug(inside):
    with pytest.raises(AssertionError):
        parameters.of(inside.tenant_id).days("hotline")
    with pytest.raises(KeyError):
        parameters.of(inside.tenant_id).days("no_such_thing")


def test_a_change_holds_at_once_and_what_was_before_still_reads_as_before(inside):
    before = clock.now()

    set_now(inside, "match_above", "300")

    said = parameters.of(inside.tenant_id)
    assert said.fen("match_above") == 30_000
    assert said.fen("match_above", before) == 20_000


def test_a_change_from_tomorrow_does_not_act_today(inside):
    set_from(inside, "identification_valid", "10", 1)
    tomorrow = datetime.combine(clock.business_date() + DAY, datetime.min.time(), clock.CHINA)

    said = parameters.of(inside.tenant_id)

    assert said.minutes("identification_valid") == timedelta(minutes=30)
    assert said.minutes("identification_valid", tomorrow - timedelta(seconds=1)) == timedelta(minutes=30)
    assert said.minutes("identification_valid", tomorrow) == timedelta(minutes=10)
    with clock.at_moment(tomorrow):
        assert said.minutes("identification_valid") == timedelta(minutes=10)


def test_what_was_planned_can_be_planned_otherwise(inside):
    for typed in ("10", "15"):
        set_from(inside, "identification_valid", typed, 2)

    at = clock.now() + 3 * DAY

    assert parameters.of(inside.tenant_id).minutes("identification_valid", at) == timedelta(minutes=15)


def test_another_tenants_change_does_not_act(facility_app, inside):
    other = people.make_pharmacy(facility_app, name="三号药店")
    with other.acting():
        set_now(other, "match_above", "1")

    assert parameters.of(inside.tenant_id).fen("match_above") == 20_000
    assert parameters.here().fen("match_above") == 20_000
    assert parameters.list_changes_now() == []
    assert parameters.list_history("match_above") == ([], None)
    with other.acting():
        assert parameters.here().fen("match_above") == 100


def test_who_sees_no_tenant_gets_the_defaults(facility_app):
    with facility_app.app_context():
        assert parameters.here().text("hotline") == "12393"


def test_a_change_is_in_the_trail(inside):
    set_now(inside, "hotline", "0574-12393")

    rows, _ = queries.list_trail(act="parameter.set")
    assert [(row.object, row.facts["value"]) for row in rows] == [("hotline", "0574-12393")]


# ---- refusals ------------------------------------------------------------------------------------------------------


def test_an_unknown_parameter_is_not_found(inside):
    with pytest.raises(NotFound):
        set_now(inside, "no_such_thing", "1")


def test_the_same_again_is_refused(inside):
    with pytest.raises(ParameterUnchanged):
        set_now(inside, "match_above", "200.00")  # As the default says.
    set_now(inside, "match_above", "300")
    with pytest.raises(ParameterUnchanged):
        set_now(inside, "match_above", "300")

    assert len(parameters.list_history("match_above")[0]) == 1


@pytest.mark.parametrize("days", [-1, -365, 1099, 200_000])
def test_the_past_and_the_far_future_are_refused(inside, days):
    with pytest.raises(ParameterStart):
        set_from(inside, "match_above", "300", days)


def test_today_means_now(inside):
    set_from(inside, "match_above", "300", 0)

    assert parameters.of(inside.tenant_id).fen("match_above") == 30_000


def test_thresholds_keep_their_order_on_every_day(inside):
    set_from(inside, "hold_from", "50", 3)

    with pytest.raises(ScoresTurnedRound):
        set_now(inside, "ask_from", "55")

    assert parameters.of(inside.tenant_id).count("ask_from") == 40


def test_plans_have_a_limit(inside):
    for day in range(parameters.MOST_PLANNED):
        set_from(inside, "confirm_within", str(20 + day), day + 1)

    with pytest.raises(TooManyPlanned):
        set_from(inside, "confirm_within", "5", 100)
    set_now(inside, "confirm_within", "15")  # What holds now may still be changed.


# ---- the ledger ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["update parameter set value = '1'", "delete from parameter"])
def test_what_was_set_cannot_be_edited(inside, statement):
    set_now(inside, "match_above", "300")

    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(settings=inside.scope) as hot:
        hot.run(statement)


def test_the_database_refuses_a_change_of_the_past(inside, database_urls):
    with connect(database_urls["facility"]["owner"]) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "insert into parameter (tenant_id, name, value, begins_at, staff_id, set_at) "
            "values (%s, 'match_above', '1', now() - interval '1 day', %s, now())",
            (inside.tenant_id, inside.owner),
        )


def test_a_name_given_up_by_a_later_version_says_nothing(inside, database_urls):
    set_now(inside, "match_above", "300")
    with connect(database_urls["facility"]["owner"], autocommit=True) as connection:
        connection.execute(
            "insert into parameter (tenant_id, name, value, begins_at, staff_id, set_at) "
            "values (%s, 'given_up', 'x', now(), %s, now())",
            (inside.tenant_id, inside.owner),
        )
    parameters.forget(inside.tenant_id)

    assert parameters.of(inside.tenant_id).fen("match_above") == 30_000


# ---- kept in memory ------------------------------------------------------------------------------------------------


def test_reading_again_asks_nothing(inside):
    parameters.of(inside.tenant_id)

    with statements() as ran:
        for _ in range(5):
            parameters.of(inside.tenant_id).fen("match_above")
            parameters.here().text("hotline")

    assert ran == []


def test_another_process_hears_of_a_change_from_whoever_asks_next(facility_app, inside):
    """The change comes from elsewhere, so nothing here forgot; the next page of anybody of the shop brings it."""
    parameters.of(inside.tenant_id)
    set_elsewhere(inside, "match_above", "12345")
    assert parameters.of(inside.tenant_id).fen("match_above") == 20_000

    client = facility_app.test_client()
    people.sign_in(client, inside, inside.clerk)
    assert client.get("/account").status_code == 200

    assert parameters.of(inside.tenant_id).fen("match_above") == 12_345


def test_a_page_that_brings_no_news_keeps_what_is_known(facility_app, inside):
    parameters.of(inside.tenant_id)
    client = facility_app.test_client()
    people.sign_in(client, inside, inside.clerk)

    with statements() as ran:
        client.get("/account")
        parameters.of(inside.tenant_id)

    assert [each for each in ran if "from parameter p where tenant_id" in each] == []


@action
def set_elsewhere(pharmacy, name, value):
    """Write a change past this process's memory, as another process would."""
    run(
        "insert into parameter (tenant_id, name, value, begins_at, staff_id, set_at) values (:t, :n, :v, :at, :s, :at)",
        t=pharmacy.tenant_id,
        n=name,
        v=value,
        at=clock.now(),
        s=pharmacy.owner,
    )


def test_the_docs_say_what_the_table_says():
    page = (Path(__file__).parents[3] / "docs" / "parameters.md").read_text("utf-8")
    told = re.findall(r"^\| `(\w+)` \| (\w+) \| (\S+) \| (\d+)–(\d+) \|", page, re.MULTILINE)

    assert told == [(each.name, each.kind, str(each.default), str(each.least), str(each.most)) for each in table.TABLE]
