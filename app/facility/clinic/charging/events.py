"""The facts charging tells the center. No personal data: whose visit it was is known to the center from the settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.facility.stock.events import as_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.facility.clinic.charging.rules import Line


def bill_settled(
    document: UUID, number: str, visit: str, at: datetime, operator: str, terminal: str, total_fen: int, lines: Sequence[Line],
    settlement: Mapping[str, Any] | None,
) -> str:  # fmt: skip
    """bill.settled 1: sheets of a visit were paid, by insurance (with its settlement) or by the patient alone."""
    body = {
        "document": str(document), "receipt": number, "visit": visit, "at": at.isoformat(), "operator": operator, "terminal": terminal,
        "paid": "insured" if settlement else "self", "total_fen": total_fen, "settlement": settlement, "lines": [_line(line) for line in lines],
    }  # fmt: skip
    return as_facts("bill.settled", body)


def bill_refunded(body: Mapping[str, Any]) -> str:
    """bill.refunded 1: a bill, or some of its lines, was given back."""
    return as_facts("bill.refunded", body)


def _line(line: Line) -> dict[str, Any]:
    about = line.described
    return {
        "line": line.line_no, "order": line.order_number, "kind": line.kind, "quantity": line.quantity, "pack_size": about["pack_size"], "split": line.split,
        "price": f"{line.price:.6f}", "amount_fen": line.amount_fen, "self_paid": line.self_paid,
        "product": {"code": about["code"], "national": about["national"], "name": about["name"], "spec": about["spec"], "maker": about["maker"], "rx": about["rx_class"]},
    }  # fmt: skip
