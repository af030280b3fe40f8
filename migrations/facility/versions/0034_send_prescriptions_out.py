"""Send prescriptions out (处方外配): a reviewed sheet that a pharmacy elsewhere dispenses is OUT, so nobody here charges it.

`outflow` is a sheet's way to the center and what is known of it since; a pharmacy's prescription says from which of the center's
it was made, under which lock. Charged or out: the database holds that a sheet is one of the two.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

STATES = "'SIGNED', 'PASSED', 'RETURNED', 'REFUSED', 'CHARGED', 'DISPENSING', 'DONE', 'VOID'"

# `id` is the document the center knows it by. One sheet has at most one that is asked for or out.
OUTFLOW = """
create table outflow (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id uuid not null,
    facility_id bigint not null,
    order_id uuid not null,
    state text not null,
    number text,
    code_sealed bytea,
    valid_until date,
    center_state text not null default '',
    keeper text not null default '',
    had jsonb not null default '{}',
    refusal text not null default '',
    void_reason text not null default '',
    staff_id bigint not null,
    asked_at timestamptz not null,
    changed_at timestamptz not null,
    constraint outflow_pkey primary key (tenant_id, id),
    constraint outflow_order_fkey foreign key (tenant_id, order_id) references clinic_order (tenant_id, id),
    constraint outflow_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint outflow_state_check check (state in ('asked', 'out', 'voiding', 'void', 'refused')),
    constraint outflow_coded_check check (state in ('asked', 'refused') or (number is not null and code_sealed is not null and valid_until is not null))
)
"""
STATEMENTS = (
    "alter table clinic_order drop constraint clinic_order_state_check",
    f"alter table clinic_order add constraint clinic_order_state_check check (state in ({STATES}, 'OUT'))",
    "alter table clinic_order add constraint clinic_order_out_check check (state <> 'OUT' or (bill_id is null and reviewer_id is not null))",
    OUTFLOW,
    "create unique index outflow_order_once on outflow (tenant_id, order_id) where state in ('asked', 'out', 'voiding')",
    "create index outflow_of_facility on outflow (tenant_id, facility_id, asked_at desc, id)",
    "create index outflow_of_order on outflow (tenant_id, order_id)",
    "grant select, insert on outflow to facility_app",
    (
        "grant update (state, number, code_sealed, valid_until, center_state, keeper, had, refusal, void_reason, changed_at) on outflow"
        " to facility_app"
    ),
    "alter table prescription add column outflow_number text, add column outflow_lock int, add column given_back_at timestamptz",
    "alter table prescription add constraint prescription_outflow_check check ((outflow_number is null) = (outflow_lock is null))",
    "grant update (given_back_at) on prescription to facility_app",
    "alter table prescription_line add column outflow_line int",
)


def upgrade() -> None:
    for statement in (*STATEMENTS, *isolate("outflow", worker=False), *backed_up("outflow", "facility")):
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table prescription_line drop column outflow_line")
    op.execute("alter table prescription drop constraint prescription_outflow_check")
    op.execute(
        "alter table prescription drop column outflow_number, drop column outflow_lock, drop column given_back_at"
    )
    op.execute("drop table outflow")
    op.execute("alter table clinic_order drop constraint clinic_order_out_check")
    op.execute("alter table clinic_order drop constraint clinic_order_state_check")
    op.execute(f"alter table clinic_order add constraint clinic_order_state_check check (state in ({STATES}))")
