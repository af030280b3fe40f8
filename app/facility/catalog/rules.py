"""What a product is, on plain values: its vocabulary, its limits, its digest. No database, no web."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from app.core.errors import words
from app.facility.catalog.pinyin import SearchKeys, search_keys

RX_CLASSES = {
    "RX": "处方药",
    "OTC_A": "甲类非处方药",
    "OTC_B": "乙类非处方药",
    "DEVICE": "医疗器械",
    "FOOD": "食品保健品",
    "HERB": "中药饮片",
    "SERVICE": "诊疗项目",
    "OTHER": "其他",
}
STORAGES = {"NORMAL": "常温", "COOL": "阴凉", "COLD": "冷藏", "FROZEN": "冷冻"}
SPECIAL_CLASSES = {
    "NARCOTIC": "麻醉药品",
    "PSYCHOTROPIC_1": "第一类精神药品",
    "PSYCHOTROPIC_2": "第二类精神药品",
    "TOXIC": "医疗用毒性药品",
    "EPHEDRINE": "含麻黄碱类复方制剂",
    "SPECIAL_COMPOUND": "含特殊药品复方制剂",
}
INSURANCE_CLASSES = {"A": "甲类", "B": "乙类", "C": "丙类（自费）"}
STATES = {"active": "在用", "stopped": "停用"}
DRUGS = frozenset({"RX", "OTC_A", "OTC_B"})
HERB_UNITS_A_GRAM = 100  # Herbs are counted in 0.01 g.
HERB_BASE_UNIT = "0.01克"

MOST_PRICE = Decimal("9999999.999999")
MOST_PACK_SIZE = 1_000_000
LONGEST = {
    "code": 60,
    "generic_name": 200,
    "trade_name": 200,
    "spec": 200,
    "dosage_form": 100,
    "maker": 300,
    "approval_number": 100,
    "national_code": 60,
    "barcode": 30,
    "pack_unit": 20,
    "base_unit": 20,
}
LABELS = {
    "code": "商品编码",
    "generic_name": "通用名",
    "trade_name": "商品名",
    "spec": "规格",
    "dosage_form": "剂型",
    "maker": "生产企业",
    "approval_number": "批准文号",
    "national_code": "医保编码",
    "barcode": "条码",
    "pack_unit": "包装单位",
    "base_unit": "最小单位",
    "pack_size": "每包装数量",
    "split_allowed": "可拆零",
    "rx_class": "处方类别",
    "storage": "贮藏条件",
    "special_class": "特殊管理",
    "high_alert": "高警示",
    "insurance_class": "医保类别",
    "selfpay_share": "先行自付比例",
    "ceiling_price": "支付限价",
    "trace_required": "必采追溯码",
    "volume_purchase": "集采",
    "expiry_warning_days": "近效期提醒天数",
    "pack_price": "零售价",
    "split_price": "拆零价",
}
_BARCODE = re.compile(r"^[0-9A-Z-]{6,30}$")
_SPACES = re.compile(r"\s+")
_FIRST_PRINTABLE = 32


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A product as a person or a file describes it, before it has an id."""

    code: str
    generic_name: str
    trade_name: str = ""
    spec: str = ""
    dosage_form: str = ""
    maker: str = ""
    approval_number: str = ""
    national_code: str | None = None
    barcode: str | None = None
    pack_unit: str = "盒"
    base_unit: str = "盒"
    pack_size: int = 1
    split_allowed: bool = False
    rx_class: str = "RX"
    storage: str = "NORMAL"
    special_class: str | None = None
    high_alert: bool = False
    insurance_class: str | None = None
    selfpay_share: Decimal | None = None
    ceiling_price: Decimal | None = None
    trace_required: bool = True
    volume_purchase: bool = False
    expiry_warning_days: int = 180


FIELDS = tuple(field.name for field in fields(ProductDraft))
UNITS = ("pack_unit", "base_unit", "pack_size")


def plain(text: str) -> str:
    """Make text comparable: full-width forms folded, invisible characters gone, one space for many, none at the ends."""
    return tidy(unicodedata.normalize("NFKC", text))


def tidy(text: str) -> str:
    """Keep text as written, without invisible characters and with single spaces."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _SPACES.sub(" ", "".join(" " if _is_invisible(c) else c for c in text)).strip()


def facts(draft: ProductDraft) -> dict[str, Any]:
    """Return the draft as JSON can carry it; decimals as text without idle zeros."""
    values = ((name, getattr(draft, name)) for name in FIELDS)
    return {name: number_text(value) if isinstance(value, Decimal) else value for name, value in values}


def digest(draft: ProductDraft) -> str:
    """Return a fingerprint of everything the draft says; equal facts, equal digest."""
    body = json.dumps(facts(draft), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def keys(draft: ProductDraft) -> SearchKeys:
    """Return what the draft is found by."""
    others = (draft.code, draft.national_code, draft.barcode, draft.spec, draft.approval_number, draft.maker)
    return search_keys(draft.generic_name, draft.trade_name, [plain(other) for other in others if other])


def number_text(value: Decimal) -> str:
    """1.500000 -> 1.5; never an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_of(text: str) -> Decimal | None:
    """Read a price as typed: 12.5, 1,200.00, ¥8, full-width digits. None when it is no price within the limits."""
    written = plain(text).replace(",", "").removeprefix("¥").removesuffix("元").strip()
    try:
        price = Decimal(written)
    except InvalidOperation:
        return None
    if not price.is_finite() or not 0 <= price <= MOST_PRICE:
        return None
    return price if price == price.quantize(Decimal("0.000001")) else None


def tidied(draft: ProductDraft) -> ProductDraft:
    """Return the draft without stray spaces, with empty codes as none and the units a herb must have."""
    texts = {name: tidy(value) for name in FIELDS if isinstance(value := getattr(draft, name), str)}
    for name in ("national_code", "barcode", "special_class", "insurance_class"):
        texts[name] = texts.get(name) or None  # type: ignore[assignment]
    return replace(draft, **texts)  # type: ignore[arg-type]


def wrongs(draft: ProductDraft) -> list[tuple[str, str]]:
    """Return what keeps a draft from being a product, as (field, why) in Chinese."""
    return [*_wrong_texts(draft), *_wrong_numbers(draft), *_wrong_words(draft)]


def _wrong_texts(draft: ProductDraft) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = [
        (name, words("不能为空"))
        for name in ("code", "generic_name", "pack_unit", "base_unit")
        if not getattr(draft, name)
    ]
    found += [
        (name, words("不能超过 {most} 个字", most=most))
        for name, most in LONGEST.items()
        if len(getattr(draft, name) or "") > most
    ]
    if draft.barcode and not _BARCODE.match(draft.barcode):
        found.append(("barcode", words("应是 6 到 30 位数字或大写字母")))
    return found


def _wrong_numbers(draft: ProductDraft) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not 1 <= draft.pack_size <= MOST_PACK_SIZE:
        found.append(("pack_size", words("应是 1 到 {most} 的整数", most=MOST_PACK_SIZE)))
    if draft.selfpay_share is not None and not 0 <= draft.selfpay_share <= 1:
        found.append(("selfpay_share", words("应在 0% 到 100% 之间")))
    if draft.ceiling_price is not None and not 0 < draft.ceiling_price <= MOST_PRICE:
        found.append(("ceiling_price", words("应大于 0")))
    if not 0 <= draft.expiry_warning_days <= 3650:
        found.append(("expiry_warning_days", words("应在 0 到 3650 天之间")))
    if draft.split_allowed and draft.pack_size == 1:
        found.append(("split_allowed", words("每包装只有 1 个最小单位，不能拆零")))
    return found


def _wrong_words(draft: ProductDraft) -> list[tuple[str, str]]:
    allowed = (
        ("rx_class", RX_CLASSES),
        ("storage", STORAGES),
        ("special_class", SPECIAL_CLASSES),
        ("insurance_class", INSURANCE_CLASSES),
    )
    return [
        (name, words("不在可选范围内"))
        for name, choices in allowed
        if (value := getattr(draft, name)) is not None and value not in choices
    ]


def _is_invisible(character: str) -> bool:
    return ord(character) < _FIRST_PRINTABLE or unicodedata.category(character) in {
        "Cc",
        "Cf",
        "Zs",
        "Zl",
        "Zp",
        "Cs",
        "Co",
        "Cn",
    }
