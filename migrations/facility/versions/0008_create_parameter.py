"""Create the parameters a site may set: figures and words with a moment from which they hold.

A change is a new row that begins now or later; no row is ever edited, so what held at a moment can be read years on. A
name without a row holds the product's default.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The database itself refuses a change of the past: begins_at may not lie before the moment of setting.
PARAMETER = """
create table parameter (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id bigint generated always as identity,
    name text not null,
    value text not null,
    begins_at timestamptz not null,
    staff_id bigint not null,
    set_at timestamptz not null,
    constraint parameter_pkey primary key (tenant_id, id),
    constraint parameter_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint parameter_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint parameter_name_check check (name ~ '^[a-z][a-z_]{0,39}$'),
    constraint parameter_value_check check (char_length(value) between 1 and 60),
    constraint parameter_begins_check check (begins_at >= set_at)
)
"""

STATEMENTS = (
    PARAMETER,
    "create index parameter_name_idx on parameter (tenant_id, name, begins_at desc, id desc)",
    *isolate("parameter", worker=False),
    "grant select, insert on parameter to facility_app",
    *backed_up("parameter", "facility"),
    "grant select on sequence parameter_id_seq to facility_backup",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table parameter")
