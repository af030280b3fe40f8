"""Keep what the center warned of while a visit was written (事前提醒), and whether it was told what became of it (3103)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLE = "center_warning"
# `standing`: the newest look at the draft still finds it. The patient's fact is sealed.
CREATE = """
create table center_warning (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    visit_id uuid not null,
    jr_id text not null,
    facility_id bigint not null,
    rule_id text not null,
    firm boolean not null,
    sealed bytea not null,
    standing boolean not null,
    way text,
    reason text not null default '',
    found_at timestamptz not null,
    told_at timestamptz,
    constraint center_warning_pkey primary key (tenant_id, visit_id, jr_id),
    constraint center_warning_visit_fkey foreign key (tenant_id, visit_id) references visit (tenant_id, id),
    constraint center_warning_way_check check (way in ('1', '2')),
    constraint center_warning_told_check check (told_at is null or way is not null),
    constraint center_warning_length_check check (char_length(jr_id) between 1 and 50 and char_length(reason) <= 200)
)
"""
UNTOLD = """
create index center_warning_untold on center_warning (tenant_id, facility_id, found_at) where way is not null and told_at is null
"""


def upgrade() -> None:
    """Make the table, fence it."""
    op.execute(CREATE)
    op.execute(UNTOLD)
    for statement in (*isolate(TABLE, worker=False), *backed_up(TABLE, "facility")):
        op.execute(statement)
    op.execute(f"grant select, insert, update (sealed, standing, way, reason, told_at) on {TABLE} to facility_app")


def downgrade() -> None:
    """Drop it."""
    op.execute(f"drop table {TABLE}")
