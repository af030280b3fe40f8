"""Puts the demo world's products into an organization's catalog.

Names, specifications, makers, approval and national codes are plain facts; prices without a public source are made up.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.facility.catalog import actions, queries
from app.facility.catalog.rules import FIELDS, ProductDraft
from app.facility.db import action

PRODUCTS = Path(__file__).resolve().parents[3] / "demo" / "products.csv"
FLAGS = ("split_allowed", "trace_required", "volume_purchase")
MAY_BE_ABSENT = ("national_code", "barcode", "special_class", "insurance_class")


def products(path: Path = PRODUCTS) -> list[tuple[ProductDraft, Decimal | None, Decimal | None]]:
    """Read the demo products: draft, price a pack, price a base unit."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(_draft(row), _price(row["pack_price"]), _price(row["split_price"])) for row in csv.DictReader(file)]


@action
def load(staff_id: int, path: Path = PRODUCTS) -> list[tuple[int, ProductDraft, Decimal | None]]:
    """Add the demo products that the catalog does not have yet; returns id, draft and price of each, added or there before.

    Call as the tenant (`as_tenant`). All or nothing.
    """
    loaded = []
    for draft, pack_price, split_price in products(path):
        there = queries.product_by_code(draft.code)
        product_id = there.id if there else actions.create_product(draft, staff_id, pack_price, split_price, "演示数据")
        loaded.append((product_id, draft, pack_price))
    return loaded


def _draft(row: dict[str, str]) -> ProductDraft:
    values: dict[str, Any] = {name: value for name, value in row.items() if name in FIELDS}
    values.update({name: row[name] == "1" for name in FLAGS})
    values.update({name: row[name] or None for name in MAY_BE_ABSENT})
    values.update(pack_size=int(row["pack_size"]), selfpay_share=_price(row["selfpay_share"]))
    return ProductDraft(**values)


def _price(text: str) -> Decimal | None:
    return Decimal(text) if text else None
