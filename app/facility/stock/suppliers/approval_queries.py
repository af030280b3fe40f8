"""What screens may read of first approvals: what waits, what was decided, and which products nobody has asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import run
from app.facility.stock.suppliers.queries import escaped

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

PAGE = 50

REQUESTS = """
select r.id, r.subject, r.kind, r.note, r.asked_at, r.staff_id, f.name as staff, c.waiting, c.passed, c.refused, c.supplier_name, c.product_name, c.decided_at, c.decider
from {source} r join staff f on f.tenant_id = r.tenant_id and f.id = r.staff_id
cross join lateral (
    select count(*) as total, count(*) filter (where a.state = 'pending') as waiting, count(*) filter (where a.state = 'approved') as passed,
        count(*) filter (where a.state = 'refused') as refused, max(a.decided_at) as decided_at,
        (select s.name from supplier s where s.tenant_id = r.tenant_id and s.id = max(a.supplier_id)) as supplier_name,
        (select p.generic_name || ' ' || p.spec from product p where p.tenant_id = r.tenant_id and p.id = min(a.product_id)) as product_name,
        (select d.name from staff d where d.tenant_id = r.tenant_id and d.id = max(a.decided_by)) as decider
    from approval a where a.tenant_id = r.tenant_id and a.request_id = r.id limit 1
) c
"""
# What waits is found by its own small index, however many requests were decided over the years.
WAITING = """
(select * from approval_request q where (q.tenant_id, q.id) in (select a.tenant_id, a.request_id from approval a where a.state = 'pending')
    and (q.asked_at, q.id) < (:at, cast(:last as uuid)) order by q.asked_at desc, q.id desc limit :page)
"""
DECIDED = """
(select * from approval_request q where not exists (select from approval a where a.tenant_id = q.tenant_id and a.request_id = q.id and a.state = 'pending')
    and (q.asked_at, q.id) < (:at, cast(:last as uuid)) order by q.asked_at desc, q.id desc limit :page)
"""
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def list_requests(*, waiting: bool, before: tuple[datetime, str] | None = None) -> list[Any]:
    """What was asked, newest first, 50 a page: what still waits, or what is decided. `before` is the last row's (moment, id)."""
    at, last = before or (clock.now(), LAST)
    source = WAITING if waiting else DECIDED
    rows = run(
        REQUESTS.format(source=source) + " order by r.asked_at desc, r.id desc", at=at, last=last, page=PAGE + 1
    )  # limit :page stands in the source
    return list(rows)


def get_request(request_id: UUID) -> Any:
    """One request with its counts. Raises NotFound."""
    source = "(select * from approval_request q where q.id = :id)"
    found = run(REQUESTS.format(source=source), id=request_id).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_lines(request_id: UUID, after: int = 0) -> list[Any]:
    """What was asked in one request, 50 a page, with what is known of each supplier or product."""
    rows = run(
        """
        select a.id, a.state, a.reason, a.decided_at, d.name as decider, a.supplier_id, a.product_id, s.name as supplier_name,
            p.code, p.generic_name, p.spec, p.maker, p.approval_number, p.national_code, p.rx_class, p.trace_required, price.pack_price,
            (select count(*) from licence l where l.tenant_id = a.tenant_id and l.product_id = a.product_id and l.ended_at is null) as papers
        from approval a left join staff d on d.tenant_id = a.tenant_id and d.id = a.decided_by
        left join supplier s on s.tenant_id = a.tenant_id and s.id = a.supplier_id
        left join product p on p.tenant_id = a.tenant_id and p.id = a.product_id
        left join lateral (
            select pack_price from product_price r where r.tenant_id = p.tenant_id and r.product_id = p.id and r.from_at <= now() order by r.from_at desc, r.id desc limit 1
        ) price on true
        where a.request_id = :request and a.id > :after order by a.id limit :page
        """,
        request=request_id, after=after, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def history_of(*, supplier_id: int) -> list[Any]:
    """What was asked and decided about a supplier, newest first."""
    rows = run(
        """
        select a.id, a.request_id, a.state, a.reason, a.decided_at, r.kind, r.asked_at, f.name as staff, d.name as decider
        from approval a join approval_request r on r.tenant_id = a.tenant_id and r.id = a.request_id
        join staff f on f.tenant_id = a.tenant_id and f.id = a.staff_id left join staff d on d.tenant_id = a.tenant_id and d.id = a.decided_by
        where a.supplier_id = :supplier order by a.id desc limit 10
        """,
        supplier=supplier_id,
    )
    return list(rows)


def products_to_ask(
    today: date, search: str = "", *, recheck: bool = False, after: tuple[str, int] | None = None
) -> list[Any]:
    """Products that nobody has approved, or whose re-check is due within 30 days; those that wait are left out. By pinyin, 50 a page."""
    pinyin, last = after or ("", 0)
    rows = run(
        """
        select p.id, p.code, p.generic_name, p.spec, p.maker, p.approval_number, p.pinyin, a.review_due_on, a.state as last_state
        from product p left join product_approval a on a.tenant_id = p.tenant_id and a.product_id = p.id
        where p.state = 'active' and (:search = '' or p.search like '%' || :search || '%') and (p.pinyin, p.id) > (:pinyin, :last)
            and case when :recheck then a.state = 'approved' and a.review_due_on <= :today + 30 else coalesce(a.state, '') <> 'approved' end
            and not exists (select from approval w where w.tenant_id = p.tenant_id and w.product_id = p.id and w.state = 'pending')
        order by p.pinyin, p.id limit :page
        """,
        search=escaped(search), recheck=recheck, today=today, pinyin=pinyin.replace("\x00", ""), last=last, page=PAGE + 1,
    )  # fmt: skip
    return list(rows)


def counts(today: date) -> Any:
    """How many products wait to be asked for, wait for a decision, and are due again; and how many suppliers wait."""
    return run(
        """
        select (select count(*) from product p where p.state = 'active' and not exists (select from product_approval a where a.tenant_id = p.tenant_id
                and a.product_id = p.id and a.state = 'approved') and not exists (select from approval w where w.tenant_id = p.tenant_id and w.product_id = p.id
                and w.state = 'pending')) as new_products,
            (select count(*) from product_approval a where a.state = 'approved' and a.review_due_on <= :today + 30) as due_products,
            (select count(*) from approval a where a.state = 'pending') as waiting
        """,
        today=today,
    ).one()
