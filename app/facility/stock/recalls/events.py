"""The fact that recalls tell the center of their own; what was frozen is told by `stock.events.lot_held`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from central_sync import contract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


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
