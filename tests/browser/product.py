"""The product as a person starts it: real processes on a home of their own, and a line to the center that a test can cut."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyotp

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "yangguang-2026"


class Line:
    """What lies between the facility and the center: carries every message, unless a test says otherwise.

    `line.loses["2102"] = "question"` drops settlements before the center hears them; `"answer"` lets the center act and
    drops what it says.
    """

    def __init__(self, product_port: int) -> None:
        self.loses: dict[str, str] = {}
        self.carried: list[str] = []
        line = self

        class Carrier(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                line.carry(self, product_port)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                pass  # A cut line is what some tests are about.

        self.server = Server(("127.0.0.1", 0), Carrier)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def carry(self, asked, port: int) -> None:
        loss = self.loses.get(asked.path.rpartition("/")[2], "")
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        self.carried.append(asked.path)
        if loss == "question":
            asked.close_connection = True
            return
        there = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            there.request(asked.command, asked.path, body, dict(asked.headers))
            answer = there.getresponse()
            said = answer.read()
        finally:
            there.close()
        if loss == "answer":
            asked.close_connection = True
            return
        asked.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {
                "connection",
                "transfer-encoding",
                "content-length",
                "date",
                "server",
                "keep-alive",
            }:
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(said)))
        asked.end_headers()
        asked.wfile.write(said)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Product:
    """Sunmed, started by its launcher."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.line = Line(self.port)
        self.process: subprocess.Popen[bytes] | None = None
        # The tests make staff and goods in this process too: one key for both.
        secrets = home / "secrets.json"
        known = json.loads(secrets.read_text()) if secrets.exists() else {}
        secrets.write_text(json.dumps({**known, "data_key": os.environ["SUNMED_DATA_KEY"]}))
        secrets.chmod(0o600)

    def start(self) -> None:
        environment = {
            **os.environ, "PORT": str(self.port), "SUNMED_HOME": str(self.home), "SUNMED_DEMO": "1", "SUNMED_WORKERS": "1", "SUNMED_THREADS": "12",
            "SUNMED_CENTER_ADDRESS": f"http://127.0.0.1:{self.line.port}/center", "SUNMED_CENTER_SECONDS": "12", "SUNMED_DEADLINE_SECONDS": "4",
            "SUNMED_RECOVERY_PAUSE_SECONDS": "0.5", "SUNMED_NOTICES": f"{date.today() + timedelta(days=3)} 02:00–02:30 维护。其间医保结算暂停，自费销售照常。",
        }  # fmt: skip
        for name in ("FACILITY_DATABASE_URL", "CENTER_DATABASE_URL", "SUNMED_FAULT", "SUNMED_DATA_KEY"):
            environment.pop(name, None)
        self.said = self.home / "said.log"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "launcher.run"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 300
        while "Ctrl-C stops everything" not in self.said.read_text(errors="replace"):
            assert self.process.poll() is None, self.said.read_text(errors="replace")
            assert time.monotonic() < until, self.said.read_text(errors="replace")
            time.sleep(0.2)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.line.close()

    def totp_now(self) -> str:
        secret = re.search(r"\(secret (\w+)\)", self.said.read_text()).group(1)
        return pyotp.TOTP(secret).now()

    def urls(self) -> dict:
        """Each role's address at both wings, as the launcher knows them."""
        from launcher import settings
        from launcher.home import Home
        from launcher.postgres import Embedded

        home = Home(self.home)
        admin = Embedded(self.home / "postgres", home.secrets()["postgres"]).admin_url
        return settings.known_urls(home, dict.fromkeys(("facility", "center"), admin))

    def owner_url(self, wing: str) -> str:
        """The address of the role that owns a wing's tables, for what no action of ours does (such as let time pass)."""
        return self.urls()[wing]["owner"].replace("+psycopg", "")
