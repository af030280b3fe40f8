"""Keep what a pharmacist said of each sheet (审方): who, when, with which result, what was looked at. Only added to."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLE = "review_event"
# EMERGENCY is a doctor's or the owner's: the sheet is charged before a pharmacist saw it, who looks at it afterwards.
CREATE = """
create table review_event (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id uuid not null,
    facility_id bigint not null,
    order_id uuid not null,
    prescriber_id bigint not null,
    result text not null,
    concerns text[] not null default '{}',
    note text not null default '',
    checklist jsonb not null,
    late boolean not null default false,
    digest bytea not null,
    staff_id bigint not null,
    at timestamptz not null,
    constraint review_event_pkey primary key (tenant_id, id),
    constraint review_event_order_fkey foreign key (tenant_id, order_id) references clinic_order (tenant_id, id),
    constraint review_event_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint review_event_result_check check (result in ('PASS', 'PASS_WITH_NOTE', 'RETURN', 'REFUSE', 'EMERGENCY')),
    constraint review_event_other_eyes check (result = 'EMERGENCY' or staff_id <> prescriber_id),
    constraint review_event_note_check check ((result = 'PASS') = (note = '') and char_length(note) <= 500),
    constraint review_event_concerns_check check ((result in ('RETURN', 'REFUSE')) <= (cardinality(concerns) > 0) and cardinality(concerns) <= 20)
)
"""
INDEXES = (
    "create index review_event_of_order on review_event (tenant_id, order_id, at desc)",
    "create index review_event_recent on review_event (tenant_id, facility_id, at desc, id desc)",
    # What was let through in an emergency and still waits for a pharmacist.
    (
        "create index clinic_order_unreviewed on clinic_order (tenant_id, facility_id, signed_at, id)"
        " where reviewer_id is null and kind in ('WESTERN', 'HERB', 'INFUSION') and state in ('PASSED', 'CHARGED', 'DISPENSING', 'DONE')"
    ),
)


def upgrade() -> None:
    """Make the table, fence it."""
    op.execute(CREATE)
    for statement in (*INDEXES, *isolate(TABLE, worker=False), *backed_up(TABLE, "facility")):
        op.execute(statement)
    op.execute("grant select, insert on review_event to facility_app")


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index clinic_order_unreviewed")
    op.execute("drop table review_event")
