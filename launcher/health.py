"""/healthz: both wings, their databases and workers; 200 when all is well, 503 when something is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

LATE_SECONDS = 10
NEWS_LATE_SECONDS = 90  # A round may wait for a slow center; whoever asks more seldom than this sets it so.


class Health:
    """Answers /healthz in front of both wings."""

    def __init__(self, inner: Any, facility: Any, center: Any) -> None:
        self._inner, self._facility, self._center = inner, facility, center

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") != "/healthz":
            return self._inner(environ, start_response)
        found = {"facility": _facility(self._facility), "center": _center(self._center)}
        well = all(part["ok"] for part in found.values())
        body = json.dumps({"ok": well, **found}, ensure_ascii=False).encode()
        start_response(
            "200 OK" if well else "503 Service Unavailable",
            [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
        )
        return [body]


def _facility(app: Any) -> dict[str, Any]:
    from app.facility.db import transaction

    try:
        with app.app_context(), transaction(settings={}) as hot:
            relay, worker, news = hot.run_all(
                [
                    ("select beat_at, waiting, stopped, note from relay_heartbeat order by beat_at limit 1", None),
                    (
                        "select beat_at, waiting, note from worker_heartbeat where name <> 'news' order by beat_at limit 1",
                        None,
                    ),
                    ("select beat_at, waiting, note from worker_heartbeat where name = 'news'", None),
                ],
                last=True,
            )
    except Exception as failure:
        return {"ok": False, "database": type(failure).__name__}
    parts = {"relay": _beat(relay), "recovery": _beat(worker), "news": _beat(news, NEWS_LATE_SECONDS)}
    stopped = bool((relay and relay[0].stopped) or (news and news[0].waiting))  # Facts or news: both sides differ.
    return {
        "ok": all(part["ok"] for part in parts.values()) and not stopped,
        "database": "up",
        **parts,
        "streams_stopped": relay[0].stopped if relay else None,
        "news_stopped": news[0].waiting if news else None,
    }


def _center(app: Any) -> dict[str, Any]:
    from app.center.db import transaction

    try:
        with app.app_context(), transaction("interface", settings={}) as hot:
            hot.run_last("select 1 as up")
    except Exception as failure:
        return {"ok": False, "database": type(failure).__name__}
    return {"ok": True, "database": "up"}


def _beat(rows: Any, late_seconds: int = LATE_SECONDS) -> dict[str, Any]:
    if not rows:
        return {"ok": False, "note": "has not started yet"}
    ago = (datetime.now(UTC) - rows[0].beat_at).total_seconds()
    return {"ok": ago < late_seconds, "seconds_ago": round(ago, 1), "waiting": rows[0].waiting, "note": rows[0].note}
