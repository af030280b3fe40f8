"""S020-S023, our own transactions: a patient is sent on to another institution, which takes them on and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.center.interface.asked import text
from app.center.referral import referring, rules
from app.core.errors import WrongInput
from app.national import amounts, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.center.interface.asked import Asked
    from app.center.referral.referring import Seen


def send(asked: Asked) -> bytes:
    """S020: keep a referral for the other institution; its number comes back."""
    return asked.accepted({"data": _told(referring.send(asked.message, _paper(asked)))})


def _paper(asked: Asked) -> rules.Paper:
    data = asked.node("data")
    found = asked.rows("diseinfo") if asked.request.input.get("diseinfo") else []
    if len(found) > rules.MOST_DIAGNOSES:
        raise WrongInput(what="diseinfo", why=f"最多 {rules.MOST_DIAGNOSES} 行")
    patient = rules.Patient(
        text(data, "psn_name").strip(), text(data, "certno"), text(data, "gend"), text(data, "brdy"), text(data, "tel"),
        tuple((text(row, "diag_code"), text(row, "diag_name")) for row in found), text(data, "refl_rea").strip(), text(data, "cond_dscr").strip(),
    )  # fmt: skip
    until = envelope.read_time(f"{text(data, 'vali_end_date')[:10]} 00:00:00")
    if not 2000 <= until.year <= 2100:
        raise WrongInput(what="vali_end_date", why="年份不对")
    return rules.Paper(
        document=_document(data), target=text(data, "refl_fixmedins_code"), patient=patient, urgent=text(data, "urgt_flag") == "1",
        department=text(data, "dept_name"), doctor=text(data, "dr_codg"), doctor_name=text(data, "dr_name"), valid_until=until.date(),
    )  # fmt: skip


def _document(data: Mapping[str, Any]) -> UUID:
    try:
        return UUID(text(data, "refl_docm_id"))
    except ValueError:
        raise WrongInput(what="refl_docm_id", why="应为 UUID") from None


def look(asked: Asked) -> bytes:
    """S021: referrals to the asking institution or by it, newest first."""
    data = asked.node("data")
    before = amounts.decimal_of(data.get("before_sn")) if text(data, "before_sn") else None
    if before is not None and (before != before.to_integral_value() or not 0 < before < 10**15):
        raise WrongInput(what="before_sn", why="应为正整数")
    rows = referring.look(asked.message, text(data, "drct"), int(before) if before is not None else None)
    return asked.accepted({"result": [_told(seen) for seen in rows]})


def move(asked: Asked) -> bytes:
    """S022: take it on, decline it, answer it; or the sender withdraws it."""
    data = asked.node("data")
    seen = referring.move(asked.message, text(data, "refl_no"), text(data, "act"), text(data, "memo").strip())
    return asked.accepted({"data": _told(seen)})


def find(asked: Asked) -> bytes:
    """S023: the clinics and hospitals that a patient may be sent to."""
    rows = referring.find_institutions(asked.message, text(asked.node("data"), "fixmedins_name").strip())
    told = [
        {"fixmedins_code": row.code, "fixmedins_name": row.name, "same_admdvs_flag": "1" if row.near else "0"}
        for row in rows
    ]
    return asked.accepted({"result": told})


def _told(seen: Seen) -> dict[str, Any]:
    row, patient = seen.row, seen.patient
    return {
        "refl_no": row.number, "refl_sn": str(row.id), "refl_docm_id": str(row.document), "refl_stas": seen.state, "urgt_flag": "1" if row.urgent else "0",
        "fixmedins_code": row.institution_code, "fixmedins_name": row.institution, "refl_fixmedins_code": row.target_code, "refl_fixmedins_name": row.target_name,
        "psn_name": patient.name if seen.whole else row.patient_shown, "certno": patient.certno if seen.whole else "",
        "tel": patient.phone if seen.whole else "", "gend": patient.sex, "brdy": patient.born_on if seen.whole else patient.born_on[:4],
        "dept_name": row.department, "dr_name": row.doctor_name, "refl_rea": patient.reason, "cond_dscr": patient.summary,
        "diseinfo": [{"diag_code": code, "diag_name": name} for code, name in patient.diagnoses], "memo": seen.answer,
        "refl_time": envelope.wire_time(row.sent_at), "vali_end_date": envelope.wire_date(row.valid_until), "chg_time": envelope.wire_time(row.changed_at),
    }  # fmt: skip
