"""News of the center at the facility: verified, applied once, set aside when it cannot be, and nothing behind it waits."""

from __future__ import annotations

import pytest

from app.core.errors import Refusal
from app.facility import news
from app.facility.db import transaction
from central_sync import chain
from central_sync.chain import Fact, Head
from central_sync.puller import Place
from tests.factories.bridge import a_notice, pull, tell
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import one


class Refused(Refusal):
    code = "test_refused"
    sentence = "这条消息不能处理"


def rows(pharmacy):
    with transaction(settings=pharmacy.scope) as hot:
        return hot.run_last(
            "select number, kind, set_aside from news where facility_id = %(f)s order by number",
            {"f": pharmacy.facility_id},
        )


def head(pharmacy):
    return one(pharmacy, "select number, state, pulled_at, note from news_head where facility_id = %(f)s")


@pytest.fixture
def pharmacy(facility_app, center_app):
    made = make_insured_pharmacy(facility_app, center_app)
    with facility_app.app_context():
        yield made


def test_what_the_center_publishes_is_kept_once(facility_app, center_app, pharmacy):
    tell(center_app, [pharmacy.code], "notice.published", a_notice())

    pull(facility_app, center_app, pharmacy)
    tell(center_app, [pharmacy.code], "notice.published", a_notice(title="第二条"))
    pull(facility_app, center_app, pharmacy)
    pull(facility_app, center_app, pharmacy)

    assert [(row.number, row.set_aside) for row in rows(pharmacy)] == [(1, None), (2, None)]
    assert head(pharmacy).number == 2
    assert head(pharmacy).pulled_at is not None


def test_each_facility_gets_its_own_and_nobody_elses(facility_app, center_app, pharmacy):
    other = make_insured_pharmacy(facility_app, center_app, name="三号药店")
    tell(center_app, [other.code], "notice.published", a_notice())

    pull(facility_app, center_app, pharmacy, other)

    assert rows(pharmacy) == []
    assert len(rows(other)) == 1


def test_an_item_that_cannot_be_applied_stops_nothing_behind_it(facility_app, center_app, pharmacy, monkeypatch):
    applied = []

    def apply(hot, _place, body):
        hot.run("select set_config('app.seen', %(t)s, true)", {"t": body.title})
        if body.title == "坏":
            raise Refused
        if body.title == "错":
            hot.run("select 1 / 0")
        applied.append(body.title)
        return []

    monkeypatch.setitem(news.HANDLERS, "notice.published", apply)
    for title in ("一", "坏", "错", "四"):
        tell(center_app, [pharmacy.code], "notice.published", a_notice(title=title))

    pull(facility_app, center_app, pharmacy)

    assert applied == ["一", "四"]
    found = rows(pharmacy)
    assert [row.number for row in found] == [1, 2, 3, 4]
    assert [bool(row.set_aside) for row in found] == [False, True, True, False]
    assert "这条消息不能处理" in found[1].set_aside
    assert "DivisionByZero" in found[2].set_aside
    assert head(pharmacy).number == 4


def test_a_failure_after_applying_leaves_no_trace(facility_app, center_app, pharmacy, monkeypatch):
    tell(center_app, [pharmacy.code], "notice.published", a_notice())

    def broken(_name):
        raise RuntimeError("lost")

    with monkeypatch.context() as patch:
        patch.setattr(news.faults, "at", broken)
        seen = pull(facility_app, center_app, pharmacy)

    assert "lost" in seen.note
    assert rows(pharmacy) == []
    pull(facility_app, center_app, pharmacy)
    assert len(rows(pharmacy)) == 1


def test_a_forged_or_missing_item_is_not_taken(pharmacy, center_app):
    tell(center_app, [pharmacy.code], "notice.published", a_notice())
    place = Place(pharmacy.tenant_id, pharmacy.facility_id, pharmacy.code, Head(1, 0, b""))

    for number in (1, 2):
        with pytest.raises(chain.BrokenChain):
            news.take(place, [Fact(1, number, "notice.published", 1, b"{}", b"\1" * 32)])

    assert rows(pharmacy) == []


def test_two_pullers_take_an_item_once(facility_app, center_app, pharmacy):
    from concurrent.futures import ThreadPoolExecutor

    for title in "一二三":
        tell(center_app, [pharmacy.code], "notice.published", a_notice(title=title))

    pull(facility_app, center_app)  # The pools are made once, before anybody races.
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: pull(facility_app, center_app, pharmacy), range(3)))

    assert [row.number for row in rows(pharmacy)] == [1, 2, 3]


def test_a_secret_that_is_wrong_is_told_and_brings_nothing(facility_app, center_app, pharmacy):
    from dataclasses import replace

    tell(center_app, [pharmacy.code], "notice.published", a_notice())

    seen = pull(facility_app, center_app, replace(pharmacy, center_secret="wrong"))

    assert seen.unheard >= 1
    assert head(pharmacy).state == "refused"
    assert rows(pharmacy) == []


def test_health_learns_when_news_was_looked_for(facility_app, center_app, pharmacy):
    from tests.factories.bridge import transport_to

    news.look(transport_to(center_app, [pharmacy]))

    with transaction("worker", settings={}) as hot:
        beat = hot.run_last("select beat_at, waiting, note from worker_heartbeat where name = 'news'")[0]
    assert beat.waiting == 0
    assert "not admitted" in beat.note or beat.note == ""
