"""What the insurance room refuses."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Refusal


class RefusedByCenter(Refusal):
    """The center said no; its sentence is shown."""

    code = "refused_by_center"
    sentence = "医保中心没有受理：{why}。这一单没有扣款，可改为自费，或按提示更正后再试。"

    def __init__(self, why: str) -> None:
        super().__init__(why=why.rstrip("。."))  # The center's sentence stands inside ours.


class WrongCredential(Refusal):
    """What was typed or scanned is no card number, citizen id or e-certificate."""

    code = "wrong_credential"
    sentence = "认不出这个凭证：{why}。请重刷，或改扫医保码、输入 18 位身份证号。"
    status: ClassVar[int] = 422


class IdentificationExpired(Refusal):
    """The card was read too long ago, or by somebody else's till."""

    code = "identification_expired"
    sentence = "持卡人信息已过期（超过 {minutes} 分钟）。请按 F2 重新刷卡后再结算。"


class AgentNeeded(Refusal):
    """Somebody buys for another without having shown who they are."""

    code = "agent_needed"
    sentence = "代人购药、付费须登记代办人的姓名和证件号：{why}。登记后再结算；双方身份都会随单保存。"
    status: ClassVar[int] = 422


class MatchNotConfirmed(Refusal):
    """The amount or the score asks for a look at the person, and nobody has confirmed it."""

    code = "match_not_confirmed"
    sentence = "{why}，请核对持卡人与凭证照片，确认「人证一致」并选择理由后再结算。"


class OutflowRefused(Refusal):
    """The center did not do what was asked of an out-flow prescription; it says why."""

    code = "outflow_refused"
    sentence = "医保中心答复：{told}"
