"""Puts a backup back, checks it, and opens the next epoch of each stream that the center is ahead of.

    make restore FROM=folder [ONLY=facility|center] [CONFIRM=1]

Nothing is overwritten: each database is restored beside the present one, verified there, and takes its name last. The
present one is kept under another name until somebody drops it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy import text

from central_sync import inbox, rewind
from central_sync.settings import SecretFile
from central_sync.transports.http import HttpTransport
from launcher import backup, databases, installation, settings
from launcher.home import Home
from launcher.installation import WINGS, Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from central_sync.wire import Answer


class CenterHere:
    """Where the center stands, read from its own database on this installation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self, stream: str, at: int | None = None) -> Answer:
        """The center's head of a stream, or its hash at a number. LookupError when it has never heard of the stream."""
        if inbox.head_of(self._connection, stream) is None:
            raise LookupError(stream)
        return inbox.position(self._connection, stream, at)


def main() -> int:
    """Restore the folder FROM into the home of SUNMED_HOME."""
    wanted = os.environ.get("FROM") or (sys.argv[1].removeprefix("FROM=") if len(sys.argv) > 1 else "")
    only = os.environ.get("ONLY", "")
    if not wanted or only not in {"", *WINGS}:
        print("Say from where: make restore FROM=folder [ONLY=facility|center] [CONFIRM=1]", file=sys.stderr)
        return 2
    try:
        lines = restore(Home(), Path(wanted).resolve(), (only,) if only else WINGS, os.environ.get("CONFIRM") == "1")
    except Refused as refusal:
        print(f"Sunmed: {refusal}", file=sys.stderr)
        return 1
    print("\n".join(lines), flush=True)
    return 0


def restore(home: Home, folder: Path, wings: tuple[str, ...], confirmed: bool) -> list[str]:
    """Restore the wings' databases and open the next epochs. Returns what to tell."""
    manifest = _read(folder, wings)
    if not home.lock():
        raise Refused(
            f"Sunmed runs on {home.folder} (process {home.holder()}). Stop it first (Ctrl-C there); nothing was changed."
        )
    with installation.servers(home, running=False) as admin:
        urls = settings.known_urls(home, admin)
        lost = [line for wing in wings for line in newer(admin[wing], urls[wing], wing, manifest)]
        if lost and not confirmed:
            raise Refused(
                f"what is here is newer than the backup of {manifest['at']}:\n"
                + "\n".join(f"  {line}" for line in lost)
                + "\nNothing was changed. To go back to the backup all the same, add CONFIRM=1; the present databases are kept aside."
            )
        _take_keys(home, folder, confirmed or not lost)
        made = [put_back(home, admin[wing], wing, folder, manifest["wings"][wing]) for wing in wings]
        lines = [*made, *open_epochs(home, settings.known_urls(home, admin))]
    return [f"Sunmed: restored the backup of {manifest['at']}; every stream verified.", *lines, "  Now: make run"]


def _read(folder: Path, wings: tuple[str, ...]) -> dict[str, Any]:
    path = folder / installation.MANIFEST
    if not path.exists():
        raise Refused(f"{folder} holds no complete backup ({installation.MANIFEST} is missing).")
    manifest: dict[str, Any] = json.loads(path.read_text())
    for wing in wings:
        if installation.digest(folder / f"{wing}.dump") != manifest["wings"][wing]["sha256"]:
            raise Refused(f"{wing}.dump is not the file that was written: its digest differs. Nothing was changed.")
    return manifest


def newer(admin: str, urls: dict[str, str], wing: str, manifest: dict[str, Any]) -> list[str]:
    """Name the streams whose present facts the backup does not have."""
    name = settings.database_name(wing) or wing
    with databases.administer(admin) as connection:
        if not _exists(connection, name):
            return []
    with installation.engine(urls["owner"]) as engine, engine.connect() as connection:
        if connection.execute(text("select to_regclass('migration')")).scalar_one() is None:
            return []
        rows = connection.execute(text(backup.HEADS[wing])).all()
    known = manifest["wings"][wing]["heads"]
    return [
        f"{wing}: {row.stream} is at epoch {row.epoch} fact {row.number}, in the backup at {known.get(row.stream, ['-', 0])[1]}"
        for row in rows
        if [row.epoch, row.number] > known.get(row.stream, [0, -1])
    ]


def _take_keys(home: Home, folder: Path, allowed: bool) -> None:
    """The data can only be read with the key it was written with."""
    kept = json.loads((folder / "secrets.json").read_text())
    known = home.secrets()
    if any(known[name] != kept[name] for name in kept):
        if not allowed:
            raise Refused("the backup was written with another key than this home has; add CONFIRM=1 to take its key.")
        shutil.copy2(home.folder / "secrets.json", home.folder / f"secrets-before-{_stamp()}.json")
        installation.write_private(home.folder / "secrets.json", {**known, **kept})
    for name in installation.KEPT_FILES:
        if (folder / name).exists() and not (home.folder / name).exists():
            shutil.copy2(folder / name, home.folder / name)


def put_back(home: Home, admin: str, wing: str, folder: Path, expected: dict[str, Any]) -> str:
    """Restore one wing's database beside the present one, verify it, and give it the name."""
    name = settings.database_name(wing) or wing
    beside, aside = f"{name}_restoring", f"{name}_before_{_stamp()}"
    secrets = home.secrets()
    with databases.administer(admin) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(beside)))
        databases.make_roles(connection, wing, secrets)
        databases.make_database(connection, wing, beside)
    installation.program(
        "pg_restore", databases.plain(admin, beside), "--exit-on-error", "--no-password", f"--dbname={beside}", str(folder / f"{wing}.dump")
    )  # fmt: skip
    with (
        installation.engine(databases.addresses(admin, wing, secrets, beside)["owner"]) as engine,
        engine.connect() as connection,
    ):
        found = backup.describe(connection, wing)
    if (found["heads"], found["rows"]) != (expected["heads"], expected["rows"]):
        raise Refused(f"what came back into {beside} is not what was dumped; the present database was left as it is.")
    with databases.administer(admin) as connection:
        was_there = _exists(connection, name)
        if was_there:
            _rename(connection, name, aside)
        _rename(connection, beside, name)
    databases.prepare(admin, wing, secrets, name)  # Migrations made since the backup.
    kept = f"; the one before is kept as database {aside}" if was_there else ""
    return f"  {wing}: {sum(found['rows'].values())} rows, {len(found['heads'])} streams{kept}"


def open_epochs(home: Home, urls: dict[str, dict[str, str]]) -> list[str]:
    """Open the next epoch of each stream that the center is ahead of, and say what became orphaned."""
    address = os.environ.get("SUNMED_CENTER_ADDRESS")
    with (
        installation.engine(urls["facility"]["owner"]) as facility,
        installation.engine(urls["center"]["owner"]) as center,
    ):
        if not address:
            with center.begin() as connection:
                return _open(facility, CenterHere(connection))
        there = HttpTransport(address, SecretFile(home.folder / "bridge-secrets.json"))
        try:
            return _open(facility, there)
        finally:
            there.close()


def _open(facility: Engine, center: rewind.Center) -> list[str]:
    lines = []
    with facility.connect() as connection:
        streams = connection.execute(text("select stream from stream_head order by stream")).scalars().all()
    for stream in streams:
        with facility.begin() as connection:
            try:
                plan = rewind.plan(connection, center, stream)
            except LookupError:  # Nothing of it has reached the center: nothing can be lost.
                continue
            if plan is None:
                continue
            head = rewind.carry_out(connection, plan)
        lines.append(
            f"  {stream}: epoch {head.epoch} opened after fact {plan.common.number}; {plan.orphaned} facts that only the center has "
            f"became orphaned (listed at the center under the stream), {plan.written_again} are sent again"
        )
    return lines or ["  the center is nowhere ahead: no new epoch was needed"]


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None


def _rename(connection: psycopg.Connection, name: str, to: str) -> None:
    connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
    connection.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(name), sql.Identifier(to)))


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dt%H%M%S")


if __name__ == "__main__":
    raise SystemExit(main())
