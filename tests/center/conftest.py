"""What every room of the center's tests looks with."""

import psycopg
import pytest


@pytest.fixture
def owner_sql(database_urls):
    """Look into the center's tables as their owner."""
    url = database_urls["center"]["owner"].replace("+psycopg", "")

    def look(statement, *params):
        with psycopg.connect(url) as connection:
            return connection.execute(statement, params).fetchall()

    return look
