"""What the pages of price changes read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import run
from app.facility.stock.shelf import rules
from app.facility.stock.shelf.price_rules import MOST_LINES
from app.facility.stock.shelf.queries import searched

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
LINES = """
select p.id, p.code, p.barcode, p.generic_name, p.trade_name, p.spec, p.maker, p.pack_unit, p.base_unit, p.pack_size, p.split_allowed, p.ceiling_price, p.insurance_class,
    price.pack_price, price.split_price, cost.cost_price
from product p left join lateral (
    select pack_price, split_price from product_price r where r.tenant_id = p.tenant_id and r.product_id = p.id and r.from_at <= :now
    order by from_at desc, id desc limit 1
) price on true left join lateral (
    select l.cost_price from lot l where l.tenant_id = p.tenant_id and l.product_id = p.id and l.facility_id = :facility and l.cost_price is not null
    order by l.id desc limit 1
) cost on true
where p.state = 'active' and {which}
order by p.pinyin, p.id limit :most
"""


def priced(facility_id: int, ids: Collection[int]) -> list[Any]:
    """Products with their price in force, their ceiling and what they last cost here."""
    return list(
        run(
            LINES.format(which="p.id = any(cast(:ids as bigint[]))"),
            ids=sorted(ids),
            facility=facility_id,
            now=clock.now(),
            most=MOST_LINES + 1,
        )
    )


def priced_like(facility_id: int, text: str) -> list[Any]:
    """The same of all products that a text finds, one more than a paper may hold when there are more."""
    words = searched(text)["words"]
    which = "p.search like all (cast(:words as text[]))"
    return list(run(LINES.format(which=which), words=words, facility=facility_id, now=clock.now(), most=MOST_LINES + 1))


def by_codes(codes: Sequence[str]) -> dict[str, int]:
    """Products by own code or barcode as a file names them."""
    rows = run(
        """
        select id, code, barcode from product
        where state = 'active' and (code = any(cast(:codes as text[])) or barcode = any(cast(:codes as text[]))) limit 2000
        """,
        codes=list(codes),
    ).all()
    return {**{row.barcode: row.id for row in rows if row.barcode}, **{row.code: row.id for row in rows}}


def list_changes(before: tuple[datetime, UUID] | None = None) -> list[Any]:
    """The price changes of the organization, newest first; one row more than the page when more follow."""
    at, last = before or (clock.now(), LAST)
    rows = run(
        """
        select c.id, c.number, c.reason, c.from_at, c.made_at, s.name as staff, a.name as approver, f.name as facility, n.lines, n.raised, n.name
        from price_change c join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
        join facility f on f.tenant_id = c.tenant_id and f.id = c.facility_id
        left join staff a on a.tenant_id = c.tenant_id and a.id = c.approver_id
        cross join lateral (
            select count(*) as lines, count(*) filter (where l.pack_price > l.before_pack_price) as raised, min(p.generic_name) as name
            from price_change_line l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
            where l.tenant_id = c.tenant_id and l.change_id = c.id
        ) n
        where (c.made_at, c.id) < (:at, cast(:last as uuid))
        order by c.made_at desc, c.id desc limit :most
        """,
        at=at, last=str(last), most=rules.PAGE + 1,
    )  # fmt: skip
    return list(rows)


def get_change(change_id: UUID) -> tuple[Any, list[Any]]:
    """One price change with its lines. Raises NotFound."""
    head = run(
        """
        select c.*, s.name as staff, a.name as approver, f.name as facility
        from price_change c join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
        join facility f on f.tenant_id = c.tenant_id and f.id = c.facility_id
        left join staff a on a.tenant_id = c.tenant_id and a.id = c.approver_id
        where c.id = :id
        """,
        id=change_id,
    ).one_or_none()
    if head is None:
        raise NotFound
    lines = run(
        f"""
        select l.line_no, l.product_id, l.before_pack_price, l.before_split_price, l.pack_price, l.split_price, p.generic_name, p.spec, p.maker, p.pack_unit, p.base_unit, p.ceiling_price
        from price_change_line l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        where l.change_id = :id order by l.line_no limit {MOST_LINES}
        """,
        id=change_id,
    )
    return head, list(lines)
