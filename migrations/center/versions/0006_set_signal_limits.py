"""Put the limits of the identity score beside its weights: from when a signal speaks, and from what score the counter asks.

They travel with the weights, in the statement that reads those anyway, and have dates of effect as they do. The defaults
are those of the domain notes (2.5), which a center may change.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LIMITS = {
    "limit_ask_score": 40,
    "limit_hold_score": 70,
    "limit_institutions": 3,
    "limit_cards": 3,
    "limit_principals": 2,
    "limit_kmh": 120,
    "limit_elsewhere_minutes": 30,
    "limit_elsewhere_km": 20,
    "limit_anywhere_minutes": 15,
}


def upgrade() -> None:
    for name, limit in LIMITS.items():
        op.execute(f"insert into signal_weight (signal, valid_from, weight) values ('{name}', '2020-01-01', {limit})")


def downgrade() -> None:
    op.execute("delete from signal_weight where signal like 'limit\\_%'")
