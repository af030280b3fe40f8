"""What a referral's letter must say, what may be done with one, and how it stands. Plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app.core.errors import words

if TYPE_CHECKING:
    from datetime import date
    from typing import Any

    from app.core.errors import Words

STATES = {
    "asked": "核对中", "refused": "未受理", "sent": "待接收", "accepted": "已接收", "declined": "已谢绝", "closed": "已回复", "withdrawn": "已撤回",
    "expired": "已过期",
}  # fmt: skip
LOOKS = {"asked": "warn", "refused": "stop", "sent": "info", "accepted": "info", "declined": "stop", "closed": "ok", "withdrawn": "", "expired": "warn"}  # fmt: skip
MOVES = ("accept", "decline", "close")  # What the receiver does with one.
MOST_TEXT = 1000
DAYS, MOST_DAYS = 14, 365  # The center knows the true most and says so.


class Letter(msgspec.Struct, frozen=True):
    """To whom, why, and what the receiver has to know. The name is what the center called the institution."""

    target_code: str
    target_name: str
    urgent: bool
    valid_days: int
    reason: str
    summary: str


def problem(letter: Letter) -> Words | None:
    """What keeps a letter from being sent; nothing when it is well."""
    wrong = {
        words("要选接收机构"): not 1 <= len(letter.target_code) <= 30,
        words("要写转诊原因和病情摘要，各最多 {n} 个字", n=MOST_TEXT): not 1 <= len(letter.reason) <= MOST_TEXT
        or not 1 <= len(letter.summary) <= MOST_TEXT,
        words("有效期要在 1 到 {n} 天之间", n=MOST_DAYS): not 1 <= letter.valid_days <= MOST_DAYS,
    }
    return next((why for why, holds in wrong.items() if holds), None)


def state_of(state: str, valid_until: date, today: date) -> str:
    """How one stands today: what nobody took in time is expired."""
    return "expired" if state == "sent" and valid_until < today else state


def not_to_refer(visit: Any, doctor: int, own: str, letter: Letter) -> Words | None:
    """Why this doctor does not send the patient of this visit there."""
    wrong = {
        words("只有接诊医师可以转诊"): visit.doctor_id != doctor,
        words("就诊已退号"): visit.state == "CANCELLED",
        words("要先签名，写好诊断"): not visit.version or not visit.found,
        words("不能转给自己"): letter.target_code == own,
        words("已经转给 {name}，还没有结束。可以先撤回", name=visit.open_name): visit.open_name is not None,
    }
    return next((why for why, holds in wrong.items() if holds), None)
