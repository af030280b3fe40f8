"""Let officers of the receiver's district read a referral too: whoever was to take a patient on is theirs to ask.

A sender may lie in a district whose institutions the officer does not see; so the referral keeps its name as well.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import DISTRICT

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = ("referral", "referral_event")
UP = (
    "alter table referral add column institution_name text, add column target_district text",
    "alter table referral_event add column target_district text",
    (
        "update referral r set institution_name = s.name, target_district = t.district from institution s, institution t "
        "where s.code = r.institution_code and t.code = r.target_code"
    ),
    "update referral_event e set target_district = r.target_district from referral r where r.id = e.referral_id",
    "alter table referral alter column institution_name set not null, alter column target_district set not null",
    "alter table referral_event alter column target_district set not null",
    "create index referral_target_district_idx on referral (target_district, id)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)
    for table in TABLES:
        op.execute(
            f"create policy received on {table} for select to center_app using (target_district like {DISTRICT} || '%')"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop policy received on {table}")
        op.execute(f"alter table {table} drop column target_district")
    op.execute("alter table referral drop column institution_name")
