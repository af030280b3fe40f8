"""Blind counts (盲盘): while goods are being counted so, whoever counts reads nothing of what the book says of them.

The owner reads on, and the counter sells on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_COVERED = 50_000
# What the book says, by the names that the readings of the shelf give it.
FIGURES = ("on_hand", "free", "reserved", "worth_fen", "balance", "codes", "days")
# Whether anything is being counted blind here; asked beside what a page asks anyway.
OPEN = "exists (select from stock_count where facility_id = :facility and state = 'open' and blind)"
COVERED = """
    select distinct n.product_id from stock_count c join count_line n on n.tenant_id = c.tenant_id and n.count_id = c.id
    where c.facility_id = :facility and c.state = 'open' and c.blind limit :most
"""


@dataclass
class Veil:
    """What one person may not read now; lifted for the owner, and where nothing is being counted blind."""

    facility_id: int
    lifted: bool

    @cached_property
    def products(self) -> frozenset[int]:
        """The products that are being counted blind here."""
        if self.lifted:
            return frozenset()
        return frozenset(run(COVERED, facility=self.facility_id, most=MOST_COVERED).scalars())

    def over(self, rows: Iterable[Any], key: str = "id") -> list[Any]:
        """The rows, those of products being counted without the book's figures."""
        return [bare(row) if getattr(row, key) in self.products else row for row in rows]

    def without(self, rows: Iterable[Any]) -> list[Any]:
        """The rows of other products: where each row is a pack, how many there are says it all."""
        return [row for row in rows if row.product_id not in self.products]


def bare(row: Any) -> Any:
    """A row without the book's figures."""
    said = dict(row._mapping)  # noqa: SLF001 - the public name of a row's mapping
    return SimpleNamespace(**said | {name: None for name in FIGURES if name in said} | {"short": False})
