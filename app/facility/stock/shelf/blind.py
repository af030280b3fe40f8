"""Blind counts (盲盘): while goods are being counted so, whoever counts reads nothing of what the book says of them.

The owner reads on, and the counter sells on. Every page that says how much there is asks `veil()`; what a page shows, sorts
by, filters by or carries in an address is never the book of what is being counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from app.core import signin
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.facility.stock.shelf.rules import Look

MOST_COVERED = 50_000
# What the book says, by the names that the readings of the shelf give it.
FIGURES = ("on_hand", "free", "reserved", "worth_fen", "balance", "codes", "coded", "days")
# Orders and filters that tell by where a row stands what its figure is.
TELLING = ("value", "days", "slow", "fast", "short")
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
        """The rows, those of products being counted without the book's figures; what lies at other facilities is not counted here."""
        return [bare(row) if self._covers(row, key) else row for row in rows]

    def _covers(self, row: Any, key: str) -> bool:
        here = getattr(row, "facility_id", self.facility_id) == self.facility_id
        return here and getattr(row, key) in self.products

    def covers(self, products: Iterable[int]) -> bool:
        """Whether any of these products is being counted."""
        return not self.products.isdisjoint(products)

    def within(self, look: Look) -> Look:
        """The look without an order or filter that would tell the book's figures."""
        order, only = self.unless_telling(look.order), self.unless_telling(look.only)
        return look if (order, only) == (look.order, look.only) else replace(look, order=order, only=only, after="")

    def unless_telling(self, asked: str, instead: str = "") -> str:
        """The order or filter asked for; another where it would tell the book's figures."""
        return instead if asked in TELLING and self.products else asked

    def without(self, rows: Iterable[Any]) -> list[Any]:
        """The rows of other products: where each row is a pack, how many there are says it all."""
        return [row for row in rows if row.product_id not in self.products]


def veil(*, is_open: bool = True) -> Veil:
    """What whoever asks may not read while goods are counted blind: the book of them is the owner's alone."""
    return Veil(signin.here().facility_id, lifted=not is_open or signin.me().has("owner"))


def bare(row: Any) -> Any:
    """A row without the book's figures."""
    said = dict(row._mapping)  # noqa: SLF001 - the public name of a row's mapping
    return SimpleNamespace(**said | {name: None for name in FIGURES if name in said} | {"short": False})
