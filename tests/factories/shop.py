"""Goods and sales for tests. Stock exists because it was received; a sale exists because it was sold."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from app.core import clock, tenancy
from app.core.tenancy import Desk
from app.facility.catalog import actions as catalog_actions
from app.facility.catalog.rules import ProductDraft
from app.facility.counter import baskets, settling
from app.facility.db import transaction
from app.facility.stock import receiving
from app.facility.stock.purchasing import deliveries
from app.facility.stock.purchasing.errors import NotAccepted
from app.facility.stock.rules import ReceiptLine
from app.facility.till import shifts

_turn = itertools.count(1)


@dataclass(frozen=True)
class Goods:
    """A product with one lot on the shelf."""

    product_id: int
    lot_number: str
    codes: tuple[str, ...]
    name: str
    pack_size: int


def desk_of(pharmacy, staff_id=None, terminal_id=None) -> Desk:
    """The clerk at the counter (or somebody else)."""
    staff = staff_id or pharmacy.clerk
    return Desk(
        pharmacy.tenant_id, pharmacy.facility_id, staff, f"{pharmacy.numbers.get(staff, '009')} 李*银", terminal_id
    )


def make_code() -> str:
    """A trace code nobody has."""
    return f"83{secrets.randbelow(10**18):018d}"


def make_product(pharmacy, **fields) -> int:
    """A product with a price; defaults are an OTC-B drug of 24 capsules at 12.50 a pack, split allowed."""
    number = next(_turn)
    values = {
        "code": f"T{number:05d}", "generic_name": f"试药胶囊{number}", "spec": "0.25g×24粒", "maker": "试药厂", "pack_unit": "盒", "base_unit": "粒",
        "pack_size": 24, "rx_class": "OTC_B", "split_allowed": True, "trace_required": True, "insurance_class": "A", "national_code": f"X{secrets.token_hex(11).upper()}",
        "barcode": f"69{secrets.randbelow(10**11):011d}", "pack_price": Decimal("12.50"),
    } | fields  # fmt: skip
    with tenancy.as_tenant(pharmacy.tenant_id):
        return create_product(pharmacy, values)


def create_product(pharmacy, values) -> int:
    price, split_price = Decimal(values.pop("pack_price")), values.pop("split_price", None)
    return catalog_actions.create_product(
        ProductDraft(**values), pharmacy.owner, pack_price=price, split_price=split_price
    )


def make_goods(
    pharmacy, packs=10, *, coded=True, expires_in=400, zone="SALEABLE", lot_number=None, product_id=None, **fields
) -> Goods:
    """A product on the shelf, each pack with its code."""
    product = product_id or make_product(pharmacy, **fields)
    lot = lot_number or f"L{next(_turn):05d}"
    codes = tuple(make_code() for _ in range(packs)) if coded else ()
    line = ReceiptLine(product, lot, clock.business_date() + timedelta(days=expires_in), packs, zone, codes=codes)
    _shelve(pharmacy, line)
    with transaction(settings=pharmacy.scope) as hot:
        row = hot.run_last(
            "select generic_name, pack_size from product where tenant_id = %(t)s and id = %(p)s",
            {"t": pharmacy.tenant_id, "p": product},
        )[0]
    return Goods(product, lot, codes, row.generic_name, row.pack_size)


def make_twins(pharmacy, packs=3, **fields) -> tuple[Goods, Goods]:
    """The same drug of two makers, one price, both on the shelf; `fields` are what differs of the second."""
    one = make_goods(pharmacy, packs)
    return one, make_goods(pharmacy, packs, **{"generic_name": one.name, "maker": "另一药厂"} | fields)


def plain(pharmacy, packs=10, **fields) -> Goods:
    """Goods without codes, which nobody has to scan."""
    return make_goods(pharmacy, packs, coded=False, trace_required=False, **fields)


def _shelve(pharmacy, line: ReceiptLine) -> None:
    """Bought from the pharmacy's approved supplier; what that one may not sell lay there before the first day."""
    from tests.factories.supply import approve_products, house_supplier

    desk = desk_of(pharmacy, pharmacy.owner)
    if (
        one(
            pharmacy,
            "select 1 as n from product_approval where tenant_id = %(t)s and product_id = %(p)s",
            p=line.product_id,
        )
        is None
    ):
        approve_products(pharmacy, line.product_id)
    try:
        deliveries.receive_purchase(desk, uuid4(), house_supplier(pharmacy), [line])
    except NotAccepted:
        receiving.open_stock(desk, uuid4(), [line])


def open_shift(desk: Desk, float_fen: int = 10_000):
    return shifts.open_shift(desk, uuid4(), float_fen)


def fill_basket(desk: Desk, *entries: str, basket_id=None):
    """Scan entries into a basket; returns (id, version)."""
    basket = basket_id or uuid4()
    with tenancy.as_tenant(desk.tenant_id):
        for entry in entries:
            baskets.enter(desk, basket, entry, "scan")
        return basket, baskets.get_basket(desk, basket).version


def sell(desk: Desk, *entries: str, tenders=()):
    """Sell for cash."""
    basket, version = fill_basket(desk, *entries)
    return settling.settle_basket(desk, basket, version, tenders)


def one(pharmacy, statement: str, **params):
    """One row as the pharmacy sees it."""
    with transaction(settings=pharmacy.scope) as hot:
        rows = hot.run_last(statement, {"t": pharmacy.tenant_id, "f": pharmacy.facility_id, **params})
    return rows[0] if rows else None


def on_hand(pharmacy, goods: Goods) -> tuple[int, int]:
    """(on hand, reserved) of a product, in base units."""
    row = one(
        pharmacy,
        "select coalesce(sum(on_hand), 0)::bigint as on_hand, coalesce(sum(reserved), 0)::bigint as reserved from lot_balance where tenant_id = %(t)s and product_id = %(p)s",
        p=goods.product_id,
    )
    return row.on_hand, row.reserved


def check_books(pharmacy) -> None:
    """Every balance equals the sum of its movements; the stream is numbered 1..N; codes agree with balances."""
    wrong = one(
        pharmacy,
        """
        select count(*) as n from lot_balance b where b.tenant_id = %(t)s and b.on_hand <> coalesce((
            select sum(quantity) from stock_movement m where m.tenant_id = b.tenant_id and m.lot_id = b.lot_id and m.zone = b.zone), 0)
        """,
    )
    assert wrong.n == 0, "a balance differs from its ledger"
    stream = one(
        pharmacy,
        "select h.number, count(o.number) as facts, coalesce(max(o.number), 0) as last from stream_head h left join outbox o on o.tenant_id = h.tenant_id and o.facility_id = h.facility_id where h.tenant_id = %(t)s group by h.number",
    )
    assert stream.number == stream.facts == stream.last
