"""End the day: close the visits of which nothing is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import clock
from app.facility.db import hot_action, transaction

if TYPE_CHECKING:
    from app.core.tenancy import Desk

# Signed visits, today's and older ones, whose sheets are all done, given up or out of date, and on which no bill is open.
# Of a paid sheet something is left while a pack is held for it or a service was neither carried out nor paid back.
CLOSE = """
with ready as (
    select v.id from visit v
    where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.state = 'SIGNED' and v.visit_on <= %(today)s and v.visit_on > %(today)s - 60
        and not exists (
            select from clinic_order o where o.tenant_id = v.tenant_id and o.visit_id = v.id
                and (o.state in ('SIGNED', 'PASSED', 'RETURNED', 'REFUSED') and o.valid_until >= %(today)s or o.state in ('CHARGED', 'DISPENSING')
                    and exists (
                        select from bill_line l where l.tenant_id = o.tenant_id and l.bill_id = o.bill_id and l.order_id = o.id
                            and (l.described ->> 'rx_class' = 'SERVICE' and l.quantity > l.handed_over + l.refunded
                                or exists (select from bill_pick p where p.tenant_id = l.tenant_id and p.bill_id = l.bill_id and p.line_no = l.line_no and p.held > 0)))))
        and not exists (select from bill b where b.tenant_id = v.tenant_id and b.visit_id = v.id and b.state in ('open', 'asked'))
    order by v.id limit 500 for update of v
), closed as (
    update visit set state = 'CLOSED', closed_at = %(at)s from ready where visit.tenant_id = %(tenant)s and visit.id = ready.id returning visit.id
)
insert into visit_event (tenant_id, visit_id, facility_id, kind, note, staff_id, at)
select %(tenant)s, id, %(facility)s, 'closed', '', %(staff)s, %(at)s from closed returning visit_id
"""


@hot_action
def close_visits(desk: Desk) -> int:
    """Close the signed visits of which nothing is left to do (结束就诊); returns how many. Those with something open stay as they are."""
    with transaction(settings=desk.settings) as hot:
        return len(hot.run_last(CLOSE, {**desk.keys, "today": clock.business_date(), "at": clock.now()}))
