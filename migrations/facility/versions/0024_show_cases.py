"""Let a supplier's code file be kept for its preview, and cases be listed and found by how their code begins (大小码)."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

CHECK = "alter table stock_import add constraint stock_import_kind_check check (kind in ({kinds}) and (kind = 'delivery') = (delivery_id is not null))"
UP = (
    "alter table stock_import drop constraint stock_import_kind_check",
    CHECK.format(kinds="'opening', 'delivery', 'cases'"),
    # "C" is the order in which codes that begin alike are a range.
    'create index code_pack_by_case on code_pack (tenant_id, parent collate "C", child collate "C")',
)
DOWN = (
    "drop index code_pack_by_case",
    "delete from stock_import_row r using stock_import i where i.tenant_id = r.tenant_id and i.id = r.import_id and i.kind = 'cases'",
    "delete from stock_import where kind = 'cases'",
    "alter table stock_import drop constraint stock_import_kind_check",
    CHECK.format(kinds="'opening', 'delivery'"),
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
