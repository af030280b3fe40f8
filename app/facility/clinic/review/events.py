"""The fact the review tells the center. No personal data, no note: which sheet, what was said, on which items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.facility.stock.events import as_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.tenancy import Desk


def sheet_reviewed(
    desk: Desk, document: UUID, sheet: Any, at: datetime, result: str, concerns: Sequence[str], *, late: bool
) -> str:
    """sheet.reviewed 1: a pharmacist looked at a sheet of medicines, or it was let through in an emergency."""
    body = {
        "document": str(document), "order": sheet.number, "visit": sheet.visit, "kind": sheet.kind, "at": at.isoformat(), "operator": desk.operator,
        "result": result, "concerns": list(concerns), "late": late,
    }  # fmt: skip
    return as_facts("sheet.reviewed", body)
