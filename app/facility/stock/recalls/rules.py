"""What a recall must say, and what its words are. Plain values; no database, no web."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import words
from app.facility.stock.rulebook import ACTS

LEVELS = {1: words("一级"), 2: words("二级"), 3: words("三级")}
HOURS = {1: "recall_hours_first", 2: "recall_hours_second", 3: "recall_hours_third"}  # Parameters of the organization.
OUTCOMES = {
    "reached": words("已联系，停止使用"), "coming": words("会送回来"), "used": words("已经用完"), "unreached": words("没有联系上"), "unknown": words("没有留联系方式"),
}  # fmt: skip
MOST_LOTS = 50
MOST_CODES = 200
MOST_TEXT = 500
MOST_REASON = 200

# What may be done with recalled goods, and the step before it where they do not lie in a zone it takes from.
WAYS_OUT = (("return_out", "set_out"), ("destroy", "reject"))


def paper_acts(zone: str) -> list[str]:
    """The papers that bring goods in this zone back to the supplier or to their destruction: the last step, else the one before."""
    first = [next((act for act in steps if zone in ACTS[act].leaves), "") for steps in WAYS_OUT]
    return [act for act in first if act]


@dataclass(frozen=True)
class Wanted:
    """A recall of our own as it was typed: all packs of these lots, or only the packs whose codes are named."""

    product_id: int
    lots: tuple[str, ...]
    level: int
    reason: str
    instructions: str = ""
    codes: tuple[str, ...] = ()

    def problem(self) -> str:
        """What is missing or too much; empty when nothing is."""
        if self.level not in LEVELS:
            return words("没有选级别")
        if not (1 <= len(self.lots) <= MOST_LOTS) or any(not lot or len(lot) > 60 for lot in self.lots):
            return words("批号要有 1 到 {most} 个", most=MOST_LOTS)
        if len(self.codes) > MOST_CODES:
            return words("追溯码最多 {most} 个", most=MOST_CODES)
        if not self.reason.strip() or len(self.reason) > MOST_REASON:
            return words("请写明召回原因（最多 {most} 个字）", most=MOST_REASON)
        if len(self.instructions) > MOST_TEXT:
            return words("处理要求最多 {most} 个字", most=MOST_TEXT)
        return ""
