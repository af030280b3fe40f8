"""Puts together what the processes of one installation are told through their environment."""

from __future__ import annotations

import json
import os
from typing import Any

from launcher.databases import addresses
from launcher.home import Home

FACILITY_URL, CENTER_URL = "FACILITY_DATABASE_URL", "CENTER_DATABASE_URL"


def port() -> int:
    """The port to serve on."""
    return int(os.environ.get("PORT", "8000"))


def environment(home: Home, urls: dict[str, dict[str, str]]) -> dict[str, str]:
    """The environment of every process: addresses, secrets, the demo switch."""
    secrets, demo = home.secrets(), os.environ.get("SUNMED_DEMO", "1")
    return {
        **os.environ,
        "PORT": str(port()),
        "SUNMED_HOME": str(home.folder),
        "SUNMED_DATA_KEY": secrets["data_key"],
        "SUNMED_FACILITY_SECRET": secrets["facility_session"],
        "SUNMED_CENTER_SECRET": secrets["center_session"],
        "SUNMED_FACILITY_URLS": json.dumps(urls["facility"]),
        "SUNMED_CENTER_URLS": json.dumps(urls["center"]),
        "SUNMED_RELAY_DATABASE_URL": urls["facility"]["relay"],
        "SUNMED_BRIDGE_URL": os.environ.get("SUNMED_CENTER_ADDRESS") or f"http://127.0.0.1:{port()}/center",
        "SUNMED_BRIDGE_SECRETS": str(home.folder / "bridge-secrets.json"),
        "SUNMED_DEMO": demo,
        "SUNMED_NEWS_SECONDS": os.environ.get("SUNMED_NEWS_SECONDS") or ("2" if demo == "1" else "5"),
        "PYTHONUNBUFFERED": "1",
    }


def known_urls(home: Home, admin: dict[str, str]) -> dict[str, dict[str, str]]:
    """Each role's address at each wing, without changing anything."""
    return {wing: addresses(admin[wing], wing, home.secrets(), database_name(wing)) for wing in ("facility", "center")}


def outside(wing: str) -> str | None:
    """The address of a real server for a wing, when one is given; the embedded one is then not used for it."""
    return os.environ.get({"facility": FACILITY_URL, "center": CENTER_URL}[wing]) or None


def database_name(wing: str) -> str | None:
    """The database a real server's address names; the embedded server's databases are named after their wings."""
    from sqlalchemy.engine import make_url

    address = outside(wing)
    return make_url(address).database if address else None


def apply(values: dict[str, Any]) -> None:
    """Let this process see the same environment."""
    os.environ.update(values)
