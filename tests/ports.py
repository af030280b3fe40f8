"""Ports for the servers that tests start in processes of their own."""

from __future__ import annotations

import itertools
import os
import socket

# Below what the system gives to connections that go out: one of those would take the port before the server has it.
FIRST, EACH = 20_000, 1_500
_mine = FIRST + EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
_next = itertools.count(os.getpid() % EACH)


def free_port() -> int:
    """A port that nobody listens at and that no other process of this run chooses."""
    for _ in range(EACH):
        port = _mine + next(_next) % EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("every port is taken")
