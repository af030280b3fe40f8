"""The words that screens of supervision use for kinds and states, in the language of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext

if TYPE_CHECKING:
    from datetime import timedelta


def _(chinese: str, **facts: object) -> str:
    return str(gettext(chinese, **facts))


def movement_kind(kind: str) -> str:
    """What a document is."""
    words = {
        "received": _("采购验收"), "moved": _("库存变动"), "sold": _("销售"), "refunded": _("退货"), "dispensed": _("库存变动"),
        "taken_back": _("库存变动"),
    }  # fmt: skip
    return words.get(kind, kind)


def act(code: str | None) -> str:
    """What was done with goods that moved without being sold."""
    words = {
        "split": _("拆零"), "dispense": _("发药"), "take_back": _("退药"), "send": _("调拨发出"), "hand_over": _("调拨交接"), "arrive": _("调拨收货"), "come_back": _("调拨退回"),
        "lose_transit": _("在途损失"), "move": _("移库"), "hold": _("转待处理"), "release": _("解除待处理"), "reject": _("转不合格"),
        "set_out": _("转退货区"), "destroy": _("报损销毁"), "return_out": _("退供应商"), "gain": _("盘盈"), "loss": _("盘亏"),
        "use": _("诊疗耗用"), "fill_drawer": _("装斗"), "drawer_loss": _("斗谱损耗"), "correct_out": _("更正冲出"), "correct_in": _("更正冲入"),
    }  # fmt: skip
    return words.get(code or "", code or "")


def zone(code: str | None) -> str:
    """What a zone of a facility is called; outside the house has no zone."""
    words = {
        "RECEIVING": _("收货区"), "SALEABLE": _("合格区"), "COLD": _("冷藏区"), "CONTROLLED": _("专柜"), "SPLIT": _("拆零区"),
        "QUARANTINE": _("待处理区"), "REJECT": _("不合格区"), "RETURN_OUT": _("退货区"), "TRANSIT": _("调拨在途"),
    }  # fmt: skip
    return words.get(code or "", _("店外"))


def stop_title(kind: str, paid: str | None, done: str | None = None) -> str:
    """What a stop of the life line is called."""
    if kind == "resold" and done == "dispense":
        return _("再次发药")
    if kind in ("moved", "dispensed", "taken_back"):
        return act(done)
    how = {"insured": _("医保"), "self": _("自费")}.get(paid or "", "")
    titles = {
        "received": _("采购验收"), "settled": _("医保结算"), "refunded": _("退货"),
        "sold": _("销售 %(how)s", how=how), "resold": _("再次销售 %(how)s", how=how),
    }  # fmt: skip
    return titles.get(kind, kind)


def fact_kind(kind: str) -> str:
    """What a fact tells of."""
    words = {
        "stock.received": _("采购验收"), "stock.moved": _("库存变动"), "sale.sold": _("销售"), "sale.refunded": _("退货"), "identity.checked": _("身份核验"),
        "identity.overridden": _("核验放行"), "identity.blocked": _("核验拦截"), "shift.closed": _("交班"), "lot.held": _("批号冻结或解除"), "recall.reported": _("召回情况上报"),
        "bill.settled": _("门诊收费"), "bill.refunded": _("门诊退费"), "sheet.reviewed": _("审方"),
    }  # fmt: skip
    return words.get(kind, kind)


def stream_state(state: str) -> str:
    """How a stream stands."""
    return {"ok": _("完整"), "late": _("迟到"), "aside": _("应用暂停")}.get(state, state)


def alert_title(kind: str) -> str:
    """What an alert says."""
    words = {
        "trace.duplicate": _("同一盒卖了两次"), "trace.oversplit": _("拆零超出整盒数量"), "stream.rewound": _("机构数据回退"),
    }  # fmt: skip
    return words.get(kind, kind)


def span(seconds: int | timedelta | None) -> str:
    """A length of time as a person says it: 41 秒, 11 分, 3 小时, 70 天."""
    if seconds is None:
        return ""
    whole = int(seconds if isinstance(seconds, int) else seconds.total_seconds())
    if whole < 60:
        return _("%(num)s 秒", num=whole)
    if whole < 3600:
        return _("%(num)s 分", num=whole // 60)
    if whole < 2 * 86400:
        return _("%(num)s 小时", num=whole // 3600)
    return _("%(num)s 天", num=whole // 86400)
