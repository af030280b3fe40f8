"""End paid sheets that owe the patient nothing (已完成): fees, and those whose rest was paid back."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

FEES = "update clinic_order set state = 'DONE' where kind = 'FEE' and state = 'CHARGED'"
# Nothing is held, nothing is left to carry out, and no refund is under way. Infusions end with their last dose.
RESTS = """
update clinic_order o set state = 'DONE' where o.state in ('CHARGED', 'DISPENSING') and o.kind in ('WESTERN', 'HERB', 'TREATMENT', 'TEST')
    and not exists (select from bill_refund r where r.tenant_id = o.tenant_id and r.bill_id = o.bill_id and r.state in ('asked', 'reversed'))
    and not exists (
        select from bill_line l where l.tenant_id = o.tenant_id and l.bill_id = o.bill_id and l.order_id = o.id and (
            l.described ->> 'rx_class' = 'SERVICE' and l.quantity > l.handed_over + l.refunded
            or exists (select from bill_pick p where p.tenant_id = l.tenant_id and p.bill_id = l.bill_id and p.line_no = l.line_no and p.held > 0)))
"""


def upgrade() -> None:
    op.execute(FEES)
    op.execute(RESTS)


def downgrade() -> None:
    op.execute("update clinic_order set state = 'CHARGED' where kind = 'FEE' and state = 'DONE'")
