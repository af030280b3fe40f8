"""What the columns of a file mean: guessed by header, then by content; a person has the last word."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.facility.catalog.rules import LABELS, plain, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What a file may say beyond the columns of a product.
FILE_FIELDS = {
    **LABELS,
    "labelled_name": "带医保标记的名称",
    "goods_type": "药品类型",
    "dose": "单剂含量",
    "dose_unit": "含量单位",
}
HEADERS: dict[str, tuple[str, ...]] = {
    "code": (
        "商品编码",
        "商品编号",
        "商品代码",
        "药品代码",
        "药品编码",
        "药品编号",
        "货号",
        "自编码",
        "机构编码",
        "院内编码",
        "drugcode",
    ),
    "generic_name": (
        "通用名",
        "药品通用名",
        "通用名称",
        "药品化学名",
        "化学名",
        "药品名称",
        "商品名称",
        "品名",
        "名称",
        "材料名称",
        "药品材料名称",
        "产品名称",
        "name",
        "drugname",
    ),
    "trade_name": ("商品名", "别称", "别名", "品牌", "商品品牌", "tradename"),
    "spec": ("规格", "药品规格", "规格型号", "包装规格", "型号", "spec"),
    "dosage_form": ("剂型", "药品剂型"),
    "maker": (
        "生产企业",
        "生产厂家",
        "生产厂商",
        "生产单位",
        "厂家",
        "厂家名称",
        "生产商",
        "上市许可持有人",
        "企业名称",
        "产地厂家",
        "maker",
    ),
    "approval_number": ("批准文号", "国药准字", "注册证号", "准字号", "药品批准文号", "备案号", "注册证号备案号"),
    "national_code": (
        "医保编码",
        "医保代码",
        "国家医保编码",
        "国家医保代码",
        "国家药品编码",
        "医保国家编码",
        "国家编码",
        "医保目录编码",
    ),
    "barcode": ("条码", "条形码", "商品条码", "69码", "国际条码", "barcode", "ean"),
    "pack_unit": ("单位", "包装", "包装单位", "销售单位", "计价单位", "大单位"),
    "base_unit": ("最小单位", "拆零单位", "制剂单位", "小单位", "剂量单位最小"),
    "pack_size": ("每包装数量", "包装数量", "换算", "转换系数", "比率", "拆零系数", "包装系数", "制剂", "最小包装数量"),
    "split_allowed": ("可拆零", "是否拆零", "拆零", "允许拆零", "是否零售"),
    "rx_class": ("处方类别", "处方分类", "是否处方药", "rxotc", "处方药标志", "otc", "otc标志"),
    "storage": ("贮藏条件", "贮藏", "储存条件", "存储条件", "储藏"),
    "special_class": ("特殊管理", "特殊药品", "特药类别", "麻精"),
    "high_alert": ("高警示", "高危", "高警示药品"),
    "insurance_class": ("医保类别", "医保类型", "医保等级", "甲乙类", "医保分类", "收费项目等级", "甲乙丙"),
    "selfpay_share": ("先行自付比例", "自付比例", "先自付比例"),
    "ceiling_price": ("支付限价", "医保限价", "医保支付标准", "限价", "支付标准"),
    "trace_required": ("必采追溯码", "追溯码", "是否追溯"),
    "volume_purchase": ("集采", "是否集采", "集采标志"),
    "expiry_warning_days": ("近效期提醒天数", "近效期天数", "效期预警"),
    "pack_price": ("零售价", "售价", "销售价", "单价", "价格", "对外销售价", "零售价元", "零售单价", "price"),
    "split_price": ("拆零价", "拆零单价", "最小单位价"),
    "goods_type": ("药品类型", "商品类型", "类型", "类别", "商品类别", "大类", "材料类型"),
    "dose": ("剂量", "含量"),
    "dose_unit": ("计量单位", "剂量单位", "含量单位"),
}
_MACHINE_NAME = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
_NOISE = re.compile(r"[\s*:：#·]|[(（【\[].*?[)）】\]]")
_LOOKS = (
    ("national_code", re.compile(r"^(X[A-Z0-9]{22}|Z[A-Z0-9]{19}|C[0-9]{19,26})$")),
    ("barcode", re.compile(r"^[0-9]{13}$")),
    ("approval_number", re.compile(r"^(国药准字|国食健|[国\u4e00-\u9fa5]械|H20|Z20)")),
    ("maker", re.compile(r"(公司|药厂|制药|集团|GmbH|Ltd\.?)$")),
    ("pack_unit", re.compile(r"^[盒瓶支袋罐板听套包条桶个]$")),
    ("spec", re.compile(r"^[0-9.]+\s*(mg|g|ml|ug|μg|IU|单位|万单位|片|粒|袋|贴).*", re.IGNORECASE)),
    ("pack_price", re.compile(r"^[0-9]{1,6}\.[0-9]{1,4}$")),
    ("generic_name", re.compile(r"^[\u4e00-\u9fa5【(（※▲].{1,40}(片|胶囊|颗粒|口服液|注射液|丸|膏|散|贴|套|液|粒|剂)")),
)
HEADER_SEARCH = 20
CONTENT_SAMPLE = 60
UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a kind of file may say: the headers of each field, and what its cells look like where the header says nothing."""

    name: str
    meanings: Mapping[str, str]
    looks: tuple[tuple[str, re.Pattern[str]], ...] = ()


def vocabulary(
    name: str, headers: Mapping[str, Sequence[str]], looks: tuple[tuple[str, re.Pattern[str]], ...] = ()
) -> Vocabulary:
    """Make the vocabulary of a kind of file; rooms that import something else have one of their own."""
    return Vocabulary(name, {header: field for field, texts in headers.items() for header in texts}, looks)


CATALOG = vocabulary("", HEADERS, _LOOKS)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the data begin and what each column is called."""

    header_row: int  # Counted from 1; 0 when the file has none.
    header: list[str]
    first_row: int
    signature: str


def find_layout(rows: Sequence[Sequence[str]], known: Vocabulary = CATALOG) -> Layout:
    """Find the header among the first rows: the row whose cells are known names. A row of machine names below it belongs to it."""
    width = max((len(row) for row in rows), default=0)
    scores = [sum(1 for cell in row if meaning(cell, known)) for row in rows[:HEADER_SEARCH]]
    best = max(range(len(scores)), key=lambda i: (scores[i], -i), default=0)
    if not scores or scores[best] == 0:
        return Layout(0, [f"第 {number + 1} 列" for number in range(width)], 1, _sign([f"columns:{width}"], known))
    header = [*(tidy(cell) for cell in rows[best]), *[""] * (width - len(rows[best]))]
    first = best + 2
    while first <= len(rows) and is_machine_row(rows[first - 1]):
        first += 1
    return Layout(best + 1, header, first, _sign(header, known))


def is_machine_row(row: Sequence[str]) -> bool:
    """Say whether a row under the header only repeats it for programs: goods_name, brand_name …"""
    filled = [cell for cell in row if cell]
    return len(filled) >= 3 and all(_MACHINE_NAME.match(cell) for cell in filled)


def meaning(header: str, known: Vocabulary = CATALOG) -> str:
    """Return the field a header names, "" when unknown."""
    bare = _NOISE.sub("", plain(header)).lower()
    return known.meanings.get(bare) or known.meanings.get(_NOISE.sub("", header).lower()) or UNKNOWN


def guess(header: Sequence[str], rows: Sequence[Sequence[str]], known: Vocabulary = CATALOG) -> dict[str, str]:
    """Return column index -> field. Each field once: what the header says first, then what the content looks like."""
    mapping: dict[str, str] = {}
    named = [meaning(cell, known) for cell in header]
    for index, field in enumerate(_resolved(header, named) if known is CATALOG else named):
        if field and field not in mapping.values():
            mapping[str(index)] = field
    for index in range(len(header)):
        if str(index) not in mapping and not named[index]:
            field = _by_content([row[index] for row in rows[:CONTENT_SAMPLE] if index < len(row) and row[index]], known)
            if field and field not in mapping.values():
                mapping[str(index)] = field
    return mapping


def _resolved(header: Sequence[str], named: Sequence[str]) -> list[str]:
    """Where two headers name one field, the more exact one keeps it and the other gets what it then means."""
    fields = list(named)
    names = [index for index, field in enumerate(named) if field == "generic_name"]
    exact = [index for index in names if "通用" in header[index] or "化学" in header[index]]
    if exact:
        for index in names:
            if index != exact[0]:
                fields[index] = "labelled_name"
    prices = [index for index, field in enumerate(named) if field == "pack_price"]
    if len(prices) > 1 and "split_allowed" in named:
        fields[prices[1]] = "split_price"
    return fields


def _by_content(values: Sequence[str], known: Vocabulary) -> str:
    if len(values) < 2:
        return UNKNOWN
    for field, look in known.looks:
        if sum(1 for value in values if look.search(value)) * 10 >= len(values) * 8:
            return field
    return UNKNOWN


def named_cells(row: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return a row's non-empty cells by field, as written."""
    return {
        field: row[int(index)] for index, field in mapping.items() if int(index) < len(row) and row[int(index)].strip()
    }


def _sign(header: Sequence[str], known: Vocabulary) -> str:
    body = known.name + "\x1f".join(_NOISE.sub("", plain(cell)).lower() for cell in header)
    return hashlib.sha256(body.encode()).hexdigest()
