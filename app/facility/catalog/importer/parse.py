"""One row of a file turned into what it says of a product, with everything that was wrong or had to be guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.facility.catalog import rules
from app.facility.catalog.importer import names, words
from app.facility.catalog.importer.columns import FILE_FIELDS, named_cells
from app.facility.catalog.importer.problems import problem
from app.facility.catalog.rules import HERB_BASE_UNIT, HERB_UNITS_A_GRAM, RX_CLASSES, STORAGES, number_text, plain, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

FORMULA_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
PLAIN_TEXTS = ("code", "spec", "dosage_form", "maker", "approval_number", "pack_unit", "base_unit", "trade_name")
FLAGS = ("split_allowed", "high_alert", "trace_required", "volume_purchase")
PRICES = ("pack_price", "split_price", "ceiling_price")
_SCIENTIFIC = re.compile(r"^\d(\.\d+)?[eE]\+?\d{1,2}$")
_DEVICE_NAMES = re.compile(
    r"避孕套|安全套|体温计|额温计|创[可口]贴|试[纸笔盒]|退热贴|绷带|纱布|棉签|口罩|护理液|血压计|血糖|注射器|润滑|套\(|乳胶"
)
_DEVICE_NUMBERS = re.compile(r"械|药监械|食药监械")
_FOOD_NUMBERS = re.compile(r"食健|卫食健|^SC\d|^QS")
_FOOD_NAMES = re.compile(r"糖$|饮料|蛋白粉|保健食品")
_DRUG_NUMBERS = re.compile(r"国药准字|^[HZSBJT]C?\d{5,}|^注册证|医药产品注册证|^国药试字")


@dataclass(slots=True)
class Said:
    """What a row says (given), what was assumed for want of it, and its problems."""

    given: dict[str, Any] = field(default_factory=dict)
    assumed: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)

    def add(self, code: str, **facts: Any) -> None:
        """Note a problem."""
        self.problems.append(problem(code, **facts))

    def as_json(self) -> dict[str, Any]:
        """Return what is stored with the row."""
        return {"given": self.given, "assumed": self.assumed}


def parse_row(row: Sequence[str], mapping: Mapping[str, str], default_rx: str = "") -> Said:
    """Read one row. Never raises; what cannot be read becomes a problem."""
    said = Said()
    cells = _clean_cells(named_cells(row, mapping), said)
    _names(cells, said, has_spec_column="spec" in mapping.values())
    for name in PLAIN_TEXTS:
        if name in cells:
            said.given[name] = cells[name]
    if "trade_name" in cells:
        said.given["trade_name"] = names.brand_of(cells["trade_name"], said.given.get("generic_name", ""))
    _composed_spec(cells, said)
    _codes(cells, said)
    _insurance(cells, said)
    _flags_and_words(cells, said)
    _prices(cells, said)
    _numbers(cells, said)
    _assume_class(cells, said, default_rx)
    _assume_units(said)
    return said


def _clean_cells(cells: dict[str, str], said: Said) -> dict[str, str]:
    clean = {}
    for name, raw in cells.items():
        value = tidy(raw)
        if value in FORMULA_ERRORS or (value.startswith("=") and len(value) > 1):
            said.add("formula_error", field=FILE_FIELDS[name], value=value[:60])
            continue
        if value != raw:
            said.add("spaces_removed", field=FILE_FIELDS[name])
        clean[name] = value
    return clean


def _names(cells: dict[str, str], said: Said, *, has_spec_column: bool) -> None:
    written = cells.get("generic_name") or cells.get("labelled_name")
    if not written:
        said.add("name_missing")
        return
    name = names.take_apart(written, with_spec=not has_spec_column)
    said.given["generic_name"] = name.generic or written
    if name.brand:
        said.given["trade_name"] = name.brand
    if name.spec:
        said.given["spec"] = name.spec
    if name.brand or name.spec:
        said.add(
            "name_split", value=written, name=said.given["generic_name"], brand=name.brand or "—", spec=name.spec or "—"
        )
    label = names.take_apart(cells["labelled_name"], with_spec=False) if "labelled_name" in cells else name
    if label.mark:
        _give_insurance(said, label.mark, (label.insurance_class or "B", label.share))
    elif "labelled_name" in cells:
        said.add("mark_unread", value=cells["labelled_name"][:60])


def _composed_spec(cells: dict[str, str], said: Said) -> None:
    """0.5 + g + 100 + 片 + 瓶 in five columns is 0.5g*100片/瓶."""
    if "spec" in said.given or "dose" not in cells:
        return
    text = f"{cells['dose']}{cells.get('dose_unit', '')}"
    if "pack_size" in cells:
        text += f"*{cells['pack_size']}{cells.get('base_unit', '')}"
    if "pack_unit" in cells:
        text += f"/{cells['pack_unit']}"
    said.given["spec"] = text


def _codes(cells: dict[str, str], said: Said) -> None:
    if national := plain(cells.get("national_code", "")).upper().replace(" ", ""):
        said.given["national_code"] = national
        if (national[0] == "X" and len(national) != 23) or (national[0] == "Z" and len(national) != 20):
            said.add("national_code_odd", value=national, length=len(national))
    barcode = plain(cells.get("barcode", "")).upper().replace(" ", "")
    if not barcode:
        return
    if _SCIENTIFIC.match(barcode):
        said.add("barcode_scientific", value=barcode)
    elif not re.fullmatch(r"[0-9A-Z-]{6,30}", barcode):
        said.add("barcode_wrong", value=barcode[:60])
    else:
        said.given["barcode"] = barcode
        if not words.is_barcode_sound(barcode):
            said.add("barcode_check", value=barcode)


def _insurance(cells: dict[str, str], said: Said) -> None:
    if written := cells.get("insurance_class"):
        if read := words.insurance(written):
            _give_insurance(said, written, read)
        else:
            said.add("class_unknown", value=written[:60])
    if written := cells.get("selfpay_share"):
        part = words.share(written)
        if part is None:
            said.add("share_unreadable", value=written[:60])
        else:
            said.given["selfpay_share"] = number_text(part)


def _give_insurance(said: Said, written: str, read: tuple[str, Decimal | None]) -> None:
    letter, part = read
    said.given["insurance_class"] = letter
    said.given["selfpay_share"] = None if part is None else number_text(part)
    if written not in {"甲类", "乙类", "丙类"}:
        shown = "—" if part is None else f"{number_text(part * 100)}%"
        said.add("class_cleaned", value=written, result=rules.INSURANCE_CLASSES[letter], share=shown)


def _flags_and_words(cells: dict[str, str], said: Said) -> None:
    for name in FLAGS:
        if name in cells:
            answer = words.yes_or_no(cells[name])
            if answer is None:
                said.add("word_unknown", field=FILE_FIELDS[name], value=cells[name][:60], result="否")
            said.given[name] = bool(answer)
    for name, read, shown in (
        ("storage", words.storage, STORAGES["NORMAL"]),
        ("special_class", words.special_class, "无"),
    ):
        if name in cells and cells[name] not in {"无", "否", "普通"}:
            found = read(cells[name])
            if found is None:
                said.add("word_unknown", field=FILE_FIELDS[name], value=cells[name][:60], result=shown)
            else:
                said.given[name] = found


def _prices(cells: dict[str, str], said: Said) -> None:
    for name in PRICES:
        if name not in cells:
            continue
        price = rules.price_of(cells[name])
        if price is not None:
            said.given[name] = number_text(price)
        elif plain(cells[name]).startswith("-") and rules.price_of(plain(cells[name])[1:]) is not None:
            said.add("price_negative", field=FILE_FIELDS[name], value=cells[name][:60])
        else:
            said.add("price_unreadable", field=FILE_FIELDS[name], value=cells[name][:60])
    if said.given.get("ceiling_price") == "0":
        del said.given["ceiling_price"]


def _numbers(cells: dict[str, str], said: Said) -> None:
    for name in ("pack_size", "expiry_warning_days"):
        if name in cells:
            number = words.whole(cells[name])
            if number is None:
                said.add("number_unreadable", field=FILE_FIELDS[name], value=cells[name][:60])
            else:
                said.given[name] = number


def _assume_class(cells: dict[str, str], said: Said, default_rx: str) -> None:
    written = cells.get("rx_class")
    found = words.rx_class(written) if written else None
    if found:
        said.given["rx_class"] = found
    else:
        guess, basis = _guess_class(cells, said, default_rx)
        said.assumed["rx_class"] = guess
        if written:
            said.add("word_unknown", field=FILE_FIELDS["rx_class"], value=written[:60], result=RX_CLASSES[guess])
        else:
            said.add("rx_guessed", basis=basis, result=RX_CLASSES[guess])
    rx = found or said.assumed["rx_class"]
    said.assumed["trace_required"] = rx in rules.DRUGS


def _guess_class(cells: dict[str, str], said: Said, default_rx: str) -> tuple[str, str]:
    number = said.given.get("approval_number", "")
    name = said.given.get("generic_name", "")
    kind = cells.get("goods_type", "")
    if words.rx_class(kind) in {"HERB", "DEVICE", "FOOD"}:
        return words.rx_class(kind) or "OTHER", "药品类型"
    if (said.given.get("national_code") or "").startswith("T"):
        return "HERB", "医保编码"
    if _DEVICE_NUMBERS.search(number) or (not number and _DEVICE_NAMES.search(name)):
        return "DEVICE", "批准文号" if number else "名称"
    if _FOOD_NUMBERS.search(number) or (not number and _FOOD_NAMES.search(name)):
        return "FOOD", "批准文号" if number else "名称"
    if default_rx:
        return default_rx, "本次导入的选择"
    return "RX", "批准文号" if _DRUG_NUMBERS.search(number) else "从严原则"


def _assume_units(said: Said) -> None:
    """Fill in units the file does not state, from the specification; a herb is counted in 0.01 g."""
    given, assumed = said.given, said.assumed
    rx = given.get("rx_class") or assumed["rx_class"]
    if rx == "HERB" and given.get("pack_unit", "g").lower() in {"g", "克"} and "pack_size" not in given:
        assumed.update(pack_unit="克", base_unit=HERB_BASE_UNIT, pack_size=HERB_UNITS_A_GRAM, split_allowed=True)
        given.pop("pack_unit", None)
        return
    if "pack_unit" not in given:
        assumed["pack_unit"] = "盒"
        said.add("unit_missing")
    unit = given.get("pack_unit") or "盒"
    if "pack_size" in given:
        assumed["base_unit"] = unit if given["pack_size"] == 1 else "个"
    elif found := names.pack_of(given.get("spec", ""), given.get("generic_name", ""), unit):
        assumed["pack_size"], assumed["base_unit"] = found
        said.add(
            "pack_from_spec", value=given["spec"], unit=unit, size=found[0], base=given.get("base_unit") or found[1]
        )
    else:
        assumed.update(pack_size=1, base_unit=unit)
        given.pop("base_unit", None)
        if given.get("split_allowed"):
            given["split_allowed"] = False
        said.add("pack_unknown", value=given.get("spec", ""), unit=unit)
