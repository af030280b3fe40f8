"""The facts that recalls and holds tell the center."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.facility.stock.events import product_of
from central_sync import contract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

MOST_LOTS = 500  # Of one fact.


def lot_held(
    document: UUID,
    number: str,
    at: datetime,
    operator: str,
    lots: Sequence[Any],
    *,
    reason: str,
    hold: str = "recalled",
    act: str = "held",
    recall: UUID | None = None,
    origin: str | None = None,
    packs: Sequence[str] = (),
) -> dict[str, Any]:
    """lot.held 1: lots were frozen or freed at a facility; without lots it says that nothing of it is there."""
    body = {
        "document": str(document), "number": number, "at": at.isoformat(), "operator": operator, "act": act, "hold": hold, "reason": reason,
        "recall": str(recall) if recall else None, "origin": origin, "lots": [_lot(row) for row in lots[:MOST_LOTS]], "packs": list(packs),
    }  # fmt: skip
    return contract.compose("lot.held", body)


def recall_reported(
    recall: UUID, number: str, at: datetime, operator: str, figures: Mapping[str, int], note: str
) -> dict[str, Any]:
    """recall.reported 1: what became of the goods at this facility."""
    body = {
        "recall": str(recall),
        "number": number,
        "at": at.isoformat(),
        "operator": operator,
        "note": note,
        **figures,
    }
    return contract.compose("recall.reported", body)


def _lot(row: Any) -> dict[str, Any]:
    zones = list(row.zones)
    return {
        "product": product_of(row._asdict()), "lot": row.lot_number, "expires_on": row.expires_on, "pack_size": row.pack_size,
        "quantity": sum(zone["quantity"] for zone in zones), "zones": zones,
    }  # fmt: skip
