"""What the invoice desk refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class BuyerIncomplete(Refusal):
    code = "invoice_buyer_incomplete"
    sentence = "开票信息没有记下：{why}。请核对后再提交。"
    status = 422


class WrongStep(Refusal):
    """The invoice stands elsewhere than the page thought: asked for already, issued, or withdrawn."""

    code = "invoice_wrong_step"
    sentence = "这张单的发票现在是「{state}」，不能这样操作。请刷新页面后再看。"


class NumberWrong(Refusal):
    code = "invoice_number_wrong"
    sentence = "发票号码应为 8 到 20 位数字。请照税控设备打印的号码填写。"
    status = 422


class NumberKnown(Refusal):
    code = "invoice_number_known"
    sentence = "发票号码 {number} 已经登记在另一张单上。请核对号码。"


class NothingToInvoice(Refusal):
    code = "nothing_to_invoice"
    sentence = "这张单已经全部退货，没有可以开票的金额。"
