"""What a customer gives, and what each means pays (收款方式). Plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app.core.money import fen_to_yuan
from app.facility.till.errors import TenderShort, TenderTooMuch

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tender(msgspec.Struct, frozen=True):
    """A means of payment and its amount."""

    kind: str
    amount_fen: int


def settle_tenders(due_fen: int, tenders: Sequence[Tender]) -> tuple[list[Tender], int]:
    """Turn what the customer gave into what each means pays, and the change. Only cash is changed.

    No tender at all means exact cash. Raises TenderShort, TenderTooMuch.
    """
    if not tenders:
        return ([Tender("cash", due_fen)] if due_fen else []), 0
    others = [tender for tender in tenders if tender.kind != "cash" and tender.amount_fen]
    cash = sum(tender.amount_fen for tender in tenders if tender.kind == "cash")
    paid_otherwise = sum(tender.amount_fen for tender in others)
    if paid_otherwise > due_fen:
        raise TenderTooMuch(paid=fen_to_yuan(paid_otherwise), due=fen_to_yuan(due_fen))
    rest = due_fen - paid_otherwise
    if cash < rest:
        raise TenderShort(
            due=fen_to_yuan(due_fen), paid=fen_to_yuan(cash + paid_otherwise), short=fen_to_yuan(rest - cash)
        )
    return ([*others, Tender("cash", rest)] if rest else others), cash - rest
