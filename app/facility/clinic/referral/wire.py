"""Referrals as the center is told them and tells them (转诊, S020-S023)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.facility.clinic.referral.errors import ReferralRefused
from app.facility.insurance import desk as desks
from app.national import envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.clinic.patients.rules import Person
    from app.facility.clinic.referral.rules import Letter

PAGE = 50  # The center tells so many at a time.
SECONDS = 4.0  # Somebody looks at the page meanwhile.


@dataclass(frozen=True)
class Slip:
    """A referral as the center tells it; of one that was not taken on, name and birth are shortened and the rest is left out."""

    number: str
    turn: int
    document: str
    state: str
    urgent: bool
    sender: str
    target_code: str
    target: str
    department: str
    doctor: str
    name: str
    certno: str
    phone: str
    sex: str
    born: str
    diagnoses: tuple[str, ...]
    reason: str
    summary: str
    answer: str
    sent_at: datetime
    changed_at: datetime
    valid_until: date

    @property
    def taken_on(self) -> bool:
        return self.state in {"accepted", "closed"}


def letter(document: UUID, visit: Any, person: Person, asked: Letter, valid_until: date) -> dict[str, Any]:
    """The input of S020."""
    data = {
        "refl_docm_id": str(document), "refl_fixmedins_code": asked.target_code, "psn_name": person.name, "certno": person.citizen_id, "tel": person.phone,
        "gend": person.sex, "brdy": envelope.wire_date(person.born_on) if person.born_on else "", "dept_name": visit.department,
        "dr_codg": visit.doctor_code or "", "dr_name": visit.doctor, "urgt_flag": "1" if asked.urgent else "0", "refl_rea": asked.reason,
        "cond_dscr": asked.summary, "vali_end_date": envelope.wire_date(valid_until),
    }  # fmt: skip
    return {"data": data, "diseinfo": [{"diag_code": code, "diag_name": name} for code, name in visit.diagnoses]}


def find_institutions(desk: Desk, asked: str) -> list[tuple[str, str, bool]]:
    """Whom a patient may be sent to: code, name, whether in the same district. Raises ReferralRefused, Outage."""
    output = _asked(desk, "S023", {"data": {"fixmedins_name": asked}})
    return [
        (str(row["fixmedins_code"]), str(row["fixmedins_name"]), str(row["same_admdvs_flag"]) == "1")
        for row in output.get("result") or []
    ]


def look(desk: Desk, direction: str, before: int | None = None) -> list[Slip]:
    """Ours (out) or those to us (in), newest first. Raises ReferralRefused, Outage."""
    told = {"drct": direction} | ({"before_sn": str(before)} if before else {})
    return [slip_of(row) for row in _asked(desk, "S021", {"data": told}).get("result") or []]


def move(desk: Desk, number: str, act: str, said: str = "") -> Slip:
    """Take one on, decline it, answer it, or withdraw one of ours; done already, it stays. Raises ReferralRefused, Outage."""
    return slip_of(_asked(desk, "S022", {"data": {"refl_no": number, "act": act, "memo": said}})["data"])


def turn_of(number: str) -> int:
    """Where a number stands among all."""
    return int(number[1:])


def _asked(desk: Desk, infno: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = desks.ask_once(desk, infno, content, seconds=SECONDS)
    if not answer.accepted:
        raise ReferralRefused(told=answer.message)
    return answer.output


def slip_of(row: Mapping[str, Any]) -> Slip:
    """One row of an answer."""

    def said(name: str) -> str:
        return str(row.get(name) or "")

    found: Sequence[Mapping[str, Any]] = row.get("diseinfo") or []
    return Slip(
        number=said("refl_no"), turn=int(said("refl_sn")), document=said("refl_docm_id"), state=said("refl_stas").lower(), urgent=said("urgt_flag") == "1",
        sender=said("fixmedins_name"), target_code=said("refl_fixmedins_code"), target=said("refl_fixmedins_name"), department=said("dept_name"),
        doctor=said("dr_name"), name=said("psn_name"), certno=said("certno"), phone=said("tel"), sex=said("gend"), born=said("brdy"),
        diagnoses=tuple(str(one["diag_name"]) for one in found), reason=said("refl_rea"), summary=said("cond_dscr"), answer=said("memo"),
        sent_at=envelope.read_time(said("refl_time")), changed_at=envelope.read_time(said("chg_time")), valid_until=date.fromisoformat(said("vali_end_date")[:10]),
    )  # fmt: skip
