"""Limits of the identity score are data with dates of effect, beside the weights."""

from datetime import UTC, datetime, timedelta

import pytest

from app.center.audit import actions
from app.center.audit.errors import WeightRefused
from app.center.audit.rules import LIMITS, Band, Place, Situation, Visit, judge
from app.center.db import transaction
from app.core import clock, tenancy

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
NINGBO, HANGZHOU = Place(29.87, 121.54), Place(30.27, 120.15)
# No test's sales speak this signal, so its weights may change in the database that all tests share.
QUIET = "unusual_hour"


@pytest.fixture
def province(center_app):
    with center_app.app_context(), tenancy.acting_as(district="33"):
        yield


def in_force(day):
    with transaction("interface", settings={}) as hot:
        rows = hot.run_last(
            "select signal, weight from signal_weight where valid_from <= %(day)s and (valid_until is null or valid_until >= %(day)s)",
            {"day": day},
        )
    return {row.signal: row.weight for row in rows}


def test_the_database_begins_with_the_defaults(province):
    found = in_force(clock.business_date())

    assert {name: found.get(name) for name in LIMITS} == LIMITS


@pytest.mark.parametrize(
    ("limits", "band"),
    [
        ({}, Band.PASS),
        ({"limit_ask_score": 30}, Band.ASK),
        ({"limit_ask_score": 20, "limit_hold_score": 30}, Band.HOLD),
    ],
)
def test_bands_follow_the_limits(limits, band):
    assert judge(Situation(AT, "1", 40, watched=True), {"watched_person": 30, **limits}).band is band


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({"institutions_today": 2}, {"limit_institutions": 2}),
        ({"cards_at_terminal": 2}, {"limit_cards": 2}),
        ({"principals_of_agent": 1}, {"limit_principals": 1}),
        ({"place": NINGBO, "last_visit": Visit(AT - timedelta(hours=2), HANGZHOU, here=False)}, {"limit_kmh": 60}),
    ],
)
def test_a_signal_speaks_from_its_limit_on(change, limit):
    weights = dict.fromkeys(
        ("many_institutions_today", "many_cards_at_terminal", "agent_of_several", "impossible_speed"), 25
    )

    assert judge(Situation(AT, "1", 40, **change), weights).score == 0
    assert judge(Situation(AT, "1", 40, **change), weights | limit).score == 25


@pytest.mark.parametrize(
    ("minutes", "limits", "speaks"),
    [
        (40, {}, False),
        (40, {"limit_elsewhere_minutes": 45}, True),
        (20, {"limit_elsewhere_km": 500}, False),
        (20, {"limit_elsewhere_km": 500, "limit_anywhere_minutes": 25}, True),
    ],
)
def test_used_elsewhere_follows_the_limits(minutes, limits, speaks):
    visit = Visit(AT - timedelta(minutes=minutes), HANGZHOU, here=False)

    assert bool(judge(Situation(AT, "1", 40, place=NINGBO, last_visit=visit), limits).elsewhere) is speaks


def test_the_reason_names_the_limit():
    texts = [signal.text for signal in judge(Situation(AT, "1", 40), {"limit_kmh": 90}).signals]

    assert "与上次使用地点之间的速度超过每小时 90 公里" in texts
    assert not any("{" in text for text in texts)


def test_a_weight_changes_from_a_day_on_and_not_before(province):
    day = clock.business_date() + timedelta(days=400)
    before = in_force(day)[QUIET]

    actions.set_weight(QUIET, before + 1, day + timedelta(days=10))
    actions.set_weight(QUIET, before + 2, day)

    found = [in_force(day + timedelta(days=days))[QUIET] for days in (-1, 0, 9, 10, 1000)]
    assert found == [before, before + 2, before + 2, before + 1, before + 1]
    with pytest.raises(WeightRefused):
        actions.set_weight(QUIET, 7, day)
    assert in_force(day)[QUIET] == before + 2


@pytest.mark.parametrize(
    ("signal", "weight", "days"),
    [("no_such_signal", 5, 1), (QUIET, 5, -1), (QUIET, 1001, 1), (QUIET, -1001, 1), ("limit_ask_score", 0, 1)],
)
def test_what_cannot_be_set_is_refused(province, signal, weight, days):
    day = clock.business_date() + timedelta(days=days)
    before = in_force(day)

    with pytest.raises(WeightRefused):
        actions.set_weight(signal, weight, day)

    assert in_force(day) == before
