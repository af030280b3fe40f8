"""Find a patient's file by the paper of a file that was merged into it, too."""

from __future__ import annotations

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index patient_of_paper on patient (tenant_id, certno_hash)")


def downgrade() -> None:
    op.execute("drop index patient_of_paper")
