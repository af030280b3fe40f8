import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Starts our processes: one that has imported the product, and forks."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip

    def order(self, **words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


class Process:
    """One of our processes: started, killed, started again."""

    def __init__(self, nursery, name, environment, port=0):
        self.nursery, self.name, self.environment, self.port = nursery, name, environment, port
        self.pid = None

    def start(self, fault="", **environment):
        assert self.pid is None, f"{self.name} runs already"
        environment = {**self.environment, "SUNMED_FAULT": fault, "PORT": str(self.port or 1), **environment}
        begun = self.nursery.order(name=self.name, port=self.port, environment=environment)
        assert begun["ready"], f"{self.name} did not start"
        self.pid = begun["pid"]
        return self

    def _ended(self, seconds):
        code = self.nursery.order(pid=self.pid, seconds=seconds)["code"]
        if code is not None:
            self.pid = None
        return code

    def wait_killed(self, seconds=20):
        """The process ended by SIGKILL, by its own fault point."""
        assert self._ended(seconds) == -signal.SIGKILL, f"{self.name} was not killed"

    def stop(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
        if self.pid is not None and self._ended(10) is None:
            os.kill(self.pid, signal.SIGKILL)
            self._ended(10)


class Wings:
    """Both wings as servers over HTTP, and the recovery worker."""

    def __init__(self, environment):
        center_port = free_port()
        base = {**environment, "SUNMED_CENTER_ADDRESS": f"http://127.0.0.1:{center_port}/center"}
        self.nursery = Nursery()
        self.center = Process(self.nursery, "center", base, center_port)
        self.facility = Process(self.nursery, "facility", base, free_port())
        self.recovery = Process(self.nursery, "recovery", base)

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
        "SUNMED_CENTER_SECONDS": "15",  # A slow machine is not a silent center: only who tests silence waits less.
        "SUNMED_DEADLINE_SECONDS": "2.5",
        "SUNMED_RECOVERY_SECONDS": "0.1",
        "SUNMED_RECOVERY_PAUSE_SECONDS": "0.2",
        "SUNMED_DEMO": "1",
    }
    found = Wings(environment)
    yield found
    found.nursery.close()


@pytest.fixture(autouse=True)
def ended(wings):
    """Whatever becomes of a test, the next one begins with nothing running."""
    yield
    wings.stop()


def eventually(check, seconds=25):
    """Wait until a check holds; returns what it gave."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := check():
            return found
        time.sleep(0.1)
    raise AssertionError("did not happen in time")
