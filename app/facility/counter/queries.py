"""What screens may read of sales and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.core.errors import NotFound
from app.core.web import show_price
from app.facility.db import run
from app.facility.till import receipts

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50


def refund_reasons() -> list[tuple[str, str]]:
    """Why goods may come back (DOMAIN 1.7)."""
    return [
        ("quality", _("质量问题")), ("recall", _("召回")), ("dispensing_error", _("发错药")), ("billing_error", _("收错费")), ("not_handed_over", _("还没有交付")),
    ]  # fmt: skip


def find_refundable(desk: Desk, receipt: str) -> dict[str, Any] | None:
    """A settled sale by its receipt number, with what of each line may still come back."""
    row = run(
        "select id from sale where facility_id = :facility and receipt = :receipt and state = 'settled'",
        facility=desk.facility_id,
        receipt=receipt.upper(),
    ).one_or_none()
    if row is None:
        return None
    head, lines, _tenders, _printed = receipts.get_sale(desk, row.id)
    return {
        "id": str(head.id), "receipt": head.receipt, "at": head.settled_at, "person_masked": head.shown["masked_name"] if head.shown else "",
        "insured": head.paid == "insured", "total_fen": head.total_fen, "lines": [_line(line) for line in lines],
    }  # fmt: skip


def _line(line: Any) -> dict[str, Any]:
    size = 1 if line.split else line.described["pack_size"]
    return {
        "line_no": line.line_no, "product_name": line.described["name"], "spec": line.described["spec"], "lot_no": "、".join(lot["lot_number"] for lot in line.lots or []),
        "unit_price": show_price(line.price), "unit_name": line.described["unit"], "quantity": line.quantity // size, "refunded": line.refunded // size,
        "left": (line.quantity - line.refunded) // size, "amount_fen": line.amount_fen, "codes": line.codes,
    }  # fmt: skip


def recent_sales(desk: Desk, before: tuple[datetime, str] | None = None) -> list[dict[str, Any]]:
    """Settled sales of this facility, newest first."""
    rows = run(
        """
        select s.id, s.receipt, s.settled_at as at, s.total_fen, s.paid, i.shown ->> 'masked_name' as who from sale s
        left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
        where s.facility_id = :facility and s.state = 'settled' and (cast(:at as timestamptz) is null or (s.asked_at, s.id) < (:at, cast(:last as uuid)))
        order by s.asked_at desc, s.id desc limit :page
        """,
        facility=desk.facility_id, at=before[0] if before else None, last=before[1] if before else None, page=PAGE,
    )  # fmt: skip
    return [
        {
            "id": str(row.id),
            "receipt": row.receipt,
            "at": row.at,
            "total_fen": row.total_fen,
            "label": row.who or _("自费"),
        }
        for row in rows
    ]


def sale_as_last(desk: Desk, sale_id: UUID) -> dict[str, Any]:
    """One sale in the form of the counter's "last sale". Raises NotFound."""
    head, *_rest = receipts.get_sale(desk, sale_id)
    given = sum(tender["amount_fen"] for tender in head.tendered if tender["kind"] == "cash")
    return {
        "id": head.id,
        "receipt": head.receipt,
        "at": head.settled_at,
        "total_fen": head.total_fen,
        "change_fen": max(0, given - (head.cash_fen or 0)) if given else 0,
    }


def get_refund(desk: Desk, refund_id: UUID) -> dict[str, Any]:
    """A refund and where it stands. Raises NotFound."""
    row = run(
        """
        select r.*, s.receipt as original, s.paid, b.name as approver from refund r join sale s on s.tenant_id = r.tenant_id and s.id = r.sale_id
        left join staff b on b.tenant_id = r.tenant_id and b.id = r.approver_id where r.id = :id and r.facility_id = :facility
        """,
        id=refund_id,
        facility=desk.facility_id,
    ).one_or_none()
    if row is None:
        raise NotFound
    lines = run(
        """
        select n.line_no, n.quantity, n.amount_fen, n.goods, l.lot_number, d.described, d.split from refund_line n
        join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
        join sale_line d on d.tenant_id = n.tenant_id and d.sale_id = n.sale_id and d.line_no = n.line_no
        where n.refund_id = :id order by n.line_no limit 200
        """,
        id=refund_id,
    )
    tenders = run(
        "select kind, sum(amount_fen)::bigint as amount_fen from tender where document_id = :id group by kind order by kind",
        id=refund_id,
    )
    goods = {"kept": _("顾客留着"), "quarantine": _("待处理区"), "shelf": _("回货架")}
    return {
        **row._asdict(), "reason_text": dict(refund_reasons())[row.reason],
        "lines": [{"line_no": line.line_no, "name": line.described["name"], "spec": line.described["spec"], "unit": line.described["unit"],
                   "units": line.quantity // (1 if line.split else line.described["pack_size"]), "lot": line.lot_number, "amount_fen": line.amount_fen, "goods": goods[line.goods]} for line in lines],
        "tenders": [(row.kind, row.amount_fen) for row in tenders],
    }  # fmt: skip
