"""Which product may go for another (换药) on plain values: the same drug at the same money, else the words why not."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import words
from app.facility.clinic.desk.rules import price_of

if TYPE_CHECKING:
    from app.core.errors import Words
    from app.facility.catalog.queries import ProductCard
    from app.facility.clinic.dispensing.rules import Line

_PACKED = re.compile(r"[×*✕]|x(?=\d)")
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)(mg|μg|ug|mcg|g)(?![a-z])")
_MICROGRAMS = {"g": 10**6, "mg": 10**3, "μg": 1, "ug": 1, "mcg": 1}


class Choice(msgspec.Struct):
    """A product on the shelf that could go instead; `why_not` when it may not."""

    product_id: int
    spec: str
    maker: str
    code: str
    free: int  # Packs, or single units where the line goes by units.
    unit: str
    why_not: Any = None


def strength(spec: str) -> str:
    """What of a specification says how strong it is: 0.25g×24粒 and 250mg*12粒 are as strong."""
    plain = unicodedata.normalize("NFKC", spec).lower().replace(" ", "").replace("µ", "μ")
    first = _PACKED.split(plain)[0]
    return _WEIGHT.sub(lambda found: f"{(Decimal(found[1]) * _MICROGRAMS[found[2]]).normalize():f}μg", first)


def unlike(line: Line, card: ProductCard, *, insured: bool) -> Words | None:
    """Why a product may not go for a paid line: another drug needs a new prescription, another price a new bill; none when it may."""
    return _other_drug(line, card) or _other_money(line, card, insured=insured)


def _other_drug(line: Line, card: ProductCard) -> Words | None:
    ordered = line.ordered
    differs = (
        (card.generic_name != ordered["name"], words("通用名不同，要医师重新开方")),
        (card.dosage_form != ordered.get("form", ""), words("剂型不同，要医师重新开方")),
        (strength(card.spec) != strength(ordered["spec"]) or card.base_unit != ordered["base_unit"], words("含量不同，要医师重新开方")),
        ((card.rx_class, card.special_class or "") != (ordered["rx_class"], ordered.get("special", "")), words("药品管理类别不同，要医师重新开方")),
        (line.split and not card.split_allowed, words("这种不能拆零")),
        (not line.split and line.left % card.pack_size > 0, words("凑不成整盒：还要发 {units} {unit}", units=line.left, unit=card.base_unit)),
    )  # fmt: skip
    return next((why for wrong, why in differs if wrong), None)


def _other_money(line: Line, card: ProductCard, *, insured: bool) -> Words | None:
    """The patient keeps the price that was paid, and insurance pays for what it was told of."""
    price, ordered = price_of(card, split=line.split), line.ordered
    if price is None or card.state != "active":
        return words("这种没有定价或已停用")
    packs = (1, 1) if line.split else (int(ordered["pack_size"]), card.pack_size)
    if price * packs[0] != line.price * packs[1]:
        return words("价格不同，要退费、医师改方后重新收费")
    if insured and (card.national_code or "") != ordered["national"]:
        return words("医保编码不同，这张单走了医保，要退费、医师改方后重新收费")
    if insured and (card.insurance_class or "") != ordered["insurance"]:
        return words("医保类别不同，要退费、医师改方后重新收费")
    return None
