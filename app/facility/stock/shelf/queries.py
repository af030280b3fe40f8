"""The shelf by product, and the counts above it. Row-level security picks the tenant.

A page by name, or of what is near its end, looks only at the products it shows; an order over everything sums all lots of the
house once. LIKE is not leakproof, so under row-level security no trigram index would be used: the tenant's products are read
first, which is a few thousand short rows.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock, tenancy
from app.facility.catalog import queries as catalog
from app.facility.catalog.pinyin import folded
from app.facility.db import run
from app.facility.stock.shelf import rules
from app.facility.stock.shelf.blind import OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.facility.stock.shelf.rules import Look

MOST_WORDS = 6
MOST_KEPT = 500

PRODUCT = "p.generic_name, p.trade_name, p.spec, p.maker, p.pack_unit, p.base_unit, p.pack_size, p.expiry_warning_days, p.code, p.barcode"
# What lies here of a product: in all, for sale, soonest to expire, soonest that can still be sold, lots on hold, at cost.
SUMS = """
    sum(b.on_hand)::bigint as on_hand, min(b.expires_on) as expires_on, count(l.hold) as held, sum(b.on_hand * l.cost_price) as cost,
    sum(case when b.zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT') and b.expires_on >= :today and l.hold is null then b.on_hand end)::bigint as usable,
    sum(case when b.zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT') and b.expires_on >= :today and l.hold is null then b.on_hand - b.reserved end)::bigint as free,
    min(case when b.expires_on >= :today and l.hold is null then b.expires_on end) as next_on"""
HERE = "b.facility_id = :facility and b.on_hand > 0"
# Of one product at a time: where few products are looked at.
HELD_ONE = f"""cross join lateral (
    select {SUMS} from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
    where b.tenant_id = p.tenant_id and b.product_id = p.id and {HERE} and {{zone}}
) h"""
# Of all at once: the lots are read by the index of what is on hand, and joined in memory.
HELD_ALL = f"""
held as (
    select b.product_id, {SUMS} from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
    where {HERE} and {{zone}} group by b.product_id
),"""
# The one figure an order over everything compares: all lots are summed for it alone, everything else is asked for the page's own.
RANKS = {
    "expiry": ("min(b.expires_on) as expires_on", ""),
    "value": ("sum(b.on_hand * l.cost_price) as cost", "join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id"),
    "days": (
        "sum(case when b.zone in ('SALEABLE', 'COLD', 'CONTROLLED', 'SPLIT') and b.expires_on >= :today and k.id is null then b.on_hand - b.reserved end)::bigint as free",
        "left join (select id from lot where facility_id = :facility and hold is not null) k on k.id = b.lot_id",
    ),
}
RANKED = f"""
    with held as (
        select b.product_id, sum(b.on_hand)::bigint as on_hand, {{rank}} from lot_balance b {{lots}} where {HERE} and {{zone}} group by b.product_id
    ), {{gone}} page as materialized (
        select f.id, {{figure}} as figure from (
            select p.id, {{compared}} from product p left join held h on h.product_id = p.id {{sold}}
            left join product_shelf s on s.tenant_id = p.tenant_id and s.facility_id = :facility and s.product_id = p.id
            where (h.on_hand > 0 or ({{unzoned}} and s.least > 0 and p.state = 'active')) and {{among}} and (:shelf = '' or s.shelf = :shelf)
        ) f where {{beyond}} order by {{figure}}, f.id limit :most
    )
    select f.*, page.figure, {PRODUCT}, g.gone as gone_out
    from page join ({{rows}}) f on f.id = page.id join product p on p.id = page.id {{gone_one}}
    order by page.figure, page.id limit :most
"""
COMPARED = {
    "expiry": "h.expires_on",
    "value": "coalesce(h.cost / p.pack_size * 100, 0)::bigint as worth_fen",
    "days": "coalesce(h.free, 0) as free, greatest(g.gone, 0) as gone",
}
# A product belongs to the shelf while something of it lies here, or a minimum says that something should.
ROWS = """
    select p.id, p.pinyin, coalesce(s.shelf, '') as shelf, s.least, s.most, coalesce(h.on_hand, 0) as on_hand, coalesce(h.free, 0) as free,
        h.expires_on, h.next_on, coalesce(h.expires_on < :today, false) as expired, coalesce(h.held > 0, false) as held,
        coalesce(h.next_on <= :today + p.expiry_warning_days, false) as near, coalesce(h.next_on <= :urgent_on, false) as urgent,
        coalesce(coalesce(h.usable, 0) < s.least, false) as short, coalesce(h.cost / p.pack_size * 100, 0)::bigint as worth_fen
    from product p {join} left join product_shelf s on s.tenant_id = p.tenant_id and s.facility_id = :facility and s.product_id = p.id
    where (h.on_hand > 0 or ({unzoned} and s.least > 0 and p.state = 'active')) and {among}"""
COUNTS = """
    with {held} shelf as ({rows})
    select count(*) as products, count(*) filter (where near) as near, count(*) filter (where urgent) as urgent, count(*) filter (where short) as short,
        count(*) filter (where short and free = 0) as out, count(*) filter (where expired or held) as past, coalesce(sum(worth_fen), 0)::bigint as total_fen,
        cast(:blind as boolean) as blind
    from shelf
"""
# Named by a part of a name or code, by how a lot's number begins, or by a trace code.
FOUND = """p.id in (
    select id from product where search like all (cast(:words as text[]))
    union all select product_id from lot where facility_id = :facility
        and (lot_number collate "C" between :typed and :typed_end or lot_number collate "C" between :upper and :upper_end)
    union all select product_id from trace_code where code in (:typed, :upper) and facility_id = :facility)"""
ONLY = {"": "true", "near": "f.near", "urgent": "f.urgent", "short": "f.short", "past": "(f.expired or f.held)"}
# Whose lots are worth looking at for a filter, read from the index of what is on hand.
SOON = "p.id in (select b.product_id from lot_balance b where b.facility_id = :facility and b.on_hand > 0 and b.expires_on <= :today + p.expiry_warning_days)"
AMONG = {
    "near": SOON,
    "urgent": "p.id in (select b.product_id from lot_balance b where b.facility_id = :facility and b.on_hand > 0 and b.expires_on <= :urgent_on)",
    "past": """p.id in (
        select b.product_id from lot_balance b where b.facility_id = :facility and b.on_hand > 0 and b.expires_on < :today
        union all select l.product_id from lot l where l.facility_id = :facility and l.hold is not null)""",
}
# Orders: what is compared; the product decides between equals. A figure that is missing stands last.
ORDERS = {
    "": "f.pinyin",
    "expiry": "coalesce(f.expires_on - date '2000-01-01', 2147483647)::bigint",
    "value": "-f.worth_fen",
    "days": f"coalesce(f.free * {rules.VELOCITY_DAYS} / nullif(f.gone, 0), 2147483647)::bigint",
}
# What went out to people in the last thirty days, read from the index alone.
GONE_ALL = """
gone as (
    select m.product_id, -sum(m.quantity)::bigint as gone from stock_movement m
    where m.facility_id = :facility and m.moved_at >= :since and m.kind in ('SA', 'MX', 'SR')
    group by m.product_id
),"""
GONE_ONE = """left join lateral (
    select -sum(m.quantity)::bigint as gone from stock_movement m
    where m.tenant_id = p.tenant_id and m.facility_id = :facility and m.product_id = p.id and m.moved_at >= :since and m.kind in ('SA', 'MX', 'SR')
) g on true"""
# What the counts depend on: the newest row of everything that changes them.
NEWEST = f"""
select (select max(id) from stock_movement) as moved, (select max(id) from lot_change) as changed, (select max(changed_at) from product) as described,
    (select max(changed_at) from product_shelf where facility_id = :facility) as placed,
    {OPEN} as blind
"""
_kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


def list_shelf(facility_id: int, look: Look, urgent_days: int, most: int = rules.PAGE) -> list[Any]:
    """The shelf by product, as it is looked at; one row more than asked for when more follow. One statement."""
    place = rules.text_place(look.after) if look.order == "" else rules.number_place(look.after)
    statement = _ranked(look, place) if look.order and not look.only else _summed(look, place)
    found = run(
        statement, **_days(urgent_days), facility=facility_id, zone=look.zone, shelf=look.shelf, since=since(rules.VELOCITY_DAYS),
        most=most + 1, figure=place[0] if place else "", row=place[1] if place else 0, **searched(look.text),
    )  # fmt: skip
    return list(found)


def _ranked(look: Look, place: tuple[Any, int] | None) -> str:
    """The whole house in an order: one figure of everything, and all about the page's own."""
    by_days = look.order == "days"
    rank, lots = RANKS[look.order]
    figure = ORDERS[look.order]
    return RANKED.format(
        rank=rank, lots=lots, zone=_zone(look.zone), figure=figure, compared=COMPARED[look.order],
        gone=GONE_ALL if by_days else "", sold="left join gone g on g.product_id = p.id" if by_days else "",
        unzoned="false" if look.zone else "true", among=FOUND if look.text else "true",
        beyond=f"({figure}, f.id) > (:figure, :row)" if place else "true",
        rows=_rows(look.zone, HELD_ONE, "true"), gone_one=GONE_ONE,
    )  # fmt: skip


def _summed(look: Look, place: tuple[Any, int] | None) -> str:
    """By name, or what a filter leaves over: of few products each for itself, of many all sums at once."""
    narrow = look.order == "" and not look.zone and look.only in {"", "near", "urgent", "past"} and not look.shelf
    by_days = look.order == "days"
    figure = ORDERS[look.order]
    among = " and ".join(
        [
            FOUND if look.text else "true",
            AMONG.get(look.only, "true"),
            "(p.pinyin, p.id) >= (:figure, :row)" if place and narrow else "true",
        ]
    )
    held = "" if narrow else HELD_ALL.format(zone=_zone(look.zone))
    rows = _rows(look.zone, HELD_ONE if narrow else "left join held h on h.product_id = p.id", among)
    source = (
        f"(select s.*, greatest(g.gone, 0) as gone from ({rows}) s left join gone g on g.product_id = s.id)"
        if by_days
        else f"({rows})"
    )
    return f"""
        with {held}{GONE_ALL if by_days else ""} page as materialized (
            select f.*, {figure} as figure from {source} f
            where {ONLY[look.only]} and (:shelf = '' or f.shelf = :shelf) and {f"({figure}, f.id) > (:figure, :row)" if place else "true"}
            order by {figure}, f.id limit :most
        )
        select f.*, {PRODUCT}, {"f.gone" if by_days else "g.gone"} as gone_out
        from page f join product p on p.id = f.id {"" if by_days else GONE_ONE}
        order by f.figure, f.id limit :most
    """


def counts(facility_id: int, urgent_days: int, zone: str = "") -> Any:
    """How many products lie here, near their end, below their minimum, past it or held; and what they are worth at cost (fen);
    and whether any of it is being counted blind.

    Summing the house takes longer than a page; so the sum is kept for as long as nothing that it is made of has changed.
    """
    newest = run(NEWEST, facility=facility_id).one()
    key = (tenancy.scope(), facility_id, zone)
    truth = (*newest, urgent_days, clock.business_date())
    if key in _kept and _kept[key][0] == truth:
        return _kept[key][1]
    statement = COUNTS.format(
        held=HELD_ALL.format(zone=_zone(zone)), rows=_rows(zone, "left join held h on h.product_id = p.id", "true")
    )
    found = run(statement, **_days(urgent_days), facility=facility_id, zone=zone, blind=newest.blind).one()
    _kept[key] = (truth, found)
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return found


def following(rows: Sequence[Any]) -> str:
    """Where the next page begins; nothing at the end."""
    return f"{rows[rules.PAGE - 1].figure}~{rows[rules.PAGE - 1].id}" if len(rows) > rules.PAGE else ""


def since(days: int) -> datetime:
    """The moment so many days ago."""
    return clock.now() - timedelta(days=days)


def searched(text: str) -> dict[str, Any]:
    """What was typed as parameters: words found anywhere in names and codes, and how a lot's number or a code begins."""
    plain = folded(catalog.own_code(text.strip()))[: rules.MOST_TYPED]
    upper = plain.upper().strip()
    typed = text.strip()
    return {
        "words": [f"%{literal(word)}%" for word in plain.split()[:MOST_WORDS]],
        "typed": typed, "typed_end": f"{typed}\U0010ffff", "upper": upper, "upper_end": f"{upper}\U0010ffff",
    }  # fmt: skip


def literal(text: str) -> str:
    """Take the meaning from what LIKE would read as a wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _rows(zone: str, join: str, among: str) -> str:
    return ROWS.format(join=join.replace("{zone}", _zone(zone)), unzoned="false" if zone else "true", among=among)


def _zone(zone: str) -> str:
    """Goods on their way lie on nobody's shelf: they count only where they are asked for."""
    return "b.zone = :zone" if zone else "b.zone <> 'TRANSIT'"


def _days(urgent_days: int) -> dict[str, Any]:
    today = clock.business_date()
    return {"today": today, "urgent_on": today + timedelta(days=urgent_days)}
