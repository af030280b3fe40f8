"""What speaks against what a doctor is writing (事前提醒), found on this site's own knowledge. Plain values in, plain values out.

A reminder names its rule, says the fact and what could be changed. Firm ones keep the visit from being signed until the doctor
changes it or goes on with a coded reason; the others only remind. `key` is the same as long as the fact is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from app.core.errors import words
from app.facility.clinic.desk.limits import one_dose
from app.facility.clinic.terms import drug_groups, herbs, plausibility, supply
from app.facility.clinic.terms.dictionaries import FREQUENCIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.core.errors import Words
    from app.facility.catalog.queries import ProductCard
    from app.facility.clinic.desk.rules import Content, Line, Sheet

RULES = {
    "allergy": words("过敏"), "cross": words("交叉过敏"), "in_use": words("重复用药"), "duplicate": words("重复用药"), "pregnancy": words("妊娠用药"),
    "incompatible": words("配伍禁忌"), "grams": words("饮片用量"), "twice": words("重复味"), "many_herbs": words("味数偏多"), "quantity": words("超量"),
    "sex_age": words("诊断不符"), "age": words("年龄禁用"),
}  # fmt: skip
# Why a doctor goes on (继续使用的理由), coded so that they can be counted.
REASONS = {
    "benefit": words("获益大于风险，已告知患者"), "tolerated": words("以往用过，没有不良反应"), "tested": words("皮试阴性"),
    "watched": words("已减量或加强观察"), "bridging": words("衔接用药，防止断药"), "syndrome": words("辨证需要，双签字"),
    "mistaken": words("提醒依据的信息不对"), "other": words("其他（写明）"),
}  # fmt: skip
DIAGNOSES = -1  # Where a reminder stands that speaks of no sheet.
MOST_KEY = 160


@dataclass(frozen=True, slots=True)
class InUse:
    """A drug that somebody still has: from which sheet, and until when it lasts."""

    product_id: int
    name: str
    number: str
    given_on: date
    until: date  # The first day without it.
    days: int


@dataclass(frozen=True, slots=True)
class Who:
    """What of a patient speaks for or against a drug."""

    sex: str = ""
    age: int | None = None
    allergens: tuple[str, ...] = ()
    in_use: tuple[InUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder: rule, where it stands, what is said; `days` would put it right."""

    rule: str
    key: str
    said: Words
    firm: bool
    sheet: int
    line: int | None = None
    days: int | None = None
    name: Words | None = None  # The rule as the center calls it, when the center found it.
    jr_id: str = ""

    @property
    def title(self) -> Words:
        """The rule in words."""
        return self.name or RULES[self.rule]

    @property
    def checked_by(self) -> str:
        """Who found it: this site's own knowledge, or the center."""
        return "center" if self.jr_id else "local"


def reminders(
    content: Content, cards: Mapping[int, ProductCard], who: Who, today: date, many_herbs: int = 20
) -> list[Reminder]:
    """All that speaks against a draft, in the order of the page."""
    found = list(_of_diagnoses(content, who))
    pregnant = content.record.pregnancy == "yes"
    for number, sheet in enumerate(content.sheets):
        if sheet.kind == "HERB":
            found += _of_herbs(number, sheet, cards, pregnant=pregnant, most=many_herbs)
        for at, line in enumerate(sheet.lines):
            card = cards.get(line.product_id)
            if card and card.rx_class != "SERVICE":
                found += _of_line(number, at, line, card, who, today, pregnant=pregnant and sheet.kind != "HERB")
    found += _twice_in_draft(content, cards)
    return found


def _key(rule: str, *parts: object) -> str:
    return ":".join([rule, *map(str, parts)])[:MOST_KEY]


def _of_diagnoses(content: Content, who: Who) -> Iterator[Reminder]:
    for one in content.diagnoses:
        if one.kind == "WESTERN":
            for n, said in enumerate(plausibility.contrary(one.code, who.sex, who.age)):
                facts = words("{name}：{why}", name=one.name, why=said)
                yield Reminder("sex_age", _key("sex_age", one.code, n), facts, True, DIAGNOSES)


def _of_line(
    sheet: int, at: int, line: Line, card: ProductCard, who: Who, today: date, *, pregnant: bool
) -> Iterator[Reminder]:
    for met in drug_groups.allergic(who.allergens, card.generic_name):
        rule = "allergy" if met.firm else "cross"
        yield Reminder(rule, _key(rule, card.id, met.allergen), met.said, met.firm, sheet, at)
    risk = drug_groups.risk_in_pregnancy(card.generic_name) if pregnant else None
    if risk:
        yield Reminder("pregnancy", _key("pregnancy", card.id), risk.said, risk.firm, sheet, at)
    if young := drug_groups.too_young(card.generic_name, who.age):
        yield Reminder("age", _key("age", card.id), young, True, sheet, at)
    yield from _in_use(sheet, at, line, card, who, today)
    yield from _too_much(sheet, at, line, card)


def _in_use(sheet: int, at: int, line: Line, card: ProductCard, who: Who, today: date) -> Iterator[Reminder]:
    same = [
        one for one in who.in_use if one.until > today and (one.product_id == card.id or one.name == card.generic_name)
    ]
    if not same:
        return
    last = max(same, key=lambda one: one.until)
    left = (last.until - today).days
    said = words("{on} 已开 {days} 天（{number}），还可用 {left} 天。", on=f"{last.given_on:%m-%d}", days=last.days, number=last.number, left=left)  # fmt: skip
    fewer = line.days - left if line.days and line.days > left else None
    yield Reminder("in_use", _key("in_use", card.id, last.until), said, True, sheet, at, fewer)


def _too_much(sheet: int, at: int, line: Line, card: ProductCard) -> Iterator[Reminder]:
    need = one_dose(line, card)
    if need is None or line.days is None:
        return
    wanted = supply.quantity_for(line.days, need, FREQUENCIES[line.frequency])
    most = supply.quantity_to_sell(wanted, card.pack_size, split_allowed=line.split)
    if line.quantity > most:
        said = words("{days} 天用 {wanted} {unit}，现在开了 {quantity} {unit}。", days=line.days, wanted=wanted, quantity=line.quantity, unit=card.base_unit)  # fmt: skip
        yield Reminder("quantity", _key("quantity", card.id, line.quantity, most), said, True, sheet, at, line.days)


def _of_herbs(
    sheet: int, written: Sheet, cards: Mapping[int, ProductCard], *, pregnant: bool, most: int
) -> Iterator[Reminder]:
    lines = [(at, cards[line.product_id], line) for at, line in enumerate(written.lines) if line.product_id in cards]
    grams = [(card.generic_name, grams_of(line, card, written.doses)) for _at, card, line in lines]
    first = {card.generic_name: at for at, card, _line in reversed(lines)}
    amounts = dict(grams)
    for one in herbs.objections(grams, pregnant=pregnant):
        detail = amounts.get(one.herbs[0]) if one.kind == "grams" else ""
        key = _key(one.kind, "/".join(one.herbs), detail or "")
        yield Reminder(one.kind, key, one.said, one.firm, sheet, first.get(one.herbs[-1]))
    if len(lines) > most:
        said = words("这张饮片处方有 {n} 味，一般不超过 {most} 味。", n=len(lines), most=most)
        yield Reminder("many_herbs", _key("many_herbs", len(lines)), said, False, sheet)


def grams_of(line: Line, card: ProductCard, doses: int | None) -> Decimal | None:
    """Grams of a herb in one dose (一剂); herbs are counted in hundredths of a gram."""
    if not doses or card.base_unit not in {"0.01克", "克", "g"}:
        return None
    unit = Decimal("0.01") if card.base_unit == "0.01克" else Decimal(1)
    return (Decimal(line.quantity) * unit / doses).quantize(Decimal("0.01")).normalize()


def _twice_in_draft(content: Content, cards: Mapping[int, ProductCard]) -> Iterator[Reminder]:
    """Two lines with the same drug, or two drugs of one group: the second one reminds."""
    seen: list[tuple[str, set[str]]] = []
    for number, sheet in enumerate(content.sheets):
        for at, line in enumerate(sheet.lines if sheet.kind in {"WESTERN", "INFUSION"} else ()):
            card = cards.get(line.product_id)
            if card is None or card.rx_class == "SERVICE":
                continue
            name, groups = card.generic_name, set(drug_groups.therapies_of(card.generic_name))
            other = next((one for one, _groups in seen if one == name), "") or next(
                (one for one, had in seen if had & groups), ""
            )
            if other:
                key = _key("duplicate", card.id, other)
                yield Reminder("duplicate", key, _said_twice(name, other), name == other, number, at)
            seen.append((name, groups))


def _said_twice(name: str, other: str) -> Words:
    if name == other:
        return words("这次已经开了{name}。", name=name)
    return words("{name}和{other}是同一类药，注意作用相加。", name=name, other=other)


def age_on(born_on: date | None, today: date) -> int | None:
    """Whole years on a day."""
    if born_on is None:
        return None
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))
