"""Runs what CI runs and more, quickest first: format, lint, imports, types, scripts, templates, then every test.

Everything is run even when something failed; the summary at the end says what. The tests include the translations, the
migrations up, down and up again, and the templates.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from launcher import test
from launcher.home import ROOT
from launcher.run import build_assets

BIN = Path(sys.executable).parent


def steps() -> list[tuple[str, list[str]]]:
    """Every check, as it is typed."""
    found = [
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        ("lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
        ("imports", [str(BIN / "lint-imports"), "--no-cache"]),
        ("types", [str(BIN / "mypy")]),
        ("templates", [str(BIN / "djlint"), "templates", "--lint", "--quiet"]),
    ]
    compiler = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
    if (node := shutil.which("node")) and compiler.exists():
        found.append(("scripts", [node, str(compiler), "-p", "jsconfig.json"]))
    return found


def main() -> int:
    """Check everything; the exit code says whether all of it passed."""
    build_assets()
    failed = [name for name, command in steps() if not _passes(name, command)]
    if test.main(sys.argv[1:]) != 0:
        failed.append("tests")
    print("check: " + (f"FAILED: {', '.join(failed)}" if failed else "all passed"))
    return 1 if failed else 0


def _passes(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    print(
        f"check: {name:10} {'ok' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
