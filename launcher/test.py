"""Runs the whole suite on PostgreSQL and Chromium, installing what is missing. ONLY=quick leaves out browser and faults.

The suite is shared out to a few processes, each with a PostgreSQL of its own, by whole files. Further arguments go to
pytest: `python3 dev.py test tests/facility/stock -x`.
"""

from __future__ import annotations

import os
import subprocess
import sys

from launcher import chromium
from launcher.home import ROOT
from launcher.run import build_assets

SLOW = ("tests/browser", "tests/faults")
NEVER = ("tests/benchmarks",)
MOST_WORKERS = 4


def main(arguments: list[str] | None = None) -> int:
    """Prepare, run pytest, and end as it ended."""
    wanted = sys.argv[1:] if arguments is None else arguments
    only = os.environ.get("ONLY", "")
    if only not in {"", "quick"}:
        print(f"There is no ONLY={only}; ONLY=quick leaves out the browser and the fault tests.", file=sys.stderr)
        return 2
    build_assets()
    environment = dict(os.environ)
    if not only and (found := chromium.find_or_install()):
        environment["SUNMED_CHROMIUM"] = found
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options(only, wanted)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


def options(only: str, wanted: list[str]) -> list[str]:
    """What pytest is told: everything except benchmarks, and in a quick run nothing that starts processes."""
    left_out = NEVER + (SLOW if only == "quick" else ())
    shared_out = (
        []
        if any(argument in {"-n0", "--pdb"} for argument in wanted)
        else ["-n", workers(), "--dist", "loadfile", "--no-loadscope-reorder"]
    )
    slow = ["-m", "not faults and not browser"] if only == "quick" else []
    return [*shared_out, *slow, *(f"--ignore={folder}" for folder in left_out), *(wanted or ["tests"])]


def workers() -> str:
    """How many processes: much of the suite waits, so one more than there are cores; SUNMED_TEST_WORKERS says otherwise."""
    return os.environ.get("SUNMED_TEST_WORKERS") or str(min(MOST_WORKERS, (os.cpu_count() or 1) + 1))


if __name__ == "__main__":
    raise SystemExit(main())
