"""What speaks against a prescription of herbs: pairs that do not go together, pregnancy, too many grams.

Facts after the Chinese Pharmacopoeia 2020, volume I (药典): its 注意 and 用法与用量 of each herb (不宜与…同用, 孕妇禁用, 孕妇慎用), which
keep the eighteen incompatibilities (十八反) and nineteen fears (十九畏); toxic raw herbs after the State Council's rules on
toxic drugs for medical use (医疗用毒性药品管理办法). The sentences are ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from app.core.errors import Words, words
from app.facility.clinic.terms.herb_doses import HANDLED, TOXIC, USUAL
from app.facility.clinic.terms.tables import names

if TYPE_CHECKING:
    from collections.abc import Sequence

_ACONITES = "川乌 制川乌 草乌 制草乌 附子"
_FRITILLARIES = "川贝母 浙贝母 平贝母 伊贝母 湖北贝母 土贝母"
# Two sets of names; each of the one does not go with each of the other.
EIGHTEEN = (
    ("甘草", "甘遂 京大戟 红大戟 海藻 芫花"),
    (_ACONITES, f"半夏 瓜蒌 瓜蒌皮 瓜蒌子 天花粉 {_FRITILLARIES} 白蔹 白及"),
    ("藜芦", "人参 红参 西洋参 党参 北沙参 南沙参 丹参 玄参 苦参 细辛 白芍 赤芍"),
)
NINETEEN = (
    ("硫黄", "芒硝 玄明粉"),
    ("水银", "砒霜"),
    ("狼毒", "密陀僧"),
    ("巴豆 巴豆霜", "牵牛子"),
    ("丁香 母丁香", "郁金"),
    ("川乌 制川乌 草乌 制草乌", "犀角"),
    ("芒硝 玄明粉", "三棱"),
    ("肉桂", "赤石脂"),
    ("人参 红参", "五灵脂"),
)
FORBIDDEN_IN_PREGNANCY = frozenset(
    names(
        "丁公藤 三棱 干漆 土鳖虫 千金子 千金子霜 川乌 草乌 马钱子 马钱子粉 天山雪莲 天仙子 巴豆 巴豆霜 水蛭 甘遂 朱砂 全蝎 红粉 红大戟 芫花 两头尖 阿魏 "
        "京大戟 闹羊花 牵牛子 轻粉 洋金花 莪术 猪牙皂 大皂角 商陆 斑蝥 雄黄 黑种草子 蜈蚣 罂粟壳 麝香"
    )
)
CAREFUL_IN_PREGNANCY = frozenset(
    names(
        "三七 大黄 川牛膝 制川乌 制草乌 小驳骨 飞扬草 王不留行 天花粉 天南星 制天南星 木鳖子 牛黄 人工牛黄 体外培育牛黄 牛膝 片姜黄 艾片 白附子 玄明粉 芒硝 西红花 肉桂 "
        "华山参 冰片 天然冰片 红花 芦荟 苏木 牡丹皮 皂矾 没药 乳香 附子 苦楝皮 郁李仁 虎杖 金铁锁 卷柏 枳壳 枳实 禹州漏芦 漏芦 禹余粮 急性子 桂枝 桃仁 凌霄花 "
        "益母草 通草 黄蜀葵花 常山 硫黄 番泻叶 蒲黄 赭石 薏苡仁 瞿麦 蟾酥"
    )
)
# Toxic drugs for medical use (毒性中药): on a prescription of their own, at most two days.
CONTROLLED = frozenset(
    names(
        "砒石 砒霜 水银 生马钱子 生川乌 生草乌 生白附子 生附子 生半夏 生天南星 生巴豆 斑蝥 青娘虫 红娘虫 生甘遂 生狼毒 生藤黄 生千金子 生天仙子 闹羊花 "
        "雪上一枝蒿 红升丹 白降丹 蟾酥 洋金花 红粉 轻粉 雄黄"
    )
)

# The same herb under its other names; what is processed otherwise is the same herb where nothing else is said of it.
SYNONYMS = {
    "附子": "制附子 附片 黑顺片 黑附片 白附片 淡附片 炮附片 熟附子 生附子 盐附子",
    "半夏": "法半夏 清半夏 姜半夏 制半夏 生半夏 京半夏 竹沥半夏",
    "甘草": "炙甘草 生甘草 蜜甘草 甘草片 粉甘草 甘草梢",
    "川乌": "生川乌", "草乌": "生草乌", "制川乌": "川乌(制)", "制草乌": "草乌(制)",
    "京大戟": "大戟 醋京大戟 醋大戟", "红大戟": "红芽大戟", "瓜蒌": "全瓜蒌 栝楼 栝蒌 瓜蒌实", "瓜蒌皮": "栝楼皮", "瓜蒌子": "瓜蒌仁 蒌仁 瓜蒌霜 瓜蒌子霜",
    "天花粉": "栝楼根 瓜蒌根 花粉", "川贝母": "川贝 尖贝", "浙贝母": "浙贝 象贝 象贝母 大贝", "平贝母": "平贝", "南沙参": "空沙参 泡参", "北沙参": "沙参 辽沙参",
    "白芍": "芍药 杭芍 杭白芍", "人参": "生晒参 白参 野山参 移山参 林下山参 人参片", "红参": "高丽参 红参片", "西洋参": "花旗参 洋参", "党参": "潞党参 台党参 米党参",
    "芒硝": "朴硝 牙硝 皮硝", "玄明粉": "元明粉", "玄参": "元参", "牵牛子": "黑丑 白丑 二丑 丑牛 牵牛", "丁香": "公丁香", "郁金": "川郁金 广郁金 黄郁金",
    "肉桂": "官桂 桂心 紫油桂", "硫黄": "硫磺 石硫黄", "犀角": "犀牛角", "五灵脂": "灵脂", "细辛": "北细辛 辽细辛",
    "天南星": "南星 生南星 生天南星", "制天南星": "制南星", "白附子": "禹白附 制白附子 生白附子", "马钱子": "制马钱子 生马钱子 番木鳖", "马钱子粉": "制马钱子粉",
    "土鳖虫": "䗪虫 地鳖虫 土元 蛰虫", "王不留行": "王不留 留行子", "牛膝": "怀牛膝", "三七": "田七 三七粉 参三七", "红花": "草红花", "西红花": "藏红花 番红花",
    "牡丹皮": "丹皮 粉丹皮", "薏苡仁": "苡仁 薏仁 苡米 薏米", "益母草": "坤草", "赭石": "代赭石", "延胡索": "元胡 玄胡 玄胡索", "全蝎": "全虫", "水蛭": "蚂蟥",
    "制何首乌": "首乌(制) 制首乌", "何首乌": "首乌 生首乌 生何首乌", "首乌藤": "夜交藤", "茯苓": "云苓 白茯苓", "苦杏仁": "杏仁 光杏仁 北杏仁", "紫苏叶": "苏叶", "紫苏梗": "苏梗",
    "紫苏子": "苏子", "金银花": "银花 双花 忍冬花", "山茱萸": "山萸肉 萸肉 枣皮", "补骨脂": "破故纸", "牛蒡子": "大力子 鼠粘子", "广藿香": "藿香", "豆蔻": "白豆蔻 白蔻 白蔻仁",
    "生地黄": "生地 干地黄 地黄", "熟地黄": "熟地", "麦冬": "麦门冬 寸冬", "天冬": "天门冬", "淫羊藿": "仙灵脾", "菟丝子": "吐丝子", "益智": "益智仁", "蒺藜": "刺蒺藜 白蒺藜",
    "墨旱莲": "旱莲草", "芥子": "白芥子 黄芥子", "白扁豆": "扁豆", "稻芽": "谷芽", "绵马贯众": "贯众", "茵陈": "茵陈蒿 绵茵陈", "海螵蛸": "乌贼骨", "重楼": "七叶一枝花 蚤休", "龙胆": "龙胆草",
    "砂仁": "春砂仁 阳春砂", "陈皮": "橘皮 广陈皮 新会陈皮", "川芎": "抚芎 芎䓖", "防己": "粉防己", "巴豆霜": "巴豆(霜)", "千金子": "续随子", "砒霜": "信石", "罂粟壳": "粟壳 米壳", "僵蚕": "白僵蚕",
    "荆芥": "荆芥穗 芥穗", "款冬花": "冬花", "枇杷叶": "杷叶", "山药": "怀山药 淮山药 淮山", "大枣": "红枣", "生姜": "鲜姜", "酸枣仁": "枣仁", "芦根": "苇根", "水牛角": "水牛角片 水牛角丝",
}  # fmt: skip
_BY_NAME = {other: name for name, others in SYNONYMS.items() for other in others.split()}
KNOWN = frozenset(
    {*USUAL, *TOXIC, *SYNONYMS, *FORBIDDEN_IN_PREGNANCY, *CAREFUL_IN_PREGNANCY}
    | {name for pairs in (EIGHTEEN, NINETEEN) for pair in pairs for side in pair for name in side.split()}
    | {name for name in CONTROLLED if not name.startswith("生")}
    | {name for names in HANDLED.values() for name in names}
)
_ASIDE = re.compile(r"[（(【\[].*?[）)】\]]|配方颗粒|颗粒|饮片|\s|·")
# How herbs are processed (炮制); the herb stays what it is. Longer ones first.
_BEFORE = re.compile(
    r"^(麸炒|土炒|米炒|砂炒|烫|清炒|蜜炙|酒炙|醋炙|盐炙|姜炙|炒|炙|制|醋|酒|盐|蜜|麸|煅|焦|炮|煨|蒸|净|鲜|干|生|炒焦)"
)
_AFTER = re.compile(r"(炭|片|段|丝|块|粒|粉|末|霜|咀)$")


def herb_of(name: str) -> str:
    """Return the name under which a herb is known here; a name that is not known comes back without additions."""
    plain = _ASIDE.sub("", name)
    for candidate in _shorter(plain):
        if candidate in _BY_NAME:
            return _BY_NAME[candidate]
        if candidate in KNOWN:
            return candidate
    return plain


def _shorter(name: str) -> tuple[str, ...]:
    """The name as written, then with less and less of its processing."""
    before, after = _BEFORE.sub("", name), _AFTER.sub("", name)
    return tuple(dict.fromkeys((name, before, after, _AFTER.sub("", before), _BEFORE.sub("", before))))


def usual_grams(name: str) -> tuple[Decimal, Decimal] | None:
    """The usual grams of a herb a day, least and most; None where we are not sure."""
    found = TOXIC.get(herb_of(name)) or USUAL.get(herb_of(name))
    return (Decimal(found[0]), Decimal(found[1])) if found else None


def usual_handling(name: str) -> str:
    """How a herb is usually boiled apart, as a code of dictionaries.HANDLINGS; "" for most."""
    herb = herb_of(name)
    return next((code for code, names in HANDLED.items() if herb in names), "")


def is_controlled(name: str) -> bool:
    """Say whether it is a toxic drug for medical use (医疗用毒性药品): a raw herb under special rules."""
    plain = _ASIDE.sub("", name)
    return plain in CONTROLLED or herb_of(name) in CONTROLLED


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that speaks against a prescription. `firm` ones are signed for apart (双签字); the others only remind."""

    kind: str  # incompatible, pregnancy, grams, twice
    herbs: tuple[str, ...]  # As written on the prescription.
    said: Words
    firm: bool


def objections(herbs: Sequence[tuple[str, Decimal | None]], *, pregnant: bool = False) -> list[Objection]:
    """Say what speaks against herbs with their grams a day (one 剂): firm ones first, each group in the order written."""
    found = [*_pairs([name for name, _ in herbs]), *_grams(herbs), *_twice([name for name, _ in herbs])]
    if pregnant:
        found += _pregnancy([name for name, _ in herbs])
    return sorted(found, key=lambda each: not each.firm)


def incompatible(one: str, other: str) -> str:
    """Say by which of the two old lists two herbs do not go together: eighteen, nineteen, or "" when neither."""
    pair = {herb_of(one), herb_of(other)}
    return next((word for word, pairs in _PAIRS.items() if frozenset(pair) in pairs), "")


def _spread(table: Sequence[tuple[str, str]]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset({a, b}) for left, right in table for a in left.split() for b in right.split())


_PAIRS = {"eighteen": _spread(EIGHTEEN), "nineteen": _spread(NINETEEN)}


def _pairs(names: Sequence[str]) -> list[Objection]:
    found = []
    for one, other in combinations(names, 2):
        which = incompatible(one, other)
        if which:
            said = (
                words("{one}与{other}属十八反，不宜同用。", one=one, other=other)
                if which == "eighteen"
                else words("{one}与{other}属十九畏，不宜同用。", one=one, other=other)
            )
            found.append(Objection("incompatible", (one, other), said, firm=True))
    return found


def _grams(herbs: Sequence[tuple[str, Decimal | None]]) -> list[Objection]:
    found = []
    for name, grams in herbs:
        usual = usual_grams(name)
        if grams is None or usual is None or grams <= usual[1]:
            continue
        facts = {"herb": name, "grams": f"{grams:f}", "least": f"{usual[0]:f}", "most": f"{usual[1]:f}"}
        toxic = herb_of(name) in TOXIC
        said = (
            words("{herb}有毒或药性峻烈，药典每日 {least}–{most} g，现为 {grams} g。", **facts)
            if toxic
            else words("{herb}超过药典常用量：每日 {least}–{most} g，现为 {grams} g。", **facts)
        )
        found.append(Objection("grams", (name,), said, firm=toxic))
    return found


def _pregnancy(names: Sequence[str]) -> list[Objection]:
    found = []
    for name in names:
        herb = herb_of(name)
        if herb in FORBIDDEN_IN_PREGNANCY:
            found.append(Objection("pregnancy", (name,), words("孕妇禁用{herb}。", herb=name), firm=True))
        elif herb in CAREFUL_IN_PREGNANCY:
            found.append(Objection("pregnancy", (name,), words("孕妇慎用{herb}。", herb=name), firm=False))
    return found


def _twice(names: Sequence[str]) -> list[Objection]:
    seen: dict[str, list[str]] = {}
    for name in names:
        seen.setdefault(herb_of(name), []).append(name)
    return [
        Objection("twice", tuple(written), words("同一味药写了两次：{herbs}。", herbs="、".join(written)), firm=False)
        for written in seen.values()
        if len(written) > 1
    ]
