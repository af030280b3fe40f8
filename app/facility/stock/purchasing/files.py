"""What a supplier's note or an opening file says: its columns, its rows, and which product each row means. Plain values only."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.facility.catalog.importer import columns
from app.facility.catalog.importer.columns import HEADERS
from app.facility.stock import typed
from app.facility.stock.rules import MOST_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

N_ = str  # Marks a text for the English catalog; it is translated when it is shown.

FIELDS = {
    "code": N_("商品编码"),
    "name": N_("品名"),
    "spec": N_("规格"),
    "maker": N_("生产企业"),
    "approval": N_("批准文号"),
    "national_code": N_("医保编码"),
    "barcode": N_("条码"),
    "lot": N_("批号"),
    "produced_on": N_("生产日期"),
    "expires_on": N_("效期"),
    "packs": N_("数量"),
    "cost": N_("进价"),
    "amount": N_("金额"),
    "codes": N_("追溯码"),
    "origin": N_("产地"),
}
NEEDED = ("lot", "expires_on", "packs")
_NAMES = ("name", "code", "national_code", "barcode")

VOCABULARY = columns.vocabulary(
    "stock:",
    {
        "code": (*HEADERS["code"], "物料编码", "货品编码"),
        "name": (*HEADERS["generic_name"], *HEADERS["trade_name"], "药品材料名称", "品名规格", "货品名称", "物料名称"),
        "spec": HEADERS["spec"],
        "maker": HEADERS["maker"],
        "approval": HEADERS["approval_number"],
        "national_code": HEADERS["national_code"],
        "barcode": HEADERS["barcode"],
        "lot": ("批号", "生产批号", "产品批号", "药品批号", "批次", "批次号", "lot", "lotno", "batch", "batchno"),
        "produced_on": ("生产日期", "制造日期", "生产日", "mfgdate", "produced"),
        "expires_on": ("效期", "有效期", "有效期至", "效期至", "过期日期", "失效日期", "有效日期", "有效期限", "expiry", "expires"),
        "packs": ("数量", "入库数量", "到货数量", "发货数量", "库存数量", "库存", "实发数量", "件数", "现存量", "期初数量", "qty", "quantity"),
        "cost": ("进价", "采购价", "采购单价", "供货价", "含税单价", "含税进价", "单价", "成本价", "进货价", "不含税单价", "cost"),
        "amount": ("金额", "含税金额", "价税合计", "合计金额"),
        "codes": ("追溯码", "药品追溯码", "电子监管码", "监管码", "小码"),
        "origin": ("产地", "道地产区"),
    },
    (
        ("national_code", re.compile(r"^(X[A-Z0-9]{22}|Z[A-Z0-9]{19}|C[0-9]{19,26})$")),
        ("barcode", re.compile(r"^69[0-9]{11}$")),
        ("approval", re.compile(r"^国药准字")),
        ("maker", re.compile(r"(公司|药厂|制药|集团)$")),
    ),
)  # fmt: skip

PROBLEMS = {
    "product": N_("没有写是什么药"),
    "unmatched": N_("目录里没有找到，请选择"),
    "several": N_("目录里有几个同名的，请选择"),
    "lot": N_("没有批号，或超过 40 个字"),
    "expires": N_("效期认不出，请写成 2027-05-31"),
    "produced": N_("生产日期认不出，或晚于效期或今天"),
    "packs": N_("数量要是大于 0 的整数"),
    "cost": N_("进价认不出"),
    "codes": N_("追溯码比数量多"),
    "moved": N_("这个药品已有进出，不能再做期初"),
    "expired": N_("已过效期：期初放进不合格品区，到货不能收"),
    "twice": N_("同一批号在文件里有两行，请合并"),
    "held": N_("这个批号已锁定或召回，请先处理"),
    "many": N_("数量太大，请核对单位"),
    "codes_twice": N_("追溯码在文件里出现了两次"),
    "codes_known": N_("追溯码已在本店登记过"),
    "codes_few": N_("追溯码比数量少：请补齐，或这行不写追溯码"),
}
NOTES = frozenset({"expired"})  # Said, but the row goes on.


@dataclass(frozen=True, slots=True)
class Said:
    """One row, read: what it says and what is wrong with it."""

    said: dict[str, Any]
    problems: tuple[str, ...]


def missing_columns(mapping: Mapping[str, str]) -> list[str]:
    """The fields a file must name and does not."""
    named = set(mapping.values())
    lacks = [FIELDS[name] for name in NEEDED if name not in named]
    return lacks if named & set(_NAMES) else [FIELDS["name"], *lacks]


def read_row(row: list[str], mapping: Mapping[str, str], today: date) -> Said:
    """Read one row of a file by its columns."""
    cells = {name: typed.plain(text) for name, text in columns.named_cells(row, mapping).items()}
    produced, expires = typed.day(cells.get("produced_on", "")), typed.day(cells.get("expires_on", ""))
    packs, cost = typed.whole(cells.get("packs", "")), typed.price(cells["cost"]) if "cost" in cells else None
    codes = re.findall(r"[0-9A-Za-z]{16,100}", cells.get("codes", ""))
    lot = cells.get("lot", "")
    checks = {
        "product": not any(cells.get(name) for name in _NAMES),
        "lot": not lot or len(lot) > 40,
        "expires": expires is None,
        "produced": bool(cells.get("produced_on"))
        and (produced is None or produced > today or (expires is not None and produced > expires)),
        "packs": not packs or packs > MOST_UNITS,
        "cost": "cost" in cells and cost is None,
        "codes": len(codes) > (packs or 0),
        "expired": expires is not None and expires < today,
    }
    said = {
        **{name: cells.get(name, "") for name in ("code", "name", "spec", "maker", "approval", "national_code", "barcode", "origin")},
        "lot": lot, "produced_on": produced.isoformat() if produced else "", "expires_on": expires.isoformat() if expires else "",
        "packs": packs or 0, "cost": f"{cost:f}" if cost is not None else "", "codes": codes,
    }  # fmt: skip
    return Said(said, tuple(name for name, wrong in checks.items() if wrong))


@dataclass(slots=True)
class Index:
    """The catalog, ready to be asked which product a row means: own code, then codes from outside, then names."""

    by_code: dict[str, list[Any]] = field(default_factory=dict)
    by_name: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, products: Iterable[Any]) -> Index:
        """Make it from rows (id, code, national_code, barcode, generic_name, trade_name, spec, maker)."""
        made = cls()
        for product in products:
            for code in {product.code, product.national_code, product.barcode} - {None, ""}:
                made.by_code.setdefault(code.upper(), []).append(product)
            for name in {bare(product.generic_name), bare(product.trade_name)} - {""}:
                made.by_name.setdefault(name, []).append(product)
        return made

    def find(self, said: Mapping[str, Any]) -> tuple[int | None, str]:
        """The product a row means, or the problem."""
        for name in ("code", "national_code", "barcode"):
            found = self.by_code.get(str(said[name]).upper(), []) if said[name] else []
            if len(found) == 1:
                return found[0].id, ""
        found = self.by_name.get(bare(said["name"]), [])
        for key in ("maker", "spec"):
            if len(found) > 1 and said[key]:
                found = [one for one in found if bare(getattr(one, key)) == bare(said[key])] or found
        if len(found) == 1:
            return found[0].id, ""
        return None, "several" if found else "unmatched"


def bare(text: str) -> str:
    """A text for comparing: no spaces, no brackets' kinds, no case."""
    return re.sub(r"[\s*×xX·()（）]", "", unicodedata.normalize("NFKC", text)).lower()
