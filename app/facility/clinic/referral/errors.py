"""What referring refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class NotToRefer(Refusal):
    code = "not_to_refer"
    sentence = "{number} 不能转诊：{why}。"


class LetterIncomplete(Refusal):
    code = "letter_incomplete"
    sentence = "转诊单没有开出：{why}。请补好再转。"
    status = 422


class ReferralReasonNeeded(Refusal):
    code = "referral_reason_needed"
    sentence = "要写明情况，对方会看到。请写好再提交。"
    status = 422


class NotYourReferral(Refusal):
    code = "not_your_referral"
    sentence = "这张转诊单是 {doctor} 开的，只有开单医师或负责人能撤回。请联系开单医师。"


class ReferralPending(Refusal):
    code = "referral_pending"
    sentence = "这张转诊单还在与医保中心核对，现在不能撤回。请等几秒再试。"


class ReferralRefused(Refusal):
    """The center did not do what was asked; it says why."""

    code = "referral_refused"
    sentence = "医保中心答复：{told}"


class NotTakenOn(Refusal):
    code = "referral_not_taken_on"
    sentence = "还没有接收这位患者，看不到完整身份。请先接收，再去挂号。"
