import pytest

from tests.center import world


@pytest.fixture
def clinic(center_app):
    return world.make_shop(center_app, kind="clinic")


@pytest.fixture
def shop(center_app):
    return world.make_shop(center_app)


@pytest.fixture
def other_shop(center_app):
    return world.make_shop(center_app, district="330203")
