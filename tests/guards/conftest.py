import pytest

from tests.guards.filled import deliver, fill


@pytest.fixture(scope="session")
def filled(facility_app, center_app, database_urls):
    """Our pharmacy, with a history on both sides. Tests here look at it or are refused; they do not sell from it."""
    made = fill(facility_app, center_app, name="二十号药店")
    deliver(center_app, database_urls, made.pharmacy)
    return made
