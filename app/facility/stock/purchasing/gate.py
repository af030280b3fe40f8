"""What the gate says of a draft before it is placed: of the supplier, and of each product on its own line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core import clock
from app.facility.db import transaction
from app.facility.stock.suppliers import rules, statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.tenancy import Desk


@dataclass(frozen=True)
class Standing:
    """What stands against an order: sentences of the whole, and sentences of products."""

    whole: tuple[str, ...] = ()
    lines: dict[int, tuple[str, ...]] | None = None

    def of(self, product_id: int) -> tuple[str, ...]:
        """What stands against one product."""
        return (self.lines or {}).get(product_id, ())


def look(desk: Desk, supplier_id: int, product_ids: Sequence[int]) -> Standing:
    """Say line by line what the gate (首营、证照、经营范围) would refuse today. One statement; an unknown supplier says nothing."""
    ids = sorted(set(product_ids))
    with transaction(settings=desk.settings) as hot:
        found = hot.run_last(statements.GATE, {**desk.keys, "supplier": supplier_id, "products": ids})
    if not found:
        return Standing()
    row, today = found[0], clock.business_date()
    supplier = rules.Supplier(
        row.name, row.state, row.state_reason, row.review_due_on, frozenset(row.scope_codes), rules.papers_of(row.papers)
    )  # fmt: skip
    own, scope = rules.papers_of(row.own_papers), frozenset(row.own_scope)
    whole = rules.why_not(supplier, [], own, scope, today)
    lines = {
        each["id"]: tuple(
            said for said in rules.why_not(supplier, [rules.product_of(each)], own, scope, today) if said not in whole
        )
        for each in row.products
    }
    return Standing(tuple(whole), {product: said for product, said in lines.items() if said})
