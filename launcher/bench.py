"""Measures every room, or one (ONLY=counter): prints a table and merges the figures by key into bench.json of the home."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from launcher.home import ROOT, Home

ROOMS = ROOT / "tests" / "benchmarks"


def main() -> int:
    """Run the rooms' benchmarks one after the other."""
    only = os.environ.get("ONLY", "")
    home = Home()
    figures: dict[str, dict[str, float]] = {}
    for path in sorted(ROOMS.glob("bench_*.py")):
        room = path.stem.removeprefix("bench_")
        if only and room != only:
            continue
        print(f"measuring {room} …", flush=True)
        figures.update(importlib.import_module(f"tests.benchmarks.{path.stem}").measure(home))
    if not figures:
        print(f"There is no benchmark of {only!r}.", file=sys.stderr)
        return 1
    _print(figures)
    _merge(home.folder / "bench.json", figures)
    return 0


def _print(figures: dict[str, dict[str, float]]) -> None:
    for key, values in figures.items():
        print(f"{key:32}" + "  ".join(f"{name} {value:g}" for name, value in values.items()))


def _merge(path: Path, figures: dict[str, dict[str, float]]) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**known, **figures}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
