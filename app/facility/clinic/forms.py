"""How the clinic's pages read what was typed; a wrong one is said, never a failure of ours."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from flask import request
from flask_babel import gettext as _

from app.core.errors import NotFound, WrongInput
from app.facility.stock import typed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    Place = tuple[int, datetime, str]  # A rank before all else (0 where there is none), a moment, an id.


def real_ids() -> None:
    """A number too large for any record is an address of nothing. Runs before each view."""
    if any(isinstance(value, int) and not 0 < value < 2**63 for value in (request.view_args or {}).values()):
        raise NotFound


def text(name: str, most: int = 200) -> str:
    """One field as it was typed."""
    return request.form.get(name, "").replace("\x00", "").strip()[: most + 1]


def arg(name: str, most: int = 60) -> str:
    """One part of the address."""
    return request.args.get(name, "").replace("\x00", "").strip()[:most]


def document(name: str = "document") -> UUID:
    """The id that the browser made for what is written."""
    found = uuid_or_none(request.form.get(name, ""))
    if found is None:
        raise WrongInput(what=_("单据"), why=_("页面不完整，请刷新后重填"))
    return found


def uuid_or_none(said: str) -> UUID | None:
    """An id, or none when it is no id."""
    try:
        return UUID(said)
    except ValueError:
        return None


def number(said: str) -> int | None:
    """The number of a row; None when it is none."""
    return int(said) if said.isascii() and said.isdigit() and 0 < len(said) < 18 else None


def needed(name: str, what: str) -> int:
    """The number of a row that has to be chosen."""
    found = number(text(name, 20))
    if found is None:
        raise WrongInput(what=what, why=_("要选一项"))
    return found


def day_or_none(name: str, what: str) -> date | None:
    """A day, or none when left empty."""
    said = text(name, 20)
    found = typed.day(said) if said else None
    if said and found is None:
        raise WrongInput(what=what, why=_("请写成 2026-11-22 这样的日期"))
    return found


def day(name: str, what: str) -> date:
    """A day that has to be there."""
    found = day_or_none(name, what)
    if found is None:
        raise WrongInput(what=what, why=_("请写成 2026-11-22 这样的日期"))
    return found


class Page(NamedTuple):
    """One page of a queue by time: its rows, where it began, and where the next one begins."""

    rows: Sequence[Any]
    after: str
    following: str | None


def page(read: Callable[[Place | None], Sequence[Any]], place_of: Callable[[Any], Place], size: int) -> Page:
    """The page of a queue that the address asks for; `read` gives one row more when there are more."""
    after = arg("after", 90)
    rows = read(_place(after))
    following = _said(place_of(rows[size - 1])) if len(rows) > size else None
    return Page(rows[:size], after, following)


def _said(place: Place) -> str:
    rank, at, last = place
    return f"{rank:d}_{at.isoformat()}_{last}"


def _place(typed: str) -> Place | None:
    rank, _sep, rest = typed.partition("_")
    at, _sep, last = rest.partition("_")
    found = uuid_or_none(last)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (int(rank), moment, str(found)) if rank in {"0", "1"} and moment.tzinfo and found else None
