"""Who makes invoices. An e-invoice platform is one more provider here; the built-in one is a person at the tax device (手工登记)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class Order:
    """What an invoice is made of."""

    receipt: str
    amount_fen: int
    buyer_kind: str  # firm or person
    title: str
    tax_number: str


@dataclass(frozen=True)
class Reply:
    """What the provider said: issued with its number, failed with the reason, or still asked: the number comes later."""

    state: Literal["asked", "issued", "failed"]
    number: str = ""
    note: str = ""


class Provider(Protocol):
    """A maker of invoices. It is asked with no transaction open, and may raise Outage: then the invoice stays asked."""

    name: str
    word: str  # Chinese, translated when shown.

    def issue(self, order: Order) -> Reply:
        """Make an invoice for a sale."""
        ...


class ByHand:
    """The clerk makes it at the tax device and types its number."""

    name = "hand"
    word = "手工登记"

    def issue(self, order: Order) -> Reply:
        """Nothing to ask anybody: the number is typed when it was printed."""
        assert order.amount_fen > 0
        return Reply("asked")


_providers: dict[str, Provider] = {}


def register(provider: Provider) -> None:
    """Make a provider known under its name."""
    _providers[provider.name] = provider


def get(name: str) -> Provider:
    """A provider by its name; a name nobody knows is a bug."""
    return _providers[name]


register(ByHand())
CHOSEN = "hand"
