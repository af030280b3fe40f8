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


class NeverAtRetail(Refusal):
    code = "never_at_retail"
    sentence = "{name} 是{what}，零售药店不得销售。请把它移出货架，并报告负责人。"


class SpecialNeedsPrescription(Refusal):
    code = "special_needs_prescription"
    sentence = "{name} 是{what}，只凭药师审过的处方销售。请按 Alt+R 取处方；没有处方的不能销售。"


class NotToMinors(Refusal):
    code = "not_to_minors"
    sentence = "{name} 是{what}，不得向未成年人销售；处方患者未满 18 岁。请与开方医师联系。"


class BuyerNeeded(Refusal):
    """Who buys an ephedrine compound without a prescription shows an identity document, which is registered."""

    code = "buyer_needed"
    sentence = "{names} 含麻黄碱类，须查验并登记购药人身份证。请按 Alt+S 登记后再结算。"
    status = 422


class BuyerUnreadable(Refusal):
    code = "buyer_unreadable"
    sentence = "购药人没有登记：{why}。请照身份证核对后重填。"
    status = 422


class EphedrineLimit(Refusal):
    code = "ephedrine_limit"
    sentence = "含麻黄碱类复方制剂没有处方一次最多 {most} 个最小包装，本单有 {wanted} 个。请减少数量，或凭处方销售。"


class EphedrineLimitReached(Refusal):
    code = "ephedrine_limit_reached"
    sentence = "这位购药人 {days} 天内在本机构各门店已买含麻黄碱类复方制剂 {bought} 个最小包装，本单还有 {wanted} 个，最多 {most} 个。不能再卖；反复大量购买的请报告负责人。"


class DiscountRefused(Refusal):
    code = "discount_refused"
    sentence = "优惠没有记下：{why}。"
    status = 422


class DiscountNeedsApproval(Refusal):
    code = "discount_needs_approval"
    sentence = "优惠 {percent}% 超过本岗位的 {most}%，须由负责人或药师复核。请对方输入工号和密码后再提交。"
    status = 422
