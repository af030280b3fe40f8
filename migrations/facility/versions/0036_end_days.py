"""Find a day's bills, refunds, sheets, reviews and visits by their index, however many years lie behind (日结)."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

INDEXES = {
    "bill_settled": "bill (tenant_id, facility_id, settled_at) where settled_at is not null",
    "bill_refund_refunded": "bill_refund (tenant_id, facility_id, refunded_at) where refunded_at is not null",
    "clinic_order_signed": "clinic_order (tenant_id, facility_id, signed_at)",
    "clinic_order_reviewed": "clinic_order (tenant_id, facility_id, reviewed_at) where reviewed_at is not null",
    "visit_log": "visit (tenant_id, facility_id, visit_on desc, number desc)",
}


def upgrade() -> None:
    for name, on in INDEXES.items():
        op.execute(f"create index {name} on {on}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"drop index {name}")
