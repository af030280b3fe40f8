"""Referrals for tests: two institutions that the center knows, a signed visit, a letter."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from app.facility.clinic.referral import actions, queries
from app.facility.clinic.referral.rules import Letter
from tests.factories.clinic import make_patient, make_visit, sign
from tests.factories.shop import desk_of

NAME, CERTNO, PHONE, REASON = "欧阳转诊", "330226198001019991", "13912345678", "血压控制不佳，请调整用药"


def letter(target, **changes):
    told = {"target_code": target.code, "target_name": target.name, "urgent": False, "valid_days": 14, "reason": REASON, "summary": "三药联用仍 168/100"}  # fmt: skip
    return Letter(**told | changes)


def signed_visit(clinic, **fields):
    """A visit of somebody with a citizen id and a telephone, signed with a diagnosis and nothing ordered."""
    person = {"name": NAME, "certno": fields.pop("certno", CERTNO), "phone": PHONE, "sex": "1", "born_on": date(1980, 1, 1)}  # fmt: skip
    visit = make_visit(clinic, fields.pop("patient", None) or make_patient(clinic, **person), **fields)
    sign(clinic, visit)
    return visit


def send(clinic, target, visit=None, **changes):
    """Refer the patient of a visit; returns (document, number)."""
    document = uuid4()
    desk = desk_of(clinic, clinic.doctor)
    assert actions.refer(desk, document, visit or signed_visit(clinic), letter(target, **changes)) == "sent"
    return document, queries.get_sent(clinic.facility_id, document).number
