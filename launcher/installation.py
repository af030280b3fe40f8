"""What backup and restore share: an installation's databases, reached whether Sunmed runs or not, and PostgreSQL's programs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from launcher import postgres, settings
from launcher.home import Home
from launcher.postgres import Embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

WINGS = ("facility", "center")
# What it takes to read the data again: the key of the personal data, and the demo officers' second factor.
KEPT_FILES = ("demo-totp",)
KEPT_SECRETS = ("data_key",)
MANIFEST = "backup.json"


class Refused(Exception):
    """It cannot be done as asked; the text says why and what to do."""


@contextmanager
def servers(home: Home, *, running: bool) -> Iterator[dict[str, str]]:
    """Each wing's server as its administrator. The embedded one is started when Sunmed does not run, and stopped again."""
    embedded = Embedded(home.folder / "postgres", home.secrets()["postgres"])
    needed = not all(settings.outside(wing) for wing in WINGS)
    if needed and not running:
        embedded.start()
    try:
        yield {wing: settings.outside(wing) or embedded.admin_url for wing in WINGS}
    finally:
        if needed and not running:
            embedded.stop()


@contextmanager
def engine(url: str) -> Iterator[Engine]:
    """An engine for a moment."""
    made = create_engine(url)
    try:
        yield made
    finally:
        made.dispose()


def program(name: str, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pg_dump or pg_restore against an address; the password goes by the environment, never by the command line."""
    address = make_url(url)
    told = {
        "PGHOST": address.host or str(address.query.get("host", "")),
        "PGPORT": str(address.port or ""),
        "PGUSER": address.username or "",
        "PGPASSWORD": str(address.password or ""),
        "PGDATABASE": address.database or "",
        "PGSSLMODE": str(address.query.get("sslmode", "")),
    }
    done = subprocess.run(
        [_path(name), *arguments],
        env={**os.environ, **{key: value for key, value in told.items() if value}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"{name} failed: {done.stderr.strip()[-2000:]}")
    return done


def _path(name: str) -> str:
    """The program of the embedded server, else the system's."""
    own = postgres.program_path(name)
    found = str(own) if own.exists() else shutil.which(name)
    if not found:
        raise Refused(f"{name} is not on this machine. Install PostgreSQL's client programs and try again.")
    return found


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_private(path: Path, content: Any) -> None:
    """Write JSON that only this account can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
