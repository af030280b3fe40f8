"""Whether the center answers at all, for whoever stands before the door: no tenant is known there, so nothing is asked in anybody's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import gettext as _

from app.core import clock
from app.facility.db import db
from app.facility.insurance import desk as desks

GOOD_FOR = timedelta(seconds=15)  # A morning's rush at the door asks the center once, not for each person.


@dataclass(frozen=True)
class Seen:
    """What the last look found."""

    at: datetime
    answers: bool


def center_state() -> dict[str, str] | None:
    """Whether the center answers, in words, and when that was looked at; nothing where no center is configured."""
    config = current_app.config
    if not (config.get("CENTER_URL") or config.get("CENTER_DOOR")):
        return None
    seen = _look()
    at = f"{clock.local(seen.at):%H:%M}"
    if seen.answers:
        return {"state": "ok", "text": _("可用 · %(time)s 检查", time=at)}
    return {"state": "off", "text": _("没有应答 · %(time)s 检查。自费销售照常，医保结算请稍候。", time=at)}


def _look() -> Seen:
    seen: Seen | None = current_app.extensions.get("center_seen")
    if seen is None or clock.now() - seen.at > GOOD_FOR:
        db.end_reading()
        seen = Seen(clock.now(), desks.national_client().answers())
        current_app.extensions["center_seen"] = seen
    return seen
