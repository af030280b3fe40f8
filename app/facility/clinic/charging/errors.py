"""What charging refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class NothingToCharge(Refusal):
    code = "nothing_to_charge"
    sentence = "没有可以收费的单子：药品要先审方，其余签名后即可收费。请刷新看最新的情况。"


class SheetOnAnotherBill(Refusal):
    code = "sheet_on_another_bill"
    sentence = "{sheets} 已经在收费单 {bill} 上，{cashier} 正在收。请到那张单上继续，或请其先取消。"


class SheetNotChargeable(Refusal):
    code = "sheet_not_chargeable"
    sentence = "{sheets} 现在不能收费：要先审方通过，并在处方有效期内。请刷新后重选。"


class BillMovedOn(Refusal):
    code = "bill_moved_on"
    sentence = "收费单 {number} 现在是「{state}」，不能{act}。页面已换成最新的。"


class BillChanged(Refusal):
    code = "bill_changed"
    sentence = "收费单 {number} 刚在别处改过。页面已换成最新的，请核对后继续。"


class BillNeedsPreview(Refusal):
    code = "bill_needs_preview"
    sentence = "医保收费要先看分解再收款。请按 F8 预结算，核对应收现金后再按 F9。"


class BillNotInsured(Refusal):
    code = "bill_not_insured"
    sentence = "这张收费单不能走医保：{why}。可改为自费，或办好后再试。"


class ConsentNeeded(Refusal):
    code = "consent_needed"
    sentence = "有 {amount} 元全自费项目。请先向患者说明，勾选「患者同意自费」后再结算。"


class NotEnoughToCharge(Refusal):
    code = "not_enough_to_charge"
    sentence = "库存不足：{shortages}。请联系医师换药，或补货后再收费；没有收款。"


class TillNotOpen(Refusal):
    code = "till_not_open"
    sentence = "本台还没有开班。请先开班、点清备用金，再收费。"


class StreamBehind(Refusal):
    """After a restore this facility's stream is behind what the center has: cards wait until the next epoch is opened."""

    code = "stream_behind"
    sentence = "本机构的数据流在恢复备份后还没有与中心接上，暂停医保结算；自费收费照常。请联系维护人员打开新的流期。"


class BillNotRefundable(Refusal):
    code = "bill_not_refundable"
    sentence = "收费单 {number} 没有退费：{why}。"


class RefundTooMuch(Refusal):
    code = "bill_refund_too_much"
    sentence = "{name} 最多还能退 {left} {unit}（已发或已执行 {handed} {unit}）。发出的药要先退回待处理区，才能退费。"
    status = 422


class RefundNeedsApproval(Refusal):
    code = "refund_needs_approval"
    sentence = "{why}，须第二人同意。请另一位负责人或药师在退费页填自己的工号和密码。"


class RefundNotSettled(Refusal):
    """What would stay cannot be settled anew, so nothing is taken back."""

    code = "refund_not_settled"
    sentence = "没有退费：留下的项目医保中心不能重新结算（{why}）。可以整单退，或稍后再试。"
