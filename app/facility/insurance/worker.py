"""The recovery worker: finishes what a crash or a silent center left open. Started by the launcher, one or several.

It may learn, across tenants, which attempts are overdue; everything else it does as the application of that tenant.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

from app.core import clock
from app.core.errors import Outage
from app.facility.db import transaction
from app.facility.insurance import machine

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("sunmed.recovery")

EVERY_SECONDS = 0.5
BATCH = 50

OVERDUE = "select tenant_id, facility_id, id, state from overdue_attempts(%(batch)s::int)"
BEAT = """
insert into worker_heartbeat (name, beat_at, waiting, note) values (%(name)s, %(at)s, %(waiting)s, %(note)s)
on conflict (name) do update set beat_at = excluded.beat_at, waiting = excluded.waiting, note = excluded.note
"""


def run_once(name: str = "recovery") -> int:
    """Look once; returns how many attempts were finished."""
    with transaction("worker", settings={}) as hot:
        overdue = hot.run_last(OVERDUE, {"batch": BATCH})
    finished, note = 0, ""
    for row in overdue:
        try:
            if machine.recover(row.tenant_id, row.id) != "taken":
                finished += 1
        except Outage as outage:
            note = outage.reason
            log.warning("attempt %s: %s", row.id, outage.reason)
    with transaction("worker", settings={}) as hot:
        hot.run_last(BEAT, {"name": name, "at": clock.now(), "waiting": len(overdue) - finished, "note": note[:200]})
    return finished


def run(app: Flask) -> None:
    """Look until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    every = float(os.environ.get("SUNMED_RECOVERY_SECONDS", EVERY_SECONDS))
    with app.app_context():
        while not stop.is_set():
            try:
                run_once()
            except Exception:
                log.exception("recovery failed; trying again")
            stop.wait(every)
