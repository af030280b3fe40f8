"""What the purchasing room refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class OrderNotPlaced(Refusal):
    """An order has problems; it stays a draft."""

    code = "order_not_placed"
    sentence = "采购单没有下达：{problems}"
    status = 422


class OrderNotOpen(Refusal):
    """An order is in a state in which this cannot be done."""

    code = "order_not_open"
    sentence = "采购单 {number} 现在是「{state}」，不能这样做。请刷新后看它的状态。"


class DraftChanged(Refusal):
    """Somebody else saved the draft in the meantime."""

    code = "draft_changed"
    sentence = "这张单已在另一个窗口或由另一位同事改过。请刷新页面，在最新的内容上继续。"


class DeliveryClosed(Refusal):
    """A delivery was accepted or given up already."""

    code = "delivery_closed"
    sentence = "这次到货已经{state}，不能再改。"


class NotAccepted(Refusal):
    """A delivery cannot be accepted as it stands; nothing was taken in."""

    code = "not_accepted"
    sentence = "还不能验收入库：{problems}"
    status = 422


class CascadeNotTaken(Refusal):
    """A file of parent codes has rows that contradict each other or the packs known here."""

    code = "cascade_not_taken"
    sentence = "大小码文件没有读入：{problems}"
    status = 422


class ImportNotReady(Refusal):
    """An import is at another step."""

    code = "import_not_ready"
    sentence = "这个文件现在是「{state}」，不能这样做。请刷新页面。"


class ColumnsUnclear(Refusal):
    """The columns a file needs are not all named, or one is named twice."""

    code = "columns_unclear"
    sentence = "列没有对应好：{why}。"
    status = 422


class RowsUndecided(Refusal):
    """A file goes in whole, or without the rows that a person left out."""

    code = "import_rows_undecided"
    sentence = "还有 {n} 行没有决定，什么也没有入库。请逐行选择药品或跳过，或者把有问题的行全部跳过。"


class OrderNotSaved(Refusal):
    """What was typed into an order cannot be read; nothing was kept, and it still stands on the screen."""

    code = "order_not_saved"
    sentence = "采购单没有保存：{problems}"
    status = 422


class ShelvesNotTaken(Refusal):
    """Some rows of places and limits do not fit; none was written."""

    code = "shelves_not_taken"
    sentence = "货位和上下限没有保存：{problems} 改好后再保存，全部商品一次写入。"
    status = 422
