"""Let the application change a document's state and what became of it, never its figures, its day or its owner.

A settled sale's total, receipt or person cannot be edited even by a mistake of ours: only the columns that an act
writes after the row was made are granted.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHANGES = {
    "sale": "state, settled_at, setl_id, mdtrt_id, money, cash_fen, stream_number, stream_hash, refusal",
    "refund": "state, refunded_at, cash_fen, new_setl_id, new_mdtrt_id, money, stream_number, refusal",
    "insurance_attempt": "state, tries, next_at, given_up_at, answer_code, answer_text, answered_at",
    "shift": "closed_at, closed_by, counted_fen, expected_fen, difference_reason",
    "prescription": "state, reviewer_id, reviewer_name, reviewed_at, review_note, sale_id",
    "identification": "matched_by, override_reason, identity",
    "basket": "state, station, staff_id, version, content, changed_at",
    "lot": "cost_price, hold, hold_reason",
    "lot_balance": "on_hand, reserved",
    "trace_code": "state, remaining, reserved, document_id",
}
NEVER_CHANGED = ("center_sign_in",)


def upgrade() -> None:
    for table in (*CHANGES, *NEVER_CHANGED):
        op.execute(f"revoke update on {table} from facility_app")
    for table, columns in CHANGES.items():
        op.execute(f"grant update ({columns}) on {table} to facility_app")


def downgrade() -> None:
    for table, columns in CHANGES.items():
        op.execute(f"revoke update ({columns}) on {table} from facility_app")
    for table in (*CHANGES, *NEVER_CHANGED):
        op.execute(f"grant update on {table} to facility_app")
