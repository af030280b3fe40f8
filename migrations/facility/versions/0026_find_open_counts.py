"""Let the shelf find the counts that are under way without reading the others."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index stock_count_open on stock_count (tenant_id, facility_id) where state = 'open'")


def downgrade() -> None:
    op.execute("drop index stock_count_open")
