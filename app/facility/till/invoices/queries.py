"""What screens read of invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.core import personal
from app.core.errors import NotFound
from app.facility.db import run

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50
MOST_STEPS = 50

# Newest step first; a sale stands once, where its invoice stands now.
STANDING = """
select i.id, i.sale_id, i.state, i.buyer_kind, i.title, i.tax_number, i.buyer_sealed, i.number, i.amount_fen, i.note, i.at, s.receipt, s.asked_at,
    s.total_fen, f.name as staff
from sale_invoice i
join sale s on s.tenant_id = i.tenant_id and s.id = i.sale_id
join staff f on f.tenant_id = i.tenant_id and f.id = i.staff_id
where i.facility_id = :facility and (:state = '' or i.state = :state) and i.at >= :begins and i.at < :ends and (cast(:before as bigint) is null or i.id < :before)
    and not exists (select from sale_invoice later where later.tenant_id = i.tenant_id and later.sale_id = i.sale_id and later.id > i.id)
order by i.id desc limit :page
"""
# Sales nobody asked an invoice for; the key is the moment and the sale.
NONE = """
select s.id as sale_id, s.receipt, s.asked_at, s.asked_at as at, s.total_fen, s.total_fen as amount_fen, f.name as staff
from sale s join staff f on f.tenant_id = s.tenant_id and f.id = s.staff_id
where s.facility_id = :facility and s.state = 'settled' and s.asked_at >= :begins and s.asked_at < :ends
    and (cast(:at as timestamptz) is null or (s.asked_at, s.id) < (:at, cast(:last as uuid)))
    and not exists (select from sale_invoice i where i.tenant_id = s.tenant_id and i.sale_id = s.id)
order by s.asked_at desc, s.id desc limit :page
"""
SALE = "select id, receipt, asked_at, settled_at, total_fen, paid from sale where id = :sale and facility_id = :facility and state = 'settled'"
STEPS = """
select i.*, f.name as staff from sale_invoice i join staff f on f.tenant_id = i.tenant_id and f.id = i.staff_id
where i.sale_id = :sale order by i.id desc limit :page
"""


def list_standing(
    desk: Desk, state: str, begins: datetime, ends: datetime, before: int | None = None, page: int = PAGE
) -> list[Any]:  # fmt: skip
    """Where invoices stand whose last step lies in the range, newest first; every state when `state` is empty."""
    keys = {
        "facility": desk.facility_id,
        "state": state,
        "begins": begins,
        "ends": ends,
        "before": before,
        "page": page + 1,
    }
    return list(run(STANDING, **keys))


def list_without(
    desk: Desk, begins: datetime, ends: datetime, before: tuple[datetime, str] | None = None, page: int = PAGE
) -> list[Any]:  # fmt: skip
    """Sales of the range that nobody asked an invoice for, newest first."""
    at, last = before or (None, None)
    return list(run(NONE, facility=desk.facility_id, begins=begins, ends=ends, at=at, last=last, page=page + 1))


def get_invoice(desk: Desk, sale_id: UUID) -> tuple[Any, list[Any]]:
    """A sale and the steps of its invoice, the last first. Raises NotFound."""
    sale = run(SALE, sale=sale_id, facility=desk.facility_id).one_or_none()
    if sale is None:
        raise NotFound
    return sale, list(run(STEPS, sale=sale_id, page=MOST_STEPS))


def title_of(desk: Desk, row: Any, *, whole: bool = False) -> str:
    """The title on the invoice; a private person's name is masked."""
    if row.buyer_kind == "firm":
        return str(row.title)
    name = str(msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(row.buyer_sealed)))["name"])
    return name if whole else personal.mask_name(name)
