"""Fault points: named places at which a test may kill the process or make it wait. Nothing happens unless asked for.

`SUNMED_FAULT=settle.sent:kill` ends the process with SIGKILL when it first reaches `faults.at("settle.sent")`;
`settle.sent:sleep=3` waits three seconds there; `settle.sent:kill@3` acts at the third arrival. Several are joined by commas.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

_arrivals: Counter[str] = Counter()


def _wanted() -> dict[str, tuple[str, int]]:
    wanted = {}
    for part in filter(None, os.environ.get("SUNMED_FAULT", "").split(",")):
        name, _, act = part.partition(":")
        act, _, turn = act.partition("@")
        wanted[name] = (act, int(turn or 1))
    return wanted


_plan = _wanted()


def at(name: str) -> None:
    """Pass a fault point."""
    if not _plan or name not in _plan:
        return
    act, turn = _plan[name]
    _arrivals[name] += 1
    if _arrivals[name] != turn:
        return
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if act.startswith("sleep="):
        time.sleep(float(act.removeprefix("sleep=")))
