from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from central_sync import inbox
from launcher.databases import prepare
from tests.central_sync.world import DISTRICT, Bridge, make_facility


@pytest.fixture(scope="session")
def bridge_urls(cluster, role_passwords):
    """Two databases of our own: a relay sees every stream of its database, also those of other rooms' tests."""
    return {wing: prepare(cluster.admin_url, wing, role_passwords, f"bridge_{wing}") for wing in ("facility", "center")}


@pytest.fixture(scope="session")
def engines(bridge_urls):
    """Connections by wing and role, as ("facility", "relay")."""
    made = {
        (wing, role): create_engine(url)
        for wing, urls in bridge_urls.items()
        for role, url in urls.items()
        if role != "backup"
    }
    yield made
    for engine in made.values():
        engine.dispose()


@pytest.fixture(scope="session")
def owner(engines):
    return engines["facility", "owner"]


@pytest.fixture(scope="session")
def clerk(engines):
    return engines["facility", "app"]


@pytest.fixture(scope="session")
def relay_engine(engines):
    return engines["facility", "relay"]


@pytest.fixture(scope="session")
def center(engines):
    return engines["center", "inbox"]


@pytest.fixture(scope="session")
def center_owner(engines):
    return engines["center", "owner"]


@pytest.fixture
def facility(owner, center):
    """A facility whose stream the center expects."""
    made = make_facility(owner)
    with center.begin() as connection:
        inbox.open_stream(connection, made.stream, DISTRICT)
    return made


@pytest.fixture
def bridge(tmp_path, bridge_urls, center_owner):
    """A center and relays as processes."""
    with center_owner.begin() as connection:
        connection.execute(text("create schema if not exists bridge_test"))
        connection.execute(
            text("""
                create table if not exists bridge_test.applied (
                    turn bigint generated always as identity, stream text, epoch bigint, number bigint,
                    unique (stream, epoch, number)
                )
            """)
        )
        connection.execute(text("grant usage on schema bridge_test to center_inbox"))
        connection.execute(text("grant select, insert on bridge_test.applied to center_inbox"))
    made = Bridge(tmp_path, bridge_urls)
    yield made
    made.close()
    with center_owner.begin() as connection:
        connection.execute(text("drop schema bridge_test cascade"))
