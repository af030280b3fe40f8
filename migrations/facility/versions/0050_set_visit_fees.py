"""Let a department say which service is paid for a visit there (诊查费), and a doctor another one."""

from __future__ import annotations

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

TABLES = ("department", "practitioner")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"alter table {table} add column visit_service_id bigint")
        op.execute(
            f"alter table {table} add constraint {table}_fee_fkey foreign key (tenant_id, visit_service_id) references product (tenant_id, id)"
        )
        op.execute(f"grant update (visit_service_id) on {table} to facility_app")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"alter table {table} drop column visit_service_id")
