"""What the counter refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class StaleBasket(Refusal):
    """The basket was changed or settled in another tab or by another press meanwhile."""

    code = "stale_basket"
    sentence = "这张单刚在别处改过或已经结算。页面已换成最新的，请核对后继续。"


class EmptyBasket(Refusal):
    code = "empty_basket"
    sentence = "还没有药品。请先扫药盒上的码，再结算。"
    status = 422


class NoShift(Refusal):
    code = "no_shift"
    sentence = "本台还没有开班。请先开班、点清备用金，再收银。"


class UnknownEntry(Refusal):
    """What was scanned or typed fits no product and no code of this facility."""

    code = "unknown_entry"
    sentence = "没有找到「{text}」。请换拼音首字母、品名或条码再试；新药请先在目录里建档。"
    status = 404


class CodeUnknown(Refusal):
    code = "code_unknown"
    sentence = "追溯码 …{tail} 没有入库记录，不能销售。请先在「库存 — 入库」补扫，或换一盒。"


class CodeNotOnShelf(Refusal):
    code = "code_not_on_shelf"
    sentence = "追溯码 …{tail} {why}，不能销售。请换一盒扫码，并把这盒交给负责人核对。"


class CodeScannedTwice(Refusal):
    code = "code_scanned_twice"
    sentence = "追溯码 …{tail} 已经在这张单里，一个码只代表一盒。"


class NotSellable(Refusal):
    code = "not_sellable"
    sentence = "{name} {why}。"


class NeedsPrescription(Refusal):
    code = "needs_prescription"
    sentence = "{name} 是处方药，须有药师审过的处方。请按 Alt+R 取处方；没有处方的不能销售。"


class NoPharmacist(Refusal):
    code = "no_pharmacist"
    sentence = "药师不在岗，处方药和甲类非处方药暂停销售：{names}。请药师签到后再结算。"


class CodesMissing(Refusal):
    code = "codes_missing"
    sentence = "追溯码还没扫全：{lines}。扫全后再结算（无码不结）。"


class PriceMissing(Refusal):
    code = "price_missing"
    sentence = "{name} 还没有售价，不能销售。请负责人在目录里定价。"


class TooMany(Refusal):
    code = "too_many"
    sentence = "{what}超过上限 {most}。请分成几张单。"
    status = 422


class TenderShort(Refusal):
    code = "tender_short"
    sentence = "收款不足：应收 {due} 元，实收 {paid} 元，还差 {short} 元。"
    status = 422


class TenderTooMuch(Refusal):
    code = "tender_too_much"
    sentence = "非现金收款 {paid} 元多于应收 {due} 元，不能找零。请改成应收金额。"
    status = 422


class PreviewNeeded(Refusal):
    code = "preview_needed"
    sentence = "医保单要先看分解再收款。请按 F8 预结算，核对应收现金后再按 F9。"


class PrescriptionNotReady(Refusal):
    code = "prescription_not_ready"
    sentence = "处方 {number} {why}，不能取药。"


class RefundTooMuch(Refusal):
    code = "refund_too_much"
    sentence = "{name} 卖出 {sold}、已退 {returned}，最多还能退 {left}。请改退货数量。"
    status = 422


class RefundNotPossible(Refusal):
    code = "refund_not_possible"
    sentence = "这张单不能退：{why}。"


class ApprovalNeeded(Refusal):
    code = "approval_needed"
    sentence = "{why}，须由另一位有权限的人复核。请对方输入工号和密码后再提交。"


class SettlementPending(Refusal):
    code = "settlement_pending"
    sentence = "单据 {receipt} 正在与中心核对，请勿重复操作。有结果会自动结束。"


class StreamRewound(Refusal):
    """After a restore this facility's stream is behind what the center has: cards wait until the next epoch is opened."""

    code = "stream_rewound"
    sentence = "本机构的数据流在恢复备份后还没有与中心接上，暂停医保结算；自费销售照常。请联系维护人员打开新的流期。"
