"""One wing (or the recovery worker, or the puller of news) as a process: what the nursery forks."""

from __future__ import annotations

import threading
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

import wsgi
from app.facility import news
from app.facility.insurance import worker


def build(name: str) -> Any:
    """Build what the process serves; no connection is made yet."""
    if name == "center":
        return DispatcherMiddleware(NotFound(), {"/center": wsgi.make_center()})
    return wsgi.make_facility(None)


def serve(name: str, made: Any, port: int) -> None:
    """Be that process until it is ended."""
    assert threading.current_thread() is threading.main_thread()
    server = None if name in ("recovery", "news") else make_server("127.0.0.1", port, made, threaded=True)
    print("ready", flush=True)
    if server is not None:
        server.serve_forever()
    elif name == "news":
        news.run(made, threading.Event())
    else:
        worker.run(made)
