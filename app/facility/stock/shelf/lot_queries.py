"""The shelf by lot, by place and by code, and what the pane beside the list shows of one product."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import run
from app.facility.stock.shelf import rules
from app.facility.stock.shelf.queries import FOUND, PRODUCT, searched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.facility.stock.shelf.rules import Look

LOT_ONLY = {
    "": "true",
    "near": "b.expires_on between :today and :today + p.expiry_warning_days and l.hold is null",
    "urgent": "b.expires_on between :today and :urgent_on and l.hold is null",
    "short": "s.least > 0",
    "past": "(b.expires_on < :today or l.hold is not null)",
}
WORTH = "round(b.on_hand * coalesce(l.cost_price, 0) / p.pack_size * 100)::bigint"
# Orders: what is compared, and of which type; the row's own key (lot and zone) decides between equals.
LOT_ORDERS = {
    "": ("p.pinyin", "text"),
    "expiry": ("(b.expires_on - date '2000-01-01')::bigint", "bigint"),
    "value": (f"-{WORTH}", "bigint"),
    "days": ("-b.on_hand", "bigint"),
}


def list_lots(facility_id: int, look: Look, urgent_days: int, most: int = rules.PAGE) -> list[Any]:
    """What lies here lot by lot and zone by zone; one row more than the page when more follow."""
    figure, _kind = LOT_ORDERS[look.order]
    place = _lot_place(look)
    found = FOUND.replace("f.id", "p.id") if look.text else "true"
    rows = run(
        f"""
        select b.lot_id as id, b.zone, b.on_hand, b.reserved, b.expires_on, l.lot_number, l.produced_on, l.hold, {WORTH} as worth_fen, p.id as product_id,
            coalesce(s.shelf, '') as shelf, {figure} as figure, {PRODUCT}
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
        left join product_shelf s on s.tenant_id = b.tenant_id and s.facility_id = b.facility_id and s.product_id = b.product_id
        where b.facility_id = :facility and b.on_hand > 0 and case when :zone = '' then b.zone <> 'TRANSIT' else b.zone = :zone end
            and {LOT_ONLY[look.only]} and {found} and (:shelf = '' or s.shelf = :shelf)
            and {f"({figure}, b.lot_id, b.zone) > (:figure, :row, :row_zone)" if place else "true"}
        order by {figure}, b.lot_id, b.zone limit :most
        """,
        facility=facility_id, zone=look.zone, shelf=look.shelf, today=clock.business_date(), urgent_on=clock.business_date() + timedelta(days=urgent_days), most=most + 1, **place, **searched(look.text),
    )  # fmt: skip
    return list(rows)


def after_lots(rows: Sequence[Any]) -> str:
    """Where the next page of lots begins; nothing at the end."""
    if len(rows) <= rules.PAGE:
        return ""
    last = rows[rules.PAGE - 1]
    return f"{last.figure}~{last.id}~{last.zone}"


def _lot_place(look: Look) -> dict[str, Any]:
    rest, _, zone = look.after.rpartition("~")
    place = rules.text_place(rest) if look.order == "" else rules.number_place(rest)
    return {"figure": place[0], "row": place[1], "row_zone": zone[:20]} if place else {}


def list_places(facility_id: int, look: Look, most: int = rules.PAGE) -> list[Any]:
    """The places of the house: each zone and shelf with its products, lots, what they are worth and what is near its end."""
    zone, _, shelf = look.after.partition("~")
    rows = run(
        """
        select b.zone, coalesce(s.shelf, '') as shelf, count(distinct b.product_id) as products, count(distinct b.lot_id) as lots,
            round(sum(b.on_hand * coalesce(l.cost_price, 0) / p.pack_size) * 100)::bigint as worth_fen,
            count(distinct b.product_id) filter (where b.expires_on between :today and :today + p.expiry_warning_days) as near,
            count(distinct b.product_id) filter (where b.expires_on < :today or l.hold is not null) as past
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
        left join product_shelf s on s.tenant_id = b.tenant_id and s.facility_id = b.facility_id and s.product_id = b.product_id
        where b.facility_id = :facility and b.on_hand > 0 and (:zone = '' or b.zone = :zone)
            and (:typed = '' or upper(coalesce(s.shelf, '')) like :begins) and (b.zone, coalesce(s.shelf, '')) > (:after_zone, :after_shelf)
        group by b.zone, coalesce(s.shelf, '') order by b.zone, coalesce(s.shelf, '') limit :most
        """,
        facility=facility_id, zone=look.zone, today=clock.business_date(), typed=look.text, begins=f"{searched(look.text)['upper']}%",
        after_zone=zone if look.after else "", after_shelf=shelf, most=most + 1,
    )  # fmt: skip
    return list(rows)


def after_places(rows: Sequence[Any]) -> str:
    """Where the next page of places begins; nothing at the end."""
    return f"{rows[rules.PAGE - 1].zone}~{rows[rules.PAGE - 1].shelf}" if len(rows) > rules.PAGE else ""


# Lot by lot, because codes that left long ago outnumber those in the house; each lot's are found by its key and their state.
CODES = f"""
    select t.code as trace, t.state, t.zone, t.remaining, l.id, l.lot_number, l.expires_on, l.hold, p.id as product_id, coalesce(s.shelf, '') as shelf, {PRODUCT}
    from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
    left join product_shelf s on s.tenant_id = l.tenant_id and s.facility_id = l.facility_id and s.product_id = l.product_id
    cross join lateral (
        select c.code, c.state, c.zone, c.remaining from trace_code c
        where c.tenant_id = l.tenant_id and c.lot_id = l.id and c.state = any(:states) and (:zone = '' or c.zone = :zone) and (l.id > :row or c.code > :code)
        order by c.code limit :most
    ) t
    where l.facility_id = :facility and l.id >= :row and {{here}} and {{found}} and (:shelf = '' or s.shelf = :shelf)
    order by l.id, t.code limit :most
"""
LIES_HERE = "exists (select from lot_balance b where b.tenant_id = l.tenant_id and b.lot_id = l.id and b.on_hand > 0)"
CODE_FOUND = """(p.search like all (cast(:words as text[])) or l.lot_number collate "C" between :typed and :typed_end or l.lot_number collate "C" between :upper and :upper_end
    or l.id in (select lot_id from trace_code where code in (:typed, :upper) and facility_id = :facility))"""


def list_codes(facility_id: int, look: Look, most: int = rules.PAGE) -> list[Any]:
    """The codes on this facility's books lot by lot: those in the house, or those in the state asked for."""
    place = rules.text_place(look.after) or ("", 0)
    states = [look.state] if look.state else list(rules.HERE)
    rows = run(
        CODES.format(here=LIES_HERE if set(states) <= set(rules.HERE) else "true", found=CODE_FOUND if look.text else "true"),
        facility=facility_id, states=states, zone=look.zone, shelf=look.shelf, row=place[1], code=place[0], most=most + 1, **searched(look.text),
    )  # fmt: skip
    return list(rows)


def after_codes(rows: Sequence[Any]) -> str:
    """Where the next page of codes begins; nothing at the end."""
    return f"{rows[rules.PAGE - 1].trace}~{rows[rules.PAGE - 1].id}" if len(rows) > rules.PAGE else ""


# ---- one product beside the list -------------------------------------------------------------------------------------

SIDE = """
select p.id, p.code, p.generic_name, p.trade_name, p.spec, p.maker, p.approval_number, p.barcode, p.rx_class, p.insurance_class, p.pack_unit, p.base_unit, p.pack_size,
    p.expiry_warning_days, p.state, coalesce(s.shelf, '') as shelf, s.least, s.most, price.pack_price, price.split_price,
    (select count(*) from stock_movement m where m.tenant_id = p.tenant_id and m.facility_id = :facility and m.product_id = p.id) as moves,
    (select -sum(m.quantity)::bigint from stock_movement m where m.tenant_id = p.tenant_id and m.facility_id = :facility and m.product_id = p.id
        and m.moved_at >= :since and m.kind in ('SA', 'MX', 'SR')) as gone
from product p
left join product_shelf s on s.tenant_id = p.tenant_id and s.facility_id = :facility and s.product_id = p.id
left join lateral (
    select pack_price, split_price from product_price r where r.tenant_id = p.tenant_id and r.product_id = p.id and r.from_at <= now()
    order by from_at desc, id desc limit 1
) price on true
where p.id = :product
"""


def get_product(facility_id: int, product_id: int) -> Any:
    """A product as the pane shows it: its papers, its place and minimum here, its price, what went out in thirty days. Raises NotFound."""
    row = run(
        SIDE, facility=facility_id, product=product_id, since=clock.now() - timedelta(days=rules.VELOCITY_DAYS)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def lots_of(facility_id: int, product_id: int) -> list[Any]:
    """The lots of a product that lie here or are on their way, soonest to expire first, with how many of their codes lie with them."""
    rows = run(
        """
        select l.id, l.lot_number, l.expires_on, l.produced_on, l.hold, b.zone, b.on_hand, b.reserved, (
            select count(*) from trace_code t where t.tenant_id = b.tenant_id and t.lot_id = b.lot_id and t.zone = b.zone
                and t.state in ('IN_STOCK', 'RESERVED', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'IN_TRANSIT')) as codes
        from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        where b.facility_id = :facility and b.product_id = :product and b.on_hand > 0
        order by b.expires_on, b.lot_id, b.zone limit 200
        """,
        facility=facility_id,
        product=product_id,
    )
    return list(rows)
