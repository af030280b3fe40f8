"""Sunmed as a person starts it, on a home of its own, for tests of start-up, backup and restore."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from launcher import settings
from launcher.home import Home
from launcher.postgres import Embedded
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY = "Ctrl-C stops everything"
OURS_ALONE = (
    "FACILITY_DATABASE_URL",
    "CENTER_DATABASE_URL",
    "SUNMED_FAULT",
    "SUNMED_DATA_KEY",
    "SUNMED_CENTER_ADDRESS",
)


class Installation:
    """One home and the process that runs on it."""

    def __init__(self, folder, **environment):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        self.port = free_port()
        self.said = folder / "said.log"
        self.environment = {name: value for name, value in os.environ.items() if name not in OURS_ALONE} | {
            "PORT": str(self.port), "SUNMED_HOME": str(folder), "SUNMED_DEMO": "0", "SUNMED_WORKERS": "1", "SUNMED_THREADS": "4", **environment,
        }  # fmt: skip
        self.process = None
        if not (folder / "secrets.json").exists():  # This process makes goods and people too: one key for both.
            (folder / "secrets.json").touch(mode=0o600)
            (folder / "secrets.json").write_text(json.dumps({"data_key": os.environ["SUNMED_DATA_KEY"]}))

    def command(self, name, **environment):
        """Run one of the commands to its end."""
        return subprocess.run(
            [sys.executable, "-m", f"launcher.{name}"], cwd=ROOT, env={**self.environment, **environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def start(self):
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "launcher.run"], cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 300
        while READY not in self.told():
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < until, self.told()
            time.sleep(0.1)
        return self

    def told(self):
        return self.said.read_text(errors="replace")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def health(self):
        """The status and the words of /healthz."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)
        except OSError:
            return None, {}

    def urls(self):
        """Each role's address at both wings."""
        home = Home(self.folder)
        admin = Embedded(self.folder / "postgres", home.secrets()["postgres"]).admin_url
        return settings.known_urls(home, dict.fromkeys(("facility", "center"), admin))

    @contextlib.contextmanager
    def wings(self):
        """Both applications in this process, on this installation's databases."""
        from app.center.factory import create_app as make_center
        from app.facility.factory import create_app as make_facility

        urls = self.urls()
        center = make_center(urls["center"], secret="tests", testing=True)
        facility = make_facility(urls["facility"], secret="tests", testing=True, center=center)
        try:
            yield facility, center
        finally:
            for app in (facility, center):
                with app.app_context():
                    app.extensions["sqlalchemy"].close()

    def processes(self):
        """Every process that works on this home, by what the system says of it."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (path / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
                told = (path / "environ").read_bytes().decode(errors="replace")
                if f"SUNMED_HOME={self.folder}\0" in told + "\0" or str(self.folder) in command:
                    found.append((int(path.name), command))
        return [entry for entry in found if entry[0] != os.getpid()]
