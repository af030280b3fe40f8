"""Finds the browser that the browser tests drive: SUNMED_CHROMIUM, else the system's, else apt's when that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
APT_SECONDS = 600


def find_or_install() -> str | None:
    """The path of a Chromium; None when there is none and none could be installed (the tests then skip, and say so)."""
    if found := find():
        return found
    if why_not := install():
        print(
            f"Sunmed: no Chromium ({why_not}); the browser tests skip. To run them, install Chromium or name one in SUNMED_CHROMIUM.",
            flush=True,
        )
    return find()


def find() -> str | None:
    """The path of a Chromium on this machine."""
    named = os.environ.get("SUNMED_CHROMIUM", "")
    if named and Path(named).exists():
        return named
    return next(filter(None, map(shutil.which, NAMES)), None) or (MACOS if Path(MACOS).exists() else None)


def install() -> str | None:
    """Install Chromium and a Chinese font by apt. Returns why it could not be done."""
    if not shutil.which("apt-get"):
        return "this machine has no apt-get"
    if os.geteuid() != 0:
        return "type: sudo apt-get install -y chromium fonts-noto-cjk"
    print("Sunmed: installing Chromium for the browser tests (once) …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-noto-cjk"],
    ):
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=APT_SECONDS, check=False
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"{' '.join(command[:2])} took longer than {APT_SECONDS // 60} minutes"
        if done.returncode:
            return f"{' '.join(command[:2])} failed: {(done.stderr or done.stdout).strip()[-300:]}"
    return None
