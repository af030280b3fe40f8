"""Starts Sunmed and keeps it running: PostgreSQL, migrations, the demo world, web, relay, recovery. Ctrl-C stops it all.

A child that dies is started again, with a growing pause when it dies at once. A second start on the same home is refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from launcher import frontend, settings, translations
from launcher.databases import prepare
from launcher.home import ROOT, Home
from launcher.postgres import Embedded

WAIT_SECONDS = 60
PAUSES = (0.2, 1.0, 3.0, 10.0)


@dataclass
class Child:
    """A process that should be running."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    next_at: float = 0.0
    log: IO[bytes] | None = field(default=None, repr=False)

    def start(self, environment: dict[str, str], logs: Path) -> None:
        """Start it; its output goes to a file of its own."""
        self.log = (logs / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.started_at = time.monotonic()

    def died(self) -> bool:
        """Say whether it ended though nobody asked it to."""
        return self.process is not None and self.process.poll() is not None

    def stop(self, seconds: float = 15) -> None:
        """Ask it to end, and end it when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def by(process: int | None) -> str:
    """Names a process, when it is known."""
    return f" (process {process})" if process else ""


class Stopped(Exception):
    """Somebody asked us to stop."""


def main() -> int:
    """Start everything, say where it is, and watch over it until told to stop."""
    home = Home()
    if not home.lock():
        print(
            f"Sunmed already runs on {home.folder}{by(home.holder())}. Stop it first (Ctrl-C there), or set another SUNMED_HOME.",
            file=sys.stderr,
        )
        return 1
    if _port_taken(settings.port()):
        print(f"Port {settings.port()} is taken. Choose another: PORT=8010 make run", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _raise_stop)
    children: list[Child] = []
    embedded: Embedded | None = None
    try:
        embedded, environment = start_databases(home)
        build_assets()
        settings.apply(environment)
        signs = _load_world(home)
        children = _children()
        logs = home.folder / "logs"
        logs.mkdir(exist_ok=True)
        for child in children:
            child.start(environment, logs)
        _wait_until_healthy()
        _greet(signs)
        _watch(children, environment, logs, embedded)
    except Stopped:
        print("\nSunmed: stopping …", flush=True)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(children):
            child.stop()
        if embedded:
            embedded.stop()
    return 0


def start_databases(home: Home) -> tuple[Embedded | None, dict[str, str]]:
    """Start the embedded server where no real one is given, migrate both wings, and return everybody's environment."""
    secrets = home.secrets()
    embedded = None
    if not (settings.outside("facility") and settings.outside("center")):
        _say("starting PostgreSQL")
        embedded = Embedded(home.folder / "postgres", secrets["postgres"])
        embedded.start()
    urls = {}
    for wing in ("facility", "center"):
        admin = settings.outside(wing) or (embedded.admin_url if embedded else "")
        urls[wing] = prepare(admin, wing, secrets, settings.database_name(wing))
    return embedded, settings.environment(home, urls)


def build_assets() -> None:
    """Fetch the front end's files and compile the translations, when they are not there yet."""
    if frontend.prepare():
        _say("front-end files are in place")
    translations.prepare()


def _load_world(home: Home) -> list[str]:
    from launcher import world

    return world.load(home)


def _children() -> list[Child]:
    python = sys.executable
    workers, threads = os.environ.get("SUNMED_WORKERS", "2"), os.environ.get("SUNMED_THREADS", "8")
    web = [python, "-m", "gunicorn", "wsgi:app", "--worker-class", "gthread", "--workers", workers, "--threads", threads,
           "--bind", f"127.0.0.1:{settings.port()}", "--timeout", "60", "--graceful-timeout", "10", "--keep-alive", "30",
           "--worker-tmp-dir", "/dev/shm" if Path("/dev/shm").is_dir() else str(ROOT / "var")]  # fmt: skip
    return [
        Child("web", web),
        Child("relay", [python, "-m", "central_sync.relay"]),
        Child("recovery", [python, "-m", "launcher.recovery"]),
    ]


def _watch(children: list[Child], environment: dict[str, str], logs: Path, embedded: Embedded | None) -> None:
    while True:
        time.sleep(0.3)
        for child in children:
            if child.died():
                _revive(child, environment, logs)
        if embedded and not embedded.is_alive():
            _say("PostgreSQL ended; starting it again")
            embedded.start()


def _revive(child: Child, environment: dict[str, str], logs: Path) -> None:
    now = time.monotonic()
    if child.next_at == 0.0:
        child.deaths = 0 if now - child.started_at > 60 else child.deaths + 1
        child.next_at = now + PAUSES[min(child.deaths, len(PAUSES) - 1)]
        assert child.process is not None
        _say(f"{child.name} ended ({child.process.returncode}); starting it again, see logs/{child.name}.log")
    elif now >= child.next_at:
        child.next_at = 0.0
        child.start(environment, logs)


def _wait_until_healthy() -> None:
    """Wait for both wings and their workers. A stream that has stopped needs a person, not a start: it is said, and the doors open."""
    told: dict[str, Any] = {}
    for _ in range(WAIT_SECONDS * 5):
        told = _health() or told
        if told.get("ok"):
            return
        if told and only_streams_stopped(told):
            _say(
                "a stream has stopped and waits for a decision; everything else works. The center's page of streams says which and why"
            )
            return
        time.sleep(0.2)
    raise SystemExit(
        f"Sunmed did not become healthy within a minute: {json.dumps(told) or 'no answer'}. See the logs folder."
    )


def _health() -> dict[str, Any]:
    address = f"http://127.0.0.1:{settings.port()}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as unwell:  # 503: it answers, and says what is wrong.
        return dict(json.load(unwell)) if unwell.code == 503 else {}
    except (OSError, ValueError):
        return {}


def only_streams_stopped(told: dict[str, Any]) -> bool:
    """Say whether everything lives and only some stream, upwards or downwards, waits for a decision."""
    facility, center = told.get("facility", {}), told.get("center", {})
    alive = all(facility.get(part, {}).get("ok") for part in ("relay", "recovery", "news"))
    return bool(center.get("ok") and facility.get("database") == "up" and alive)


def _greet(signs: list[str]) -> None:
    print(f"\nSunmed 阳光诊药  http://127.0.0.1:{settings.port()}\n", flush=True)
    for line in signs:
        print(line, flush=True)
    print("\nCtrl-C stops everything.", flush=True)


def _port_taken(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return True
    return False


def _raise_stop(*_: object) -> None:
    raise Stopped


def _say(text: str) -> None:
    print(f"Sunmed: {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
