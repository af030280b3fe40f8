"""What the registry refuses. The sentences reach the clerk's screen through the national interface."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Refusal


class UnknownInstitution(Refusal):
    """The institution has no agreement here, or signs with another secret."""

    code: ClassVar[str] = "UNKNOWN_INSTITUTION"
    sentence: ClassVar[str] = "机构未通过身份验证：{why}。请核对机构编码、密钥和本机时间，或联系医保中心。"
    status: ClassVar[int] = 401


class InstitutionNotInForce(Refusal):
    """The agreement has not begun, has ended, or is suspended."""

    code: ClassVar[str] = "INSTITUTION_NOT_IN_FORCE"
    sentence: ClassVar[str] = "本机构的医保协议{why}，不能进行医保结算。可以自费结算，并请联系医保中心。"


class UnknownPerson(Refusal):
    """Nobody is registered under this number."""

    code: ClassVar[str] = "UNKNOWN_PERSON"
    sentence: ClassVar[str] = "没有查到参保人员。请核对卡号、身份证号，或改用自费结算。"


class CredentialMismatch(Refusal):
    """The credential belongs to another person than the one named."""

    code: ClassVar[str] = "CREDENTIAL_MISMATCH"
    sentence: ClassVar[str] = "就诊凭证与人员信息不一致（{what}）。请重新读卡或重新扫码。"


class CardLost(Refusal):
    """The card was reported lost (挂失)."""

    code: ClassVar[str] = "CARD_LOST"
    sentence: ClassVar[str] = "该卡已挂失，不能医保结算。可以自费结算，请提醒持卡人到经办机构办理解挂或补卡。"


class PersonFrozen(Refusal):
    """Network settlement is suspended for this person (暂停联网结算)."""

    code: ClassVar[str] = "PERSON_FROZEN"
    sentence: ClassVar[str] = (
        "该参保人已暂停联网结算（原因代码 {reason}）。请全额自费结算，如有疑问请本人联系经办机构。"
    )


class PersonDeceased(Refusal):
    """The registry says that this person has died."""

    code: ClassVar[str] = "PERSON_DECEASED"
    sentence: ClassVar[str] = "登记显示该参保人已死亡，不能医保结算。如登记有误，请家属联系经办机构更正。"


class NotCovered(Refusal):
    """The person has no coverage of this kind in force today."""

    code: ClassVar[str] = "NOT_COVERED"
    sentence: ClassVar[str] = "该参保人当前没有有效的{insutype}参保。请核对险种，或改用自费结算。"


class CodeNotUsable(Refusal):
    """An e-certificate code or token that is unknown, used, of another institution, or too old."""

    code: ClassVar[str] = "ECERT_NOT_USABLE"
    sentence: ClassVar[str] = "医保码{why}。请让参保人刷新医保码后重新扫码。"


class SignOnMissing(Refusal):
    """Signing off without having signed on today."""

    code: ClassVar[str] = "SIGN_ON_MISSING"
    sentence: ClassVar[str] = "该操作员今天没有签到记录，或已经签退。请先签到（9001）。"


class AlreadyRegistered(Refusal):
    """The same institution, person or number is registered already."""

    code: ClassVar[str] = "ALREADY_REGISTERED"
    sentence: ClassVar[str] = "{what}已经登记过。请先查询后再修改。"
