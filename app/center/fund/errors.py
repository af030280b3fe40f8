"""What the fund refuses. The sentences reach the clerk's screen through the national interface."""

from __future__ import annotations

from typing import ClassVar

from app.core.errors import Refusal


class MessageChanged(Refusal):
    """The same message id arrived with other content."""

    code: ClassVar[str] = "MESSAGE_CHANGED"
    sentence: ClassVar[str] = "报文编号 {msgid} 已用于另外的内容，未做任何处理。请用新的报文编号重新发送。"


class ReversedBeforeArrival(Refusal):
    """The message was reversed by 2601 before it arrived; it must not count any more."""

    code: ClassVar[str] = "REVERSED_BEFORE_ARRIVAL"
    sentence: ClassVar[str] = "该笔交易在到达之前已被冲正，没有结算。如仍需结算，请重新发起。"


class MessageReversed(Refusal):
    """The settlement of this message was taken back by 2601."""

    code: ClassVar[str] = "MESSAGE_REVERSED"
    sentence: ClassVar[str] = "该笔结算已被冲正，不再有效。如仍需结算，请重新发起。"


class AmountMismatch(Refusal):
    """Price times quantity is not the amount sent, or the lines do not add up."""

    code: ClassVar[str] = "AMOUNT_MISMATCH"
    sentence: ClassVar[str] = "{what}金额不符：按单价和数量应为 {expected} 元，送来的是 {sent} 元。请核对后重新结算。"


class LineNotAcceptable(Refusal):
    """A line that cannot be settled as it stands."""

    code: ClassVar[str] = "LINE_NOT_ACCEPTABLE"
    sentence: ClassVar[str] = "第 {line} 行不能结算：{why}。请改正后重新结算。"


class SplitChanged(Refusal):
    """The split is not the one the clerk saw; counters, balances or rules moved meanwhile."""

    code: ClassVar[str] = "SPLIT_CHANGED"
    sentence: ClassVar[str] = (
        "费用分割与预结算时不同（现金应收 {cash} 元），没有结算。请重新预结算，向顾客说明后再收款。"
    )


class CodeClaimed(Refusal):
    """A trace code on a line was sold before, and here such a line may not be settled."""

    code: ClassVar[str] = "CODE_CLAIMED"
    sentence: ClassVar[str] = "追溯码 {code} 已有销售记录，不能医保结算。请核对药盒，另取一盒扫码，原盒先不要售出。"


class EntitlementMissing(Refusal):
    """A chronic-disease settlement for who has no such entitlement."""

    code: ClassVar[str] = "ENTITLEMENT_MISSING"
    sentence: ClassVar[str] = "该参保人没有有效的门慢门特备案（{disease}）。请按普通购药结算，或先办理备案。"


class IdentityHeld(Refusal):
    """The identity check asks for a supervisor's reason first."""

    code: ClassVar[str] = "IDENTITY_HELD"
    sentence: ClassVar[str] = "身份核验未通过（{why}）。请核对身份证件，由负责人填写原因后再结算，或改用自费结算。"


class UnknownSettlement(Refusal):
    """No such settlement of this institution and person."""

    code: ClassVar[str] = "UNKNOWN_SETTLEMENT"
    sentence: ClassVar[str] = "没有查到这笔结算。请核对结算编号、就诊编号和人员编号。"


class AlreadyReversed(Refusal):
    """The settlement was reversed before."""

    code: ClassVar[str] = "ALREADY_REVERSED"
    sentence: ClassVar[str] = "这笔结算已经撤销过，不能再次撤销。请查询结算信息核对。"


class YearClosed(Refusal):
    """A settlement of another year is not taken back online."""

    code: ClassVar[str] = "YEAR_CLOSED"
    sentence: ClassVar[str] = "这笔结算属于 {year} 年度，不能联网撤销或重新结算。请到医保经办机构人工办理。"


class NotReplaceable(Refusal):
    """The settlement named as replaced still stands, or is replaced already."""

    code: ClassVar[str] = "NOT_REPLACEABLE"
    sentence: ClassVar[str] = "原结算 {setl_id} {why}，不能据此重新结算。请查询原结算的状态。"


class NotReversible(Refusal):
    """2601 covers a few transactions only, and only one's own."""

    code: ClassVar[str] = "NOT_REVERSIBLE"
    sentence: ClassVar[str] = "不能冲正：{why}。可冲正的交易是 2102、2207、2304、2401。"
