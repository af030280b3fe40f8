"""Charge services by package (套餐): versions with the day from which they hold; a bill's line keeps the one it was charged by."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

TABLE = "charge_package"
CREATE = """
create table charge_package (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id bigint generated always as identity,
    code text not null,
    name text not null,
    kind text not null,
    price_fen bigint not null,
    items jsonb not null,
    offered boolean not null,
    begins_on date not null,
    staff_id bigint not null,
    set_at timestamptz not null,
    constraint charge_package_pkey primary key (tenant_id, id),
    constraint charge_package_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint charge_package_code_check check (code ~ '^[a-z0-9_]{2,20}$'),
    constraint charge_package_name_check check (char_length(name) between 1 and 30),
    constraint charge_package_kind_check check (kind in ('TREATMENT', 'TEST', 'FEE')),
    constraint charge_package_price_check check (price_fen > 0)
)
"""
STATEMENTS = (
    "create index charge_package_of_code on charge_package (tenant_id, code, begins_on desc, id desc)",
    "grant select, insert on charge_package to facility_app",
    "grant select on sequence charge_package_id_seq to facility_backup",
    (
        "alter table bill_line add column package_id bigint,"
        " add constraint bill_line_package_fkey foreign key (tenant_id, package_id) references charge_package (tenant_id, id)"
    ),
)


def upgrade() -> None:
    """Make the table, fence it, let lines name it."""
    op.execute(CREATE)
    for statement in (*isolate(TABLE, worker=False), *backed_up(TABLE, "facility"), *STATEMENTS):
        op.execute(statement)


def downgrade() -> None:
    """Drop both."""
    op.execute("alter table bill_line drop column package_id")
    op.execute(f"drop table {TABLE}")
