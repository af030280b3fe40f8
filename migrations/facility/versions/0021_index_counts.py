"""Let the owner's page find the counts that wait and those of this month without reading the others."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UP = (
    "create index stock_count_waiting on stock_count (tenant_id, facility_id) where state = 'closed'",
    "create index stock_count_decided on stock_count (tenant_id, facility_id, decided_at) where state = 'approved'",
)
DOWN = ("drop index stock_count_decided", "drop index stock_count_waiting")


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
