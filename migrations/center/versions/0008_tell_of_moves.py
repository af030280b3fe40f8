"""Take in what the stock room tells: goods that moved inside a facility, between two, back to a supplier, or were destroyed.

A moved line has a zone it came from and one it went to; no zone is outside the house. Receipts may name their supplier.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UP = (
    "alter table movement drop constraint movement_kind_check",
    "alter table movement add constraint movement_kind_check check (kind in ('received', 'sold', 'refunded', 'moved'))",
    "alter table movement add column act text, add column approver text, add column counterpart text, add column delivery_note text",
    "alter table movement_line add column act text, add column from_zone text, add column to_zone text, add column cost_price numeric(16, 6), add column rx text",
    "create index movement_act_idx on movement (act, at desc, stream, number) where act is not null",
)
DOWN = (
    "drop index movement_act_idx",
    "alter table movement_line drop column act, drop column from_zone, drop column to_zone, drop column cost_price, drop column rx",
    "alter table movement drop column act, drop column approver, drop column counterpart, drop column delivery_note",
    "alter table movement drop constraint movement_kind_check",
    "alter table movement add constraint movement_kind_check check (kind in ('received', 'sold', 'refunded'))",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
