"""After a restore: the stream stops, the next epoch starts at the last common fact, nothing written here is lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from central_sync import inbox, rewind, verify
from central_sync.relay import Relay, make_engine
from tests.central_sync.world import (
    DISTRICT,
    Recorder,
    acting,
    center_head,
    facility_head,
    facts_of,
    make_facility,
    sent_number,
    write,
)


class Direct:
    """A way over the bridge without a wire: straight into the center's database."""

    def __init__(self, center, handler=None):
        self.center = center
        self.handler = handler or Recorder()

    def send(self, stream, batch):
        with self.center.begin() as connection:
            return inbox.receive(connection, stream, batch, self.handler)

    def head(self, stream, at=None):
        with self.center.begin() as connection:
            inbox.open_stream(connection, stream, DISTRICT)
            return inbox.position(connection, stream, at)


def carry(relay_engine, transport, facility):
    """What the relay's worker does for one stream, once."""
    engine = make_engine(relay_engine.url.render_as_string(hide_password=False))
    relay = Relay(engine, transport)
    relay._work(facility.stream)
    relay._pool.shutdown()
    engine.dispose()
    return relay


def restore(owner, facility, number):
    """Make the facility's database what it was when it had `number` facts."""
    values = {"s": facility.stream, "n": number}
    with owner.begin() as connection:
        connection.execute(text("delete from outbox where stream = :s and number > :n"), values)
        connection.execute(
            text("""
                update stream_head set number = :n, sent_number = least(sent_number, :n), hash = coalesce(
                    (select hash from outbox where stream = :s and number = :n order by epoch desc limit 1),
                    sha256(convert_to('sunmed:stream:' || :s, 'UTF8')))
                where stream = :s
            """),
            values,
        )


def state_of(clerk, facility):
    with acting(clerk, facility) as connection:
        return connection.execute(
            text("select relay_state, relay_note from stream_head where facility_id = :id"),
            {"id": facility.facility_id},
        ).one()


def reopen(owner, transport, facility):
    with owner.begin() as connection:
        found = rewind.plan(connection, transport, facility.stream)
        assert found is not None
        rewind.carry_out(connection, found)
    return found


def assert_both_complete(owner, center, facility):
    with owner.connect() as connection:
        [here] = verify.verify_facility(connection, facility.stream)
    with center.connect() as connection:
        [there] = verify.verify_center(connection, facility.stream)
    assert here.findings == []
    assert there.findings == []


def test_a_rewound_facility_stops_and_says_why(clerk, owner, center, relay_engine):
    facility, way = make_facility(owner), Direct(center)
    write(clerk, facility, 10)
    carry(relay_engine, way, facility)
    restore(owner, facility, 6)
    write(clerk, facility, 2)

    carry(relay_engine, way, facility)

    assert state_of(clerk, facility) == ("rewound", "the center has 10 facts, here are 8")
    assert center_head(center, facility).number == 10


def test_a_rewound_facility_that_has_overtaken_the_center_stops_too(clerk, owner, center, relay_engine):
    facility, way = make_facility(owner), Direct(center)
    write(clerk, facility, 5)
    carry(relay_engine, way, facility)
    restore(owner, facility, 3)
    write(clerk, facility, 9)

    carry(relay_engine, way, facility)

    assert state_of(clerk, facility) == ("rewound", "fact 5 here is another than at the center")


def test_the_next_epoch_starts_at_the_last_common_fact(clerk, owner, center, relay_engine):
    facility, handler = make_facility(owner), Recorder()
    way = Direct(center, handler)
    write(clerk, facility, 10)
    carry(relay_engine, way, facility)
    restore(owner, facility, 6)
    write(clerk, facility, 2)
    carry(relay_engine, way, facility)

    plan = reopen(owner, way, facility)
    write(clerk, facility, 1)
    carry(relay_engine, way, facility)

    assert (plan.common.number, plan.orphaned, plan.written_again) == (6, 4, 2)
    assert state_of(clerk, facility).relay_state == "running"
    head = center_head(center, facility)
    assert (head.epoch, head.number) == (2, 9)
    assert head == facility_head(clerk, facility)
    assert sent_number(clerk, facility) == 9
    assert handler.orphaned == [(facility.stream, 1, 6)]
    assert [fact.body for fact in facts_of(clerk, facility, 2)][:2] == [
        fact.body for fact in facts_of(clerk, facility)
    ][6:]
    with center.connect() as connection:
        orphans = connection.scalars(
            text("select number from inbox_fact where stream = :s and orphaned_at is not null order by number"),
            {"s": facility.stream},
        ).all()
    assert orphans == [7, 8, 9, 10]
    assert_both_complete(owner, center, facility)


def test_the_epoch_is_told_even_when_nothing_new_was_written(clerk, owner, center, relay_engine):
    facility, way = make_facility(owner), Direct(center)
    write(clerk, facility, 4)
    carry(relay_engine, way, facility)
    restore(owner, facility, 1)
    carry(relay_engine, way, facility)

    reopen(owner, way, facility)
    carry(relay_engine, way, facility)

    assert center_head(center, facility) == facility_head(clerk, facility)
    assert center_head(center, facility).epoch == 2


def test_nothing_is_reopened_where_nothing_was_rewound(clerk, owner, center, relay_engine):
    facility, way = make_facility(owner), Direct(center)
    write(clerk, facility, 4)
    carry(relay_engine, way, facility)
    write(clerk, facility, 1)

    with owner.connect() as connection:
        assert rewind.plan(connection, way, facility.stream) is None


def test_the_center_refuses_an_epoch_that_starts_elsewhere(clerk, owner, center, relay_engine):
    from central_sync.wire import Batch, Opening

    facility, way = make_facility(owner), Direct(center)
    write(clerk, facility, 4)
    carry(relay_engine, way, facility)

    for opening in (Opening(2, 3, bytes(32)), Opening(2, 9, bytes(32))):
        answer = way.send(facility.stream, Batch(facility.stream, 2, [], opening))
        assert answer.outcome == "epoch"
    assert center_head(center, facility).epoch == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(st.lists(st.tuples(st.sampled_from(["write", "carry", "restore", "reopen"]), st.integers(0, 6)), max_size=14))
def test_any_history_of_restores_ends_complete(clerk, owner, center, relay_engine, steps):
    facility, way = make_facility(owner), Direct(center)
    for step, size in steps:
        head = facility_head(clerk, facility)
        if step == "write" and size:
            write(clerk, facility, size)
        elif step == "carry":
            carry(relay_engine, way, facility)
        elif step == "restore" and head.epoch == 1:
            restore(owner, facility, max(0, head.number - size))
        elif step == "reopen" and state_of(clerk, facility).relay_state == "rewound":
            reopen(owner, way, facility)
    write(clerk, facility, 1)
    carry(relay_engine, way, facility)
    if state_of(clerk, facility).relay_state == "rewound":
        reopen(owner, way, facility)
        carry(relay_engine, way, facility)

    assert center_head(center, facility) == facility_head(clerk, facility)
    assert_both_complete(owner, center, facility)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_center_that_was_restored_under_an_older_epoch_gets_everything_again(
    clerk, owner, center, center_owner, relay_engine, turn
):
    facility, way = make_facility(owner), Direct(center)
    write(clerk, facility, 6)
    carry(relay_engine, way, facility)
    with center_owner.begin() as connection:
        saved = (
            connection.execute(text("select * from inbox_stream where stream = :s"), {"s": facility.stream})
            .mappings()
            .one()
        )
    for _ in range(turn):
        restore(owner, facility, facility_head(clerk, facility).number - 2)
        carry(relay_engine, way, facility)
        reopen(owner, way, facility)
        write(clerk, facility, 3)
        carry(relay_engine, way, facility)
    with center_owner.begin() as connection:
        values = {"s": facility.stream, "n": 3}
        connection.execute(text("delete from inbox_fact where stream = :s and (number > :n or epoch > 1)"), values)
        connection.execute(text("delete from inbox_epoch where stream = :s and epoch > 1"), values)
        connection.execute(
            text("update inbox_epoch set left_number = null, left_hash = null where stream = :s"), values
        )
        connection.execute(text("""update inbox_stream set epoch = 1, number = :n, applied_number = :n,
            hash = (select hash from inbox_fact where stream = :s and number = :n) where stream = :s"""), values)  # fmt: skip
    assert saved["number"] == 6

    carry(relay_engine, way, facility)

    assert center_head(center, facility) == facility_head(clerk, facility)
    assert_both_complete(owner, center, facility)
