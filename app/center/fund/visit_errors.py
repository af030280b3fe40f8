"""What the fund refuses of an outpatient visit."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Refusal


class UnknownVisit(Refusal):
    """No such visit of this institution and person."""

    code: ClassVar[str] = "UNKNOWN_VISIT"
    sentence: ClassVar[str] = "没有查到这次就诊。请核对就诊编号、人员编号和门诊号，或重新挂号。"


class VisitNumberTaken(Refusal):
    """The institution's number of the visit stands for something else."""

    code: ClassVar[str] = "VISIT_NUMBER_TAKEN"
    sentence: ClassVar[str] = "门诊号 {number} 已用于另一次挂号，没有登记。请换一个门诊号。"


class VisitCancelled(Refusal):
    """The registration was cancelled."""

    code: ClassVar[str] = "VISIT_CANCELLED"
    sentence: ClassVar[str] = "这次挂号已经撤销。如仍要就诊，请重新挂号。"


class VisitSettled(Refusal):
    """A visit with a settlement that stands is not cancelled."""

    code: ClassVar[str] = "VISIT_SETTLED"
    sentence: ClassVar[str] = "这次就诊已有结算，不能撤销挂号。请先撤销结算（2208）。"


class VisitNotDescribed(Refusal):
    """Settling asks for the visit's category and diagnoses first, and for the same category."""

    code: ClassVar[str] = "VISIT_NOT_DESCRIBED"
    sentence: ClassVar[str] = "就诊信息与结算不符：{why}。请先上传就诊和诊断信息（2203）。"


class DoctorNotEligible(Refusal):
    """A doctor whose eligibility has not begun, is over, or is suspended."""

    code: ClassVar[str] = "DOCTOR_NOT_ELIGIBLE"
    sentence: ClassVar[str] = "医师{name}的医保服务资格{why}，不能接诊和开方。请换一位医师，或联系医保中心。"


class BatchChanged(Refusal):
    """A batch number was used before with other lines."""

    code: ClassVar[str] = "BATCH_CHANGED"
    sentence: ClassVar[str] = "收费批次 {batch} 已上传过另外的明细，没有改动。请先撤销该批次（2205），或换一个批次号。"


class UnknownBatch(Refusal):
    """No lines under this batch number."""

    code: ClassVar[str] = "UNKNOWN_BATCH"
    sentence: ClassVar[str] = "收费批次 {batch} 没有可处理的明细。请先上传费用明细（2204）。"


class LinesSettled(Refusal):
    """Settled lines are neither cancelled nor settled again."""

    code: ClassVar[str] = "LINES_SETTLED"
    sentence: ClassVar[str] = "收费批次 {batch} 的明细已经结算。如要更改，请先撤销结算（2208）。"


class NotRegisteredToday(Refusal):
    """A history is opened only for who is registered at the asking institution today."""

    code: ClassVar[str] = "NOT_REGISTERED_TODAY"
    sentence: ClassVar[str] = "该患者今天没有在本机构挂号，不能查看其他机构的就诊和用药。请先挂号（2201）。"
