"""Fault points of the bridge: `SUNMED_FAULT=relay.sent:kill` ends the process with SIGKILL when it first gets there.

`relay.sent:kill@3` acts at the third arrival, `relay.sent:sleep=2` waits there. Nothing happens unless asked for.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

_arrivals: Counter[str] = Counter()


def at(name: str) -> None:
    """Pass a fault point."""
    for part in filter(None, os.environ.get("SUNMED_FAULT", "").split(",")):
        point, _, rest = part.partition(":")
        act, _, turn = rest.partition("@")
        if point != name:
            continue
        _arrivals[name] += 1
        if _arrivals[name] != int(turn or 1):
            continue
        if act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif act.startswith("sleep="):
            time.sleep(float(act.removeprefix("sleep=")))
