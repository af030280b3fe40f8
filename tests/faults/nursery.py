"""Imports the product once and forks a process for each wing that is asked for: `python -m tests.faults.nursery`.

A fork is a process like any other: it has its own connections, dies by SIGKILL at its fault point, and takes nothing of
its siblings with it. Only the seconds of importing and building are saved. Orders come as lines of JSON on the standard input.
"""

import json
import os
import signal
import sys
import time
import traceback

from app.core import faults
from tests.faults import server

children = set()
built = {}


def start(order):
    """Fork a wing; answers when it is ready (or has failed)."""
    os.environ.update(order["environment"])
    kind = order["name"], order["environment"]["SUNMED_CENTER_SECONDS"]
    if kind not in built:
        built[kind] = server.build(order["name"])
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ready)
        _become(order, built[kind], told)
    os.close(told)
    children.add(pid)
    with os.fdopen(ready) as said:
        return {"pid": pid, "ready": said.readline().strip() == "ready"}


def _become(order, made, told):
    try:
        faults._plan = faults._wanted()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1) if os.environ.get("SUNMED_TEST_LOUD") else (0, 1, 2):
            os.dup2(quiet, descriptor)
        sys.stdout = os.fdopen(told, "w")
        server.serve(order["name"], made, order["port"])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def wait(order):
    """Wait for a child's end; answers its exit code, negative for a signal, or nothing when it goes on."""
    until = time.monotonic() + order["seconds"]
    while True:
        pid, status = os.waitpid(order["pid"], os.WNOHANG)
        if pid:
            children.discard(pid)
            return {"code": os.waitstatus_to_exitcode(status)}
        if time.monotonic() >= until:
            return {"code": None}
        time.sleep(0.01)


def main():
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(start(order) if "name" in order else wait(order)), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
