"""See hand-overs at clinics and what came back of them as what they are in the lives of codes (发药、退药).

They were kept like any move of stock, which nothing is judged by. From here on a pack that was handed to a patient and is sold
elsewhere raises an alert; a code is judged when the next fact tells of it.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UP = """
update trace_event e set
    kind = case l.act when 'dispense' then 'dispensed' else 'taken_back' end, is_back = l.act = 'take_back',
    units = case when l.split then greatest(1, l.quantity / greatest(1, l.code_count)) else e.units end
from movement_line l
where l.kind = 'moved' and l.act in ('dispense', 'take_back') and (e.stream, e.epoch, e.number, e.line) = (l.stream, l.epoch, l.number, l.line)
"""
DOWN = """
update trace_event set kind = 'moved', is_back = false, units = pack_size, original_document = null where kind in ('dispensed', 'taken_back')
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
