"""Appending: numbers in the order of commit, none skipped, the bytes as they were given, nobody else's stream."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from central_sync import chain, contract, outbox
from central_sync.chain import Head
from tests.central_sync.world import acting, facility_head, facts_of, make_facility, shift_body, write


def test_facts_of_one_act_follow_each_other(clerk, facility):
    written = write(clerk, facility, 3)

    facts = facts_of(clerk, facility)
    assert [number for number, _ in written] == [1, 2, 3] == [fact.number for fact in facts]
    assert [link for _, link in written] == [fact.hash for fact in facts]
    head = chain.follow(facility.stream, Head(1, 0, chain.genesis(facility.stream)), facts)
    assert head == facility_head(clerk, facility)


def test_a_rolled_back_act_leaves_no_gap(clerk, facility):
    write(clerk, facility)
    with clerk.connect() as connection:
        connection.execute(text("select set_config('app.tenant_id', :id, true)"), {"id": str(facility.tenant_id)})
        outbox.append(connection, facility.tenant_id, facility.facility_id, [("shift.closed", shift_body())])
        connection.rollback()
    write(clerk, facility)

    assert [fact.number for fact in facts_of(clerk, facility)] == [1, 2]


def test_eight_tills_at_once_make_one_chain(clerk, facility):
    def sell():
        for _ in range(10):
            write(clerk, facility, 2)

    tills = [threading.Thread(target=sell) for _ in range(8)]
    for till in tills:
        till.start()
    for till in tills:
        till.join()

    facts = facts_of(clerk, facility)
    assert len(facts) == 160
    assert chain.follow(facility.stream, Head(1, 0, chain.genesis(facility.stream)), facts) == facility_head(
        clerk, facility
    )


def test_body_is_stored_byte_for_byte(clerk, facility):
    fact = '{"b": 1,  "a":"药 \\u836f"}'
    with acting(clerk, facility) as connection:
        connection.execute(
            text("select * from append_facts(:t, :f, cast(:facts as jsonb))"),
            {
                "t": facility.tenant_id,
                "f": facility.facility_id,
                "facts": __import__("json").dumps([{"kind": "k", "version": 1, "body": fact}]),
            },
        )

    assert facts_of(clerk, facility)[0].body == fact.encode()


def test_a_body_outside_the_contract_is_not_written(clerk, facility):
    with pytest.raises(contract.OutsideContract), acting(clerk, facility) as connection:
        outbox.append(
            connection, facility.tenant_id, facility.facility_id, [("shift.closed", shift_body(patient="张三"))]
        )

    assert facility_head(clerk, facility).number == 0


def test_python_values_are_written_as_the_contract_says():
    fact = contract.compose("shift.closed", shift_body(document=uuid4(), at=datetime(2026, 11, 12, 2, 43, tzinfo=UTC)))

    assert contract.read("shift.closed", 1, fact["body"].encode()).at == datetime(2026, 11, 12, 2, 43, tzinfo=UTC)
    assert '"2026-11-12T02:43:00Z"' in fact["body"]


def test_a_stranger_neither_appends_nor_reads(clerk, owner, facility):
    write(clerk, facility)
    stranger = make_facility(owner)

    with pytest.raises(DBAPIError, match="has no stream"), acting(clerk, stranger) as connection:
        outbox.append(connection, facility.tenant_id, facility.facility_id, [("shift.closed", shift_body())])
    with acting(clerk, stranger) as connection:
        assert outbox.stream_status(connection, facility.tenant_id, facility.facility_id) is None
        assert connection.scalar(text("select count(*) from outbox")) == 0
    with clerk.begin() as connection:
        assert connection.scalar(text("select count(*) from outbox")) == 0


@pytest.mark.parametrize("statement", [
    "update outbox set body = '\\x00'", "delete from outbox", "update stream_head set sent_number = 0",
    "update stream_head set epoch = 2", "delete from stream_head", "update stream_epoch set from_number = 0",
])  # fmt: skip
def test_the_application_cannot_rewrite_its_stream(clerk, facility, statement):
    write(clerk, facility)

    with pytest.raises(ProgrammingError, match="permission denied"), acting(clerk, facility) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("statement", [
    "update outbox set body = '\\x00'", "insert into outbox select * from outbox", "update stream_head set number = 0",
    "delete from outbox", "update stream_head set hash = '\\x00'",
])  # fmt: skip
def test_the_relay_writes_only_where_it_stands(relay_engine, facility, statement):
    with pytest.raises(ProgrammingError, match="permission denied"), relay_engine.begin() as connection:
        connection.execute(text(statement))
