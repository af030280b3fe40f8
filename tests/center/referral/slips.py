"""Referrals as a clinic's system sends them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from app.core import clock
from app.national import envelope

NAME, CERTNO, REASON = "欧阳转诊", "330226198001019997", "血压控制不佳，转上级调整"


def slip(target, days=7, **changes):
    data = {
        "refl_docm_id": str(uuid4()), "refl_fixmedins_code": target.code, "psn_name": NAME, "certno": CERTNO, "tel": "13912345678", "gend": "1", "brdy": "1980-01-01",
        "dept_name": "全科", "dr_codg": "D330212000004", "dr_name": "江海明", "urgt_flag": "1", "refl_rea": REASON, "cond_dscr": "三药联用仍 168/100，尿蛋白 2+",
        "vali_end_date": envelope.wire_date(clock.business_date() + timedelta(days=days)),
    }  # fmt: skip
    return {"data": data | changes, "diseinfo": [{"diag_code": "I10.x00x002", "diag_name": "转诊高血压"}]}


def refer(clinic, target, **changes):
    """Send one; returns what the center answered of it."""
    answer = clinic.ask("S020", slip(target, **changes))
    assert answer.accepted, answer.message
    return answer.output["data"]


def move(shop, number, act, memo=""):
    return shop.ask("S022", {"data": {"refl_no": number, "act": act, "memo": memo}})


def listed(shop, direction, **more):
    answer = shop.ask("S021", {"data": {"drct": direction} | more})
    assert answer.accepted, answer.message
    return answer.output["result"]
