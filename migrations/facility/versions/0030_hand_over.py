"""Say of each line of a bill how much was handed over and came back, and of each pick what is still held (发药、退药的余数).

Charging owns the columns; dispensing counts them up. What may be given back in money is what was not handed over or came back.
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

LINES = """
alter table bill_line
    add column handed_over bigint not null default 0,
    add column came_back bigint not null default 0,
    add column refunded bigint not null default 0,
    add constraint bill_line_balances check (
        came_back >= 0 and came_back <= handed_over and handed_over <= quantity and refunded >= 0 and refunded <= quantity - handed_over + came_back
    )
"""


def upgrade() -> None:
    op.execute(LINES)
    op.execute("alter table bill_pick add column held bigint")
    op.execute("update bill_pick set held = 0")
    op.execute(
        "update bill_pick p set held = p.quantity from bill b"
        " where b.tenant_id = p.tenant_id and b.id = p.bill_id and b.version = p.version and b.state in ('asked', 'settled')"
    )
    op.execute(
        "alter table bill_pick alter column held set not null, add constraint bill_pick_holds check (held between 0 and quantity)"
    )
    op.execute("grant update (handed_over, came_back, refunded) on bill_line to facility_app")
    op.execute("grant update (held) on bill_pick to facility_app")


def downgrade() -> None:
    op.execute("alter table bill_line drop column handed_over, drop column came_back, drop column refunded")
    op.execute("alter table bill_pick drop column held")
