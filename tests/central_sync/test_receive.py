"""Receiving: each fact once, in order, verified; a refused fact stops the application and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from central_sync import inbox
from tests.central_sync.world import (
    DISTRICT,
    Recorder,
    batch_of,
    center_head,
    facility_head,
    facts_of,
    make_facility,
    write,
)


def take(center, facility, facts, handler=None, opening=None):
    with center.begin() as connection:
        return inbox.receive(connection, facility.stream, batch_of(facility, facts, opening), handler or Recorder())


def stream_row(center, facility):
    with center.connect() as connection:
        return connection.execute(text("select * from inbox_stream where stream = :s"), {"s": facility.stream}).one()


def test_facts_arrive_and_are_applied_in_order(clerk, center, facility):
    write(clerk, facility, 5)
    handler = Recorder()

    answer = take(center, facility, facts_of(clerk, facility), handler)

    assert answer.outcome == "ok"
    assert answer.head == facility_head(clerk, facility) == center_head(center, facility)
    assert handler.applied == [(facility.stream, 1, n) for n in range(1, 6)]
    assert stream_row(center, facility).applied_number == 5


def test_the_same_batch_twice_is_taken_once(clerk, center, facility):
    write(clerk, facility, 3)
    handler = Recorder()

    first = take(center, facility, facts_of(clerk, facility), handler)
    write(clerk, facility, 1)
    second = take(center, facility, facts_of(clerk, facility), handler)

    assert (first.number, second.number) == (3, 4)
    assert [number for _, _, number in handler.applied] == [1, 2, 3, 4]


def test_a_gap_takes_nothing(clerk, center, facility):
    write(clerk, facility, 4)

    answer = take(center, facility, facts_of(clerk, facility)[1:])

    assert (answer.outcome, answer.number) == ("gap", 0)
    assert center_head(center, facility).number == 0


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_altered_fact_takes_nothing_of_its_batch(clerk, center, facility, place):
    write(clerk, facility, 3)
    facts = facts_of(clerk, facility)
    facts[place] = replace(facts[place], body=facts[place].body.replace(b"100", b"900"))

    answer = take(center, facility, facts)

    assert answer.outcome == "altered"
    assert center_head(center, facility).number == 0


def test_another_fact_under_a_number_already_taken_is_seen(clerk, center, facility):
    write(clerk, facility, 2)
    facts = facts_of(clerk, facility)
    take(center, facility, facts)

    answer = take(center, facility, [replace(facts[0], hash=bytes(32)), facts[1]])

    assert answer.outcome == "altered"


def test_a_refused_fact_sets_the_application_aside_and_receiving_goes_on(clerk, center, facility):
    write(clerk, facility, 4)
    handler = Recorder(refuses=[3])

    answer = take(center, facility, facts_of(clerk, facility), handler)
    write(clerk, facility, 2)
    take(center, facility, facts_of(clerk, facility)[4:], handler)

    row = stream_row(center, facility)
    assert answer.number == 4
    assert row.number == 6
    assert (row.applied_number, row.set_aside_number, row.set_aside_reason) == (2, 3, "不可能的数量")
    assert [number for _, _, number in handler.applied] == [1, 2]


def test_an_application_taken_up_again_goes_to_the_end(clerk, center, facility):
    write(clerk, facility, 5)
    handler = Recorder(refuses=[2])
    take(center, facility, facts_of(clerk, facility), handler)
    handler.refuses.clear()

    with center.begin() as connection:
        reached = inbox.apply_waiting(connection, facility.stream, handler)

    assert reached == 5
    assert [number for _, _, number in handler.applied] == [1, 2, 3, 4, 5]
    assert stream_row(center, facility).set_aside_number is None


def test_a_skipped_fact_is_left_out_and_only_that_one(clerk, center, facility):
    write(clerk, facility, 4)
    handler = Recorder(refuses=[2])
    take(center, facility, facts_of(clerk, facility), handler)

    with center.begin() as connection, pytest.raises(ValueError, match="does not stand at"):
        inbox.skip(connection, facility.stream, 3, handler)
    with center.begin() as connection:
        inbox.skip(connection, facility.stream, 2, handler)

    assert [number for _, _, number in handler.applied] == [1, 3, 4]


def test_a_body_outside_the_contract_is_received_and_set_aside(clerk, center, facility):
    from tests.central_sync.world import acting

    with acting(clerk, facility) as connection:
        connection.execute(
            text("""select * from append_facts(:t, :f, '[{"kind": "sale.sold", "version": 1, "body": "{}"}]')"""),
            {"t": facility.tenant_id, "f": facility.facility_id},
        )

    answer = take(center, facility, facts_of(clerk, facility))

    row = stream_row(center, facility)
    assert (answer.outcome, row.number, row.applied_number, row.set_aside_number) == ("ok", 1, 0, 1)
    assert "missing required field" in row.set_aside_reason


class Fragile(Recorder):
    """Breaks on one fact without saying which."""

    def apply(self, connection, deliveries):
        if any(fact.number == 7 for _stream, _district, facts in deliveries for fact, _ in facts):
            connection.execute(text("select 1 / 0"))
        super().apply(connection, deliveries)


def take_round(center, *taken, handler=None):
    with center.begin() as connection:
        return inbox.receive_round(
            connection, [batch_of(facility, facts) for facility, facts in taken], handler or Recorder()
        )


def test_many_streams_are_taken_in_one_round(clerk, center, owner):
    facilities = [make_facility(owner) for _ in range(3)]
    for facility in facilities:
        with center.begin() as connection:
            inbox.open_stream(connection, facility.stream, DISTRICT)
        write(clerk, facility, 3)
    handler = Recorder()

    answers = take_round(center, *((one, facts_of(clerk, one)) for one in facilities), handler=handler)

    assert [(answer.outcome, answer.number) for answer in answers] == [("ok", 3)] * 3
    assert [center_head(center, one) == facility_head(clerk, one) for one in facilities] == [True] * 3
    assert handler.applied == [(one.stream, 1, number) for one in facilities for number in (1, 2, 3)]
    again = take_round(center, *((one, facts_of(clerk, one)) for one in facilities))
    assert {answer.outcome for answer in again} == {"alone"}  # Nothing is taken twice.


def test_who_does_not_fit_into_a_round_goes_alone_and_the_others_are_taken(clerk, center, owner):
    fits, gap, unknown, altered, aside = facilities = [make_facility(owner) for _ in range(5)]
    for facility in facilities:
        write(clerk, facility, 2)
        if facility is not unknown:
            with center.begin() as connection:
                inbox.open_stream(connection, facility.stream, DISTRICT)
    take(center, aside, facts_of(clerk, aside)[:1], Recorder(refuses=[1]))
    first, second = facts_of(clerk, altered)
    sent = {
        fits: facts_of(clerk, fits), gap: facts_of(clerk, gap)[1:], unknown: facts_of(clerk, unknown),
        altered: [first, replace(second, body=second.body + b" ")], aside: facts_of(clerk, aside)[1:],
    }  # fmt: skip

    answers = take_round(center, *sent.items())

    assert [answer.outcome for answer in answers] == ["ok", "alone", "alone", "alone", "alone"]
    assert [center_head(center, one) and center_head(center, one).number for one in facilities] == [2, 0, None, 0, 1]


def test_a_refused_fact_sends_everybody_alone_and_nothing_is_taken(clerk, center, owner):
    facilities = [make_facility(owner) for _ in range(2)]
    for facility, count in zip(facilities, (2, 7), strict=True):
        with center.begin() as connection:
            inbox.open_stream(connection, facility.stream, DISTRICT)
        write(clerk, facility, count)

    for handler in (Recorder(refuses=[5]), Fragile()):
        answers = take_round(center, *((one, facts_of(clerk, one)) for one in facilities), handler=handler)
        assert [answer.outcome for answer in answers] == ["alone", "alone"]

    assert [center_head(center, one).number for one in facilities] == [0, 0]


def test_a_fact_that_breaks_the_handler_is_found_and_set_aside(clerk, center, facility):
    write(clerk, facility, 10)
    handler = Fragile()

    answer = take(center, facility, facts_of(clerk, facility), handler)

    row = stream_row(center, facility)
    assert (answer.number, row.applied_number, row.set_aside_number) == (10, 6, 7)
    assert "division by zero" in row.set_aside_reason
    assert [number for _, _, number in handler.applied] == [1, 2, 3, 4, 5, 6]


def test_the_center_cannot_rewrite_a_fact(clerk, center, facility):
    write(clerk, facility)
    take(center, facility, facts_of(clerk, facility))

    for statement in ("update inbox_fact set body = '\\x00'", "delete from inbox_fact"):
        with pytest.raises(ProgrammingError, match="permission denied"), center.begin() as connection:
            connection.execute(text(statement))
