"""What the center refuses of referrals."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Refusal


class UnknownReferral(Refusal):
    """No referral has this number, or it is between others."""

    code: ClassVar[str] = "UNKNOWN_REFERRAL"
    sentence: ClassVar[str] = "没有查到这张转诊单。请核对转诊单号。"


class ReferralNotAcceptable(Refusal):
    """What was sent cannot be a referral."""

    code: ClassVar[str] = "REFERRAL_NOT_ACCEPTABLE"
    sentence: ClassVar[str] = "转诊单没有受理：{why}。"


class ReferralChanged(Refusal):
    """The same document came with other content."""

    code: ClassVar[str] = "REFERRAL_CHANGED"
    sentence: ClassVar[str] = "这张转诊单已用另外的内容上传过，没有改动。请撤回后重新开具。"


class ReferralMovedOn(Refusal):
    """It is not where this can be done."""

    code: ClassVar[str] = "REFERRAL_MOVED_ON"
    sentence: ClassVar[str] = "这张转诊单现在是「{state}」，不能{act}。请刷新看最新的情况。"
