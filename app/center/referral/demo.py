"""A hospital in the province's capital, which sends the demo's clinic a patient back home: somebody to refer to, somebody who comes.

It lies outside the demo's city, so that no recall of the city's officers waits for it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import uuid4

from app.center.fund.documents import Message
from app.center.referral import referring
from app.center.referral.rules import Paper, Patient
from app.center.registry.actions import NewInstitution, register_institution
from app.center.registry.errors import AlreadyRegistered
from app.core import clock

HOSPITAL = NewInstitution("H33010600099", "省城第一医院", "330106", "hospital", "tertiary")
PATIENT = Patient(
    "陈阿土", "", "1", "1957-08-09", "13900003303", (("I10.x00x002", "高血压"),), "住院调整用药后回社区随访，请每两周量血压",
    "高血压 3 级。住院八天，出院血压 136/82，氨氯地平每日一次、缬沙坦每日一次，无不适。",
)  # fmt: skip


def load(clinic: str) -> None:
    """Register the hospital and let it send somebody to this clinic, once. Call with the province's rights."""
    try:
        register_institution(HOSPITAL, secrets.token_bytes(32))
    except AlreadyRegistered:
        return
    at = clock.now()
    message = Message(HOSPITAL.code, HOSPITAL.district, "", "S020", b"", at, "08", "周文斌")
    paper = Paper(
        document=uuid4(), target=clinic, patient=PATIENT, urgent=False, department="心内科", doctor="D330106000008", doctor_name="周文斌",
        valid_until=clock.business_date(at) + timedelta(days=14),
    )  # fmt: skip
    referring.send(message, paper)
