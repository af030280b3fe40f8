import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One of our processes: started, killed, started again."""

    def __init__(self, name, environment, port=None):
        self.name, self.environment, self.port = name, environment, port
        self.process = None

    def start(self, fault=""):
        environment = {**self.environment, "SUNMED_FAULT": fault, "PORT": str(self.port or 1)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server", self.name, str(self.port or 0)],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.process.stdout.readline().strip() == "ready", f"{self.name} did not start"
        return self

    def wait_killed(self, seconds=20):
        """The process ended by SIGKILL, by its own fault point."""
        assert self.process.wait(seconds) == -signal.SIGKILL, f"{self.name} was not killed"
        self.process.stdout.close()

    def is_dead(self):
        return self.process is None or self.process.poll() is not None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process and not self.process.stdout.closed:
            self.process.stdout.close()


class Wings:
    """Both wings as servers over HTTP, and the recovery worker."""

    def __init__(self, environment):
        center_port = free_port()
        base = {**environment, "SUNMED_CENTER_ADDRESS": f"http://127.0.0.1:{center_port}/center"}
        self.center = Process("center", base, center_port)
        self.facility = Process("facility", base, free_port())
        self.recovery = Process("recovery", base)

    def stop(self):
        for process in (self.recovery, self.facility, self.center):
            process.stop()

    def client(self):
        return httpx.Client(base_url=f"http://127.0.0.1:{self.facility.port}", timeout=20, trust_env=False)


@pytest.fixture(scope="module")
def wings(database_urls):
    environment = {
        **os.environ,
        "SUNMED_FACILITY_URLS": json.dumps(database_urls["facility"]),
        "SUNMED_CENTER_URLS": json.dumps(database_urls["center"]),
        "SUNMED_FACILITY_SECRET": "tests",
        "SUNMED_CENTER_SECRET": "tests",
        "SUNMED_CENTER_SECONDS": "2",
        "SUNMED_DEADLINE_SECONDS": "2.5",
        "SUNMED_RECOVERY_SECONDS": "0.1",
        "SUNMED_RECOVERY_PAUSE_SECONDS": "0.2",
        "SUNMED_DEMO": "1",
    }
    found = Wings(environment)
    yield found
    found.stop()


def eventually(check, seconds=25):
    """Wait until a check holds; returns what it gave."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := check():
            return found
        time.sleep(0.1)
    raise AssertionError("did not happen in time")
