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
