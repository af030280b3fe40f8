"""The relay over real HTTP between real processes: whatever dies, nothing is lost, doubled or reordered."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from central_sync import inbox, outbox
from tests.central_sync.world import (
    DISTRICT,
    acting,
    center_head,
    facility_head,
    make_facility,
    sent_number,
    wait_until,
    write,
)

pytestmark = pytest.mark.faults

# Where the relay is killed, and at which arrival: with two batches waiting, the second arrival is between them.
RELAY_POINTS = [
    ("relay.compared", 1), ("relay.read", 1), ("relay.read", 2), ("relay.sent", 1), ("relay.sent", 2),
    ("relay.acknowledged", 1),
]  # fmt: skip
CENTER_POINTS = ["inbox.stored", "inbox.applied"]


def applied(center, facility):
    """What the center's handler applied, in the order in which it did."""
    with center.connect() as connection:
        rows = connection.execute(
            text("select number from bridge_test.applied where stream = :s order by turn"), {"s": facility.stream}
        )
        return [row.number for row in rows]


def is_through(clerk, center, facility):
    head = center_head(center, facility)
    return head is not None and head == facility_head(clerk, facility) and sent_number(clerk, facility) == head.number


def assert_exactly_once(clerk, center, facility, count):
    wait_until(lambda: is_through(clerk, center, facility))
    assert applied(center, facility) == list(range(1, count + 1))


def test_facts_reach_the_center(clerk, center, owner, bridge):
    facilities = [make_facility(owner) for _ in range(3)]
    bridge.admit(*facilities)
    bridge.start_center()
    relay = bridge.start_relay()
    for facility in facilities:
        for _ in range(3):
            write(clerk, facility, 4)

    for facility in facilities:
        assert_exactly_once(clerk, center, facility, 12)
    with acting(clerk, facilities[0]) as connection:
        status = outbox.stream_status(connection, facilities[0].tenant_id, facilities[0].facility_id)
        beat = connection.execute(text("select * from relay_heartbeat where shard = 0")).one()
    assert (status.waiting, status.is_stopped) == (0, False)
    assert beat.process == relay.popen.pid
    assert relay.end() == 0


def test_more_than_one_batch_arrives_in_order(clerk, center, facility, bridge):
    bridge.admit(facility)
    for _ in range(4):
        write(clerk, facility, 400)
    bridge.start_center()
    bridge.start_relay()

    assert_exactly_once(clerk, center, facility, 1600)


@pytest.mark.parametrize(("point", "turn"), RELAY_POINTS)
def test_relay_killed_at(clerk, center, facility, bridge, point, turn):
    bridge.admit(facility)
    write(clerk, facility, 700)  # Two batches.
    bridge.start_center()
    dying = bridge.start_relay(fault=f"{point}:kill@{turn}")
    wait_until(dying.is_dead)
    assert dying.popen.returncode == -9
    write(clerk, facility, 3)
    bridge.start_relay()

    assert_exactly_once(clerk, center, facility, 703)


@pytest.mark.parametrize("point", ["round.read", "round.sent", "round.acknowledged"])
def test_relay_killed_in_a_round(clerk, center, owner, bridge, point):
    facilities = keeping_up(clerk, center, owner, bridge, fault=f"{point}:kill")
    for facility in facilities:
        write(clerk, facility, 2)
    wait_until(bridge.running[-1].is_dead)
    bridge.start_relay()

    for facility in facilities:
        assert_exactly_once(clerk, center, facility, 3)


def test_center_killed_in_a_round(clerk, center, owner, bridge):
    facilities = keeping_up(clerk, center, owner, bridge, center_fault="round.applied:kill")
    for facility in facilities:
        write(clerk, facility, 2)
    wait_until(bridge.running[0].is_dead)
    bridge.start_center()

    for facility in facilities:
        assert_exactly_once(clerk, center, facility, 3)


def keeping_up(clerk, center, owner, bridge, fault="", center_fault=""):
    """Three facilities whose first fact is through, so that the next ones travel together."""
    facilities = [make_facility(owner) for _ in range(3)]
    bridge.admit(*facilities)
    for facility in facilities:
        with center.begin() as connection:
            inbox.open_stream(connection, facility.stream, DISTRICT)
        write(clerk, facility)
    bridge.start_center(center_fault)
    bridge.start_relay(fault)
    for facility in facilities:
        assert_exactly_once(clerk, center, facility, 1)
    return facilities


@pytest.mark.parametrize("point", CENTER_POINTS)
def test_center_killed_at(clerk, center, facility, bridge, point):
    bridge.admit(facility)
    dying = bridge.start_center(fault=f"{point}:kill")
    relay = bridge.start_relay()
    write(clerk, facility, 5)
    wait_until(dying.is_dead)
    bridge.start_center()

    assert_exactly_once(clerk, center, facility, 5)
    assert not relay.is_dead()


def test_relay_killed_again_and_again_while_tills_sell(clerk, center, facility, bridge):
    bridge.admit(facility)
    bridge.start_center()
    for turn in range(6):
        relay = bridge.start_relay()
        write(clerk, facility, 60)
        time.sleep(0.35 + 0.07 * turn)
        write(clerk, facility, 60)
        relay.kill()
    bridge.start_relay()

    assert_exactly_once(clerk, center, facility, 720)


def test_two_relays_of_one_shard_do_not_work_at_once(clerk, center, facility, bridge):
    bridge.admit(facility)
    bridge.start_center()
    first, second = bridge.start_relay(), bridge.start_relay()
    write(clerk, facility, 10)
    assert_exactly_once(clerk, center, facility, 10)
    for relay in (first, second):
        with acting(clerk, facility) as connection:
            working = connection.scalar(text("select process from relay_heartbeat where shard = 0"))
        if relay.popen.pid == working:
            relay.kill()
    write(clerk, facility, 10)

    assert_exactly_once(clerk, center, facility, 20)


def test_a_center_restored_to_an_earlier_moment_gets_its_facts_again(clerk, center, center_owner, facility, bridge):
    bridge.admit(facility)
    bridge.start_center()
    relay = bridge.start_relay()
    write(clerk, facility, 8)
    assert_exactly_once(clerk, center, facility, 8)
    relay.kill()
    with center_owner.begin() as connection:
        restore_center(connection, facility.stream, 5)
    bridge.start_relay()

    assert_exactly_once(clerk, center, facility, 8)


def restore_center(connection, stream, number):
    """Make the center what it was when it had `number` facts."""
    values = {"s": stream, "n": number}
    connection.execute(text("delete from bridge_test.applied where stream = :s and number > :n"), values)
    connection.execute(
        text("""
            update inbox_stream set number = :n, applied_number = :n,
                hash = (select hash from inbox_fact where stream = :s and number = :n)
            where stream = :s
        """),
        values,
    )
    connection.execute(text("delete from inbox_fact where stream = :s and number > :n"), values)


def test_an_institution_with_a_wrong_secret_is_refused_and_told(clerk, facility, bridge):
    bridge.start_center()
    bridge.start_relay()  # The relay knows no secret for this stream.
    write(clerk, facility)

    def is_told():
        with acting(clerk, facility) as connection:
            return outbox.stream_status(connection, facility.tenant_id, facility.facility_id).relay_state == "refused"

    wait_until(is_told)
    bridge.admit(facility)

    wait_until(lambda: sent_number(clerk, facility) == 1)
    assert not_refused(clerk, facility)


def not_refused(clerk, facility):
    with acting(clerk, facility) as connection:
        return outbox.stream_status(connection, facility.tenant_id, facility.facility_id).relay_state == "running"


def test_shards_share_the_streams_and_miss_none(clerk, center, owner, bridge):
    facilities = [make_facility(owner) for _ in range(6)]
    bridge.admit(*facilities)
    bridge.start_center()
    for shard in range(2):
        bridge.environment |= {"SUNMED_RELAY_SHARD": str(shard), "SUNMED_RELAY_SHARDS": "2"}
        bridge.start_relay()
    for facility in facilities:
        write(clerk, facility, 5)

    for facility in facilities:
        assert_exactly_once(clerk, center, facility, 5)
