"""What a registered person was given and treated for anywhere in the last year (就诊用药史), as the center tells the doctor (S001).

The center writes each look down and tells the institutions whose records were read. Nothing of it is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import Outage
from app.facility.clinic.desk.checking import psn_no_of
from app.facility.clinic.desk.supplies import drawn
from app.facility.insurance import desk as desks
from app.facility.insurance import identify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.tenancy import Desk

WAIT_SECONDS = 3.0
MOST_VISITS, MOST_DRUGS = 6, 10


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit at another institution."""

    on: str
    place: str
    diagnosis: str
    today: bool


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug somebody got elsewhere; `left` days of it remain, None where nobody said how long it lasts."""

    on: str
    place: str
    name: str
    days: str
    left: int | None
    bar: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class History:
    """The newest first; how many more there are. `refused` says why the center tells nothing."""

    visits: tuple[Visit, ...] = ()
    drugs: tuple[Drug, ...] = ()
    more_visits: int = 0
    more_drugs: int = 0
    refused: str = ""


def read_history(desk: Desk, visit: Any) -> History | None:
    """What the center tells of a registered visit's person; None when it did not answer."""
    loaded: Any = identify.get(desk, visit.identification_id)
    question = {"data": {"psn_no": psn_no_of(desk, loaded), "mdtrt_id": visit.mdtrt_id}}
    try:
        answer = desks.ask_once(desk, "S001", question, sign_no=loaded.sign_no or "", seconds=WAIT_SECONDS)
    except Outage:
        return None
    if not answer.accepted:
        return History(refused=answer.message)
    return _read(answer.output or {}, clock.business_date())


def _read(output: Mapping[str, Any], today: date) -> History:
    """What is our own stands on the page already; drugs that still last or came today or this quarter."""
    visits = [_visit(row, today) for row in output.get("mdtrtinfo") or [] if row.get("own_flag") != "1"]
    drugs = [_drug(row, today) for row in output.get("feedetail") or [] if row.get("own_flag") != "1"]
    drugs.sort(key=lambda one: one.left is None or one.left <= 0)
    return History(
        tuple(visits[:MOST_VISITS]), tuple(drugs[:MOST_DRUGS]), max(0, len(visits) - MOST_VISITS), max(0, len(drugs) - MOST_DRUGS),
    )  # fmt: skip


def _visit(row: Mapping[str, Any], today: date) -> Visit:
    told = [str(one.get("diag_name") or "") for one in row.get("diseinfo") or []]
    on = str(row.get("begntime") or "")[:10]
    return Visit(on, str(row.get("fixmedins_name") or ""), "、".join(filter(None, told[:2])) or str(row.get("dise_name") or ""), on == today.isoformat())  # fmt: skip


def _drug(row: Mapping[str, Any], today: date) -> Drug:
    on, until = _day(row.get("setl_time")), _day(row.get("supply_until"))
    left = (until - today).days if until else None
    bar = drawn(on, until, today) if on and until else []
    name = str(row.get("hilist_name") or row.get("med_list_codg") or "")
    return Drug(on.isoformat() if on else "", str(row.get("fixmedins_name") or ""), name, str(row.get("prd_days") or ""), left, bar)  # fmt: skip


def _day(told: object) -> date | None:
    try:
        return date.fromisoformat(str(told or "")[:10])
    except ValueError:
        return None
