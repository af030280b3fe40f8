"""The recovery worker: finishes what a crash or a silent center left open. Started by the launcher, one or several.

It may learn, across tenants, which attempts are overdue; everything else it does as the application of that tenant.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from app.core import clock
from app.core.errors import Outage
from app.facility.db import transaction
from app.facility.insurance import machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

log = logging.getLogger("sunmed.recovery")

EVERY_SECONDS = 0.5
LATER_SECONDS = 30.0  # What nobody waits for is looked at this often.
BATCH = 50

OVERDUE = "select tenant_id, facility_id, id, state from overdue_attempts(%(batch)s::int)"
BEAT = """
insert into worker_heartbeat (name, beat_at, waiting, note) values (%(name)s, %(at)s, %(waiting)s, %(note)s)
on conflict (name) do update set beat_at = excluded.beat_at, waiting = excluded.waiting, note = excluded.note
"""


def run_once(name: str = "recovery") -> int:
    """Look once; returns how many attempts were finished. One that breaks stops none of the others, and says so."""
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
        except Exception as failure:
            note = f"attempt {row.id}: {type(failure).__name__}"
            log.exception("attempt %s broke; the others go on", row.id)
    with transaction("worker", settings={}) as hot:
        hot.run_last(BEAT, {"name": name, "at": clock.now(), "waiting": len(overdue) - finished, "note": note[:200]})
    return finished


def also(app: Flask, job: Callable[[], object]) -> None:
    """Let a room above have something done as well that an outage kept back."""
    app.extensions.setdefault("recovery_jobs", []).append(job)


def run_jobs(app: Flask) -> None:
    """Do once what the rooms above asked for; one that fails stops neither the others nor the attempts."""
    for job in app.extensions.get("recovery_jobs", ()):
        try:
            job()
        except Exception:
            log.exception("a recovery job failed; trying again")


def run(app: Flask) -> None:
    """Look until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    every = float(os.environ.get("SUNMED_RECOVERY_SECONDS", EVERY_SECONDS))
    later = time.monotonic()
    with app.app_context():
        while not stop.is_set():
            try:
                run_once()
            except Exception:
                log.exception("recovery failed; trying again")
            if time.monotonic() >= later:
                run_jobs(app)
                later = time.monotonic() + LATER_SECONDS
            stop.wait(every)
