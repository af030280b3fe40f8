"""Let a recall note the tries to reach patients who got its goods at a clinic (召回通知：发药)."""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

UP = (
    """
    alter table recall_call alter column sale_id drop not null, add column dispensing_id uuid,
        add constraint recall_call_dispensing_fkey foreign key (tenant_id, dispensing_id) references dispensing (tenant_id, id),
        add constraint recall_call_one_buyer check (num_nonnulls(sale_id, dispensing_id) = 1)
    """,
    "create index recall_call_of_dispensing on recall_call (tenant_id, recall_id, dispensing_id, id desc)",
)
DOWN = (
    "delete from recall_call where sale_id is null",
    "alter table recall_call drop constraint recall_call_one_buyer, drop column dispensing_id, alter column sale_id set not null",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
