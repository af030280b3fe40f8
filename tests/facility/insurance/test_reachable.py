"""The door tells whether the center answers; a look is good for a while."""

from datetime import timedelta

import pytest

from app.core import clock
from app.facility.insurance import reachable
from app.national import client


@pytest.fixture
def door(facility_app):
    """The sign-in page, with nothing seen before."""
    facility_app.extensions.pop("center_seen", None)
    kept = facility_app.extensions.get("national_client")

    def show(language="zh"):
        visitor = facility_app.test_client()
        visitor.set_cookie("lang", language)
        return visitor.get("/signin").text

    yield show
    facility_app.extensions.pop("center_seen", None)
    facility_app.extensions["national_client"] = kept
    if kept is None:
        facility_app.extensions.pop("national_client")


def broken(environ, start_response):
    raise RuntimeError("the center is down")


def test_the_center_answers(door):
    shown = door()

    assert "可用 · " in shown
    assert "没有应答" not in shown


def test_a_center_that_is_down_or_out_of_reach_is_told_in_both_languages(door, facility_app):
    for gone in (client.in_process(broken), client.over_http("http://127.0.0.1:9/center")):
        facility_app.extensions.pop("center_seen", None)
        facility_app.extensions["national_client"] = gone

        assert "自费销售照常" in door()
        assert "does not answer" in door("en")


def test_a_rush_at_the_door_looks_once_and_an_old_look_is_renewed(door, facility_app):
    asked = []

    class Counting:
        def answers(self):
            asked.append(1)
            return True

    facility_app.extensions["national_client"] = Counting()
    for _ in range(5):
        door()
    assert len(asked) == 1

    seen = facility_app.extensions["center_seen"]
    facility_app.extensions["center_seen"] = reachable.Seen(clock.now() - timedelta(minutes=1), seen.answers)
    door()
    assert len(asked) == 2
