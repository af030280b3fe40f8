"""What a doctor is reminded of while writing (事前提醒): plain functions over a draft's lines and what is known of the patient.

Each rule looks at one draft and names what it found, with this patient's fact in words. Nothing here names another
institution. Rule numbers are those of the audit's list (R007, R009, R044, R046).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

CERTAIN, LIKELY, SLIGHT = "1", "2", "3"  # sev_deg: a plain violation, highly doubtful, slightly doubtful.
DEFAULT_DAYS = {"ordinary": 7, "emergency": 3, "chronic": 84}
DEFAULT_LEFT = 7
SEXES = {"1": "男性", "2": "女性"}
KINDS = {"ordinary": "普通门诊", "emergency": "急诊", "chronic": "门诊慢特病"}


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of the draft."""

    rx_id: str
    code: str
    name: str
    amount_fen: int
    days: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Whom the catalog allows a drug for."""

    sex: str | None = None
    age_from: int | None = None
    age_to: int | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """A drug that the patient got earlier and that still lasts."""

    code: str
    got_on: date
    until: date
    days: int
    here: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft with everything the rules look at."""

    today: date
    sex: str
    age: int
    kind: str  # ordinary | emergency | chronic
    lines: tuple[OrderLine, ...]
    limits: Mapping[str, Limits] = field(default_factory=dict)
    supplies: tuple[Supply, ...] = ()
    allowed_days: int = DEFAULT_DAYS["ordinary"]
    allowed_left: int = DEFAULT_LEFT


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found on a line."""

    rule_id: str
    rule_name: str
    line: OrderLine
    text: str
    severity: str


def check_sex(draft: Draft) -> Iterator[Finding]:
    """A drug limited to the other sex (药品区分性别)."""
    for line in draft.lines:
        limited = draft.limits.get(line.code, Limits()).sex
        if limited is not None and draft.sex in SEXES and limited != draft.sex:
            text = f"{line.name}限{SEXES[limited]}使用，本患者为{SEXES[draft.sex]}。请换药，或核对患者信息。"
            yield Finding("R044", "药品区分性别", line, text, CERTAIN)


def check_age(draft: Draft) -> Iterator[Finding]:
    """A drug limited to another age (药品限年龄)."""
    for line in draft.lines:
        limits = draft.limits.get(line.code, Limits())
        young = limits.age_from is not None and draft.age < limits.age_from
        old = limits.age_to is not None and draft.age > limits.age_to
        if young or old:
            text = f"{line.name}限{_ages(limits)}使用，本患者 {draft.age} 岁。请换药，或核对患者信息。"
            yield Finding("R007", "药品限年龄使用", line, text, CERTAIN)


def _ages(limits: Limits) -> str:
    if limits.age_to is None:
        return f" {limits.age_from} 岁及以上"
    if limits.age_from is None:
        return f" {limits.age_to} 岁及以下"
    return f" {limits.age_from} 至 {limits.age_to} 岁"


def check_repeated(draft: Draft) -> Iterator[Finding]:
    """The same drug on two lines of one draft (重复开药)."""
    seen: dict[str, OrderLine] = {}
    for line in draft.lines:
        if line.code in seen:
            text = f"本次处方里{line.name}开了不止一行。请合并为一行，或删去重复的一行。"
            yield Finding("R046", "重复开药", line, text, LIKELY)
        seen.setdefault(line.code, line)


def check_supply(draft: Draft) -> Iterator[Finding]:
    """The same drug again while more of an earlier one is left than is allowed (重复开药, 余量未用完)."""
    for line in draft.lines:
        running = [s for s in draft.supplies if s.code == line.code and s.until >= draft.today]
        left = sum((supply.until - draft.today).days for supply in running)
        if left > draft.allowed_left:
            last = max(running, key=lambda supply: (supply.got_on, supply.until))
            where = "本机构" if last.here else "另一家机构"
            text = (
                f"本患者 {last.got_on.month} 月 {last.got_on.day} 日在{where}开过{line.name} {last.days} 天的量，"
                f"还有约 {left} 天没有用完。请减量或暂不开，确有需要请写明原因。"
            )
            yield Finding("R046", "重复开药", line, text, LIKELY)


def check_days(draft: Draft) -> Iterator[Finding]:
    """More days than this kind of visit allows (药品限最大开药天数)."""
    for line in draft.lines:
        if line.days is not None and line.days > draft.allowed_days:
            text = (
                f"{line.name}开了 {line.days} 天，{KINDS[draft.kind]}一般不超过 {draft.allowed_days} 天。"
                "请减少天数，确有需要请写明原因。"
            )
            yield Finding("R009", "药品限最大开药天数", line, text, SLIGHT)


RULES: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    check_sex,
    check_age,
    check_repeated,
    check_supply,
    check_days,
)


def find(draft: Draft) -> list[Finding]:
    """Everything the rules find in a draft, rule by rule, line by line."""
    return [finding for rule in RULES for finding in rule(draft)]


def kind_of(med_type: str) -> str:
    """Which limit of days holds for a category of visit (med_type)."""
    if med_type.startswith("13"):
        return "emergency"
    return "chronic" if med_type == "14" else "ordinary"
