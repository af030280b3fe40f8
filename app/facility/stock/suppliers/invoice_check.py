"""The seam for whoever verifies invoice numbers (发票查验): a plain registry of functions, asked before an invoice is noted.

Built in is "none", which says 未核验. A provider is a function from the invoice's facts to an answer; what it cannot say in
time is an Outage, and the invoice is noted as not verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import Outage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

N_ = str  # Marks a text for the English catalog; it is translated when it is shown.

RESULTS = {"unchecked": N_("未核验"), "valid": N_("已核验"), "invalid": N_("核验不符"), "unknown": N_("查无此票")}


@dataclass(frozen=True)
class Facts:
    """What a provider is told of an invoice."""

    number: str
    issued_on: date
    amount_fen: int
    tax_fen: int
    seller_credit_code: str


def _nobody(_facts: Facts) -> str:
    return "unchecked"


_providers: dict[str, Callable[[Facts], str]] = {"none": _nobody}


def register(name: str, provider: Callable[[Facts], str]) -> None:
    """Let a provider verify invoices from now on, in this process."""
    _providers[name] = provider


def provider() -> str:
    """Who verifies: the provider registered last, or "none"."""
    return list(_providers)[-1]


def check(facts: Facts) -> tuple[str, str]:
    """Ask whoever verifies, outside any transaction; returns (provider, result)."""
    name = provider()
    try:
        result = _providers[name](facts)
    except Outage:
        result = "unchecked"
    assert result in RESULTS, f"{name} answered {result}"
    return name, result
