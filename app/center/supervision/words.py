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
    return {"received": _("采购验收"), "sold": _("销售"), "refunded": _("退货")}.get(kind, kind)


def stop_title(kind: str, paid: str | None) -> str:
    """What a stop of the life line is called."""
    how = {"insured": _("医保"), "self": _("自费")}.get(paid or "", "")
    titles = {
        "received": _("采购验收"), "settled": _("医保结算"), "refunded": _("退货"),
        "sold": _("销售 %(how)s", how=how), "resold": _("再次销售 %(how)s", how=how),
    }  # fmt: skip
    return titles.get(kind, kind)


def fact_kind(kind: str) -> str:
    """What a fact tells of."""
    words = {
        "stock.received": _("采购验收"), "sale.sold": _("销售"), "sale.refunded": _("退货"), "identity.checked": _("身份核验"),
        "identity.overridden": _("核验放行"), "identity.blocked": _("核验拦截"), "shift.closed": _("交班"),
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
