import pytest

from tests.center import world


@pytest.fixture(scope="session")
def policies(center_app):
    world.make_policies(center_app)


@pytest.fixture
def shop(center_app, policies):
    return world.make_shop(center_app)


@pytest.fixture
def clinic(center_app, policies):
    return world.make_shop(center_app, kind="clinic")


@pytest.fixture
def drug(center_app):
    return world.make_item(center_app)


@pytest.fixture
def owner_sql(database_urls):
    """Look into the center's tables as their owner."""
    import psycopg

    url = database_urls["center"]["owner"].replace("+psycopg", "")

    def look(statement, *params):
        with psycopg.connect(url) as connection:
            return connection.execute(statement, params).fetchall()

    return look
