"""Writes both databases to a folder, as they were at one moment, and checks every stream in exactly what was written.

    make backup TO=folder

Sunmed may run meanwhile. The folder is complete when backup.json stands in it; that file is written last.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from central_sync import verify
from launcher import installation, settings
from launcher.home import Home
from launcher.installation import WINGS, Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHECKS = {"facility": verify.verify_facility, "center": verify.verify_center}
HEADS = {
    "facility": "select stream, epoch, number from stream_head order by stream",
    "center": "select stream, epoch, number from inbox_stream order by stream",
}


def main() -> int:
    """Back up the home of SUNMED_HOME to the folder TO."""
    wanted = os.environ.get("TO") or (sys.argv[1].removeprefix("TO=") if len(sys.argv) > 1 else "")
    if not wanted:
        print("Say where to: make backup TO=folder", file=sys.stderr)
        return 2
    try:
        manifest = backup(Home(), Path(wanted).resolve())
    except Refused as refusal:
        print(f"Sunmed: {refusal}", file=sys.stderr)
        return 1
    print("\n".join(_tell(Path(wanted).resolve(), manifest)), flush=True)
    return 0


def backup(home: Home, folder: Path) -> dict[str, Any]:
    """Dump both databases at one moment, verify what was dumped, and keep the keys beside them."""
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty. Name a new folder; nothing was written.")
    if not (home.folder / "secrets.json").exists():
        raise Refused(f"there is no installation in {home.folder}. Set SUNMED_HOME to the one to back up.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with installation.servers(home, running=not home.lock()) as admin:
        wings = _dump(settings.known_urls(home, admin), folder)
    _keep_keys(home, folder)
    manifest = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "wings": wings}
    installation.write_private(folder / installation.MANIFEST, manifest)
    return manifest


def _dump(urls: dict[str, dict[str, str]], folder: Path) -> dict[str, Any]:
    """Hold one moment of each database open while it is verified and dumped: the facility's first, the center's right after.

    So the center can only be ahead, which is what a restore knows how to mend.
    """
    wings: dict[str, Any] = {}
    with ExitStack() as stack:
        held = {}
        for wing in WINGS:
            engine = stack.enter_context(installation.engine(urls[wing]["owner"]))
            connection = stack.enter_context(engine.connect().execution_options(isolation_level="REPEATABLE READ"))
            held[wing] = connection, connection.execute(text("select pg_export_snapshot()")).scalar_one()
        for wing, (connection, moment) in held.items():
            path = folder / f"{wing}.dump"
            installation.program(
                "pg_dump", urls[wing]["backup"], "--format=custom", "--enable-row-security", f"--snapshot={moment}",
                "--no-password", f"--file={path}",
            )  # fmt: skip
            path.chmod(0o600)
            wings[wing] = {**describe(connection, wing), "sha256": installation.digest(path)}
    return wings


def describe(connection: Connection, wing: str) -> dict[str, Any]:
    """Verify every stream of a database and say where each stands, and how many rows there are of everything."""
    check(connection, wing)
    heads = {row.stream: [row.epoch, row.number] for row in connection.execute(text(HEADS[wing]))}
    names = connection.execute(
        text("select tablename from pg_tables where schemaname = 'public' order by tablename")
    ).scalars()
    rows = {name: connection.execute(text(f'select count(*) from "{name}"')).scalar_one() for name in names}
    revision = connection.execute(text("select version_num from migration")).scalar_one()
    return {"revision": revision, "heads": heads, "rows": rows}


def check(connection: Connection, wing: str) -> None:
    """Refuse a database in which a stream is not whole."""
    broken = [report for report in CHECKS[wing](connection) if report.findings]
    if broken:
        said = "\n".join(
            f"  {finding.stream} epoch {finding.epoch} fact {finding.number}: {finding.what}, {finding.why}"
            for report in broken
            for finding in report.findings
        )
        raise Refused(f"the {wing} database has streams that are not whole:\n{said}")


def _keep_keys(home: Home, folder: Path) -> None:
    known = home.secrets()
    installation.write_private(folder / "secrets.json", {name: known[name] for name in installation.KEPT_SECRETS})
    for name in installation.KEPT_FILES:
        if (home.folder / name).exists():
            shutil.copy2(home.folder / name, folder / name)


def _tell(folder: Path, manifest: dict[str, Any]) -> list[str]:
    lines = [f"Sunmed: backed up to {folder} as of {manifest['at']}; every stream verified."]
    for wing, found in manifest["wings"].items():
        size = (folder / f"{wing}.dump").stat().st_size
        lines.append(
            f"  {wing}.dump    {size / 1e6:.1f} MB, {sum(found['rows'].values())} rows, {len(found['heads'])} streams, "
            f"{sum(number for _, number in found['heads'].values())} facts"
        )
    return [
        *lines,
        "  secrets.json     the key that opens the personal data in it (backup.json, demo-totp: what was dumped, the demo's second factor)",
        "  Whoever has this folder can read citizen ids, cards and phones: keep it locked away, apart from the machine.",
        f"  To put it back: make restore FROM={folder}",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
