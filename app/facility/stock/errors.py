"""What the stock room refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class ReceiptNotTaken(Refusal):
    """A receipt has problems; none of it was taken."""

    code = "receipt_not_taken"
    sentence = "入库单没有保存，请改正后再提交：{problems}"
    status = 422


class NotAnOpening(Refusal):
    """Opening stock was named for products that have moved already, or lots that were opened before."""

    code = "not_an_opening"
    sentence = "期初没有保存：{names} 等 {n} 种已有进出或已做过期初。多出来的货请走采购验收，或用盘点更正。"


class CodeAlreadyKnown(Refusal):
    """A trace code of a receipt is already in this tenant's stock or was sold by it."""

    code = "code_already_known"
    sentence = "追溯码已经入过库：{codes}。一个码只代表一盒；请核对是否重复扫描，或这盒是否曾经售出。"


class NotEnoughStock(Refusal):
    """The shelf cannot cover a line; nothing was reserved or sold."""

    code = "not_enough_stock"
    sentence = "库存不足：{shortages}。可改数量，或按 F3 换批号。"


class CodeNotForSale(Refusal):
    """A scanned code is not on the shelf: sold, split, frozen, unknown, or of another product."""

    code = "code_not_for_sale"
    sentence = "追溯码不能销售：{codes}。请换一盒扫码；确认在架的，请到库存里查这个码。"


class NothingToSplit(Refusal):
    """There is no whole pack left to open."""

    code = "nothing_to_split"
    sentence = "{name} 没有可拆的整盒了。请先入库，或改为整盒销售其他批号。"


class SplitNotAllowed(Refusal):
    """The catalog does not allow this product to be sold in single units."""

    code = "split_not_allowed"
    sentence = "{name} 不允许拆零销售。需要时请负责人在目录里改为可拆零。"


class StockNotMovable(Refusal):
    """The rulebook forbids this act for a lot: its zone, its expiry, a hold, a recall. Nothing was moved."""

    code = "stock_not_movable"
    sentence = "没有过账：{problems}"


class NotEnoughInZone(Refusal):
    """A zone holds less of a lot than the act would move; what a basket has reserved counts as taken."""

    code = "not_enough_in_zone"
    sentence = "没有过账，数量不够：{shortages}请改数量，或先核对库存。"


class CodesDoNotFit(Refusal):
    """The codes named are not the packs that would move."""

    code = "codes_do_not_fit"
    sentence = "没有过账：{why}。请核对实物和追溯码后重扫。"
