"""The command that loads a list of diagnoses into an installation."""

import json
from contextlib import contextmanager

import pytest

from app.facility.clinic.terms import demo
from launcher import installation, settings, terms
from launcher.home import Home


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SUNMED_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def installed(home, monkeypatch, database_urls, facility_app):
    """A home whose databases are those of the tests."""

    @contextmanager
    def servers(_home, *, running):
        yield {}

    def told(_home, urls):
        found = {f"SUNMED_{wing.upper()}_URLS": json.dumps(urls[wing]) for wing in ("facility", "center")}
        return found | {"SUNMED_FACILITY_SECRET": "tests", "SUNMED_CENTER_SECRET": "tests"}

    monkeypatch.setattr(Home, "lock", lambda _home: False)  # Sunmed runs.
    monkeypatch.setattr(installation, "servers", servers)
    monkeypatch.setattr(settings, "known_urls", lambda *_: database_urls)
    monkeypatch.setattr(settings, "environment", told)
    monkeypatch.setattr(settings, "apply", lambda values: [monkeypatch.setenv(*value) for value in values.items()])
    (home / "secrets.json").write_text("{}")
    with facility_app.app_context():
        demo.load()
    return home


def load(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["terms", *map(str, arguments)])
    return terms.main()


def test_a_home_without_an_installation_is_named(home, monkeypatch, capsys):
    assert load(monkeypatch, demo.DIAGNOSES, "--version", "demo") == 1
    assert str(home) in capsys.readouterr().err


def test_a_list_is_loaded_and_says_what_changed(installed, monkeypatch, capsys):
    assert load(monkeypatch, demo.DIAGNOSES, "--version", "demo") == 0
    assert f"{len(demo.terms())} terms of demo: 0 new, 0 changed, 0 ended" in capsys.readouterr().out


def test_a_file_that_is_no_list_is_refused_in_a_sentence(installed, monkeypatch, capsys, tmp_path):
    (tmp_path / "list.json").write_text("[]")

    assert load(monkeypatch, tmp_path / "list.json", "--version", "1") == 1
    assert "诊断目录没有导入" in capsys.readouterr().err
    assert load(monkeypatch, tmp_path / "list.json") == 2
