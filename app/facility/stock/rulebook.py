"""What each act may do with which stock (库存动作规则): one table, from which docs/stock-rules.md is written.

An act takes goods out of some zones and puts them into others; goods in a condition (expired, frozen, recalled) take part
only where the table says so. Sold they never are; handed back, set aside or destroyed they may be.
Source: Good Supply Practice for Drugs (药品经营质量管理规范), chapters on storage, sale and after-sale; DOMAIN 3.3 and 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass

SELLING = ("SALEABLE", "COLD", "CONTROLLED")  # Whole packs for sale. A lot lies in one of them at a time.
SPLIT = "SPLIT"
ASIDE = ("QUARANTINE", "REJECT", "RETURN_OUT")  # In the house, not for sale.
HOUSE = (*SELLING, SPLIT, *ASIDE, "RECEIVING")
TRANSIT = "TRANSIT"
STAFF = ("clerk", "pharmacist", "owner")
SENIOR = ("pharmacist", "owner")  # Who acts for the quality manager (质量负责人) of a small shop.

ZONE_WORDS = {
    "RECEIVING": "收货区", "SALEABLE": "合格区", "COLD": "冷藏区", "CONTROLLED": "专柜", "SPLIT": "拆零区",
    "QUARANTINE": "待处理区", "REJECT": "不合格区", "RETURN_OUT": "退货区", "TRANSIT": "调拨在途",
}  # fmt: skip

IN_HOUSE = ("IN_STOCK", "SPLIT_OPEN", "FROZEN", "RETURNED_QUARANTINE")  # States of codes that an act may take hold of.
STATE_WORDS = {
    "IN_STOCK": "在架", "RESERVED": "结算中", "SPLIT_OPEN": "已拆零", "SOLD": "已售出", "RETURNED_QUARANTINE": "退回待处理",
    "FROZEN": "在库待处理", "IN_TRANSIT": "调拨在途", "RETURNED_SUPPLIER": "已退供应商", "DESTROYED": "已销毁", "LOST": "盘亏",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """One way of moving goods, and what it may touch. `kind` is the ledger's movement code (DOMAIN 3.4)."""

    code: str
    kind: str
    word: str
    leaves: tuple[str, ...] = ()
    enters: tuple[str, ...] = ()
    takes: tuple[
        str, ...
    ] = ()  # Conditions of goods that may take part: expired, frozen, recalled. Sound goods always may.
    second: bool = False  # Another person confirms.
    roles: tuple[str, ...] = STAFF
    codes_from: tuple[str, ...] = IN_HOUSE
    gone: str = ""  # The state of codes whose goods leave the house.
    back: str = ""  # The state of codes of packs that come back from whoever got them.


_ANY = ("expired", "frozen", "recalled")

ACTS: dict[str, Act] = {
    act.code: act
    for act in (
        Act("receive", "PI", "采购入库", (), (*SELLING, "RECEIVING", "QUARANTINE", "REJECT"), codes_from=()),
        Act("opening", "AD", "期初入库", (), HOUSE, codes_from=()),
        Act("sell", "SA", "销售", (*SELLING, SPLIT), codes_from=("RESERVED", "SPLIT_OPEN"), gone="SOLD"),
        Act("dispense", "SA", "发药", (*SELLING, SPLIT), second=True, roles=("pharmacist", "nurse"), codes_from=("IN_STOCK", "SPLIT_OPEN"), gone="SOLD"),
        Act("take_back", "SR", "退药", (), ("QUARANTINE",), takes=_ANY, second=True, roles=("pharmacist", "nurse"), codes_from=("SOLD",), back="RETURNED_QUARANTINE"),
        Act("return_in", "SR", "销售退回", (), (*SELLING, SPLIT, "QUARANTINE"), takes=_ANY, codes_from=("SOLD", "SPLIT_OPEN")),
        Act("split", "SP", "拆零", SELLING, (SPLIT,), codes_from=("IN_STOCK",)),
        Act("send", "TO", "调拨发出", (*SELLING, SPLIT), (TRANSIT,), codes_from=("IN_STOCK", "SPLIT_OPEN")),
        Act("hand_over", "TO", "调拨交接", (TRANSIT,), (), takes=_ANY, codes_from=()),
        Act("arrive", "TI", "调拨收货", (), (*SELLING, SPLIT, "QUARANTINE"), takes=_ANY, codes_from=("IN_TRANSIT",)),
        Act("come_back", "TI", "调拨退回", (TRANSIT,), (*SELLING, SPLIT, "QUARANTINE"), takes=_ANY, codes_from=("IN_TRANSIT",)),
        Act("lose_transit", "DM", "在途损失", (TRANSIT,), (), takes=_ANY, second=True, roles=SENIOR, codes_from=("IN_TRANSIT",), gone="LOST"),
        Act("move", "TO", "移库", (*SELLING, "RECEIVING"), SELLING, codes_from=("IN_STOCK", "FROZEN")),
        Act("hold", "QH", "转待处理", HOUSE, ("QUARANTINE",), takes=_ANY),
        Act("release", "QR", "解除待处理", ("QUARANTINE", "RECEIVING"), (*SELLING, SPLIT), second=True, roles=SENIOR),
        Act("reject", "QH", "转不合格", HOUSE, ("REJECT",), takes=_ANY),
        Act("set_out", "QH", "转退货区", HOUSE, ("RETURN_OUT",), takes=_ANY),
        Act("destroy", "DM", "报损销毁", ("QUARANTINE", "REJECT"), (), takes=_ANY, second=True, gone="DESTROYED"),
        Act("return_out", "PR", "退供应商", (*SELLING, *ASIDE), (), takes=_ANY, second=True, gone="RETURNED_SUPPLIER"),
        Act("gain", "CI", "盘盈", (), HOUSE, takes=_ANY, second=True, codes_from=("LOST",)),
        Act("loss", "CO", "盘亏", HOUSE, (), takes=_ANY, second=True, gone="LOST"),
        Act("use", "MX", "诊疗耗用", (*SELLING, SPLIT), (), gone="SOLD"),
        Act("fill_drawer", "HB", "装斗", SELLING, (SPLIT,), second=True),
        Act("drawer_loss", "HB", "斗谱损耗", (SPLIT,), (), second=True),
        Act("correct_out", "CR", "更正冲出", HOUSE, (), takes=_ANY, second=True),
        Act("correct_in", "CR", "更正冲入", (), HOUSE, takes=_ANY, second=True),
    )
}  # fmt: skip


def state_in(zone: str) -> str:
    """What a code's state is when its goods lie in this zone."""
    if zone in SELLING:
        return "IN_STOCK"
    return {SPLIT: "SPLIT_OPEN", TRANSIT: "IN_TRANSIT"}.get(zone, "FROZEN")
