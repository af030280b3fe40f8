"""Judging a code's life, with plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.center.supervision.rules import Event, judge

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind, minute, document=1, stream="A", *, of=None, units=7, split=False, is_back=False):
    return Event(
        stream, 1, minute + 1, 1, kind, START + timedelta(minutes=minute), UUID(int=document), UUID(int=of) if of else None,
        units, 7, split, is_back,
    )  # fmt: skip


def sale(minute, document, stream="A", **more):
    return event("sold", minute, document, stream, **more)


def back(minute, of, stream="A", units=7):
    return event("refunded", minute, 99 + minute, stream, of=of, units=units, is_back=True)


@pytest.mark.parametrize(
    ("life", "breaches"),
    [
        ([], []),
        ([event("received", 0), sale(1, 1)], []),
        ([sale(1, 1), sale(2, 2)], [("trace.duplicate", 1, 2)]),
        ([sale(1, 1), sale(2, 2, "B")], [("trace.duplicate", 1, 2)]),
        ([sale(1, 1), back(2, 1), sale(3, 2, "B")], []),
        ([sale(1, 1), sale(3, 2, "B"), back(2, 1)], []),  # The return was told late; its moment counts.
        (
            [sale(1, 1), event("refunded", 2, 9, of=1), sale(3, 2)],
            [("trace.duplicate", 1, 2)],
        ),  # Money back, goods kept.
        ([sale(1, 1), back(2, 8), sale(3, 2)], [("trace.duplicate", 1, 2)]),  # A return of another sale.
        ([sale(1, 1), event("received", 2, 5, "B"), sale(3, 2, "B")], [("trace.duplicate", 1, 2)]),  # Bought back.
        ([sale(1, 1), sale(2, 2, "B"), sale(3, 3, "C")], [("trace.duplicate", 1, 2), ("trace.duplicate", 2, 3)]),
        ([sale(1, 1, units=3, split=True), sale(2, 2, units=4, split=True)], []),
        ([sale(1, 1, units=3, split=True), sale(2, 2, units=5, split=True)], [("trace.oversplit", 1, 2)]),
        ([sale(1, 1, units=3, split=True), sale(2, 2, "B", units=1, split=True)], [("trace.duplicate", 1, 2)]),
        ([sale(1, 1, units=3, split=True), sale(2, 2)], [("trace.duplicate", 1, 2)]),
        ([sale(1, 1, units=5, split=True), back(2, 1, units=3), sale(3, 2, units=5, split=True)], []),
        (
            [sale(1, 1, units=5, split=True), back(2, 1, units=2), sale(3, 2, units=5, split=True)],
            [("trace.oversplit", 1, 2)],
        ),
    ],
)
def test_a_life_is_judged(life, breaches):
    found = [(breach.kind, breach.first.document.int, breach.second.document.int) for breach in judge(life)]

    assert found == breaches


def given_out(minute, document, stream="A", **more):
    return event("dispensed", minute, document, stream, **more)


def taken_back(minute, of=None, stream="A"):
    return event("taken_back", minute, 99 + minute, stream, of=of, is_back=True)


@pytest.mark.parametrize(
    ("life", "breaches"),
    [
        ([event("moved", 0), given_out(1, 1)], []),
        ([given_out(1, 1), sale(2, 2, "B")], [("trace.duplicate", 1, 2)]),
        ([sale(1, 1), given_out(2, 2, "B")], [("trace.duplicate", 1, 2)]),
        ([given_out(1, 1), given_out(2, 2, "B")], [("trace.duplicate", 1, 2)]),
        ([given_out(1, 1), taken_back(2, 1), sale(3, 2, "B")], []),
        ([given_out(1, 1), taken_back(2, 8), sale(3, 2, "B")], [("trace.duplicate", 1, 2)]),
        ([given_out(1, 1), taken_back(2), sale(3, 2, "B")], []),  # Told before hand-overs were named.
        ([given_out(1, 1), taken_back(2, stream="B"), sale(3, 2, "B")], [("trace.duplicate", 1, 2)]),
        ([sale(1, 1), taken_back(2), sale(3, 2)], [("trace.duplicate", 1, 2)]),
        ([given_out(1, 1, units=3, split=True), given_out(2, 2, units=4, split=True)], []),
        ([given_out(1, 1, units=3, split=True), sale(2, 2, units=5, split=True)], [("trace.oversplit", 1, 2)]),
    ],
)
def test_what_is_handed_to_a_patient_is_judged_like_a_sale(life, breaches):
    found = [(breach.kind, breach.first.document.int, breach.second.document.int) for breach in judge(life)]

    assert found == breaches


@given(st.permutations([sale(1, 1), back(2, 1), sale(3, 2, "B"), sale(4, 3, "C"), back(5, 3, "C"), sale(6, 4)]))
def test_the_order_in_which_facts_arrive_does_not_matter(life):
    found = [(breach.first.document.int, breach.second.document.int) for breach in judge(life)]

    assert found == [(2, 3), (2, 4)]
