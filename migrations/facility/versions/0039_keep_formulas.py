"""Keep formulas (协定处方): a doctor's own, a department's or the clinic's; find what a doctor signed lately."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TABLE = "formula"
# Without an owner it is shared: with a department, or with the whole facility. Nothing of a patient stands in it.
CREATE = """
create table formula (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id uuid not null,
    facility_id bigint not null,
    owner_id bigint,
    department_id bigint,
    name text not null,
    initials text not null,
    kind text not null,
    body jsonb not null,
    staff_id bigint not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    ended_by bigint,
    constraint formula_pkey primary key (tenant_id, id),
    constraint formula_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint formula_owner_fkey foreign key (tenant_id, owner_id) references staff (tenant_id, id),
    constraint formula_department_fkey foreign key (tenant_id, department_id) references department (tenant_id, id),
    constraint formula_name_check check (char_length(name) between 1 and 40),
    constraint formula_kind_check check (kind in ('WESTERN', 'HERB', 'INFUSION', 'TREATMENT', 'TEST')),
    constraint formula_shared_check check (owner_id is null or department_id is null),
    constraint formula_ended_check check ((ended_at is null) = (ended_by is null))
)
"""
INDEXES = (
    (
        "create unique index formula_name_once on formula (tenant_id, facility_id, coalesce(owner_id, 0), coalesce(department_id, 0), name)"
        " where ended_at is null"
    ),
    "create index clinic_order_of_doctor on clinic_order (tenant_id, doctor_id, signed_at desc)",
)


def upgrade() -> None:
    """Make the table, fence it; index what a doctor signed."""
    op.execute(CREATE)
    for statement in (*INDEXES, *isolate(TABLE, worker=False), *backed_up(TABLE, "facility")):
        op.execute(statement)
    op.execute(f"grant select, insert, update (ended_at, ended_by) on {TABLE} to facility_app")


def downgrade() -> None:
    """Drop both."""
    op.execute("drop index clinic_order_of_doctor")
    op.execute(f"drop table {TABLE}")
