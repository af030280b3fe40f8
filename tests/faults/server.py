"""One wing (or the recovery worker) as a process of its own: `python -m tests.faults.server facility 8123`."""

from __future__ import annotations

import sys
import threading

from werkzeug.serving import make_server

import wsgi


def serve(wing: str, port: int) -> None:
    made = wsgi.make_center() if wing == "center" else wsgi.make_facility(None)
    if wing == "center":
        from werkzeug.middleware.dispatcher import DispatcherMiddleware
        from werkzeug.exceptions import NotFound

        made = DispatcherMiddleware(NotFound(), {"/center": made})
    server = make_server("127.0.0.1", port, made, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


def recover() -> None:
    from app.facility.insurance import worker

    print("ready", flush=True)
    worker.run(wsgi.make_facility(None))


if __name__ == "__main__":
    assert threading.current_thread() is threading.main_thread()
    if sys.argv[1] == "recovery":
        recover()
    else:
        serve(sys.argv[1], int(sys.argv[2]))
