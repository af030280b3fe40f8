"""What a referral must say, who may move it from where, and how it stands when somebody looks. Plain values."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from app.core.clock import business_date
from app.core.errors import words

if TYPE_CHECKING:
    from app.core.errors import Words

STATES = {"SENT": "待接收", "ACCEPTED": "已接收", "DECLINED": "已谢绝", "CLOSED": "已回复", "WITHDRAWN": "已撤回", "EXPIRED": "已过期"}  # fmt: skip
# act: (from which states, into which, by the sender?, whether something has to be said, what it is called)
ACTS: dict[str, tuple[tuple[str, ...], str, bool, bool, str]] = {
    "accept": (("SENT",), "ACCEPTED", False, False, "接收"),
    "decline": (("SENT", "ACCEPTED"), "DECLINED", False, True, "谢绝"),
    "close": (("ACCEPTED",), "CLOSED", False, True, "回复"),
    "withdraw": (("SENT",), "WITHDRAWN", True, True, "撤回"),
}
VALID_DAYS = 30
MOST_ROWS = 50
MOST_DIAGNOSES = 12
MOST_TEXT = 1000


class Patient(msgspec.Struct, frozen=True):
    """Who is sent on and why; lies sealed."""

    name: str
    certno: str
    sex: str
    born_on: str
    phone: str
    diagnoses: tuple[tuple[str, str], ...]  # Code and name.
    reason: str
    summary: str


class Paper(msgspec.Struct, frozen=True):
    """A referral as it was sent."""

    document: UUID
    target: str
    patient: Patient
    urgent: bool
    department: str
    doctor: str
    doctor_name: str
    valid_until: date

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(msgspec.json.encode(self)).digest()


def problem(paper: Paper, institution: str, target: Any | None, today: date, most_days: int) -> Words | None:
    """Why this cannot be a referral."""
    patient = paper.patient
    wrong = {
        words("不能转给自己"): paper.target == institution,
        words("没有查到接收机构 {code}", code=paper.target): target is None,
        words("药店不接收转诊"): target is not None and target.kind == "pharmacy",
        words("接收机构的协议没有生效"): target is not None and not _serves(target, today),
        words("要写转诊原因和病情摘要，各最多 {n} 个字", n=MOST_TEXT): not 1 <= len(patient.reason) <= MOST_TEXT
        or not 1 <= len(patient.summary) <= MOST_TEXT,
        words("要有患者姓名和至少一个诊断"): not patient.name or not 1 <= len(patient.diagnoses) <= MOST_DIAGNOSES,
        words("有效期要在今天以后的 {n} 天内", n=most_days): not today <= paper.valid_until <= today + timedelta(days=most_days),
    }  # fmt: skip
    return next((why for why, holds in wrong.items() if holds), None)


def _serves(target: Any, today: date) -> bool:
    suspended = target.suspended_until is not None and target.suspended_until >= today
    return bool(target.agreement_from <= today <= target.agreement_until) and not suspended


def state_of(row: Any, at: datetime) -> str:
    """The state at this moment: what nobody took in time is expired."""
    return "EXPIRED" if row.state == "SENT" and row.valid_until < business_date(at) else str(row.state)
