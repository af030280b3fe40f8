"""A center that answers a round with anything but what became of it: its streams go alone, and nothing stands still."""

from __future__ import annotations

import tracemalloc

import httpx
import pytest

from central_sync import inbox, wire
from central_sync.relay import HEADS, Relay, make_engine
from central_sync.transports.http import HttpTransport
from tests.central_sync.world import DISTRICT, Recorder, center_head, facility_head, make_facility, write


def transport_to(center, round_status):
    """The center over HTTP; every round is answered with this status."""
    handler = Recorder()

    def answer(request):
        *_, stream, what = request.url.path.split("/")
        if what == "round":
            return httpx.Response(round_status)
        with center.begin() as connection:
            inbox.open_stream(connection, stream, DISTRICT)
            if what == "head":
                said = inbox.position(connection, stream)
            else:
                said = inbox.receive(connection, stream, wire.read_batch(request.content), handler)
        return httpx.Response(200, content=wire.encode(said))

    client = httpx.Client(transport=httpx.MockTransport(answer))
    return HttpTransport("http://center.test/center", lambda _stream: b"secret", client=client)


@pytest.mark.parametrize("status", [404, 400, 500, 503])
def test_streams_whose_round_is_refused_go_alone(clerk, center, owner, relay_engine, status):
    facilities = [make_facility(owner) for _ in range(2)]
    names = {facility.stream for facility in facilities}
    relay = Relay(make_engine(relay_engine.url.render_as_string(hide_password=False)), transport_to(center, status))
    for name in names:
        relay._work(name)
    for facility in facilities:
        write(clerk, facility, 2)
    with relay.engine.connect() as connection:
        rows = [row for row in connection.execute(HEADS) if row.stream in names]
    assert all(relay._keeps_up(row) for row in rows)

    relay._work_round(rows)
    assert not any(relay._keeps_up(row) for row in rows)
    for name in names:
        relay._work(name)

    assert not any(relay._keeps_up(row) for row in rows)  # Not at once into the same round again.
    assert [center_head(center, one) == facility_head(clerk, one) for one in facilities] == [True, True]
    relay._pool.shutdown()
    relay.engine.dispose()


def test_a_round_of_too_many_seats_is_refused_before_they_are_made():
    seat = wire.Seat("", "", b"")
    data = wire.encode([seat])[1:] * 1_500_000
    tracemalloc.start()
    with pytest.raises(ValueError, match="200"):
        wire.read_round(b"\xdd" + (1_500_000).to_bytes(4, "big") + data)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 20_000_000
    with pytest.raises(ValueError, match="twice"):
        wire.read_round(wire.encode([seat, seat]))
