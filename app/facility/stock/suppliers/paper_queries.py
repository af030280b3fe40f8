"""What screens may read of papers: which run out soon, and all of one owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

PAGE = 50
MOST_OF_ONE = 100
MOST_OF_EACH = 4

OWNED = """
select l.id, l.owner_kind, l.kind, l.number, l.scope, l.scope_codes, l.valid_from, l.valid_until, l.note, l.entered_at, l.ended_at, l.ended_why,
    coalesce(l.supplier_id, l.product_id, l.facility_id, l.person_id) as owner_id, e.name as staff,
    coalesce(s.name, p.generic_name || ' ' || p.spec, f.name, w.name) as owner_name
from licence l join staff e on e.tenant_id = l.tenant_id and e.id = l.staff_id
left join supplier s on s.tenant_id = l.tenant_id and s.id = l.supplier_id
left join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
left join facility f on f.tenant_id = l.tenant_id and f.id = l.facility_id
left join staff w on w.tenant_id = l.tenant_id and w.id = l.person_id
"""
COUNTS = """
select count(*) filter (where valid_until < :today) as past,
    (select array_agg(n order by step desc) from (
        select step, (select count(*) from licence k where k.ended_at is null and k.valid_until between :today and :today + step) as n
        from unnest(cast(:steps as int[])) as step) x) as soon
from licence where ended_at is null and valid_until < :today
"""
OWNER_TABLES = {"supplier": "name from supplier", "product": "generic_name || ' ' || spec as name from product", "facility": "name from facility", "staff": "name from staff"}  # fmt: skip


def list_due(
    until: date, since: date | None = None, owner_kinds: Sequence[str] = (), after: tuple[date, str] | None = None
) -> list[Any]:
    """Papers that run out by a day, soonest first, 50 a page; `after` is the last row's (day, id)."""
    day, last = after or (None, "00000000-0000-0000-0000-000000000000")
    rows = run(
        f"""
        {OWNED} where l.ended_at is null and l.valid_until <= :until and (cast(:since as date) is null or l.valid_until >= :since)
            and l.owner_kind = any(cast(:kinds as text[]))
            and (cast(:day as date) is null or (l.valid_until, l.id) > (:day, cast(:last as uuid)))
        order by l.valid_until, l.id limit :page
        """,
        until=until, since=since, kinds=list(owner_kinds), day=day, last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def counts(today: date, steps: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """How many papers have run out, and how many will within each of the steps, largest first."""
    row = run(COUNTS, today=today, steps=list(steps)).one()
    return int(row.past), tuple(int(n) for n in row.soon)


def list_of_owner(kind: str, owner_id: int) -> list[Any]:
    """All papers of one owner: those in force by kind, then those replaced, newest first."""
    column = "person_id" if kind == "staff" else f"{kind}_id"
    rows = run(
        f"{OWNED} where l.{column} = :owner order by l.ended_at desc nulls first, l.kind, l.valid_until limit :most",
        owner=owner_id,
        most=MOST_OF_ONE,
    )
    return list(rows)


def list_of_products(product_ids: Sequence[int]) -> dict[int, list[Any]]:
    """The papers in force of each product on a page, at most four of each: what stops buying first, reports of single lots last."""
    rows = run(
        """
        select l.product_id, l.id, l.kind, l.number, l.valid_from, l.valid_until from unnest(cast(:products as bigint[])) as k(id) cross join lateral (
            select * from licence where product_id = k.id and ended_at is null order by kind = 'INSPECTION', valid_until, id limit :most
        ) l
        """,
        products=list(product_ids), most=MOST_OF_EACH,
    )  # fmt: skip
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.product_id, []).append(row)
    return found


def get_paper(licence_id: UUID) -> Any:
    """One paper with its owner. Raises NotFound."""
    found = run(f"{OWNED} where l.id = :id", id=licence_id).one_or_none()
    if found is None:
        raise NotFound
    return found


def get_owner(kind: str, owner_id: int) -> str:
    """The name of whoever holds papers. Raises NotFound."""
    table = OWNER_TABLES.get(kind)
    if table is None or not 0 < owner_id < 2**63:
        raise NotFound
    found = run(f"select {table} where id = :id", id=owner_id).one_or_none()
    if found is None:
        raise NotFound
    return str(found.name)


def list_people() -> list[Any]:
    """People at work here, to say whose paper it is."""
    return list(run("select id, number, name from staff where disabled_at is null order by number limit 500"))
