"""How much may stand on a sheet: the law's figures for prescriptions (处方管理办法), as strict as the site sets them. Plain values.

A limit that is passed is not answered but mended: fewer drugs, fewer days, or, where the law leaves it to the doctor, a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from app.core.errors import words
from app.facility.clinic.terms import antimicrobial, supply
from app.facility.clinic.terms.dictionaries import FREQUENCIES
from app.facility.clinic.terms.herbs import is_controlled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from app.core.errors import Words
    from app.facility.catalog.queries import ProductCard
    from app.facility.clinic.desk.rules import Content, Line, Sheet
    from app.facility.organizations.parameters import Parameters

STRICT = frozenset({"NARCOTIC", "PSYCHOTROPIC_1"})
TAG_OF = {"NARCOTIC": "narcotic", "PSYCHOTROPIC_1": "narcotic", "PSYCHOTROPIC_2": "psychotropic_2"}
NEVER_LONG = frozenset({*TAG_OF, "TOXIC"})
TOXIC_DAYS = 2
# Days of a narcotic or class-1 drug by its form, and for severe pain of long standing (癌痛、慢性中重度疼痛).
STRICT_DAYS = {"injection": (1, 3), "slow": (7, 15), "other": (3, 7)}


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds at this site now."""

    drugs: int = 5
    days: int = 7
    emergency_days: int = 3
    month_days: int = 28
    long_days: int = 84
    herb_doses: int = 15
    herbs: int = 20
    valid_days: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """A limit that a sheet passes: where, and what to do. `line` is None when the whole sheet is meant."""

    sheet: int
    line: int | None
    said: Words
    days: int | None = None  # Write these days and it is well.


def of(parameters: Parameters, at: datetime) -> Limits:
    """Read the limits that hold at a moment."""
    return Limits(
        drugs=parameters.count("prescription_drugs", at), days=parameters.days("order_days", at), emergency_days=parameters.days("emergency_days", at),
        month_days=parameters.days("long_notice_days", at), long_days=parameters.days("long_order_days", at), herb_doses=parameters.count("herb_doses", at),
        herbs=parameters.count("herbs_warned", at), valid_days=parameters.days("order_valid_days", at),
    )  # fmt: skip


def broken(
    content: Content,
    cards: Mapping[int, ProductCard],
    limits: Limits,
    *,
    narcotics: bool,
    antimicrobials: str = antimicrobial.SPECIAL,
) -> list[Broken]:
    """Say which limits are passed, in the order of the page. The doctor may prescribe `narcotics`, and antimicrobials up to this level."""
    found: list[Broken] = []
    for number, sheet in enumerate(content.sheets):
        if sheet.kind == "HERB":
            found += _of_herbs(number, sheet, cards, limits)
        elif sheet.kind in {"WESTERN", "INFUSION"}:
            found += _of_sheet(number, sheet, cards, limits)
            for at, line in enumerate(sheet.lines):
                if line.product_id in cards:
                    said = _of_line(sheet, line, cards[line.product_id], limits, narcotics=narcotics)
                    found += [Broken(number, at, why, days) for why, days in said]
                    if why := antimicrobial.refused(cards[line.product_id].generic_name, antimicrobials):
                        found.append(Broken(number, at, why))
    return found


def days_of(line: Line, card: ProductCard) -> int | None:
    """For how many days a line is: as written, else as its quantity lasts; None when neither can be told."""
    if line.days is not None:
        return line.days
    need = one_dose(line, card)
    return (
        supply.days_of_supply(line.quantity, need, FREQUENCIES[line.frequency]) if need and line.quantity > 0 else None
    )


def one_dose(line: Line, card: ProductCard) -> Fraction | None:
    """How many base units one dose is; None when dose, unit or frequency do not tell."""
    if line.frequency not in FREQUENCIES or not line.dose or line.dose <= 0:
        return None
    return supply.base_units(Decimal(line.dose), line.dose_unit, card.base_unit, card.spec)


def _of_sheet(number: int, sheet: Sheet, cards: Mapping[int, ProductCard], limits: Limits) -> Iterator[Broken]:
    products = [line.product_id for line in sheet.lines]
    if sheet.kind == "WESTERN" and len(set(products)) > limits.drugs:
        yield Broken(number, None, words("一张处方最多 {n} 种药，请把多出的移到另一张", n=limits.drugs))
    for at, product in enumerate(products):
        if sheet.kind == "WESTERN" and product in products[:at]:
            yield Broken(number, at, words("同一种药只写一行，请合并数量"))
    wanted = {TAG_OF.get(cards[one].special_class or "", "") for one in products if one in cards}
    if len(wanted) > 1:
        yield Broken(number, None, words("麻醉药品和精神药品要单独开一张处方"))
    elif wanted - {"", sheet.tag}:
        yield Broken(number, None, words("麻醉药品和精神药品要用专用处方，请改处方类别"))


def _of_line(
    sheet: Sheet, line: Line, card: ProductCard, limits: Limits, *, narcotics: bool
) -> Iterator[tuple[Words, int | None]]:
    special, days = card.special_class or "", days_of(line, card)
    if special in STRICT and not narcotics:
        yield words("您没有麻醉药品和第一类精神药品处方权"), None
    if sheet.long_term and special in NEVER_LONG and special not in STRICT:
        yield words("这种药不能开长期处方"), None
    if special in STRICT and days is None:
        yield words("要写天数"), None
    if days is None:
        return
    most, why = _most_days(sheet, card, limits)
    if days > most:
        yield why, most


def _most_days(sheet: Sheet, card: ProductCard, limits: Limits) -> tuple[int, Words]:
    """The most days of a drug on this sheet, and what is said of more."""
    special, reasoned = card.special_class or "", bool(sheet.reason.strip())
    if special in STRICT:
        most = STRICT_DAYS[_form(card)][sheet.long_term and reasoned]
        return most, words("麻醉药品和第一类精神药品这种剂型最多 {n} 天", n=most)
    if special == "TOXIC":
        return TOXIC_DAYS, words("毒性药品每张处方最多 {n} 天", n=TOXIC_DAYS)
    if sheet.long_term and reasoned:
        return limits.long_days, words("长期处方最多 {n} 天", n=limits.long_days)
    if reasoned:
        return limits.month_days, words("超过 {n} 天要按长期处方开，并写明评估理由", n=limits.month_days)
    most = limits.emergency_days if sheet.tag == "emergency" else limits.days
    return most, words("超过 {n} 天要写明理由（慢性病、老年病或特殊情况），或改为 {n} 天", n=most)


def _form(card: ProductCard) -> str:
    text = card.dosage_form + card.generic_name
    if "注射" in text:
        return "injection"
    return "slow" if "缓释" in text or "控释" in text else "other"


def _of_herbs(number: int, sheet: Sheet, cards: Mapping[int, ProductCard], limits: Limits) -> Iterator[Broken]:
    if sheet.doses and sheet.doses > limits.herb_doses:
        yield Broken(number, None, words("饮片一张处方最多 {n} 剂", n=limits.herb_doses))
    toxic = [cards[line.product_id] for line in sheet.lines if line.product_id in cards]
    controlled = [card for card in toxic if card.special_class == "TOXIC" or is_controlled(card.generic_name)]
    if controlled and sheet.doses and sheet.doses > TOXIC_DAYS:
        name = controlled[0].generic_name
        yield Broken(number, None, words("{herb}是毒性药品，最多 {n} 剂", herb=name, n=TOXIC_DAYS))
