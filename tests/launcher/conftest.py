"""A folder that the embedded server's account can enter too, when the tests run as root."""

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def open_folder():
    with tempfile.TemporaryDirectory(prefix="sunmed-home-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
