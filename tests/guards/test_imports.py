"""The rooms stay apart: the contracts of pyproject.toml, and what a contract cannot say."""

import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
# What is a room's own business; only the factory takes the views and the commands.
OWN = ("views", "forms", "models", "statements", "cli", "screens")


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("app", "central_sync", cache_dir=None)


def room_of(module):
    parts = module.split(".")
    return ".".join(parts[:3]) if len(parts) > 3 and parts[1] in {"facility", "center"} else None


def is_own(module):
    return any(module.split(".")[3] == name or module.split(".")[3].endswith(f"_{name}") for name in OWN)


def trespasses(graph):
    """Imports of one room's own business by another room."""
    return [
        f"{module} -> {used}"
        for module in sorted(graph.modules)
        for used in sorted(graph.find_modules_directly_imported_by(module))
        if room_of(module) and room_of(used) and room_of(module) != room_of(used) and is_own(used)
    ]


def test_the_contracts_are_kept():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:]
    assert "kept, 0 broken" in done.stdout


def test_a_room_takes_only_acts_readings_events_and_refusals_of_another(graph):
    assert trespasses(graph) == []


def test_a_trespass_is_found(graph):
    graph.add_module("app.facility.till.made_up")
    graph.add_import(importer="app.facility.till.made_up", imported="app.facility.stock.statements")

    try:
        assert trespasses(graph) == ["app.facility.till.made_up -> app.facility.stock.statements"]
    finally:
        graph.remove_module("app.facility.till.made_up")


def test_migrations_know_nothing_of_the_application():
    files = sorted((ROOT / "migrations").rglob("*.py"))
    found = [
        path.name for path in files if re.search(r"^\s*(from|import) app\b", path.read_text("utf-8"), re.MULTILINE)
    ]

    assert files
    assert found == []
