"""The ledger of the whole facility (流水) and turnover (周转), read by moment. Row-level security picks the tenant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.facility.db import run
from app.facility.stock.shelf import rules
from app.facility.stock.shelf.blind import OPEN
from app.facility.stock.shelf.queries import PRODUCT, searched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_DAYS = 400  # The days one look at the ledger may span.
USUAL_DAYS = 31


@dataclass(frozen=True)
class Span:
    """Which part of the ledger is looked at: days, kind, person, product, and after which row."""

    first: date
    last: date
    kind: str = ""
    staff_id: int = 0
    product_id: int = 0
    before: tuple[datetime, int] | None = None

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Span:
        """Read a span from an address: the last month unless other days are asked for."""
        today = clock.business_date()
        last = min(_day(args.get("to", "")) or today, today)
        first = _day(args.get("from", "")) or last - timedelta(days=USUAL_DAYS - 1)
        first = min(max(first, last - timedelta(days=MOST_DAYS)), last)
        kind = args.get("kind", "")
        return cls(
            first, last, kind if kind in rules.KINDS else "", _number(args.get("staff", "")), _number(args.get("product", "")), _moment(args.get("before", ""))
        )  # fmt: skip

    def kept(self, **changes: str) -> dict[str, str]:
        """The span as an address carries it, from its first row on."""
        names = {
            "from": str(self.first),
            "to": str(self.last),
            "kind": self.kind,
            "staff": str(self.staff_id or ""),
            "product": str(self.product_id or ""),
        }
        return {name: value for name, value in {**names, **changes}.items() if value}

    @classmethod
    def of_product(cls, product_id: int, before: str) -> Span:
        """All that ever moved of a product."""
        return cls(date(2000, 1, 1), clock.business_date(), product_id=product_id, before=_moment(before))

    @property
    def moments(self) -> dict[str, datetime]:
        """The first and the last moment: days as the clock in China cuts them."""
        return {
            "first": datetime.combine(self.first, time.min, clock.CHINA),
            "last": datetime.combine(self.last + timedelta(days=1), time.min, clock.CHINA),
        }


# The ids of a page come from an index alone; only then are the rows fetched. What a clinic hands over or takes back opens its sheet.
ROWS = """
    select m.id, m.kind, m.quantity, m.balance, m.moved_at, coalesce(k.transfer_id, h.order_id, b.order_id, m.document_id) as document_id, m.zone, m.product_id, l.lot_number, st.name as staff,
        {product}, coalesce(r.number, v.receipt, f.receipt, d.number, t.number, c.number, z.number, h.number, b.number, '') as number,
        coalesce(d.act, case when h.id is not null then 'dispense' when b.id is not null then 'take_back' end) as act, {blind} as blind
    from (select m.moved_at, m.id from stock_movement m where {where} order by m.moved_at desc, m.id desc limit :most) page
    join stock_movement m on m.tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::bigint) and m.id = page.id
    join lot l on l.tenant_id = m.tenant_id and l.id = m.lot_id
    join product p on p.tenant_id = m.tenant_id and p.id = m.product_id
    left join staff st on st.tenant_id = m.tenant_id and st.id = m.staff_id
    left join stock_receipt r on r.tenant_id = m.tenant_id and r.id = m.document_id
    left join sale v on v.tenant_id = m.tenant_id and v.id = m.document_id
    left join refund f on f.tenant_id = m.tenant_id and f.id = m.document_id
    left join stock_document d on d.tenant_id = m.tenant_id and d.id = m.document_id
    left join transfer_claim k on k.tenant_id = m.tenant_id and k.id = m.document_id
    left join transfer t on t.tenant_id = m.tenant_id and t.id = coalesce(k.transfer_id, m.document_id)
    left join stock_count c on c.tenant_id = m.tenant_id and c.id = m.document_id
    left join recall z on z.tenant_id = m.tenant_id and z.id = m.document_id
    left join dispensing h on h.tenant_id = m.tenant_id and h.id = m.document_id
    left join dispensing_return b on b.tenant_id = m.tenant_id and b.id = m.document_id
    order by page.moved_at desc, page.id desc limit :most
"""


def list_movements(facility_id: int, span: Span, most: int = rules.PAGE) -> list[Any]:
    """The ledger, newest first; one row more than the page when more follow."""
    where = ["m.facility_id = :facility", "m.moved_at >= :first", "m.moved_at < :last"]
    if span.before:
        where.append("(m.moved_at, m.id) < (:at, :row)")
    if span.kind:
        where.append(
            f"m.kind = '{span.kind}'"
        )  # One of rules.KINDS; written out, so that the index of seldom kinds is seen to fit.
    if span.kind and span.kind != "SA":
        where.append("m.kind <> 'SA'")
    if span.staff_id:
        where.append("m.staff_id = :staff")
    if span.product_id:
        where.append("m.product_id = :product")
    at, row = span.before or (clock.now(), 0)
    rows = run(
        ROWS.format(product=PRODUCT, blind=OPEN, where=" and ".join(where)),
        facility=facility_id, staff=span.staff_id, product=span.product_id, at=at, row=row, most=most + 1, **span.moments,
    )  # fmt: skip
    return list(rows)


def walk(facility_id: int, span: Span, most: int, chunk: int) -> Iterator[Any]:
    """The ledger row by row, fetched a part at a time, so that a long export needs no more memory than a short one."""
    left = most
    while left > 0:
        rows = list_movements(facility_id, span, chunk)
        yield from rows[: min(chunk, left)]
        left -= chunk
        if len(rows) <= chunk:
            return
        span = replace(span, before=(rows[chunk - 1].moved_at, rows[chunk - 1].id))


def after(rows: Sequence[Any]) -> str:
    """Where the next page begins; nothing at the end."""
    return f"{rows[rules.PAGE - 1].moved_at.isoformat()}~{rows[rules.PAGE - 1].id}" if len(rows) > rules.PAGE else ""


def list_staff() -> list[Any]:
    """The people whose movements may be asked for."""
    return list(run("select id, name from staff order by name, id limit 200"))


# All products are ordered by what went out and what lies here; what came and what it is worth is asked for the page's own only,
# and by the order of worth for all.
TURNOVER = """
    with moved as materialized (
        select m.product_id, -sum(m.quantity)::bigint as gone from stock_movement m
        where m.facility_id = :facility and m.moved_at >= :since and (m.kind = 'SA' or m.kind in ('MX', 'SR')) group by m.product_id
    ), held as materialized (
        select b.product_id, sum(b.on_hand)::bigint as on_hand, {cost} as cost from lot_balance b {lots}
        where {here} group by b.product_id
    ), rows as (
        select p.id, p.search, coalesce(v.gone, 0) as gone, coalesce(h.on_hand, 0) as on_hand, coalesce(round(h.cost / p.pack_size * 100), 0)::bigint as worth,
            coalesce(coalesce(h.on_hand, 0) * :days / nullif(greatest(v.gone, 0), 0), 2147483647)::bigint as days
        from product p left join held h on h.product_id = p.id left join moved v on v.product_id = p.id
        where h.on_hand > 0 or v.gone > 0
    ), page as (
        select f.*, {figure} as figure from rows f
        where (cast(:words as text[]) = '{{}}' or f.search like all (cast(:words as text[]))) and ({figure}, f.id) > (:figure, :row)
        order by {figure}, f.id limit :most
    )
    select page.*, coalesce(round(w.cost / p.pack_size * 100), 0)::bigint as worth_fen, c.came, {product} from page join product p on p.id = page.id
    cross join lateral (
        select sum(b.on_hand * coalesce(l.cost_price, 0)) as cost from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
        where b.tenant_id = p.tenant_id and b.product_id = p.id and {here}
    ) w cross join lateral (
        select coalesce(sum(m.quantity), 0)::bigint as came from stock_movement m
        where m.tenant_id = p.tenant_id and m.facility_id = :facility and m.product_id = p.id and m.moved_at >= :since and m.quantity > 0 and m.kind in ('PI', 'TI')
    ) c
    order by page.figure, page.id limit :most
"""
HERE = "b.facility_id = :facility and b.on_hand > 0 and b.zone <> 'TRANSIT'"
COSTS = {
    "cost": "sum(b.on_hand * coalesce(l.cost_price, 0))",
    "lots": "join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id",
}
NO_COSTS = {"cost": "0", "lots": ""}
TURNOVER_ORDERS = {"slow": "-f.days", "fast": "f.days", "gone": "-f.gone", "value": "-f.worth"}


def turnover(
    facility_id: int, days: int, order: str, text: str = "", after: str = "", most: int = rules.PAGE
) -> list[Any]:
    """How each product turned over in so many days: gone, come, on hand, and how long that lasts at this pace."""
    place = rules.number_place(after) or (-(2**62), 0)
    rows = run(
        TURNOVER.format(figure=TURNOVER_ORDERS[order], product=PRODUCT, here=HERE, **(COSTS if order == "value" else NO_COSTS)),
        facility=facility_id, since=clock.now() - timedelta(days=days), days=days, words=searched(text)["words"], figure=place[0], row=place[1], most=most + 1,
    )  # fmt: skip
    return list(rows)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day and date(2000, 1, 1) <= day < date(9000, 1, 1) else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _moment(text: str) -> tuple[datetime, int] | None:
    at, _, row = text.rpartition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, _number(row)) if moment.tzinfo and _number(row) else None
