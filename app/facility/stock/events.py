"""The facts this room tells the center."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from central_sync import contract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

MOST_LOTS = 500  # Of one fact about lots that were frozen or freed.
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
    then: Sequence[Mapping[str, Any]] = (),
) -> str:
    """stock.received 1: lots arrived and were put on the shelf; without a supplier they were there before the first day.

    `then` are facts that follow it, as one text for `append_facts`.
    """
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
    return _encode([contract.compose("stock.received", body), *then]).decode()


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


def _lot(row: Any) -> dict[str, Any]:
    zones = list(row.zones)
    return {
        "product": product_of(row._asdict()), "lot": row.lot_number, "expires_on": row.expires_on, "pack_size": row.pack_size,
        "quantity": sum(zone["quantity"] for zone in zones), "zones": zones,
    }  # fmt: skip
