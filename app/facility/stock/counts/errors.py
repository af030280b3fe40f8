"""What a count refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class NothingToCount(Refusal):
    """The scope holds no stock."""

    code = "nothing_to_count"
    sentence = "这个范围里没有库存，盘点单没有建立。请换一个货架、品种，或做全面盘点。"
    status = 422


class TooMuchToCount(Refusal):
    """More lines than one count takes."""

    code = "too_much_to_count"
    sentence = "这个范围有 {lines} 行，一张盘点单最多 {most} 行。请按货架分几张盘。"
    status = 422


class AlreadyBeingCounted(Refusal):
    """A lot stands in another unfinished count."""

    code = "already_being_counted"
    sentence = "{name} {lot} 正在 {number} 里盘点，同一批货一次只能在一张盘点单里。请先办完或撤销 {number}。"


class CountNotOpen(Refusal):
    """Counting is over, or the count was withdrawn."""

    code = "count_not_open"
    sentence = "{number} {what}，不能再点数。需要复点的，请负责人退回这张盘点单。"


class CountNotWaiting(Refusal):
    """The count does not wait for an approval."""

    code = "count_not_waiting"
    sentence = "{number} {what}，不能这样办理。请刷新页面看它现在的状态。"


class CountChanged(Refusal):
    """Figures or reasons changed since the page was shown."""

    code = "count_changed"
    sentence = "{number} 的差异或原因刚被改过，没有审批。请刷新页面，看过新的差异再审批。"


class OwnCount(Refusal):
    """Who opened, closed or counted cannot approve."""

    code = "own_count"
    sentence = "您建立、提交或点过 {number}，不能自己审批。请另一位药师或负责人审批。"


class NotYourCount(Refusal):
    """Only who opened the count, a pharmacist or the owner leads it."""

    code = "not_your_count"
    sentence = "{number} 由 {who} 负责。请由本人、药师或负责人办理。"
    status = 403


class NothingCounted(Refusal):
    """Nobody has counted anything."""

    code = "nothing_counted"
    sentence = "{number} 还没有点过一行，不能提交。请先点数；不盘了可以撤销。"


class EntryNotTaken(Refusal):
    """An entry is not right in itself."""

    code = "entry_not_taken"
    sentence = "没有记下：{why}。请改正后再保存。"
    status = 422


class PlaceCountedMeanwhile(Refusal):
    """Somebody has counted this line at this place, and the page had not said so."""

    code = "place_counted_meanwhile"
    sentence = "{who} {at} 在「{place}」点过这一行，没有记下这次的数。是复点的，再保存一次，会替换那一次；点的是另一处，请改地点。"


class CodeCountedTwice(Refusal):
    """A pack was scanned at two places of one count."""

    code = "code_counted_twice"
    sentence = "追溯码 …{tail} 已经在「{place}」点过。一盒只能点一次：请核对实物，删掉重复的码。"


class DifferencesUnexplained(Refusal):
    """Lines differ without a reason."""

    code = "differences_unexplained"
    sentence = "还有 {count} 行差异没有写原因（{names}），没有审批。请先写明原因。"
    status = 422


class CodesUntold(Refusal):
    """A coded lot is short, and the packs scanned do not say which codes are missing."""

    code = "codes_untold"
    sentence = "没有过账：{lots} 少了货，但扫到的码还说不清少的是哪几盒。请退回盘点，把这些批号在架的每一盒都扫一遍。"


class BookCorrected(Refusal):
    """The book was corrected after the count was closed."""

    code = "book_corrected"
    sentence = "提交以后，{lots} 的账面更正过，差异要重新算。请退回盘点再提交一次；不用重新点数。"


class SheetNotTaken(Refusal):
    """A filled-in count sheet has problems; none of it was taken."""

    code = "sheet_not_taken"
    sentence = "盘点表没有保存，请改正后再上传：{problems}"
    status = 422
