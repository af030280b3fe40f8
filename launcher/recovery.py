"""The recovery worker's process."""

from __future__ import annotations

import logging

import wsgi
from app.facility.insurance import worker


def main() -> int:
    """Run until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    center = None if wsgi.os.environ.get("SUNMED_CENTER_ADDRESS") else wsgi.make_center()
    worker.run(wsgi.make_facility(center))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
