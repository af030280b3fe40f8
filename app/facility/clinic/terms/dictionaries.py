"""What a line of a prescription is written with: frequencies, routes, units of a dose, and how herbs are prepared.

`code` is what a doctor types and what is kept; `national` is the code in the interface's own tables (使用频次 `used_frqu`,
药物使用-途径代码 `drug_medc_way_code`, 最小使用单位 `min_useunt`, 中药使用方式 `tcmdrug_used_way`), "" where they have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from app.core.errors import Words, words


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often (使用频次). None times a day: only once, when needed, or a running infusion; days cannot be told from it."""

    code: str
    national: str
    word: Words
    per_day: Fraction | None

    @property
    def is_once(self) -> bool:
        """Say whether one dose is all."""
        return self.code == "st"


def _every(code: str, national: str, word: Words, times: int, days: int = 1) -> Frequency:
    return Frequency(code, national, word, Fraction(times, days))


FREQUENCIES = {
    each.code: each
    for each in (
        _every("qd", "11", words("每天一次"), 1),
        _every("bid", "12", words("每天两次"), 2),
        _every("tid", "13", words("每天三次"), 3),
        _every("qid", "14", words("每天四次"), 4),
        _every("qn", "41", words("每晚一次"), 1),
        _every("qm", "11", words("每晨一次"), 1),
        _every("q12h", "37", words("每 12 小时一次"), 2),
        _every("q8h", "36", words("每 8 小时一次"), 3),
        _every("q6h", "35", words("每 6 小时一次"), 4),
        _every("q5h", "34", words("每 5 小时一次"), 24, 5),
        _every("q4h", "33", words("每 4 小时一次"), 6),
        _every("q2h", "32", words("每 2 小时一次"), 12),
        _every("qh", "31", words("每小时一次"), 24),
        _every("qod", "42", words("隔天一次"), 1, 2),
        _every("q5d", "43", words("五天一次"), 1, 5),
        _every("q10d", "44", words("十天一次"), 1, 10),
        _every("qw", "21", words("每周一次"), 1, 7),
        _every("biw", "22", words("每周两次"), 2, 7),
        _every("tiw", "23", words("每周三次"), 3, 7),
        Frequency("st", "61", words("立即用一次"), None),
        Frequency("prn", "62", words("必要时用"), None),
        Frequency("c12h", "51", words("维持 12 小时"), None),
        Frequency("c24h", "52", words("维持 24 小时"), None),
    )
}


@dataclass(frozen=True, slots=True)
class Route:
    """By which way a drug enters the body (给药途径)."""

    code: str
    national: str
    word: Words
    injected: bool = False  # Given by a nurse, noted as an execution.
    infusion: bool = False  # Mixed with a solvent, several drugs to a group.


ROUTES = {
    each.code: each
    for each in (
        Route("po", "1", words("口服")),
        Route("sl", "3", words("舌下含服")),
        Route("lozenge", "610", words("含化")),
        Route("gargle", "699", words("含漱")),
        Route("pr", "2", words("直肠给药")),
        Route("pv", "605", words("阴道给药")),
        Route("top", "612", words("外用涂擦")),
        Route("dressing", "611", words("敷伤口")),
        Route("patch", "699", words("贴敷")),
        Route("wash", "699", words("外洗")),
        Route("eye", "607", words("滴眼")),
        Route("nose", "608", words("滴鼻")),
        Route("ear", "699", words("滴耳")),
        Route("throat", "609", words("喷喉")),
        Route("inh", "5", words("吸入")),
        Route("neb", "5", words("雾化吸入")),
        Route("ih", "401", words("皮下注射"), injected=True),
        Route("id", "402", words("皮内注射"), injected=True),
        Route("im", "403", words("肌内注射"), injected=True),
        Route("iv", "404", words("静脉注射"), injected=True),
        Route("ivgtt", "404", words("静脉滴注"), injected=True, infusion=True),
        Route("ia", "602", words("关节腔注射"), injected=True),
        Route("other", "9", words("其他途径")),
    )
}


@dataclass(frozen=True, slots=True)
class Unit:
    """What a dose is counted in (剂量单位). Mass and volume say how much of their smallest unit one of them is."""

    code: str
    national: str
    kind: str  # piece, mass (µg), volume (µl), activity (international units)
    size: int = 1


UNITS = {
    each.code: each
    for each in (
        Unit("片", "29", "piece"), Unit("粒", "30", "piece"), Unit("支", "31", "piece"), Unit("瓶", "32", "piece"),
        Unit("袋", "33", "piece"), Unit("丸", "34", "piece"), Unit("枚", "35", "piece"), Unit("贴", "36", "piece"),
        Unit("锭", "37", "piece"), Unit("块", "38", "piece"), Unit("包", "39", "piece"), Unit("个", "40", "piece"),
        Unit("揿", "41", "piece"), Unit("滴", "42", "piece"), Unit("汤匙", "43", "piece"), Unit("盒", "48", "piece"),
        Unit("套", "B6", "piece"),
        Unit("μg", "", "mass"), Unit("mg", "", "mass", 1_000), Unit("g", "", "mass", 1_000_000),
        Unit("ml", "", "volume", 1_000), Unit("L", "", "volume", 1_000_000),
        Unit("IU", "", "activity"), Unit("万IU", "", "activity", 10_000),
    )
}  # fmt: skip
# How the same unit is written elsewhere.
UNIT_SPELLINGS = {
    "ug": "μg", "mcg": "μg", "µg": "μg", "微克": "μg", "MG": "mg", "毫克": "mg", "克": "g", "G": "g", "mL": "ml", "ML": "ml", "毫升": "ml", "l": "L", "升": "L",
    "U": "IU", "u": "IU", "iu": "IU", "单位": "IU", "国际单位": "IU", "万U": "万IU", "万u": "万IU", "万单位": "万IU",
}  # fmt: skip


def unit(text: str) -> Unit | None:
    """Read a unit however it is spelled."""
    text = text.strip()
    return UNITS.get(text) or UNITS.get(UNIT_SPELLINGS.get(text, ""))


@dataclass(frozen=True, slots=True)
class Way:
    """How one herb is treated apart from the others (脚注), or how a whole prescription of herbs is taken (用法)."""

    code: str
    word: Words


# What stands beside one herb (特殊煎法).
HANDLINGS = {
    each.code: each
    for each in (
        Way("first", words("先煎")),
        Way("later", words("后下")),
        Way("wrapped", words("包煎")),
        Way("melted", words("烊化")),
        Way("apart", words("另煎")),
        Way("stirred", words("冲服")),
        Way("mixed", words("兑服")),
        Way("crushed", words("打碎")),
        Way("raw", words("生用")),
    )
}
# What becomes of the whole prescription (煎服法).
DECOCTIONS = {
    each.code: each
    for each in (
        Way("decocted", words("水煎服，自煎")),
        Way("decocted_here", words("水煎服，代煎")),
        Way("thick", words("浓煎")),
        Way("steeped", words("泡服")),
        Way("granules", words("颗粒冲服")),
        Way("powder", words("研末冲服")),
        Way("pills", words("制丸")),
        Way("paste", words("制膏")),
        Way("washing", words("煎汤外洗")),
        Way("outside", words("研末外敷")),
    )
}


def used_way(herbs: int) -> str:
    """The national word for a prescription of herbs (中药使用方式): one herb alone is 单方, several are 复方."""
    assert herbs > 0
    return "1" if herbs > 1 else "2"
