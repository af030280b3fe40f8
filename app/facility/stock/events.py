"""The facts this room tells the center."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from central_sync import contract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

_encode = msgspec.json.Encoder().encode


def as_facts(kind: str, body: Mapping[str, Any], version: int = 1) -> str:
    """One fact as `append_facts` takes it, held against the contract; its body is a text whose bytes are kept as they are."""
    return _encode([contract.compose(kind, body, version)]).decode()


def product_of(product: Mapping[str, Any]) -> dict[str, Any]:
    """What a fact says of a product."""
    return {key: product[key] for key in ("code", "national", "barcode", "name", "spec", "maker", "approval", "rx")}


def stock_received(
    document: UUID,
    number: str,
    at: datetime,
    operator: str,
    lines: Sequence[Mapping[str, Any]],
    *,
    supplier: Mapping[str, str] | None = None,
    delivery_note: str | None = None,
    invoice: str | None = None,
) -> str:
    """stock.received 1: lots arrived and were put on the shelf; without a supplier they were there before the first day."""
    body = {
        "document": str(document),
        "receipt": number,
        "at": at.isoformat(),
        "operator": operator,
        "lines": list(lines),
        "supplier": supplier,
        "delivery_note": delivery_note,
        "invoice": invoice,
    }
    return as_facts("stock.received", body)
