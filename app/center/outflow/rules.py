"""What state a prescription is in when somebody looks, and how long a pharmacy may hold it. Plain values."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app.core.clock import CHINA, business_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_LINES = 20
MOST_DIAGNOSES = 12
MOST_ASKED = 50
AN_HOUR = timedelta(hours=1)
GRACE = timedelta(hours=1)  # A sale of the lock's last minute is told within this time, before anybody else may lock.
STATES = {
    "REVIEWED": "待取药",
    "LOCKED": "药店配药中",
    "DISPENSED": "部分已取",
    "CLOSED": "已取完",
    "EXPIRED": "已过期",
    "VOID": "已作废",
}
EVENTS = {
    "ISSUED": "开具",
    "REVIEWED": "药师审过",
    "LOCKED": "药店接方",
    "FREED": "药店交还",
    "DISPENSED": "取药",
    "CLOSED": "取完",
    "VOID": "作废",
}
PARAMETERS = {"outflow_valid_days": 3, "outflow_lock_days": 1, "outflow_wrong_codes": 20}


def limit(told: Mapping[str, str], name: str) -> int:
    """A parameter of the center, or what the rules have always said."""
    return int(told.get(name, PARAMETERS[name]))


def is_held(row: Any, at: datetime) -> bool:
    """Whether a pharmacy has it now."""
    return row.lock_institution is not None and row.frees_at > at


def state_of(row: Any, at: datetime) -> str:
    """The state at this moment: a lapsed lock is none, and what is too old is expired."""
    if row.state in {"CLOSED", "VOID"}:
        return str(row.state)
    if is_held(row, at):
        return "LOCKED"
    if row.valid_until < business_date(at):
        return "EXPIRED"
    return "DISPENSED" if row.dispensed_at else "REVIEWED"


def lock_until(valid_until: date, today: date, days: int) -> date:
    """The last day on which the pharmacy may sell on it."""
    return min(valid_until, today + timedelta(days=days))


def frees_at(until: date) -> datetime:
    """When the lock lapses by itself."""
    return datetime.combine(until + timedelta(days=1), time(), tzinfo=CHINA) + GRACE


def problem(doctor: str, reviewer: str, lines: Sequence[Any], signed: datetime, reviewed: datetime) -> str | None:
    """Why this cannot be an out-flow prescription."""
    wrong = {
        "要有医师和审方药师的编码": not (doctor and reviewer),
        "医师和审方药师须是两个人": bool(doctor) and doctor == reviewer,
        "审方时间早于开方时间": reviewed < signed,
        f"药品要有 1 到 {MOST_LINES} 种": not 1 <= len(lines) <= MOST_LINES,
        "有药品行号重复": len({line.line_no for line in lines}) < len(lines),
        "数量、包装和行号都要是正的整数": any(min(line.line_no, line.quantity, line.pack_size) < 1 for line in lines),
        "药品要有国家医保编码": any(not line.code for line in lines),
    }
    return next((why for why, holds in wrong.items() if holds), None)
