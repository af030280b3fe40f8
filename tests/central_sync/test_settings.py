"""Which database the command reads: one named for it alone, never the launcher's administrator."""

import pytest

from central_sync import cli


def test_the_command_reads_its_own_setting(database_urls, monkeypatch, capsys):
    monkeypatch.setenv("SUNMED_SYNC_CENTER_URL", database_urls["center"]["inbox"])

    assert cli.main(["status", "center", "--stream", "H00000000000"]) == 0


def test_the_launcher_s_administrator_is_not_taken(database_urls, monkeypatch):
    monkeypatch.delenv("SUNMED_SYNC_FACILITY_URL", raising=False)
    monkeypatch.setenv("FACILITY_DATABASE_URL", database_urls["facility"]["relay"])

    with pytest.raises(SystemExit, match="SUNMED_SYNC_FACILITY_URL"):
        cli.main(["status", "facility"])
