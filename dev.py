#!/usr/bin/env python3
"""Everything a person types: `python3 dev.py run | test | check | bench | backup | restore | setup`.

Needs Python 3.11 and nothing else. The first call makes the environment in .venv from the locked packages; the work is
then done by the modules in launcher/ inside it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed"
COMMANDS = {
    "run": "start Sunmed and keep it running (PORT, SUNMED_HOME)",
    "test": "run the whole suite (ONLY=quick leaves out browser and fault tests)",
    "check": "format, lint, imports, types, templates, then the tests",
    "bench": "measure (ONLY=counter measures one room)",
    "backup": "write both databases to a folder (TO=folder)",
    "restore": "put both databases back and open the next epoch (FROM=folder)",
    "setup": "install what is needed and stop",
}


def main() -> int:
    """Install what is missing, then do what was asked."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is what says so to an older Python
        return _stop(f"Sunmed needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in COMMANDS:
        print("\n".join(["python3 dev.py COMMAND", *(f"  {name:8} {what}" for name, what in COMMANDS.items())]))
        return 0 if command in {"", "help", "-h", "--help"} else 2
    if failed := _prepare():
        return failed
    module = [str(PYTHON), "-m", f"launcher.{command}", *sys.argv[2:]]
    if command == "run":  # The process becomes the supervisor, so that Ctrl-C and SIGTERM reach it.
        os.chdir(ROOT)
        os.execv(module[0], module)
    return subprocess.run(module, cwd=ROOT, check=False).returncode


def _prepare() -> int:
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return 0
    if not PYTHON.exists() and (failed := _make_venv()):
        return failed
    print("Sunmed: installing the locked packages (about a minute the first time) …", flush=True)
    for step in (
        [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"],
        [
            str(PYTHON),
            "-m",
            "uv",
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",  # Else every process compiles on its own where Python may not write its cache.
            "--python",
            str(PYTHON),
            "--require-hashes",
            "-r",
            str(LOCK),
        ],
    ):
        if subprocess.run(step, cwd=ROOT, check=False).returncode:
            return _stop("The packages could not be installed. Is a package index reachable? Then try again.")
    STAMP.write_text(wanted)
    return 0


def _make_venv() -> int:
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if made.returncode == 0:
        return 0
    shutil.rmtree(VENV, ignore_errors=True)  # Else the next call would take the half of it for the whole.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return _stop(
        f"Python's venv module is missing. Type: sudo apt-get install -y python{version}-venv   and try again.\n{made.stdout}{made.stderr}"
    )


def _stop(why: str) -> int:
    print(f"Sunmed: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
