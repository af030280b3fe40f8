"""Keep why a lot was handed over although another of the same drug expires sooner (先到期先发)."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

UP = """
alter table dispensing_line
    add column passed_lot_id bigint,
    add column lot_reason text not null default '',
    add column lot_note text not null default '',
    add constraint dispensing_line_passed_fkey foreign key (tenant_id, passed_lot_id) references lot (tenant_id, id),
    add constraint dispensing_line_lot_reason_check check (
        (passed_lot_id is not null) = (lot_reason <> '') and lot_reason in ('', 'in_hand', 'damaged', 'patient', 'same_lot', 'other')
        and char_length(lot_note) <= 60 and (lot_reason <> 'other' or lot_note <> '')
    )
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("alter table dispensing_line drop column passed_lot_id, drop column lot_reason, drop column lot_note")
