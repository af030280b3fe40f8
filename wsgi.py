"""What gunicorn serves: `wsgi:app` (both wings on one port, the center under /center), `wsgi:facility`, `wsgi:center`.

Everything comes from the environment, which the launcher fills; docs/operations.md lists the settings.
"""

from __future__ import annotations

import json
import os
from typing import Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware


def make_center() -> Any:
    """The center wing as the environment describes it."""
    from app.center.factory import create_app

    made = create_app(
        json.loads(os.environ["SUNMED_CENTER_URLS"]), os.environ["SUNMED_CENTER_SECRET"], https=_on("SUNMED_HTTPS")
    )
    made.config["NOTICES"] = os.environ.get("SUNMED_NOTICES", "")
    return made


def make_facility(center: Any = None) -> Any:
    """The facility wing; it asks the center at SUNMED_CENTER_ADDRESS, or the given application in this process."""
    from app.facility.factory import create_app

    address = os.environ.get("SUNMED_CENTER_ADDRESS") or None
    made = create_app(
        json.loads(os.environ["SUNMED_FACILITY_URLS"]),
        os.environ["SUNMED_FACILITY_SECRET"],
        https=_on("SUNMED_HTTPS"),
        center=None if address else center,
        center_url=address,
    )
    made.config.update(
        NOTICES=os.environ.get("SUNMED_NOTICES", ""),
        THREADS=int(os.environ.get("SUNMED_THREADS", "8")),
        OWN_PORT=int(os.environ.get("PORT", "8000")),
        CENTER_SECONDS=float(os.environ.get("SUNMED_CENTER_SECONDS", "10")),
        DEADLINE_SECONDS=float(os.environ["SUNMED_DEADLINE_SECONDS"])
        if "SUNMED_DEADLINE_SECONDS" in os.environ
        else None,
        CENTER_REPLAYS=os.environ.get("SUNMED_CENTER_REPLAYS", "1") != "0",
        RECOVERY_PAUSE_SECONDS=float(os.environ.get("SUNMED_RECOVERY_PAUSE_SECONDS", "5")),
    )
    return made


def make_app() -> Any:
    """Both wings on one port."""
    from launcher.health import Health

    center = make_center()
    facility = make_facility(center)
    return Health(DispatcherMiddleware(facility, {"/center": center}), facility, center)


def _on(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "on", "true", "yes"}


def __getattr__(name: str) -> Any:
    makers = {"app": make_app, "center": make_center, "facility": lambda: make_facility(None)}
    if name not in makers:
        raise AttributeError(name)
    made = makers[name]()
    globals()[name] = made
    return made
