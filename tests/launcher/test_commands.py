"""What the test command runs, which browser it takes, and that CI calls what the README says."""

import os
import re
import subprocess
from pathlib import Path

from launcher import chromium, test

ROOT = Path(__file__).resolve().parents[2]


def test_a_quick_run_leaves_out_what_starts_processes_and_nothing_else():
    quick, whole = test.options("quick", []), test.options("", [])

    assert {option for option in quick if option not in whole} == {
        "--ignore=tests/browser", "--ignore=tests/faults", "-m", "not faults and not browser",
    }  # fmt: skip
    assert "--ignore=tests/benchmarks" in whole
    assert whole[-1] == "tests"


def test_what_is_named_is_run_alone():
    options = test.options("", ["tests/core", "-n0"])

    assert options[-2:] == ["tests/core", "-n0"]
    assert "loadfile" not in options


def test_an_unknown_word_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("ONLY", "everything")

    assert test.main([]) == 2
    assert "There is no ONLY=everything" in capsys.readouterr().err


def test_the_named_browser_comes_first_and_a_missing_one_is_said(tmp_path, monkeypatch, capsys):
    named = tmp_path / "my-chromium"
    named.touch()
    monkeypatch.setenv("SUNMED_CHROMIUM", str(named))
    assert chromium.find_or_install() == str(named)

    monkeypatch.delenv("SUNMED_CHROMIUM")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "MACOS", str(tmp_path / "none"))
    assert chromium.find_or_install() is None
    assert "the browser tests skip" in capsys.readouterr().out


def test_ci_calls_the_command_of_the_readme_and_nothing_else():
    script = (ROOT / ".ci" / "run").read_text()
    command = re.search(r"^    (python3 dev\.py test)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)[1]

    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert script.rstrip().endswith(f"exec {command} </dev/null")
    assert script.count("dev.py") == 1


def test_dev_says_its_commands():
    told = subprocess.run(["python3", "dev.py", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert all(word in told for word in ("run", "test", "check", "bench", "backup", "restore", "setup"))
