"""What transfers refuse."""

from __future__ import annotations

from app.core.errors import Refusal


class TransferNotSent(Refusal):
    """A transfer has problems; nothing of it was sent."""

    code = "transfer_not_sent"
    sentence = "调拨单没有发出，请改正后再发：{problems}"
    status = 422


class NoSuchPlace(Refusal):
    """The destination is this facility itself, closed, or none of this organization."""

    code = "no_such_place"
    sentence = "不能调拨到这里：{why}。请从列表中另选收货机构。"
    status = 422


class TransferNotReceived(Refusal):
    """What is said to have arrived cannot be; nothing was received."""

    code = "transfer_not_received"
    sentence = "没有收货，请改正后再收：{problems}"
    status = 422


class AlreadyReceived(Refusal):
    """Somebody else received this transfer with another result."""

    code = "already_received"
    sentence = "调拨单 {number} 已由 {name} 于 {at} 收货。请打开调拨单查看；有差异的在那里处理。"


class NotWithThisTransfer(Refusal):
    """A code was scanned that was not sent with this transfer."""

    code = "not_with_this_transfer"
    sentence = "没有记上：追溯码 {codes} 不是调拨单 {number} 发出的。请把这一盒放在一边，核对是否属于另一张调拨单，或由发货方查明。"
    status = 422


class CodeNotOnTheWay(Refusal):
    """A code of this transfer is settled already."""

    code = "code_not_on_the_way"
    sentence = "追溯码 …{tail} 在这张调拨单上已经处理过了，不用再扫。"
    status = 422


class ClaimNotSettled(Refusal):
    """A claim cannot be settled so."""

    code = "claim_not_settled"
    sentence = "差异没有处理：{why}。"
    status = 422


class ScanNotTaken(Refusal):
    """A scan or an entry names nothing that can be sent from here."""

    code = "scan_not_taken"
    sentence = "没有记上：{why}。"
    status = 422


class DraftGone(Refusal):
    """The draft was sent or dropped meanwhile, here or at another screen."""

    code = "draft_gone"
    sentence = "这张草稿已经发出、收下或放弃了。请回到调拨列表查看。"


class MoveNotPosted(Refusal):
    """A move between zones has problems; nothing was moved."""

    code = "move_not_posted"
    sentence = "没有移库，请改正后再试：{problems}"
    status = 422
