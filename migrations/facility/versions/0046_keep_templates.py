"""Keep record templates (病历模板) beside the formulas of sheets."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

SHEETS = "'WESTERN', 'HERB', 'INFUSION', 'TREATMENT', 'TEST'"


def upgrade() -> None:
    op.execute("alter table formula drop constraint formula_kind_check")
    op.execute(f"alter table formula add constraint formula_kind_check check (kind in ({SHEETS}, 'RECORD'))")


def downgrade() -> None:
    op.execute("delete from formula where kind = 'RECORD'")
    op.execute("alter table formula drop constraint formula_kind_check")
    op.execute(f"alter table formula add constraint formula_kind_check check (kind in ({SHEETS}))")
