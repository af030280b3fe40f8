"""What a doctor writes, on plain values: record, diagnoses, sheets and their lines, and what they come to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import msgspec

from app.core.errors import words
from app.core.money import fen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.errors import Words
    from app.facility.catalog.queries import ProductCard

KINDS = {
    "WESTERN": "西药和中成药",
    "HERB": "中药饮片",
    "INFUSION": "输液注射",
    "TREATMENT": "治疗",
    "TEST": "检查检验",
    "FEE": "诊查费",
}
TAGS = {"ordinary": "普通", "emergency": "急诊", "paediatric": "儿科", "psychotropic_2": "精二", "narcotic": "麻、精一"}
DIAGNOSES = {"WESTERN": "西医诊断", "TCM_DISEASE": "中医病名", "TCM_SYNDROME": "中医证候"}
MEDICINES = frozenset({"WESTERN", "HERB", "INFUSION"})  # What a pharmacist reviews and dispenses.
MOST_SHEETS, MOST_LINES, MOST_DIAGNOSES = 12, 60, 12
LONGEST_TEXT = 4000


class Record(msgspec.Struct, frozen=True):
    """The record of a visit (门诊病历): what is told, found and advised. Vital signs as the field's names: bp, hr, temp, weight …"""

    complaint: str = ""
    history: str = ""
    past: str = ""
    exam: str = ""
    advice: str = ""
    vitals: dict[str, str] = {}
    pregnancy: str = ""  # "", no, yes, lactating
    next_on: date | None = None


class Diagnosis(msgspec.Struct, frozen=True):
    """A diagnosis; the first of its kind is the main one."""

    kind: str
    code: str
    name: str


class Line(msgspec.Struct, frozen=True):
    """One product or service on a sheet: how much of it in base units for all doses together, and how it is taken."""

    product_id: int
    quantity: int
    split: bool = False
    dose: Decimal | None = None
    dose_unit: str = ""
    frequency: str = ""
    route: str = ""
    days: int | None = None
    group_no: int = 0
    handling: str = ""
    skin_test: bool = False
    self_paid: bool = False
    note: str = ""


class Sheet(msgspec.Struct, frozen=True):
    """One sheet: all its lines are of one kind. `doses` are those of herbs (剂)."""

    id: UUID
    kind: str
    lines: tuple[Line, ...]
    tag: str = "ordinary"
    doses: int | None = None
    usage: str = ""
    long_term: bool = False
    reason: str = ""


class Content(msgspec.Struct, frozen=True):
    """All that a doctor writes at one visit."""

    record: Record = Record()
    diagnoses: tuple[Diagnosis, ...] = ()
    sheets: tuple[Sheet, ...] = ()


def begin(visit_id: UUID, visit_service_id: int, fee_units: int) -> Content:
    """What stands on the desk before anything is written: the fee of the visit (诊查费), which the doctor may take off."""
    sheet = Sheet(uuid5(visit_id, "fee"), "FEE", (Line(visit_service_id, fee_units),))
    return Content(sheets=(sheet,))


def price_of(card: ProductCard, *, split: bool) -> Decimal | None:
    """The price of a pack, or of a base unit: its own, else the pack's share at six places (DOMAIN 1.6 rule 2)."""
    if not split or card.pack_price is None:
        return card.pack_price
    return card.split_price if card.split_price else (card.pack_price / card.pack_size).quantize(Decimal("0.000001"))


def units_of(line: Line, card: ProductCard) -> Decimal:
    """How many times the price is paid."""
    return Decimal(line.quantity) if line.split else Decimal(line.quantity) / card.pack_size


def amount_fen(line: Line, card: ProductCard) -> int:
    """What a line comes to, half up once."""
    price = price_of(card, split=line.split)
    return fen(price, units_of(line, card)) if price is not None else 0


def problem(content: Content, cards: Mapping[int, ProductCard]) -> Words | str | None:
    """What keeps a visit from being signed, whatever the site's limits: missing parts, wrong kinds, unknown products."""
    if not content.record.complaint.strip():
        return words("病历要有主诉")
    if not any(one.kind == "WESTERN" for one in content.diagnoses):
        return words("至少要有一个西医诊断")
    if len(content.diagnoses) > MOST_DIAGNOSES or len(content.sheets) > MOST_SHEETS:
        return words("诊断最多 {a} 个，处方和治疗单最多 {b} 张", a=MOST_DIAGNOSES, b=MOST_SHEETS)
    if any(len(text) > LONGEST_TEXT for text in _texts(content.record)):
        return words("病历每一栏最多 {n} 个字", n=LONGEST_TEXT)
    for number, sheet in enumerate(content.sheets, 1):
        if why := _sheet_problem(sheet, cards):
            return words("第 {n} 张{kind}：{why}", n=number, kind=words(KINDS.get(sheet.kind, "单子")), why=why)
    return None


def _texts(record: Record) -> tuple[str, ...]:
    return record.complaint, record.history, record.past, record.exam, record.advice


def _sheet_problem(sheet: Sheet, cards: Mapping[int, ProductCard]) -> Words | str | None:
    if sheet.kind not in KINDS or sheet.tag not in TAGS or not 1 <= len(sheet.lines) <= MOST_LINES:
        return words("要有 1 到 {n} 行", n=MOST_LINES)
    if (sheet.kind == "HERB") != (sheet.doses is not None) or (sheet.doses is not None and not 1 <= sheet.doses <= 99):
        return words("饮片要写剂数")
    for line in sheet.lines:
        card = cards.get(line.product_id)
        if card is None or card.state != "active":
            return words("有药品或项目不在目录里，或已停用")
        if why := _line_problem(sheet, line, card):
            return words("{name}{why}", name=card.generic_name, why=why)
    return None


def _line_problem(sheet: Sheet, line: Line, card: ProductCard) -> Words | None:
    service, herb = card.rx_class == "SERVICE", card.rx_class == "HERB"
    broken = not line.split and not herb and line.quantity % card.pack_size
    wrong = {
        words("不能开在这种单子上"): service
        if sheet.kind in {"WESTERN", "HERB"}
        else not service and sheet.kind != "INFUSION",
        words("：饮片要单独开一张处方"): herb != (sheet.kind == "HERB"),
        words("还没有定价"): price_of(card, split=line.split) is None,
        words("的数量不是整{unit}", unit=card.pack_unit): line.quantity < 1 or broken,
        words("不能拆零"): line.split and not card.split_allowed and not herb,
        words("的天数要在 1 到 366 之间"): line.days is not None and not 1 <= line.days <= 366,
    }
    return next((why for why, holds in wrong.items() if holds), None)
