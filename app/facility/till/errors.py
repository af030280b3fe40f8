"""What the till refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class ShiftOpenAlready(Refusal):
    code = "shift_open_already"
    sentence = "本台已经开班（{since}）。请直接收银，或先交班。"


class NoOpenShift(Refusal):
    code = "no_open_shift"
    sentence = "本台没有开着的班次。请先开班。"


class DifferenceUnexplained(Refusal):
    code = "difference_unexplained"
    sentence = "点钞 {counted} 元，账上应有 {expected} 元，相差 {difference} 元。请写明原因再交班。"
    status = 422


class SalesPending(Refusal):
    code = "sales_pending"
    sentence = "还有 {count} 张单正在与中心核对，请等结果出来再交班。"


class PrescriptionIncomplete(Refusal):
    code = "prescription_incomplete"
    sentence = "处方没有保存：{why}。请补全后再提交。"
    status = 422


class PrescriptionKnown(Refusal):
    code = "prescription_known"
    sentence = "处方号 {number} 已经登记过。请核对处方号，或在处方列表里查看这一张。"


class AlreadyReviewed(Refusal):
    code = "already_reviewed"
    sentence = "处方 {number} 已经审过或已使用，不能再改。"


class OwnPrescription(Refusal):
    code = "own_prescription"
    sentence = "处方由您本人录入，须由另一位药师审核。"


class TenderShort(Refusal):
    code = "tender_short"
    sentence = "收款不足：应收 {due} 元，实收 {paid} 元，还差 {short} 元。"
    status = 422


class TenderTooMuch(Refusal):
    code = "tender_too_much"
    sentence = "非现金收款 {paid} 元多于应收 {due} 元，不能找零。请改成应收金额。"
    status = 422
