"""The home folder (SUNMED_HOME): where the data, the secrets and the logs of one installation live."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import IO

from launcher.databases import ROLES

ROOT = Path(__file__).resolve().parent.parent


class Home:
    """One installation's folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or Path(os.environ.get("SUNMED_HOME") or ROOT / "var")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] | None = None

    def lock(self) -> bool:
        """Take the home for this process; False when another one runs on it."""
        file = (self.folder / "lock").open("a+")  # Opened for writing it would forget who holds it.
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return True

    def unlock(self) -> None:
        """Let another process have the home."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def holder(self) -> int | None:
        """The process that runs on this home, as far as it has said so."""
        try:
            return int((self.folder / "lock").read_text())
        except (OSError, ValueError):
            return None

    def secrets(self) -> dict[str, str]:
        """Read the installation's secrets; made once, readable by us alone."""
        path = self.folder / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        wanted = ["postgres", "data_key", "facility_session", "center_session"]
        wanted += [f"{wing}_{role}" for wing, roles in ROLES.items() for role in roles]
        missing = [name for name in wanted if name not in known]
        if missing:
            known.update({name: secrets.token_hex(32) for name in missing})
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(known, file, indent=1)
        return known
