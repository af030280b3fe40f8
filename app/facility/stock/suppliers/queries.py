"""What screens and other rooms may read of suppliers, their papers and approvals. Row-level security picks the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound, words
from app.facility.catalog.pinyin import folded
from app.facility.db import run
from app.facility.stock.suppliers import rules, statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from app.core.hot import Hot
    from app.core.tenancy import Desk

PAGE = 50


# ---- the gate --------------------------------------------------------------------------------------------------------


def why_not_buy(hot: Hot, desk: Desk, supplier_id: int, product_ids: Sequence[int], today: date) -> list[str]:
    """Say everything that stands against ordering or receiving these products from this supplier; empty: go on.

    One statement, inside the caller's transaction. Raises NotFound for a supplier of somebody else.
    """
    supplier, products, own_papers, own_scope = standing(hot, desk, supplier_id, product_ids)
    unknown = len(set(product_ids)) - len(products)
    missing = [words("有 {n} 种商品不在目录里。", n=unknown)] if unknown else []
    return [*rules.why_not(supplier, products, own_papers, own_scope, today), *missing]


def standing(
    hot: Hot, desk: Desk, supplier_id: int, product_ids: Sequence[int]
) -> tuple[rules.Supplier, list[rules.Product], tuple[rules.Paper, ...], frozenset[str]]:
    """How a supplier, products and our own papers stand, as plain values."""
    ids = list(set(product_ids))
    found = hot.run(statements.GATE, {**desk.keys, "supplier": supplier_id, "products": ids})
    if not found:
        raise NotFound
    row = found[0]
    supplier = rules.Supplier(
        row.name,
        row.state,
        row.state_reason,
        row.review_due_on,
        frozenset(row.scope_codes),
        rules.papers_of(row.papers),
    )
    products = [rules.product_of(each) for each in row.products]
    return supplier, products, rules.papers_of(row.own_papers), frozenset(row.own_scope)


# ---- suppliers -------------------------------------------------------------------------------------------------------

SUPPLIERS = """
select s.id, s.code, s.name, s.credit_code, s.state, s.state_reason, s.review_due_on, s.contact_shown, s.pinyin, p.soonest, p.papers,
    coalesce(a.balance_fen, 0) as balance_fen,
    exists (select from approval w where w.tenant_id = s.tenant_id and w.supplier_id = s.id and w.state = 'pending') as waits
from supplier s
cross join lateral (
    select min(l.valid_until) as soonest, count(*) as papers from licence l where l.tenant_id = s.tenant_id and l.supplier_id = s.id and l.ended_at is null limit 1
) p
left join supplier_account a on a.tenant_id = s.tenant_id and a.supplier_id = s.id
where (:search = '' or s.search like '%' || :search || '%') and (s.pinyin, s.id) > (:after_pinyin, :after_id)
    and (:state = '' or s.state = :state)
    and (cast(:due_until as date) is null or p.soonest <= :due_until or (s.state = 'approved' and s.review_due_on <= :due_until))
order by s.pinyin, s.id limit :page
"""


def list_suppliers(
    search: str = "", state: str = "", due_until: date | None = None, after: tuple[str, int] | None = None
) -> list[Any]:
    """Suppliers by pinyin, 50 a page, with their soonest paper and what we owe; `due_until` keeps those with something due by then."""
    pinyin, last = after or ("", 0)
    rows = run(
        SUPPLIERS, search=escaped(search), state=state, due_until=due_until, after_pinyin=pinyin.replace("\x00", ""), after_id=last, page=PAGE + 1
    )  # fmt: skip
    return list(rows)


def find_suppliers(text: str, limit: int = 8) -> list[Any]:
    """Suppliers by a part of the name, pinyin initials, code or credit code, approved ones first, for choosing on another page."""
    rows = run(
        "select id, code, name, state, review_due_on from supplier where search like '%' || :search || '%' order by state, length(name), pinyin, id limit :most",
        search=escaped(text),
        most=max(1, min(limit, PAGE)),
    )
    return list(rows)


def get_supplier(supplier_id: int) -> Any:
    """One supplier's file with what we owe and whether an approval waits. Raises NotFound."""
    found = run(
        """
        select s.*, coalesce(a.balance_fen, 0) as balance_fen, coalesce(a.entry_count, 0) as entry_count, f.name as staff,
            exists (select from approval w where w.tenant_id = s.tenant_id and w.supplier_id = s.id and w.state = 'pending') as waits
        from supplier s join staff f on f.tenant_id = s.tenant_id and f.id = s.staff_id
        left join supplier_account a on a.tenant_id = s.tenant_id and a.supplier_id = s.id
        where s.id = :id
        """,
        id=supplier_id if 0 < supplier_id < 2**63 else 0,
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def escaped(text: str) -> str:
    """What is typed, folded like what is stored, as a literal part of LIKE."""
    plain = folded(text.replace("\x00", ""))[:60]
    return plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
