"""Puts buying into the demo world: a supplier whose papers stand, an order on its way, and two products running low.

The supplier is made up; its papers and numbers are too.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from app.core import clock
from app.facility.stock.purchasing import orders
from app.facility.stock.purchasing.rules import OrderLine
from app.facility.stock.shelf.actions import Place, place_products
from app.facility.stock.suppliers import actions, approvals
from app.facility.stock.suppliers.actions import Owner, PaperDraft, SupplierDraft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.tenancy import Desk

NAME, CREDIT_CODE = "宁波阳光示例医药有限公司", "91330200MA2DEM001N"
SOON_DAYS = 25  # One paper warns from the first day on.
PAPERS = (
    ("BUSINESS", "YL-3302-0001", None),
    ("DRUG_TRADE", "浙AA5740001", 900),
    ("QUALITY", "ZB-2026-01", 300),
    ("SALESPERSON", "SQ-2026-07", SOON_DAYS),
)
LOW = (("A01-1", 12, 30), ("A01-2", 10, 24))  # Place, minimum and maximum in packs; six lie on the shelf.
ORDERED = ((20, "9.80"), (30, "13.20"), (10, "24.50"))


def load(asker: Desk, judge: Desk, products: Sequence[tuple[int, int]]) -> UUID:
    """Make it all through the room's own acts; returns the order. `products`: id and pack size of at least five.

    Call as the tenant (`as_tenant`). What one person asks for another one approves.
    """
    supplier = _supplier(asker, judge)
    _approve(asker, judge, "products", [product for product, _size in products])
    for (product, size), (shelf, least, most) in zip(products, LOW, strict=False):
        place_products(asker, [Place(product, shelf, least * size, most * size)])
    order = _named(asker, "order")
    goods = products[len(LOW) : len(LOW) + len(ORDERED)]
    lines = [OrderLine(product, packs, Decimal(price)) for (product, _size), (packs, price) in zip(goods, ORDERED, strict=True)]  # fmt: skip
    orders.save_order(asker, order, supplier, lines, "周三上午送货")
    orders.place_order(asker, order, 1)
    return order


def _supplier(asker: Desk, judge: Desk) -> int:
    today = clock.business_date()
    draft = SupplierDraft(NAME, CREDIT_CODE, scope_codes=("DRUG", "HERB", "COLD", "DEVICE", "FOOD"), scope="药品批发", address="宁波市鄞州区示例路 1 号")  # fmt: skip
    supplier = actions.add_supplier(asker, _named(asker, "supplier"), draft)
    papers = (*PAPERS, ("DEVICE", "浙甬药监械经营备20260001号", 700))
    for kind, number, lasts in papers:
        until = None if lasts is None else today + timedelta(days=lasts)
        paper = PaperDraft(kind, number, today - timedelta(days=340), until)
        actions.add_paper(asker, _named(asker, f"paper:{kind}"), Owner("supplier", supplier), paper)
    request = _named(asker, "approve:supplier")
    approvals.ask_supplier(asker, request, supplier)
    approvals.decide(judge, request, approved=True)
    return supplier


def _approve(asker: Desk, judge: Desk, what: str, products: Sequence[int]) -> None:
    request = _named(asker, f"approve:{what}")
    approvals.ask_products(asker, request, products)
    approvals.decide(judge, request, approved=True)


def _named(desk: Desk, what: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"demo:{desk.tenant_id}:{desk.facility_id}:{what}")
