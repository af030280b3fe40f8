"""From a facility's outbox to the officer's screen, through the relay and the center's own door."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import create_engine, text

from central_sync import outbox
from central_sync.relay import Relay, make_engine
from central_sync.transports.http import HttpTransport
from tests.center.supervision.world import MORNING, Institution, new_code, received, sold
from tests.central_sync.world import acting, make_facility, sent_number
from tests.factories import people


@pytest.fixture
def facility(database_urls, center_owner, inbox_engine):
    """A facility of the one database, registered as an institution of the other."""
    owner = create_engine(database_urls["facility"]["owner"])
    made = make_facility(owner)
    owner.dispose()
    institution = Institution(center_owner, inbox_engine, "330212", "过桥药店", made.stream)
    return made, institution


def test_a_sale_at_the_counter_is_on_the_officers_screen(center_app, database_urls, facility):
    made, institution = facility
    code, engine = new_code(), create_engine(database_urls["facility"]["app"])
    with acting(engine, made) as connection:
        outbox.append(
            connection, made.tenant_id, made.facility_id, [received(MORNING, code), sold(institution.moment(), code)]
        )

    client = httpx.Client(
        transport=httpx.WSGITransport(app=center_app, script_name="/center", raise_app_exceptions=False)
    )
    transport = HttpTransport("http://center", {made.stream: institution.secret}.get, client=client)
    relay = Relay(make_engine(database_urls["facility"]["relay"]), transport)
    relay._work(made.stream)
    relay._pool.shutdown()
    relay.engine.dispose()
    transport.close()

    assert sent_number(engine, made) == 2
    engine.dispose()
    officer = people.center_client(center_app)
    people.sign_in_officer(officer, people.make_officer(center_app, district="330212"))
    page = officer.get(f"/passport/{code}").get_data(as_text=True)
    assert "过桥药店" in page
    assert "这一盒的来龙去脉没有矛盾。" in page


def test_a_wrong_secret_stops_at_the_door_and_says_so(center_app, database_urls, facility):
    made, _institution = facility
    client = httpx.Client(
        transport=httpx.WSGITransport(app=center_app, script_name="/center", raise_app_exceptions=False)
    )
    transport = HttpTransport("http://center", {made.stream: b"wrong"}.get, client=client)
    relay = Relay(make_engine(database_urls["facility"]["relay"]), transport)
    relay._work(made.stream)
    relay._pool.shutdown()

    with relay.engine.connect() as connection:
        state = connection.scalar(text("select relay_state from stream_head where stream = :s"), {"s": made.stream})
    relay.engine.dispose()
    transport.close()
    assert state == "refused"
