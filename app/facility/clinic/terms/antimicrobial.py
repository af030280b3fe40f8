"""Which level an antimicrobial has (抗菌药物分级管理), by its generic name, and whether a doctor of some right may prescribe it at a clinic.

After 《抗菌药物临床应用管理办法》: unrestricted, restricted and special use; the special level is not for outpatients. The lists are what
the provinces' catalogs have in common; a drug that stands in none of them, but is an antimicrobial, counts as unrestricted.
"""

from __future__ import annotations

from app.core.errors import Words, words
from app.facility.clinic.terms.tables import names

NONE, UNRESTRICTED, RESTRICTED, SPECIAL = "none", "unrestricted", "restricted", "special"
LEVELS = (NONE, UNRESTRICTED, RESTRICTED, SPECIAL)  # What a practitioner may have, the widest last.
WORDS = {UNRESTRICTED: words("非限制使用级"), RESTRICTED: words("限制使用级"), SPECIAL: words("特殊使用级")}

_SPECIAL = names(
    "亚胺培南 美罗培南 比阿培南 厄他培南 帕尼培南 法罗培南 万古霉素 替考拉宁 利奈唑胺 替加环素 达托霉素 头孢吡肟 头孢匹罗 头孢噻利 卡泊芬净 米卡芬净 伏立康唑 "
    "泊沙康唑 两性霉素 多黏菌素 多粘菌素 黏菌素 头孢他啶阿维巴坦"
)
_RESTRICTED = names(
    "头孢他啶 头孢噻肟 头孢哌酮 头孢地嗪 头孢甲肟 头孢匹胺 头孢唑肟 头孢泊肟 头孢地尼 头孢妥仑 头孢西丁 头孢美唑 头孢米诺 头孢替安 头孢硫脒 拉氧头孢 氟氧头孢 氨曲南 "
    "哌拉西林 美洛西林 阿洛西林 替卡西林 莫西沙星 吉米沙星 帕珠沙星 洛美沙星 加替沙星 米诺环素 依替米星 奈替米星 异帕米星 大观霉素 伊曲康唑 阿奇霉素注射 注射用阿奇霉素 "
    "注射用阿莫西林 注射用氨苄西林钠舒巴坦 奥硝唑注射 左奥硝唑 吗啉硝唑 夫西地酸 利福霉素"
)
_UNRESTRICTED = names(
    "青霉素 西林 头孢 沙星 红霉素 阿奇霉素 克拉霉素 螺旋霉素 交沙霉素 麦迪霉素 地红霉素 庆大霉素 阿米卡星 链霉素 妥布霉素 林可霉素 克林霉素 磺胺甲噁唑 磺胺嘧啶 多西环素 四环素 土霉素 "
    "甲硝唑 替硝唑 奥硝唑 呋喃妥因 呋喃唑酮 磷霉素 氟康唑 制霉菌素 特比萘芬 吡哌酸 小檗碱"
)
# Used on the skin, the eye or the ear they fall under no level.
_LOCAL = names("乳膏 软膏 凝胶 滴眼 眼膏 滴耳 滴鼻 洗剂 搽剂 栓 阴道 含片 溶液剂外用")


def is_local(generic_name: str) -> bool:
    """Say whether it is used on the skin, the eye, the ear or the like."""
    return any(form in generic_name for form in _LOCAL)


def level_of(generic_name: str) -> str | None:
    """The level of a drug, None when it is no antimicrobial or only used locally."""
    if is_local(generic_name):
        return None
    for level, stems in ((SPECIAL, _SPECIAL), (RESTRICTED, _RESTRICTED), (UNRESTRICTED, _UNRESTRICTED)):
        if any(stem in generic_name for stem in stems):
            return level
    return None


def refused(generic_name: str, right: str) -> Words | None:
    """Why a doctor with this right may not prescribe the drug at a clinic; None when they may."""
    level = level_of(generic_name)
    if level is None:
        return None
    if level == SPECIAL:
        return words("{name}是特殊使用级抗菌药物，门诊不得使用，请换药或转诊", name=generic_name)
    if LEVELS.index(level) > LEVELS.index(right):
        said = WORDS[right] if right in WORDS else words("没有抗菌药物处方权")
        return words(
            "{name}是{level}抗菌药物，您的权限是「{right}」，请换药，或请有权限的医师开", name=generic_name, level=WORDS[level], right=said,
        )  # fmt: skip
    return None
