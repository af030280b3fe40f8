"""What the center refuses of out-flow prescriptions."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Refusal


class UnknownPrescription(Refusal):
    """No prescription has this code or number, or it is another institution's."""

    code: ClassVar[str] = "UNKNOWN_PRESCRIPTION"
    sentence: ClassVar[str] = "没有查到这张外配处方。请核对取药码，或请患者向开方机构确认。"


class TooManyWrongCodes(Refusal):
    """An institution asked for too many codes that nobody has."""

    code: ClassVar[str] = "TOO_MANY_WRONG_CODES"
    sentence: ClassVar[str] = "一小时内取药码错误已超过 {most} 次，暂停查询。请稍后再试。"


class PrescriptionLocked(Refusal):
    """One pharmacy at a time has a prescription."""

    code: ClassVar[str] = "PRESCRIPTION_LOCKED"
    sentence: ClassVar[str] = "这张处方正由一家药店配药，最迟 {until} 后解除。请等它交还，或到那家药店取药。"


class PrescriptionOver(Refusal):
    """It was dispensed whole, is void, or is too old."""

    code: ClassVar[str] = "PRESCRIPTION_OVER"
    sentence: ClassVar[str] = "这张处方{why}。请患者联系开方机构。"


class PrescriptionNotAcceptable(Refusal):
    """What was sent cannot be an out-flow prescription."""

    code: ClassVar[str] = "PRESCRIPTION_NOT_ACCEPTABLE"
    sentence: ClassVar[str] = "外配处方没有受理：{why}。"


class PrescriptionChanged(Refusal):
    """The same document came with other content."""

    code: ClassVar[str] = "PRESCRIPTION_CHANGED"
    sentence: ClassVar[str] = "这张处方已用另外的内容上传过，没有改动。请作废后重新开具。"


class NotForThisKind(Refusal):
    """Clinics issue, pharmacies dispense."""

    code: ClassVar[str] = "NOT_FOR_THIS_INSTITUTION"
    sentence: ClassVar[str] = "{why}。"
