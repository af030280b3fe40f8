"""The bridge's settings, all from the environment.

| name | meaning |
|---|---|
| `SUNMED_RELAY_DATABASE_URL` | the facility wing's database, as `facility_relay` |
| `SUNMED_BRIDGE_URL` | the center's address, mount included, such as `https://center.example/center` |
| `SUNMED_BRIDGE_SECRETS` | a file of JSON, stream to secret; read again when it changes |
| `SUNMED_RELAY_SHARD`, `SUNMED_RELAY_SHARDS` | which part of the streams this process carries (0 of 1) |
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from central_sync.relay import Relay, make_engine
from central_sync.transports.http import HttpTransport


class SecretFile:
    """Institution secrets in a file that only this process's account can read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = -1
        self._secrets: dict[str, str] = {}

    def __call__(self, stream: str) -> bytes | None:
        """Return a stream's secret; None when it has none yet."""
        try:
            changed_at = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if changed_at != self._read_at:
            self._secrets = json.loads(self._path.read_text())
            self._read_at = changed_at
        secret = self._secrets.get(stream)
        return secret.encode() if secret is not None else None


def relay_from_environment() -> Relay:
    """Make the relay that the environment describes."""
    transport = HttpTransport(os.environ["SUNMED_BRIDGE_URL"], SecretFile(Path(os.environ["SUNMED_BRIDGE_SECRETS"])))
    return Relay(
        make_engine(os.environ["SUNMED_RELAY_DATABASE_URL"]),
        transport,
        shard=int(os.environ.get("SUNMED_RELAY_SHARD", "0")),
        shards=int(os.environ.get("SUNMED_RELAY_SHARDS", "1")),
    )
