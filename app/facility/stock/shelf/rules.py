"""How the shelf may be looked at: views, filters, orders, and where a page begins. Plain values; no database, no web."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.facility.stock import rulebook

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

N_ = str  # Marks a text for the English catalog; it is translated when it is shown.

PAGE = 50
VELOCITY_DAYS = 30  # Days of sales from which the days of supply are reckoned.
TURNOVER_DAYS = (30, 90)
MOST_TYPED = 60

VIEWS = {"": N_("按品种"), "lots": N_("按批号"), "places": N_("按货位"), "codes": N_("按追溯码")}
ONLY = ("", "near", "urgent", "short", "past")
ORDERS = {"": N_("按品名"), "expiry": N_("按效期"), "value": N_("按金额"), "days": N_("按可用天数")}
ZONES = rulebook.ZONE_WORDS
KINDS = {
    "PI": N_("入库"), "PR": N_("退供应商"), "SA": N_("销售"), "SR": N_("销售退回"), "TO": N_("调出"), "TI": N_("调入"), "SP": N_("拆零"),
    "CI": N_("盘盈"), "CO": N_("盘亏"), "DM": N_("报损"), "RC": N_("召回"), "QH": N_("隔离"), "QR": N_("放行"), "MX": N_("诊疗使用"),
    "HB": N_("饮片装斗"), "AD": N_("期初"), "CR": N_("更正"),
}  # fmt: skip
ACTS = {act.code: act.word for act in rulebook.ACTS.values()}  # What the stock room's papers do, in their words.
CODE_STATES = rulebook.STATE_WORDS
HERE = ("IN_STOCK", "RESERVED", "SPLIT_OPEN", "FROZEN", "RETURNED_QUARANTINE", "IN_TRANSIT")
_PLACE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True)
class Look:
    """How a person looks at the shelf: what they typed, which filter, zone and shelf, in which order, from where on."""

    text: str = ""
    view: str = ""
    only: str = ""
    zone: str = ""
    shelf: str = ""
    state: str = ""
    order: str = ""
    after: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Look:
        """Read a look from an address; what is not known says nothing."""
        view = args.get("view", "")
        return cls(
            text=_clean(args.get("q", ""))[:MOST_TYPED].strip(),
            view=view if view in VIEWS else "",
            only=_known(args.get("only", ""), ONLY),
            zone=_known(args.get("zone", ""), ZONES),
            shelf=_clean(args.get("shelf", ""))[:20],
            state=_known(args.get("state", ""), CODE_STATES),
            order=_known(args.get("order", ""), ORDERS),
            after=_clean(args.get("after", ""))[:300],
        )

    def kept(self, **changes: str) -> dict[str, str]:
        """The look as an address carries it; a change of anything begins at the first page."""
        other = replace(self, after="", **changes)
        names = {"q": other.text, "view": other.view, "only": other.only, "zone": other.zone, "shelf": other.shelf}
        return {name: value for name, value in {**names, "state": other.state, "order": other.order}.items() if value}

    @property
    def narrowed(self) -> bool:
        """Say whether anything but the view and the order is chosen."""
        return bool(self.text or self.only or self.zone or self.shelf or self.state)


def days_of_supply(free: int | None, gone: int) -> int | None:
    """For how many days what can be sold lasts, at the pace of the last thirty; None when nothing went out, or how much there is is not said."""
    return free * VELOCITY_DAYS // gone if gone > 0 and free is not None else None


def _known(text: str, among: Container[str]) -> str:
    return text if text in among else ""


def _clean(text: str) -> str:
    return text.replace("\x00", "")


def number_place(after: str) -> tuple[int, int] | None:
    """The place "1234~56": after the row 56 whose figure is 1234."""
    figure, _, row = after.rpartition("~")
    return (int(figure), int(row)) if _PLACE.fullmatch(figure) and _PLACE.fullmatch(row) else None


def text_place(after: str) -> tuple[str, int] | None:
    """The place "afeituo~56": after the row 56 that sounds so."""
    sound, _, row = after.rpartition("~")
    return (sound[:250], int(row)) if _PLACE.fullmatch(row) else None
