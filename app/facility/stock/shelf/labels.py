"""Labels (标签): which are due, the act of printing them, and what stands on a print. A print can be printed again as it was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import DocumentChanged, NotFound
from app.facility.catalog.house_codes import house_code
from app.facility.db import action, run
from app.facility.stock.shelf import rules
from app.facility.stock.shelf.errors import LabelsNotPrinted
from app.facility.stock.shelf.queries import searched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.tenancy import Desk

KINDS = ("shelf", "split", "near")
SIZES = ("60x40", "40x30")
MOST_LABELS = 200
MOST_COPIES = 99
LONGEST_DIRECTIONS = 100
_json = msgspec.json.Encoder().encode

PRICE_NOW = """left join lateral (
    select id, pack_price, split_price from product_price r where r.tenant_id = p.tenant_id and r.product_id = p.id and r.from_at <= :now
    order by from_at desc, id desc limit 1
) price on true"""
# The price that stood on the last shelf label of this facility.
LAST_PRINT = """left join lateral (
    select r.pack_price, r.split_price, t.printed_at from label_print t left join product_price r on r.tenant_id = t.tenant_id and r.id = t.price_id
    where t.tenant_id = p.tenant_id and t.facility_id = :facility and t.product_id = p.id and t.kind = 'shelf'
    order by t.printed_at desc limit 1
) printed on true"""
# What has a place here: something of it lies on the shelf, or a shelf is written down for it.
HERE = """(s.shelf <> '' or exists (
    select from lot_balance b where b.tenant_id = p.tenant_id and b.facility_id = :facility and b.product_id = p.id and b.on_hand > 0))"""
WHICH = {
    # What was never printed here has a label from before, which a changed price makes wrong as well.
    "changed": """case when printed.printed_at is not null then (printed.pack_price, printed.split_price) is distinct from (price.pack_price, price.split_price)
        else exists (select from price_change_line c where c.tenant_id = p.tenant_id and c.product_id = p.id and c.price_id = price.id and c.before_pack_price is not null) end""",
    "never": "printed.printed_at is null and price.pack_price is not null",
    "all": "price.pack_price is not null",
}


@dataclass(frozen=True)
class Label:
    """One label: of a product, for a split pack or a near-expiry tag of a lot; how many of it."""

    product_id: int
    copies: int = 1
    lot_id: int | None = None
    quantity: int | None = None
    directions: str = ""


def list_due(facility_id: int, which: str, text: str = "", after: str = "") -> list[Any]:
    """Products whose shelf label is due: its price changed since the last print or, never printed here, was changed at all; by pinyin, 50 a page."""
    place = rules.text_place(after) or ("", 0)
    rows = run(
        f"""
        select p.id, p.pinyin as figure, p.generic_name, p.trade_name, p.spec, p.maker, p.pack_unit, p.code, coalesce(s.shelf, '') as shelf, price.pack_price,
            printed.pack_price as printed_price, printed.printed_at
        from product p left join product_shelf s on s.tenant_id = p.tenant_id and s.facility_id = :facility and s.product_id = p.id
        {PRICE_NOW} {LAST_PRINT}
        where p.state = 'active' and (p.pinyin, p.id) > (:pinyin, :row) and {WHICH[which]} and {HERE}
            and (cast(:words as text[]) = '{{}}' or p.search like all (cast(:words as text[])))
        order by p.pinyin, p.id limit :most
        """,
        facility=facility_id, now=clock.now(), pinyin=place[0], row=place[1], words=searched(text)["words"], most=rules.PAGE + 1,
    )  # fmt: skip
    return list(rows)


def count_due(facility_id: int) -> int:
    """How many labels on the shelf say a price that holds no longer; asked from what was ever printed here or changed."""
    return int(
        run(
            f"""
            select count(*) from (
                select product_id from label_print where facility_id = :facility and kind = 'shelf' union select product_id from price_change_line
            ) k join product p on p.id = k.product_id and p.state = 'active'
            left join product_shelf s on s.tenant_id = p.tenant_id and s.facility_id = :facility and s.product_id = p.id
            {PRICE_NOW} {LAST_PRINT} where {WHICH["changed"]} and {HERE}
            """,
            facility=facility_id,
            now=clock.now(),
        ).scalar_one()
    )


def list_lots(facility_id: int, product_id: int) -> list[Any]:
    """The lots that a split label or a near-expiry tag may name: opened packs first, then soonest to expire."""
    rows = run(
        """
        select l.id, l.lot_number, l.expires_on, b.zone, b.on_hand from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        where b.facility_id = :facility and b.product_id = :product and b.on_hand > 0 and b.zone in ('SPLIT', 'SALEABLE', 'COLD', 'CONTROLLED') and b.expires_on >= :today
        order by b.zone <> 'SPLIT', b.expires_on, b.lot_id limit 50
        """,
        facility=facility_id, product=product_id, today=clock.business_date(),
    )  # fmt: skip
    return list(rows)


@action
def print_labels(desk: Desk, print_id: UUID, kind: str, size: str, labels: Sequence[Label]) -> None:
    """Write down which labels are printed now, with the price that stands on each (货架签、拆零标签、近效期签).

    Sent again it changes nothing. Raises LabelsNotPrinted, NotFound, DocumentChanged.
    """
    _check(kind, size, labels)
    digest = hashlib.sha256(_json([kind, size, list(labels)])).digest()
    known = run("select digest from label_print where print_id = :id limit 1", id=print_id).one_or_none()
    if known is not None:
        if bytes(known.digest) != digest:
            raise DocumentChanged
        return
    written = run(
        WRITE, print=print_id, facility=desk.facility_id, kind=kind, size=size, digest=digest, staff=desk.staff_id, now=clock.now(),
        rows=_json([{"line_no": number, **_plain(label)} for number, label in enumerate(labels, 1)]).decode(),
    ).all()  # fmt: skip
    if len(written) != len(labels):
        raise NotFound  # A product or lot of somebody else, or none at all.


WRITE = f"""
    insert into label_print (print_id, line_no, facility_id, kind, size, product_id, lot_id, price_id, quantity, directions, copies, digest, staff_id, printed_at)
    select cast(:print as uuid), r.line_no, :facility, :kind, :size, p.id, l.id, price.id, r.quantity, r.directions, r.copies, :digest, :staff, :now
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(line_no int, product_id bigint, lot_id bigint, quantity bigint, directions text, copies int)
    join product p on p.id = r.product_id {PRICE_NOW} left join lot l on l.id = r.lot_id and l.product_id = r.product_id and l.facility_id = :facility
    where r.lot_id is null or l.id is not null
    returning line_no
"""


def get_print(facility_id: int, print_id: UUID) -> list[Any]:
    """The labels of one print, as they were printed. Raises NotFound."""
    rows = run(
        """
        select t.line_no, t.product_id, t.kind, t.size, t.copies, t.quantity, t.directions, t.printed_at, p.code, p.generic_name, p.trade_name, p.spec, p.maker, p.pack_unit, p.base_unit, p.pack_size,
            p.barcode, p.insurance_class, p.rx_class, r.pack_price, r.split_price, l.lot_number, l.expires_on, coalesce(s.shelf, '') as shelf
        from label_print t join product p on p.tenant_id = t.tenant_id and p.id = t.product_id
        left join product_price r on r.tenant_id = t.tenant_id and r.id = t.price_id
        left join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
        left join product_shelf s on s.tenant_id = t.tenant_id and s.facility_id = t.facility_id and s.product_id = t.product_id
        where t.print_id = :id and t.facility_id = :facility order by t.line_no limit 500
        """,
        id=print_id, facility=facility_id,
    ).all()  # fmt: skip
    if not rows:
        raise NotFound
    return list(rows)


def scan_codes(rows: Sequence[Any]) -> dict[int, str]:
    """What a scanner reads off each product's label: the barcode on its pack, else the shop's own (店内码).

    Where somebody's pack carries the number that would be ours, the label keeps to the product's code.
    """
    own = {row.product_id: house_code(row.product_id) for row in rows if not row.barcode}
    asked = "select barcode from product where barcode = any(:own) limit 500"
    taken = set(run(asked, own=list(own.values())).scalars()) if own else set()
    return {
        row.product_id: row.barcode or (row.code if own[row.product_id] in taken else own[row.product_id])
        for row in rows
    }


def _plain(label: Label) -> dict[str, Any]:
    return {"product_id": label.product_id, "lot_id": label.lot_id, "quantity": label.quantity, "directions": label.directions.strip(), "copies": label.copies}  # fmt: skip


def _check(kind: str, size: str, labels: Sequence[Label]) -> None:
    if kind not in KINDS or size not in SIZES:
        raise LabelsNotPrinted(why="没有这种标签")
    if not labels:
        raise LabelsNotPrinted(why="还没有选商品")
    if sum(label.copies for label in labels) > MOST_LABELS or not all(1 <= label.copies <= MOST_COPIES for label in labels):  # fmt: skip
        raise LabelsNotPrinted(why="一次最多打 200 张，每种最多 99 张，请分几次")
    if any(len(label.directions.strip()) > LONGEST_DIRECTIONS for label in labels):
        raise LabelsNotPrinted(why="用法最多 100 个字")
    if kind != "shelf" and not all(label.lot_id for label in labels):
        raise LabelsNotPrinted(why="请选批号")
    if kind == "split" and not all(label.quantity and 0 < label.quantity < 10**6 for label in labels):
        raise LabelsNotPrinted(why="请写装了多少")
