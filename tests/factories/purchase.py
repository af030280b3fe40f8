"""Orders, deliveries and files for tests: made as people make them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from app.core import clock
from app.facility.stock.purchasing import cascade, codes, deliveries, imports, orders, rules
from app.facility.stock.shelf.actions import Place, place_products
from tests.factories.shop import desk_of, make_code, make_product
from tests.factories.supply import approve_products

OPENING = "品名,批号,有效期至,数量,进价\n{name},P{mark},2030-05-31,2,8.5\n没有这种药,X1,2030-05-31,1,1\n"


def make_order(pharmacy, supplier_id: int, *lines: rules.OrderLine):
    """An order that was placed; returns its id."""
    desk, order = desk_of(pharmacy, pharmacy.owner), uuid4()
    orders.save_order(desk, order, supplier_id, lines)
    orders.place_order(desk, order, 1)
    return order


def row(product_id: int, packs: int = 2, **fields) -> rules.Row:
    """One lot as typed."""
    expires = clock.business_date() + timedelta(days=400)
    values = {"lot": "240301", "expires_on": str(expires), "arrived": str(packs), "cost": "8.5"} | fields
    return rules.Row(product_id, **values)


def make_delivery(pharmacy, supplier_id: int, *rows, order=None, **head):
    """A delivery whose draft holds these rows; returns (id, version)."""
    desk, delivery = desk_of(pharmacy, pharmacy.owner), uuid4()
    deliveries.open_delivery(desk, delivery, supplier_id, order)
    draft = rules.Draft(rows=list(rows), **{"note_number": "SH0001", "note": "老包装，没有码"} | head)
    return delivery, deliveries.save_delivery(desk, delivery, 1, draft)


def fill_purchasing(pharmacy, product_id: int, supplier_id: int) -> tuple[dict, list]:
    """Let everything happen once: an order, its delivery accepted, a second one open, cases learnt, an opening file checked."""
    desk, mark = desk_of(pharmacy, pharmacy.owner), uuid4().hex[:8]
    place_products(desk, [Place(product_id, f"架{mark}"[:20], 24, 240)])
    order = make_order(pharmacy, supplier_id, rules.OrderLine(product_id, 5, Decimal("8.50")))
    code = make_code()
    accepted, version = make_delivery(
        pharmacy, supplier_id, row(product_id, 1, lot=f"D{mark}", codes=[code]), order=order, note_number=f"SH{mark}"
    )
    deliveries.accept_delivery(desk, accepted, version)
    waiting, _version = make_delivery(
        pharmacy, supplier_id, row(product_id, 1, lot=f"W{mark}"), note_number=f"SW{mark}"
    )
    case = make_code()
    codes.learn_case(desk, case, product_id, [make_code(), make_code()])
    file = uuid4()
    cascade.upload_file(desk, file, f"大小码{mark}.csv", f"{make_code()},{make_code()}\n".encode())
    name = f"期初试药{mark}"
    make_product(pharmacy, generic_name=name)
    batch = uuid4()
    imports.upload_file(desk, batch, f"期初{mark}.csv", OPENING.format(name=name, mark=mark).encode())
    imports.choose_columns(desk, batch, dict(enumerate_columns("name", "lot", "expires_on", "packs", "cost")))
    while not imports.check_next(desk, batch):
        pass
    note = uuid4()
    imports.upload_file(desk, note, f"随货{mark}.csv", OPENING.format(name=name, mark=mark).encode(), waiting)
    ids = {
        "note_id": note,
        "case": case,
        "case_file_id": file,
        "order_id": order,
        "delivery_id": waiting,
        "accepted_id": accepted,
        "import_id": batch,
        "row_number": 3,
    }
    return ids, [f"D{mark}", f"SH{mark}", case, name]


def enumerate_columns(*fields: str):
    """("0", "name"), ("1", "lot") …"""
    return [(str(number), name) for number, name in enumerate(fields)]


def approved_product(pharmacy, **fields) -> int:
    """A product that may be bought."""
    product = make_product(pharmacy, **fields)
    approve_products(pharmacy, product)
    return product
