"""Which group a drug belongs to, by its generic name: so that an allergy to a group finds the drug, and pregnancy its risks.

Groups by the stems of Chinese generic names (中国药品通用名称 and its 词干) and by names; cross-reactions and pregnancy after what the package
inserts of these groups have in common (禁忌, 孕妇及哺乳期妇女用药). Facts only; `allergen` is the code of 过敏源代码 where it has one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import Words, words
from app.facility.clinic.terms import antimicrobial
from app.facility.clinic.terms.tables import names

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Group:
    """A group of drugs (药物类别): a generic name that contains a stem and none of `never` belongs to it."""

    code: str
    word: Words
    stems: tuple[str, ...]
    called: tuple[str, ...] = ()  # How an allergy is written down otherwise.
    never: tuple[str, ...] = ()
    related: tuple[str, ...] = ()  # Groups in which an allergy to this one may show as well.
    allergen: str = ""
    allergy: bool = True  # Whoever cannot bear one of them is warned of all.
    therapy: bool = True  # Two of them do the same: duplicate therapy.

    def holds(self, generic_name: str) -> bool:
        """Say whether a generic name belongs to the group."""
        name = generic_name
        for other in self.never:
            name = name.replace(other, "")
        return any(stem in name for stem in self.stems)


# The last ones are patent medicines that hold paracetamol or the like.
_NSAIDS = names(
    "阿司匹林 乙酰水杨酸 赖氨匹林 贝诺酯 对乙酰氨基酚 扑热息痛 氨酚 酚麻 氨麻 酚咖 布洛芬 洛索洛芬 酮洛芬 氟比洛芬 萘普生 双氯芬酸 醋氯芬酸 吲哚美辛 舒林酸 昔康 昔布 尼美舒利 "
    "安乃近 氨基比林 去痛片 保泰松 萘丁美酮 依托度酸 甲芬那酸 水杨酸 "
    "维C银翘 精制银翘 感冒灵 感冒清 强力感冒 抗感灵 贯防感冒 速感康 速感宁 感特灵"
)
_ANTIHISTAMINES = names(
    "氯雷他定 西替利嗪 苯那敏 扑尔敏 那敏 美敏 依巴斯汀 非索非那定 苯海拉明 异丙嗪 赛庚啶 咪唑斯汀 酮替芬 奥洛他定 卢帕他定"
)
GROUPS = {
    each.code: each
    for each in (
        Group("penicillin", words("青霉素类"), ("青霉素", "西林"), ("青霉素", "盘尼西林"), (), ("cephalosporin", "carbapenem"), "101"),
        Group("cephalosporin", words("头孢菌素类"), ("头孢", "先锋霉素"), ("头孢", "头孢类", "先锋"), (), ("penicillin",), "103"),
        Group("carbapenem", words("碳青霉烯类"), ("培南",), (), (), ("penicillin",)),
        Group("sulfonamide", words("磺胺类"), ("磺胺", "柳氮磺吡啶", "联磺"), ("磺胺",), (), ("sulfonyl",), "102"),
        Group("sulfonyl", words("含磺酰胺基的药"), ("塞来昔布", "呋塞米", "布美他尼", "氢氯噻嗪", "吲达帕胺", "乙酰唑胺", "格列美脲", "格列齐特", "格列吡嗪", "格列喹酮", "格列本脲", "消渴丸", "珍菊降压", "复方罗布麻"), therapy=False),
        Group("quinolone", words("喹诺酮类"), ("沙星", "吡哌酸"), ("喹诺酮", "沙星")),
        Group("macrolide", words("大环内酯类"), ("红霉素", "阿奇霉素", "克拉霉素", "罗红霉素", "螺旋霉素", "麦迪霉素", "交沙霉素", "地红霉素"), ("大环内酯",)),
        Group("aminoglycoside", words("氨基糖苷类"), ("链霉素", "庆大霉素", "卡那霉素", "阿米卡星", "妥布霉素", "奈替米星", "依替米星", "新霉素", "大观霉素", "异帕米星"), ("氨基糖苷", "链霉素"), (), (), "107"),
        Group("tetracycline", words("四环素类"), ("四环素", "土霉素", "多西环素", "米诺环素", "替加环素", "强力霉素"), ("四环素",)),
        Group("lincosamide", words("林可酰胺类"), ("林可霉素", "克林霉素"), ("林可霉素", "克林霉素")),
        Group("nitroimidazole", words("硝基咪唑类"), ("硝唑",), ("硝基咪唑", "甲硝唑"), ("硝唑尼特",)),
        Group("antipyretic", words("解热镇痛类"), _NSAIDS, ("解热镇痛药", "非甾体抗炎药", "阿司匹林"), ("氨基水杨酸", "美沙拉秦")),
        Group("iodine", words("含碘药品"), ("碘海醇", "碘普罗胺", "碘佛醇", "碘帕醇", "泛影", "碘克沙醇", "聚维酮碘", "碘酊", "碘伏", "胺碘酮", "碘化钾", "西地碘", "华素片"), ("碘", "碘剂", "造影剂"), (), (), "104", therapy=False),
        Group("caine", words("局部麻醉药"), ("卡因",), ("局麻药", "普鲁卡因", "利多卡因"), ("普鲁卡因胺",), (), "106"),
        Group("opioid", words("阿片类"), ("吗啡", "可待因", "哌替啶", "芬太尼", "曲马多", "羟考酮", "布桂嗪", "右美沙芬", "福尔可定", "地佐辛"), ("阿片", "可待因")),
        Group("barbiturate", words("巴比妥类"), ("巴比妥",), ("巴比妥", "鲁米那"), (), (), "106"),
        Group("statin", words("他汀类"), ("他汀",), ("他汀",), ("乌司他汀", "奥利司他汀", "西司他汀")),
        Group("ace_inhibitor", words("普利类"), ("普利",), ("普利",)),
        Group("sartan", words("沙坦类"), ("沙坦",), ("沙坦",)),
        Group("ginkgo", words("银杏类"), ("银杏",), ("银杏",)),
        Group("antihistamine", words("抗组胺药"), _ANTIHISTAMINES, allergy=False),
        Group("dihydropyridine", words("地平类"), ("地平",), allergy=False),
        Group("beta_blocker", words("洛尔类"), ("洛尔",), allergy=False),
        Group("proton_pump", words("质子泵抑制剂"), ("拉唑",), allergy=False),
        Group("h2_blocker", words("H2 受体拮抗剂"), ("替丁",), allergy=False),
        Group("sulfonylurea", words("磺脲类"), ("格列美脲", "格列齐特", "格列吡嗪", "格列喹酮", "格列本脲", "消渴丸"), allergy=False),
        Group("gliptin", words("列汀类"), ("列汀",), allergy=False),
        Group("gliflozin", words("列净类"), ("列净",), allergy=False),
        Group("benzodiazepine", words("苯二氮䓬类"), ("西泮", "唑仑"), allergy=False),
        Group("azole", words("唑类抗真菌药"), ("康唑",), allergy=False),
    )
}  # fmt: skip
_NOISE = re.compile(r"过敏|史|类药物|类药品|抗生素|制剂|药物|药品|类|药|注射液|注射用|片$|胶囊$|\s|[（(].*?[）)]")


@dataclass(frozen=True, slots=True)
class Allergic:
    """An allergy that a drug meets: the same substance, its group, or a group that may react as well (交叉过敏)."""

    allergen: str
    how: str  # same, group, related
    said: Words

    @property
    def firm(self) -> bool:
        """Say whether it must be signed for; a cross-reaction only reminds."""
        return self.how != "related"


def groups_of(generic_name: str) -> tuple[str, ...]:
    """The codes of the groups that a drug belongs to."""
    return tuple(code for code, group in GROUPS.items() if group.holds(generic_name))


def therapies_of(generic_name: str) -> tuple[str, ...]:
    """Those of the groups in which two drugs do the same (重复用药)."""
    return tuple(code for code in groups_of(generic_name) if GROUPS[code].therapy)


def groups_meant(allergen: str) -> tuple[str, ...]:
    """The groups that somebody means who is allergic to this: a group's word, its national code, or one drug of it."""
    text = _NOISE.sub("", allergen)
    named = tuple(
        code
        for code, group in GROUPS.items()
        if group.allergy
        and (
            allergen in {group.allergen or code, code}
            or (text and text in {_NOISE.sub("", str(group.word)), *map(_plain, group.called)})
        )
    )
    return named or (_warned(allergen) if text else ())


def _warned(generic_name: str) -> tuple[str, ...]:
    return tuple(code for code in groups_of(generic_name) if GROUPS[code].allergy)


def _plain(text: str) -> str:
    return _NOISE.sub("", text)


def allergic(allergens: Iterable[str], generic_name: str) -> list[Allergic]:
    """Say which noted allergies a drug meets, the surest first; one answer for each allergen."""
    found = [met for allergen in allergens if allergen.strip() and (met := _meets(allergen.strip(), generic_name))]
    return sorted(found, key=lambda met: ("same", "group", "related").index(met.how))


def _meets(allergen: str, generic_name: str) -> Allergic | None:
    text, own = _NOISE.sub("", allergen), set(_warned(generic_name))
    shown = str(GROUPS[allergen].word) if allergen in GROUPS else allergen
    facts = {"allergen": shown, "drug": generic_name}
    if len(text) > 1 and not text.isdigit() and text in generic_name:
        return Allergic(shown, "same", words("患者对“{allergen}”过敏，{drug}就是或含有它。", **facts))
    meant = groups_meant(allergen)
    for code in meant:
        if code in own:
            said = words("患者对“{allergen}”过敏，{drug}属于{group}。", group=GROUPS[code].word, **facts)
            return Allergic(shown, "group", said)
    for code in meant:
        near = own.intersection(GROUPS[code].related)
        if near:
            group = GROUPS[min(near)].word
            return Allergic(
                shown,
                "related",
                words("患者对“{allergen}”过敏，{drug}属于{group}，可能交叉过敏。", group=group, **facts),
            )
    return None


# ---- pregnancy -----------------------------------------------------------------------------------------------------------

# Groups and names that the inserts forbid in pregnancy, and those that they allow with care or not in every month.
PREGNANCY_FORBIDS = frozenset({"statin", "ace_inhibitor", "sartan", "tetracycline", "quinolone"})
PREGNANCY_FORBIDS_NAMES = names(
    "异维A酸 维A酸 阿维A 甲氨蝶呤 米非司酮 米索前列醇 沙利度胺 来那度胺 利巴韦林 华法林 己烯雌酚 炔诺酮 左炔诺孕酮 炔雌醇 丙戊酸 非那雄胺 度他雄胺 来氟米特 "
    "阿利吉仑 艾拉莫德 羟基脲 环磷酰胺 达那唑 氟他胺 麦角胺 麦角新碱 阿达帕林 他扎罗汀 法维拉韦 尼美舒利 "
    "益母草 云南白药 血府逐瘀 脑心通 通心络 麝香保心 跌打丸 大活络 牛黄解毒 华佗再造 六神丸"  # Patent medicines.
)
PREGNANCY_CAREFUL = frozenset(
    {"antipyretic", "aminoglycoside", "sulfonamide", "nitroimidazole", "opioid", "barbiturate", "iodine"}
)
PREGNANCY_CAREFUL_NAMES = names(
    "氟康唑 伊曲康唑 伏立康唑 甲巯咪唑 丙硫氧嘧啶 卡马西平 苯妥英 托吡酯 拉莫三嗪 碳酸锂 阿普唑仑 地西泮 艾司唑仑 氯硝西泮 劳拉西泮 唑吡坦 帕罗西汀 阿替洛尔 螺内酯 "
    "氢氯噻嗪 呋塞米 地塞米松 泼尼松 格列美脲 格列齐特 格列吡嗪 伪麻黄碱 氯霉素 硫唑嘌呤 奥美拉唑 多潘立酮 莫沙必利 "
    "复方丹参滴丸 防风通圣 牛黄上清"
)


@dataclass(frozen=True, slots=True)
class Risk:
    """What the inserts say of a drug in pregnancy; firm ones are forbidden, the others ask for care."""

    said: Words
    firm: bool


def risk_in_pregnancy(generic_name: str) -> Risk | None:
    """Say what speaks against a western drug in pregnancy; None when nothing here does, which promises nothing."""
    groups = set(groups_of(generic_name))
    if groups & PREGNANCY_FORBIDS or any(name in generic_name for name in PREGNANCY_FORBIDS_NAMES):
        return Risk(words("说明书：孕妇禁用{drug}。", drug=generic_name), firm=True)
    if groups & PREGNANCY_CAREFUL or any(name in generic_name for name in PREGNANCY_CAREFUL_NAMES):
        return Risk(words("说明书：孕妇慎用{drug}，按孕期权衡。", drug=generic_name), firm=False)
    return None


# ---- children ------------------------------------------------------------------------------------------------------------

# Below so many years the inserts forbid a group or a name (儿童用药). What is put on the skin or into an eye is not meant.
TOO_YOUNG: tuple[tuple[int, frozenset[str], tuple[str, ...]], ...] = (
    (18, frozenset({"quinolone"}), ("可待因",)),
    (12, frozenset(), ("尼美舒利",)),
    (8, frozenset({"tetracycline"}), ()),
    (2, frozenset(), ("异丙嗪",)),
)


def too_young(generic_name: str, age: int | None) -> Words | None:
    """Say that the insert forbids a drug at this age in whole years; None when nothing here does, which promises nothing."""
    if age is None or antimicrobial.is_local(generic_name):
        return None
    groups = set(groups_of(generic_name))
    for years, forbidden, stems in TOO_YOUNG:
        if age < years and (groups & forbidden or any(stem in generic_name for stem in stems)):
            return words("说明书：{years} 岁以下禁用{drug}。", years=years, drug=generic_name)
    return None
