"""How the pages of suppliers read what was typed: days, amounts, ids; a wrong one is said, never a failure of ours."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from flask import request
from flask_babel import gettext as _

from app.core.errors import NotFound, WrongInput
from app.core.money import yuan_to_fen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_TICKED = 2_000


def real_ids() -> None:
    """A number too large for any record is an address of nothing. Runs before each view."""
    if any(isinstance(value, int) and not 0 < value < 2**63 for value in (request.view_args or {}).values()):
        raise NotFound


def text(name: str, most: int = 500) -> str:
    """One field as it was typed."""
    return request.form.get(name, "").replace("\x00", "").strip()[: most + 1]


def arg(name: str, most: int = 60) -> str:
    """One part of the address."""
    return request.args.get(name, "").replace("\x00", "").strip()[:most]


def document() -> UUID:
    """The id that the browser made for this document."""
    try:
        return UUID(request.form.get("document", ""))
    except ValueError:
        raise WrongInput(what=_("单据"), why=_("页面不完整，请刷新后重填")) from None


def day(name: str, what: str) -> date:
    """A day, as 2026-11-22 or 20261122."""
    digits = re.sub(r"[-./年月日\s]", "", text(name, 20))
    plain = digits.isascii() and digits.isdigit() and len(digits) == 8
    try:
        return date.fromisoformat(digits if plain else "")
    except ValueError:
        raise WrongInput(what=what, why=_("请写成 2026-11-22 这样的日期")) from None


def day_or_none(name: str, what: str) -> date | None:
    """A day, or none when left empty."""
    return day(name, what) if text(name, 20) else None


def amount(name: str, what: str) -> int:
    """An amount in fen."""
    return yuan_to_fen(text(name, 20), what)


def number(typed: str) -> int | None:
    """The number of a row; None when it is none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 18 else None


def numbers(name: str) -> list[int]:
    """The rows that were ticked."""
    return [each for each in map(number, request.form.getlist(name)[:MOST_TICKED]) if each is not None]


def ids(name: str) -> list[UUID]:
    """The documents that were ticked."""
    return [UUID(each) for each in request.form.getlist(name)[:MOST_TICKED] if _is(UUID, each)]


def codes(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The words of a list that were ticked."""
    allowed = set(known)
    return tuple(each for each in request.form.getlist(name)[:50] if each in allowed)


def after_name(typed: str) -> tuple[str, int] | None:
    """Where a list by name goes on: pinyin~id."""
    pinyin, _sep, last = typed.rpartition("~")
    row = number(last)
    return (pinyin[:200], row) if row else None


def before_moment(typed: str) -> tuple[datetime, str] | None:
    """Where a list by time goes on: moment_id."""
    at, _sep, last = typed.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, str(UUID(last))) if moment.tzinfo else None
    except ValueError:
        return None


def after_day(typed: str) -> tuple[date, str] | None:
    """Where a list by day goes on: day_id."""
    at, _sep, last = typed.partition("_")
    return (date.fromisoformat(at), str(UUID(last))) if _is(date.fromisoformat, at) and _is(UUID, last) else None


def _is(read: Callable[[str], object], typed: str) -> bool:
    try:
        read(typed)
    except ValueError:
        return False
    return True
