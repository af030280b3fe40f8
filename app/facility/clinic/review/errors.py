"""What the review refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class SheetReviewed(Refusal):
    code = "sheet_reviewed"
    sentence = "{number} 已经是「{state}」，您的意见没有记下。请看下一张。"


class SheetBeingChanged(Refusal):
    code = "sheet_being_changed"
    sentence = "{number} 的就诊正由医师修改，这张处方会被新的一版代替。请等医师重新签名。"


class OwnSheet(Refusal):
    code = "own_sheet"
    sentence = "{number} 是您开的处方，开方和审方须是两个人。请另一位药师审核。"


class NotOnDuty(Refusal):
    code = "reviewer_not_on_duty"
    sentence = "您还没有登记在岗，不能审方。请先在「在岗」登记，再回来审。"


class ReviewIncomplete(Refusal):
    code = "review_incomplete"
    sentence = "没有记下：{why}。"
    status = 422


class ReviewTooLate(Refusal):
    code = "review_too_late"
    sentence = "{number} 是急诊先行，已经收费，不能再退回或拒绝。请写明意见记为「通过并注明」，需要改时请收费处退费、医师改方。"


class NotAnEmergency(Refusal):
    code = "not_an_emergency"
    sentence = "{number} 没有标为急诊，要等药师审核。"
