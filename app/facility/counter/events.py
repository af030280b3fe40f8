"""The facts the counter tells the center. No personal data: who bought is known to the center from the settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.facility.stock.events import as_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.facility.counter.rules import About, Line, Pick


def product(about: About) -> dict[str, str]:
    """What a fact says of a product."""
    return {
        "code": about.code, "national": about.national, "barcode": about.barcode, "name": about.name, "spec": about.spec,
        "maker": about.maker, "approval": about.approval, "rx": about.rx_class,
    }  # fmt: skip


def sold_lines(lines: Iterable[Line], picks: Sequence[Pick]) -> list[dict[str, Any]]:
    """The lines of a sale, one per lot taken from; codes go with the first lot of their line (a code pins its lot)."""
    found = []
    for line in lines:
        taken = [pick for pick in picks if pick.line_no == line.line_no]
        for position, pick in enumerate(taken):
            found.append(
                {
                    "line": line.line_no, "product": product(line.about), "lot": pick.lot_number, "expires_on": str(pick.expires_on),
                    "produced_on": pick.produced_on and str(pick.produced_on),
                    "quantity": pick.quantity, "pack_size": line.about.pack_size, "split": line.split, "price": f"{line.price:.6f}",
                    "amount_fen": line.amount_fen if position == 0 else 0, "scanned_at": line.scanned_at.isoformat(),
                    "codes": [code.code for code in line.codes] if position == 0 else [], "prescribed": _prescribed(line),
                }
            )  # fmt: skip
    return found


def _prescribed(line: Line) -> dict[str, Any] | None:
    """Which line of which out-flow prescription it is, so that the center counts it as had (取药回写)."""
    if not (line.rx_head and line.rx_head.outflow and line.rx_line):
        return None
    return {"prescription": line.rx_head.outflow, "line": line.rx_line}


def sale_sold(
    document: UUID,
    receipt: str,
    at: datetime,
    operator: str,
    terminal: str,
    total_fen: int,
    lines: list[dict[str, Any]],
    settlement: Mapping[str, Any] | None,
) -> str:
    """sale.sold 1: goods left over the counter, paid by insurance (with its settlement) or by the customer alone."""
    body = {
        "document": str(document), "receipt": receipt, "at": at.isoformat(), "operator": operator, "terminal": terminal,
        "paid": "insured" if settlement else "self", "total_fen": total_fen, "settlement": settlement, "lines": lines,
    }  # fmt: skip
    return as_facts("sale.sold", body)


def sale_refunded(body: Mapping[str, Any]) -> str:
    """sale.refunded 1: money went back by original line; `goods` says what became of the packs."""
    return as_facts("sale.refunded", body)
