"""What the pages of cases read (大小码): which are known, what lies in one, and a supplier's code file on its way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound
from app.facility.db import run
from app.facility.stock.purchasing import queries

if TYPE_CHECKING:
    from uuid import UUID

PAGE = 50
MOST_FILES = 20
LAST = "\U0010ffff"  # After every code that begins with what stands before it.


def list_cases(search: str = "", after: str = "") -> list[Any]:
    """Cases by their code, one more than a page: those that begin with `search`, or the one in which that code lies."""
    if search:
        found = run("select parent from code_pack where child = :code", code=search).scalar_one_or_none()
        search = found or search
    return list(
        run(
            """
            select k.parent as code, count(*) as packs, max(k.level) as level, max(k.learnt_at) as learnt_at, min(k.source) as source,
                min(k.product_id) as product_id, (select p.generic_name from product p where p.id = min(k.product_id)) as name,
                (select u.parent from code_pack u where u.child = k.parent) as lies_in
            from code_pack k
            where k.parent collate "C" > :after and k.parent collate "C" >= :first and k.parent collate "C" <= :last
            group by k.parent collate "C", k.parent order by k.parent collate "C" limit :page
            """,
            after=after, first=search, last=search + LAST, page=PAGE + 1,
        )
    )  # fmt: skip


def get_case(code: str) -> Any:
    """One case: how many codes lie in it, where it was learnt, and what it lies in itself. Raises NotFound."""
    head = run(
        """
        select :code as code, count(*) as packs, max(k.level) as level, max(k.learnt_at) as learnt_at, min(k.source) as source,
            (select u.parent from code_pack u where u.child = :code) as lies_in,
            (select p.generic_name from product p where p.id = min(k.product_id)) as name
        from code_pack k where k.parent = :code
        """,
        code=code,
    ).one()
    if not head.packs:
        raise NotFound
    return head


def codes_in(code: str, after: str = "") -> list[Any]:
    """What lies in a case, one more than a page: each with its product, what lies in it, and what has become of it here."""
    return list(
        run(
            """
            select k.child as code, p.generic_name as name, p.spec, t.state, l.lot_number, l.expires_on,
                (select count(*) from code_pack c where c.tenant_id = k.tenant_id and c.parent = k.child) as packs
            from code_pack k left join trace_code t on t.tenant_id = k.tenant_id and t.code = k.child
            left join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
            left join product p on p.tenant_id = k.tenant_id and p.id = coalesce(t.product_id, k.product_id)
            where k.parent collate "C" = :code and k.child collate "C" > :after order by k.child collate "C" limit :page
            """,
            code=code, after=after, page=PAGE + 1,
        )
    )  # fmt: skip


def list_files(facility_id: int) -> list[Any]:
    """The latest code files of this facility."""
    return list(
        run(
            """
            select i.id, i.file_name, i.state, i.row_count, i.created_at, f.name as staff from stock_import i
            join staff f on f.tenant_id = i.tenant_id and f.id = i.staff_id
            where i.facility_id = :facility and i.kind = 'cases' order by i.created_at desc, i.id desc limit :most
            """,
            facility=facility_id, most=MOST_FILES,
        )
    )  # fmt: skip


def get_file(facility_id: int, file_id: UUID) -> Any:
    """One code file with the counts of its rows. Raises NotFound, also for another kind of file."""
    found = queries.get_import(facility_id, file_id)
    if found.kind != "cases":
        raise NotFound
    return found
