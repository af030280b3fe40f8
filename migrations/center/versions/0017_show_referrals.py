"""Let officers read where a referral stands and what happened to it, by district, newest first.

A receiver may lie in a district whose institutions the officer does not see; so the referral keeps its name.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table referral add column target_name text")
    op.execute("update referral r set target_name = i.name from institution i where i.code = r.target_code")
    op.execute("alter table referral alter column target_name set not null")
    op.execute("create index referral_district_idx on referral (district, id)")
    op.execute("grant select on referral, referral_event to center_app")


def downgrade() -> None:
    op.execute("revoke select on referral, referral_event from center_app")
    op.execute("drop index referral_district_idx")
    op.execute("alter table referral drop column target_name")
