"""What people do at a register: check a split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import clock
from app.core.errors import NotFound
from app.facility.counter.registers.errors import OwnSplit
from app.facility.db import action, run

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.tenancy import Desk

SOLD_BY = """
select s.staff_id from sale s join sale_line n on n.tenant_id = s.tenant_id and n.sale_id = s.id and n.line_no = :line and n.split
where s.id = :sale and s.facility_id = :facility and s.state = 'settled'
"""
CHECK = """
insert into split_check (sale_id, line_no, facility_id, staff_id, checked_at) values (:sale, :line, :facility, :staff, :at) on conflict do nothing
"""


@action
def check_split(desk: Desk, sale_id: UUID, line_no: int) -> None:
    """Somebody else than the packer has checked a split sale (拆零复核). Doing it again changes nothing. Raises NotFound, OwnSplit."""
    keys = {"sale": sale_id, "line": line_no, "facility": desk.facility_id}
    seller = run(SOLD_BY, **keys).scalar_one_or_none()
    if seller is None:
        raise NotFound
    if seller == desk.staff_id:
        raise OwnSplit
    run(CHECK, **keys, staff=desk.staff_id, at=clock.now())
