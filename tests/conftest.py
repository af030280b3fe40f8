"""One embedded PostgreSQL for the whole run, both wings migrated once. Tests keep apart by making their own tenants."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

os.environ.setdefault("SUNMED_DATA_KEY", secrets.token_hex(32))
os.environ.setdefault("SUNMED_DEMO", "1")

from launcher import translations
from launcher.databases import ROLES, prepare
from launcher.postgres import Embedded

# A file is one group of its own, so its product starts once and no other file touches it meanwhile. All that drives Chromium
# is one group: two browsers at once on two cores are too slow for what their pages promise, and one product serves them all.
SLOWEST_FIRST = (
    "browser/test_screens",
    "browser",
    "faults",
    "launcher",
)  # The pictures begin: the demo world is untouched.


class Scheduling(LoadFileScheduling):
    """Hands out whole files, and the browser's files together."""

    def _split_scope(self, nodeid):
        return "tests/browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log)


# What waits for a real browser or a real process may wait in vain where a machine stands still for some seconds. Only such a
# failure, told by these words, is tried once more; the run's last lines name each. What is wrong at once stays a failure.
WAITED_IN_VAIN = [r"(?i)timeout", r"in time", r"was not killed", r"did not start"]
AGAIN = pytest.mark.flaky(reruns=1, only_rerun=WAITED_IN_VAIN)


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that no process is left alone with it at the end."""
    tests = Path(__file__).parent
    items.sort(key=lambda item: _place(item.path.relative_to(tests).as_posix()))
    for item in items:
        if item.path.is_relative_to(tests / "browser") or item.path.is_relative_to(tests / "faults"):
            item.add_marker(AGAIN)


def _place(path):
    return next((place for place, name in enumerate(SLOWEST_FIRST) if path.startswith(name)), len(SLOWEST_FIRST))


translations.prepare()  # The English tests read the compiled catalog.


@pytest.fixture(scope="session")
def cluster():
    with tempfile.TemporaryDirectory(prefix="sunmed-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        embedded = Embedded(Path(folder), "tests")
        embedded.start()
        yield embedded
        embedded.stop()


@pytest.fixture(scope="session")
def role_passwords():
    return {f"{wing}_{role}": secrets.token_hex(8) for wing, roles in ROLES.items() for role in roles}


@pytest.fixture(scope="session")
def database_urls(cluster, role_passwords):
    return {wing: prepare(cluster.admin_url, wing, role_passwords) for wing in ("facility", "center")}


@pytest.fixture(scope="session")
def center_app(database_urls):
    from app.center.factory import create_app

    app = create_app(database_urls["center"], secret="tests", testing=True)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].close()


@pytest.fixture(scope="session")
def facility_app(database_urls, center_app):
    from app.facility.factory import create_app

    app = create_app(database_urls["facility"], secret="tests", testing=True, center=center_app)
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].close()
