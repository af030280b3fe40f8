"""The chain: the same hash here and in the database, and no change of a fact goes unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from central_sync import chain
from central_sync.chain import BrokenChain, Fact, Head

words = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=20)
bodies = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=200).map(str.encode)
STREAM = "H33021200001"
START = Head(1, 0, chain.genesis(STREAM))


def chained(drafts, start=START, stream=STREAM):
    facts, head = [], start
    for kind, version, body in drafts:
        number = head.number + 1
        fact = Fact(
            start.epoch,
            number,
            kind,
            version,
            body,
            chain.link(head.hash, stream, start.epoch, number, kind, version, body),
        )
        facts.append(fact)
        head = Head(start.epoch, number, fact.hash)
    return facts, head


drafts = st.lists(st.tuples(words, st.integers(1, 2**31 - 1), bodies), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    previous=st.binary(min_size=32, max_size=32), stream=words, epoch=st.integers(1, 2**63 - 1),
    number=st.integers(1, 2**63 - 1), kind=words, version=st.integers(0, 2**31 - 1), body=st.binary(max_size=300),
)  # fmt: skip
def test_database_and_python_hash_alike(clerk, previous, stream, epoch, number, kind, version, body):
    ours = chain.link(previous, stream, epoch, number, kind, version, body)

    with clerk.connect() as connection:
        theirs = connection.scalar(
            text("select fact_hash(:previous, :stream, :epoch, :number, :kind, :version, :body)"),
            {
                "previous": previous,
                "stream": stream,
                "epoch": epoch,
                "number": number,
                "kind": kind,
                "version": version,
                "body": body,
            },
        )

    assert bytes(theirs) == ours


@given(drafts)
def test_whole_chain_leads_to_its_head(made):
    facts, head = chained(made)

    assert chain.follow(STREAM, START, facts) == head


@given(drafts, st.data())
def test_any_changed_field_is_found(made, data):
    facts, _ = chained(made)
    place = data.draw(st.integers(0, len(facts) - 1))
    fact = facts[place]
    changed = data.draw(
        st.sampled_from(
            [
                replace(fact, body=fact.body + b" "),
                replace(fact, kind=fact.kind + "x"),
                replace(fact, version=fact.version - 1),
                replace(fact, epoch=fact.epoch + 1),
                replace(fact, hash=bytes(32)),
            ]
        )
    )

    with pytest.raises(BrokenChain) as broken:
        chain.follow(STREAM, START, [*facts[:place], changed, *facts[place + 1 :]])

    assert broken.value.number == fact.number


@given(drafts.filter(lambda made: len(made) > 1), st.data())
def test_left_out_swapped_or_repeated_fact_is_found(made, data):
    facts, _ = chained(made)
    place = data.draw(st.integers(0, len(facts) - 2))
    wrong = data.draw(
        st.sampled_from(
            [
                facts[:place] + facts[place + 1 :],
                [*facts[:place], facts[place + 1], facts[place], *facts[place + 2 :]],
                [*facts[: place + 1], *facts[place:]],
            ]
        )
    )

    with pytest.raises(BrokenChain):
        chain.follow(STREAM, START, wrong)


def test_moving_bytes_between_fields_changes_the_hash():
    assert chain.link(bytes(32), "ab", 1, 1, "c", 1, b"d") != chain.link(bytes(32), "a", 1, 1, "bc", 1, b"d")
    assert chain.link(bytes(32), "a", 1, 1, "bc", 1, b"d") != chain.link(bytes(32), "a", 1, 1, "b", 1, b"cd")


def test_facts_of_another_stream_do_not_fit():
    facts, _ = chained([("k", 1, b"{}")])

    with pytest.raises(BrokenChain):
        chain.follow("H33021200002", Head(1, 0, chain.genesis("H33021200002")), facts)
