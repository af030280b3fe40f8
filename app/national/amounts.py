"""The border between the wire's amounts and ours: yuan texts and fen, `acct_pay` and the two accounts behind it.

On the wire `acct_pay` is own and mutual account together (specification 6.2); inside they are always apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.core.money import fen_to_yuan, round_fen

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPECTED = ("fund_pay_sumamt", "acct_pay", "acct_mulaid_pay", "psn_cash_pay")


@dataclass(frozen=True, slots=True)
class Shares:
    """Who pays how much of a document, in fen."""

    fund_fen: int
    account_fen: int
    mutual_fen: int
    cash_fen: int

    @property
    def total_fen(self) -> int:
        return self.fund_fen + self.account_fen + self.mutual_fen + self.cash_fen


def fen_of(value: object) -> int:
    """Turn an amount off the wire (number or numeric text, empty means none) into fen."""
    if value is None or value == "":
        return 0
    return round_fen(Decimal(str(value)) * 100)


def yuan_of(amount_fen: int) -> str:
    """Turn fen into the text the wire carries."""
    return fen_to_yuan(amount_fen)


def decimal_of(value: object) -> Decimal:
    """A price or quantity off the wire, exact."""
    return Decimal(str(value)) if value is not None and value != "" else Decimal()


def shares_of(setlinfo: Mapping[str, Any]) -> Shares:
    """Read who pays out of a `setlinfo`, own and mutual account apart."""
    mutual = fen_of(setlinfo.get("acct_mulaid_pay"))
    return Shares(
        fund_fen=fen_of(setlinfo.get("fund_pay_sumamt")),
        account_fen=fen_of(setlinfo.get("acct_pay")) - mutual,
        mutual_fen=mutual,
        cash_fen=fen_of(setlinfo.get("psn_cash_pay")),
    )


def wire_shares(shares: Shares) -> dict[str, str]:
    """Write who pays as the four wire fields; also the form of `exp_content.expected`."""
    return {
        "fund_pay_sumamt": yuan_of(shares.fund_fen),
        "acct_pay": yuan_of(shares.account_fen + shares.mutual_fen),
        "acct_mulaid_pay": yuan_of(shares.mutual_fen),
        "psn_cash_pay": yuan_of(shares.cash_fen),
    }
