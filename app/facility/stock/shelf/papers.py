"""Which paper a number names: receipts, transfers, counts, recalls, the stock room's papers, price changes, a clinic's hand-overs and
returns; each opens where it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.facility.db import run

if TYPE_CHECKING:
    from uuid import UUID

# First letter of the number -> (which rows, the page that shows one, its parameter).
PAPERS = {
    "R": ("stock_receipt where facility_id = :facility", "stock.show_receipt", "receipt_id"),
    "K": ("stock_document where facility_id = :facility", "stock_papers.show_paper", "document_id"),
    "B": ("transfer where :facility in (from_facility_id, to_facility_id)", "stock_transfers.show_transfer", "transfer_id"),
    "P": ("stock_count where facility_id = :facility", "stock_counts.show_count", "count_id"),
    "Z": ("recall where exists (select from recall_place a where a.tenant_id = recall.tenant_id and a.recall_id = recall.id and a.facility_id = :facility)", "stock_recalls.show_recall", "recall_id"),
    "D": ("(select order_id as id, facility_id, number from dispensing union all select order_id, facility_id, number from dispensing_return) given where facility_id = :facility", "clinic_dispensing.show_sheet", "sheet_id"),
    "J": ("price_change where facility_id = :facility", "stock_shelf.show_price_change", "change_id"),
}  # fmt: skip


def find(facility_id: int, number: str) -> tuple[str, dict[str, Any]] | None:
    """The page of the paper with this number, and what it needs; None where there is no such paper."""
    known = PAPERS.get(number[:1])
    if known is None:
        return None
    rows, endpoint, parameter = known
    row: Any = run(
        f"select id from {rows} and number = :number limit 1", facility=facility_id, number=number
    ).one_or_none()
    return (endpoint, {parameter: row.id}) if row else None


def page_of(number: str, document_id: UUID) -> tuple[str, dict[str, Any]] | None:
    """The page of a paper whose number and id are known already."""
    known = PAPERS.get(number[:1])
    return (known[1], {known[2]: document_id}) if known else None
