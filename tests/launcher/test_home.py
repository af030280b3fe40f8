"""The lock of a home: one process at a time, and a second one can name the first."""

import os
import subprocess
import sys

from launcher.home import Home

HOLD = "import sys; from pathlib import Path; from launcher.home import Home; home = Home(Path(sys.argv[1])); print(home.lock(), flush=True); sys.stdin.read()"


def test_a_second_start_is_refused_and_names_the_first(tmp_path):
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout.readline() == "True\n"
        home = Home(tmp_path)

        assert [home.lock(), home.lock()] == [False, False]
        assert home.holder() == first.pid
    finally:
        first.communicate()
    assert home.lock()
    assert home.holder() == os.getpid()
    home.unlock()


def test_nobody_is_named_where_nobody_was(tmp_path):
    home = Home(tmp_path)

    assert home.holder() is None
    (tmp_path / "lock").write_text("")
    assert home.holder() is None


def test_a_home_is_taken_anew_after_its_holder_went(tmp_path):
    (tmp_path / "lock").write_text("99999999")
    home = Home(tmp_path)

    assert home.lock()
    assert home.holder() == os.getpid()
    home.unlock()
