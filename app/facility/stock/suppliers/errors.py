"""What suppliers, papers, approvals and accounts refuse."""

from __future__ import annotations

from app.core.errors import Refusal


class SupplierIncomplete(Refusal):
    """What was entered of a supplier cannot stand."""

    code = "supplier_incomplete"
    sentence = "供应商没有保存：{why}。请改正后再保存。"
    status = 422


class SupplierKnown(Refusal):
    """The code or the credit code belongs to another supplier of ours."""

    code = "supplier_known"
    sentence = "这个编码或统一社会信用代码已经有了：{name}。请打开那一家，不要重复建档。"


class SupplierChanged(Refusal):
    """Somebody changed the supplier's file meanwhile."""

    code = "supplier_changed"
    sentence = "{name} 的档案刚被别人改过。请重新打开，看过现在的内容再操作。"


class PaperIncomplete(Refusal):
    """What was entered of a paper cannot stand."""

    code = "paper_incomplete"
    sentence = "证照没有保存：{why}。请照原件改正后再保存。"
    status = 422


class PaperEnded(Refusal):
    """The paper was replaced or withdrawn before."""

    code = "paper_ended"
    sentence = "这份证照已经换新或停用，不能再改。请在列表里选现在有效的那一份。"


class NothingToAsk(Refusal):
    """Everything named is approved or already waiting."""

    code = "nothing_to_ask"
    sentence = "没有可以送审的：所选的都已通过，或正在等待审批。"


class PapersMissing(Refusal):
    """A supplier cannot be approved while papers are missing or expired."""

    code = "papers_missing"
    sentence = "{name} 还不能通过：{problems}。请先补齐证照，再审批。"


class OwnRequest(Refusal):
    """Who asked may not decide."""

    code = "own_request"
    sentence = "送审的人不能自己审批。请另一位药师或负责人登录后审批。"


class AlreadyDecided(Refusal):
    """Nothing of the request waits any more."""

    code = "already_decided"
    sentence = "这次送审已经有了结论，没有等待审批的内容。请回到首营列表。"


class DecisionIncomplete(Refusal):
    """A refusal needs a reason, a decision needs something chosen."""

    code = "decision_incomplete"
    sentence = "审批没有保存：{why}。"
    status = 422


class InvoiceIncomplete(Refusal):
    """What was entered of an invoice cannot stand."""

    code = "invoice_incomplete"
    sentence = "发票没有保存：{why}。请照发票改正后再保存。"
    status = 422


class InvoiceKnown(Refusal):
    """The same number of the same supplier was entered before."""

    code = "invoice_known"
    sentence = "发票 {number} 已经登记过，不能重复登记。要更正的，请先作废原来那一张。"


class InvoiceNotOpen(Refusal):
    """The invoice is not in the state that the act needs."""

    code = "invoice_not_open"
    sentence = "发票 {number} 现在是「{what}」，不能这样操作。请刷新后再看。"


class MatchIncomplete(Refusal):
    """An invoice was not matched to receipts."""

    code = "match_incomplete"
    sentence = "发票没有核对完：{why}。"
    status = 422


class PaymentIncomplete(Refusal):
    """What was entered of a payment or an adjustment cannot stand."""

    code = "payment_incomplete"
    sentence = "没有入账：{why}。请改正后再提交。"
    status = 422
