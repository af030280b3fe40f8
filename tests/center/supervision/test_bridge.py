"""The door for machines: who may send, what is answered, and that nothing is taken by halves."""

from __future__ import annotations

import msgspec
import pytest

from central_sync import signing, wire
from tests.center.supervision.world import MORNING, alerts_of, new_code, received, sold
from tests.factories import people


@pytest.fixture
def door(center_app):
    return people.center_client(center_app)


def post(door, shop, body, *, secret=None, stream=None, at=None):
    headers = signing.sign(shop.stream, secret or shop.secret, body, at)
    return door.post(f"/bridge/{stream or shop.stream}/facts", data=body, headers=headers, content_type=wire.MEDIA_TYPE)


def get_head(door, shop, query="", secret=None):
    return door.get(f"/bridge/{shop.stream}/head{query}", headers=signing.sign(shop.stream, secret or shop.secret, b""))


def test_signed_facts_are_taken(door, new_institution, center_owner):
    shop, code = new_institution(), new_code()
    facts = [
        shop.chained(*received(MORNING, code)),
        shop.chained(*sold(shop.moment(), code)),
        shop.chained(*sold(shop.moment(), code)),
    ]

    answer = post(door, shop, wire.encode(shop.batch(facts)))

    assert answer.status_code == 200
    assert wire.read_answer(answer.data).head == shop.head
    assert len(alerts_of(center_owner, code)) == 1
    assert "Set-Cookie" not in answer.headers


def test_head_starts_at_zero_and_follows(door, new_institution):
    shop = new_institution()

    before = wire.read_answer(get_head(door, shop).data)
    facts = [shop.chained(*sold(shop.moment())) for _ in range(3)]
    post(door, shop, wire.encode(shop.batch(facts)))

    assert (before.outcome, before.epoch, before.number) == ("ok", 1, 0)
    assert wire.read_answer(get_head(door, shop).data).head == shop.head
    assert wire.read_answer(get_head(door, shop, "?at=2").data).hash == facts[1].hash
    assert get_head(door, shop, "?at=-4").status_code == 200


def test_the_same_batch_again_changes_nothing(door, new_institution, center_owner):
    shop, code = new_institution(), new_code()
    body = wire.encode(shop.batch([shop.chained(*sold(shop.moment(), code)) for _ in range(2)]))

    answers = [post(door, shop, body) for _ in range(3)]

    assert [wire.read_answer(answer.data).number for answer in answers] == [2, 2, 2]
    assert len(alerts_of(center_owner, code)) == 1


@pytest.mark.parametrize("how", ["secret", "stale", "other stream", "unsigned", "unknown", "body"])
def test_whoever_is_not_the_institution_is_refused(door, new_institution, how):
    shop, other = new_institution(), new_institution()
    body = wire.encode(shop.batch([shop.chained(*sold(shop.moment()))]))
    answers = {
        "secret": lambda: post(door, shop, body, secret=b"wrong"),
        "stale": lambda: post(door, shop, body, at=1_000_000),
        "other stream": lambda: post(door, shop, body, stream=other.stream),
        "unsigned": lambda: door.post(f"/bridge/{shop.stream}/facts", data=body),
        "unknown": lambda: door.get("/bridge/H99999999999/head", headers=signing.sign("H99999999999", b"", b"")),
        "body": lambda: door.post(f"/bridge/{shop.stream}/facts", data=body + b"x", headers=signing.sign(shop.stream, shop.secret, body)),
    }  # fmt: skip

    assert answers[how]().status_code == 401
    assert wire.read_answer(get_head(door, shop).data).number == 0


@pytest.mark.parametrize("body", [b"", b"\xff\xff", b"{}", b"\x80", wire.encode(wire.Answer("ok", 1, 1, b""))])
def test_a_batch_that_cannot_be_read_is_refused(door, new_institution, body):
    shop = new_institution()

    assert post(door, shop, body).status_code == 400


def test_a_gap_and_an_altered_fact_are_conflicts(door, new_institution):
    shop = new_institution()
    first, second = (shop.chained(*sold(shop.moment())) for _ in range(2))

    gap = post(door, shop, wire.encode(shop.batch([second])))
    altered = post(
        door,
        shop,
        wire.encode(
            wire.Batch(shop.stream, 1, [wire.WireFact(first.number, first.kind, 1, first.body + b" ", first.hash)])
        ),
    )

    assert (gap.status_code, wire.read_answer(gap.data).outcome) == (409, "gap")
    assert (altered.status_code, wire.read_answer(altered.data).outcome) == (409, "altered")
    assert wire.read_answer(get_head(door, shop).data).number == 0


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, 0])
def test_impossible_numbers_are_no_bug(door, new_institution, number):
    shop = new_institution()
    fact = wire.WireFact(number, "k", 1, b"{}", bytes(32))

    for batch in (
        wire.Batch(shop.stream, 1, [fact]),
        wire.Batch(shop.stream, number, [fact], wire.Opening(number, number, bytes(32))),
    ):
        assert post(door, shop, wire.encode(batch)).status_code == 409


def test_a_batch_of_another_stream_is_not_taken(door, new_institution):
    shop, other = new_institution(), new_institution()
    batch = wire.Batch(other.stream, 1, wire.to_wire([other.chained(*sold(other.moment()))]))

    assert post(door, shop, wire.encode(batch)).status_code == 409


def test_headers_are_those_of_profile_c(new_institution):
    from datetime import UTC, datetime

    from app.national.signing import profile_c

    at = datetime(2026, 11, 12, 3, 0, tzinfo=UTC)

    assert signing.sign("H33021200001", b"secret", b"body", int(at.timestamp())) == profile_c.sign(
        "H33021200001", b"secret", b"body", at
    )


def post_round(door, *batches, secret=None):
    seats = [seat(shop, batch, secret) for shop, batch in batches]
    return door.post("/bridge/round", data=wire.encode(seats), content_type=wire.MEDIA_TYPE)


def seat(shop, batch, secret=None):
    body = wire.encode(batch)
    return wire.Seat(shop.stream, signing.sign(shop.stream, secret or shop.secret, body)["x-ca-signature"], body)


def test_a_round_takes_many_institutions_and_sees_a_code_sold_at_two_of_them(door, new_institution, center_owner):
    first, second, code = new_institution(), new_institution(), new_code()
    for shop in (first, second):
        post(door, shop, wire.encode(shop.batch([shop.chained(*sold(shop.moment()))])))
    sales = [(shop, shop.batch([shop.chained(*sold(shop.moment(), code))])) for shop in (first, second)]

    answer = post_round(door, *sales)

    assert answer.status_code == 200
    assert [given.head for given in wire.read_answers(answer.data)] == [first.head, second.head]
    assert len(alerts_of(center_owner, code)) == 1


def test_in_a_round_a_wrong_signature_goes_alone_and_the_others_are_taken(door, new_institution):
    honest, forged, foreign = new_institution(), new_institution(), new_institution()
    for shop in (honest, forged, foreign):
        post(door, shop, wire.encode(shop.batch([shop.chained(*sold(shop.moment()))])))
    batches = {shop: shop.batch([shop.chained(*sold(shop.moment()))]) for shop in (honest, forged, foreign)}
    seats = [
        seat(honest, batches[honest]),
        seat(forged, batches[forged], b"wrong"),
        msgspec.structs.replace(seat(honest, batches[foreign]), stream=foreign.stream),
    ]

    answer = door.post("/bridge/round", data=wire.encode(seats), content_type=wire.MEDIA_TYPE)

    assert [given.outcome for given in wire.read_answers(answer.data)] == ["ok", "alone", "alone"]
    assert wire.read_answer(get_head(door, forged).data).number == 1
    assert wire.read_answer(get_head(door, foreign).data).number == 1


def test_a_round_that_cannot_be_read_is_refused(door, new_institution):
    shop = new_institution()
    twice = [seat(shop, shop.batch([])), seat(shop, shop.batch([]))]
    crowd = [wire.Seat(f"S{number}", "1:A", b"") for number in range(wire.ROUND_STREAMS + 1)]

    for body in (b"", b"\xc1", wire.encode(twice), wire.encode(crowd)):
        assert door.post("/bridge/round", data=body, content_type=wire.MEDIA_TYPE).status_code == 400
    odd = [wire.Seat("\0", "", b""), wire.Seat("nobody", "", b"x")]
    answer = door.post("/bridge/round", data=wire.encode(odd), content_type=wire.MEDIA_TYPE)
    assert [given.outcome for given in wire.read_answers(answer.data)] == ["alone", "alone"]
