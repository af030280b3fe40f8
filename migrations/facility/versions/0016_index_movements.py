"""Let the ledger be read by day, by kind and by product without touching what is not shown.

A movement list reads by moment; a product's ledger and its sales of a month read by product and moment. Both indexes carry
the quantity, so that a sum over a month is read from the index alone. Kinds other than the sale are few: they have an index
of their own, which a sale never writes to.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP = (
    "drop index stock_movement_of_product",
    """
    create index stock_movement_of_product on stock_movement (tenant_id, facility_id, product_id, moved_at desc, id desc)
    include (kind, quantity)
    """,
    """
    create index stock_movement_by_time on stock_movement (tenant_id, facility_id, moved_at desc, id desc)
    include (product_id, kind, quantity, staff_id)
    """,
    """
    create index stock_movement_seldom on stock_movement (tenant_id, facility_id, kind, moved_at desc, id desc)
    where kind <> 'SA'
    """,
    # A lot is found by how its number begins; "C" is the order in which that is a range.
    'create index lot_by_number on lot (tenant_id, facility_id, lot_number collate "C")',
)
DOWN = (
    "drop index lot_by_number",
    "drop index stock_movement_seldom",
    "drop index stock_movement_by_time",
    "drop index stock_movement_of_product",
    "create index stock_movement_of_product on stock_movement (tenant_id, facility_id, product_id, id desc)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
