"""The identity score: each signal speaks when it should, keeps still when not known, and the bands follow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.center.audit.queries import judge_identity
from app.center.audit.rules import TEXTS, Band, Place, Situation, Visit, distance_km, judge, used_elsewhere

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
WEIGHTS = {
    "drug_contrary_to_person": 40,
    "many_institutions_today": 25,
    "impossible_speed": 35,
    "card_number_typed": 10,
    "many_cards_at_terminal": 25,
    "agent_of_several": 15,
    "watched_person": 30,
    "own_family_doctor": -10,
}
NINGBO, HANGZHOU = Place(29.87, 121.54), Place(30.27, 120.15)
NOTHING = Situation(AT, "1", 40)


def test_what_is_not_known_weighs_nothing():
    judged = judge(NOTHING, WEIGHTS)

    assert judged.score == 0
    assert judged.band is Band.PASS
    assert len(judged.signals) == len(TEXTS) == 12
    assert not any(signal.known for signal in judged.signals)


@pytest.mark.parametrize(
    ("change", "score"),
    [
        ({"credential": "typed"}, 10),
        ({"credential": "card"}, 0),
        ({"watched": True}, 30),
        ({"institutions_today": 3}, 25),
        ({"institutions_today": 2}, 0),
        ({"cards_at_terminal": 3}, 25),
        ({"principals_of_agent": 2}, 15),
        ({"own_family_doctor": True}, -10),
        ({"drug_contrary": True}, 40),
        ({"drug_contrary": False}, 0),
        ({"place": NINGBO, "last_visit": Visit(AT - timedelta(minutes=60), HANGZHOU, here=False)}, 35),
        ({"place": NINGBO, "last_visit": Visit(AT - timedelta(minutes=120), HANGZHOU, here=False)}, 0),
    ],
)
def test_a_signal_speaks(change, score):
    assert judge(replace(NOTHING, **change), WEIGHTS).score == score


def test_bands():
    ask = judge(replace(NOTHING, watched=True, credential="typed"), WEIGHTS)
    hold = judge(replace(NOTHING, watched=True, drug_contrary=True), WEIGHTS)

    assert (ask.score, ask.band) == (40, Band.ASK)
    assert (hold.score, hold.band) == (70, Band.HOLD)


@pytest.mark.parametrize(
    ("minutes", "place", "here", "speaks"),
    [
        (10, NINGBO, True, False),
        (10, NINGBO, False, True),
        (16, NINGBO, False, False),
        (29, HANGZHOU, False, True),
        (31, HANGZHOU, False, False),
        (14, None, False, True),
        (16, None, False, False),
    ],
)
def test_used_elsewhere_just_now(minutes, place, here, speaks):
    visit = Visit(AT - timedelta(minutes=minutes), place, here=here)

    sentence = used_elsewhere(replace(NOTHING, place=NINGBO, last_visit=visit))

    assert bool(sentence) is speaks
    assert judge(replace(NOTHING, place=NINGBO, last_visit=visit), {}).band is (Band.ASK if speaks else Band.PASS)


def test_distance():
    assert 130 < distance_km(NINGBO, HANGZHOU) < 150
    assert distance_km(NINGBO, NINGBO) == 0


def test_plain_values_are_understood():
    told = {
        "sex": "2",
        "age": 5,
        "credential": "typed",
        "drug_contrary": True,
        "place": {"latitude": "29.87", "longitude": "121.54"},
        "last_visit": {"at": "2026-01-05T02:50:00+00:00", "latitude": 30.27, "longitude": 120.15, "here": False},
    }

    judged = judge_identity(AT, told, WEIGHTS)

    assert judged.score == 10 + 40 + 35
    assert judged.as_json()["band"] == "hold"
    assert "公里外使用" in judged.elsewhere
