"""The desk's form as it is sent: read into a draft, whatever is half written; figures are reckoned where they are left out."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import msgspec

from app.core.errors import WrongInput
from app.facility.clinic.desk.limits import one_dose
from app.facility.clinic.desk.rules import (
    DIAGNOSES,
    KINDS,
    LONGEST_TEXT,
    MOST_DIAGNOSES,
    MOST_LINES,
    MOST_SHEETS,
    TAGS,
    Content,
    Diagnosis,
    Line,
    Record,
    Sheet,
)
from app.facility.clinic.terms import supply
from app.facility.clinic.terms.dictionaries import FREQUENCIES, HANDLINGS, ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import MultiDict

    from app.facility.catalog.queries import ProductCard

TEXTS = ("complaint", "history", "past", "exam", "advice")
VITALS = ("bp", "hr", "temp", "weight")
LINE_FIELDS = (
    "sheet", "product", "dose", "unit", "frequency", "route", "days", "quantity", "split", "handling", "group", "skin", "note",
)  # fmt: skip
SKIN_TESTED = (
    "青霉素",
    "西林",
    "破伤风抗毒素",
    "抗蛇毒",
    "普鲁卡因",
)  # A test on the skin goes before the first dose (皮试).
MOST_GROUPS, MOST_NOTE = 9, 40
_DOSE = re.compile(r"\d{1,6}(\.\d{1,4})?", re.ASCII)


def read(form: MultiDict[str, str], cards: Mapping[int, ProductCard]) -> Content:
    """Read what is written. Raises WrongInput when the page is not whole."""
    lines = _lines(form, cards)
    return Content(_record(form), _diagnoses(form), _sheets(form, lines))


def products_of(form: MultiDict[str, str]) -> set[int]:
    """The products a form names, also the one that is added."""
    return {int(text) for text in [*form.getlist("line_product"), form.get("add", "")] if _is_id(text)}


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _record(form: MultiDict[str, str]) -> Record:
    told = {name: form.get(name, "").strip()[:LONGEST_TEXT] for name in TEXTS}
    vitals = {name: text for name in VITALS if (text := form.get(name, "").strip()[:20])}
    pregnancy = form.get("pregnancy", "")
    return Record(
        **told, vitals=vitals, pregnancy=pregnancy if pregnancy in {"no", "yes", "lactating"} else "", next_on=_day(form.get("next_on", "")),
    )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _diagnoses(form: MultiDict[str, str]) -> tuple[Diagnosis, ...]:
    fields = zip(form.getlist("dx_kind"), form.getlist("dx_code"), form.getlist("dx_name"), strict=False)
    return tuple(
        Diagnosis(kind, code[:30], name[:100])
        for kind, code, name in list(fields)[:MOST_DIAGNOSES]
        if kind in DIAGNOSES and name
    )


def _columns(form: MultiDict[str, str], prefix: str, names: tuple[str, ...], most: int) -> list[dict[str, str]]:
    columns = [form.getlist(f"{prefix}_{name}") for name in names]
    if len({len(column) for column in columns}) > 1 or len(columns[0]) > most:
        raise WrongInput(what="处方", why="页面不完整，请刷新后重填")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _sheets(form: MultiDict[str, str], lines: Mapping[str, list[Line]]) -> tuple[Sheet, ...]:
    made = []
    for row in _columns(form, "sheet", ("id", "kind", "tag", "doses", "usage", "reason", "long"), MOST_SHEETS):
        if row["kind"] not in KINDS or row["tag"] not in TAGS or not lines.get(row["id"]):
            continue  # A sheet whose last line was taken off ends.
        made.append(
            Sheet(
                _uuid(row["id"]), row["kind"], tuple(lines[row["id"]]), row["tag"], _doses(row), row["usage"].strip()[:100], row["long"] == "1",
                row["reason"].strip()[:200],
            )
        )  # fmt: skip
    return tuple(made)


def _doses(row: Mapping[str, str]) -> int | None:
    return max(1, min(_whole(row["doses"]) or 7, 99)) if row["kind"] == "HERB" else None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise WrongInput(what="处方", why="页面不完整，请刷新后重填") from None


def _lines(form: MultiDict[str, str], cards: Mapping[int, ProductCard]) -> dict[str, list[Line]]:
    doses = {
        row["id"]: _doses(row) for row in _columns(form, "sheet", ("id", "kind", "doses"), MOST_SHEETS)
    }  # fmt: skip
    made: dict[str, list[Line]] = {}
    for row in _columns(form, "line", LINE_FIELDS, MOST_LINES * 2):
        card = cards.get(int(row["product"])) if _is_id(row["product"]) else None
        if card is not None:
            made.setdefault(row["sheet"], []).append(_line(row, card, doses.get(row["sheet"])))
    return made


def _line(row: Mapping[str, str], card: ProductCard, doses: int | None) -> Line:
    days = _whole(row["days"])
    line = Line(
        card.id, 0, split=row["split"] == "1" and card.split_allowed, dose=_decimal(row["dose"]), dose_unit=row["unit"].strip()[:10],
        frequency=row["frequency"] if row["frequency"] in FREQUENCIES else "", route=row["route"] if row["route"] in ROUTES else "",
        days=days if days and days <= 366 else None, handling=row["handling"] if row["handling"] in HANDLINGS else "",
        group_no=min(_whole(row["group"]) or 0, MOST_GROUPS), skin_test=row["skin"] == "1", note=row["note"].strip()[:MOST_NOTE],
    )  # fmt: skip
    return msgspec.structs.replace(line, quantity=_quantity(row["quantity"], line, card, doses))


def _quantity(written: str, line: Line, card: ProductCard, doses: int | None) -> int:
    """In base units: herbs by grams and doses; as written in packs; else as dose, frequency and days ask; else one pack."""
    if doses is not None:
        unit = 100 if card.base_unit == "0.01克" else 1
        return int((line.dose or Decimal(0)) * unit * doses)
    typed, size = _whole(written), 1 if line.split else card.pack_size
    if typed is not None:
        return typed * size
    need = one_dose(line, card)
    if need is None or line.days is None:
        return size
    wanted = supply.quantity_for(line.days, need, FREQUENCIES[line.frequency])
    return supply.quantity_to_sell(wanted, card.pack_size, split_allowed=line.split)


def _whole(text: str) -> int | None:
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and int(plain[:7]) > 0 and len(plain) < 7 else None


def _decimal(text: str) -> Decimal | None:
    return Decimal(text.strip()) if _DOSE.fullmatch(text.strip()) and Decimal(text.strip()) > 0 else None


def add(content: Content, card: ProductCard, kind: str, most: int) -> Content:
    """Put a product on the last sheet of its kind that has room, else on a new one; a herb that stands there already stays one line."""
    line = _first_line(card, kind)
    if kind == "INFUSION":  # One more of the group that is being written.
        last = next((sheet.lines[-1] for sheet in reversed(content.sheets) if sheet.kind == kind), None)
        line = msgspec.structs.replace(
            line,
            group_no=last.group_no if last else 1,
            frequency=last.frequency if last else "qd",
            days=last.days if last else 1,
        )
    at = next((n for n in range(len(content.sheets) - 1, -1, -1) if content.sheets[n].kind == kind), None)
    if at is None or (kind == "WESTERN" and len(content.sheets[at].lines) >= most):
        sheet = Sheet(uuid4(), kind, (line,), doses=7 if kind == "HERB" else None)
        return msgspec.structs.replace(content, sheets=(*content.sheets, sheet))
    sheet = msgspec.structs.replace(content.sheets[at], lines=(*content.sheets[at].lines, line))
    return msgspec.structs.replace(content, sheets=(*content.sheets[:at], sheet, *content.sheets[at + 1 :]))


def _first_line(card: ProductCard, kind: str) -> Line:
    if kind == "HERB":
        return Line(card.id, 0, dose_unit="g")
    if card.rx_class == "SERVICE":
        return Line(card.id, card.pack_size)
    injected = "注射" in card.generic_name + card.dosage_form
    route = ("ivgtt" if kind == "INFUSION" else "im") if injected or kind == "INFUSION" else "po"
    tested = injected and any(stem in card.generic_name for stem in SKIN_TESTED)
    return Line(card.id, card.pack_size, dose_unit=card.base_unit, route=route, skin_test=tested)


def drop(content: Content, sheet: int, line: int) -> Content:
    """Take a line off; with its last line the sheet goes."""
    sheets = []
    for n, one in enumerate(content.sheets):
        left = tuple(each for at, each in enumerate(one.lines) if (n, at) != (sheet, line))
        if left:
            sheets.append(msgspec.structs.replace(one, lines=left))
    return msgspec.structs.replace(content, sheets=tuple(sheets))
