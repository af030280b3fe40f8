"""The recovery worker's process; in a thread of its own it also pulls the center's news."""

from __future__ import annotations

import logging
import threading

import wsgi
from app.facility import news
from app.facility.insurance import worker


def main() -> int:
    """Run until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    center = None if wsgi.os.environ.get("SUNMED_CENTER_ADDRESS") else wsgi.make_center()
    facility, stop = wsgi.make_facility(center), threading.Event()
    puller = threading.Thread(target=news.run, args=(facility, stop), name="news", daemon=True)
    puller.start()
    worker.run(facility)
    stop.set()
    puller.join(5)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
