"""Keep what a doctor answered to reminders (提醒的处理): which rule, what was shown, why they went on. Only added to."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLE = "reminder_answer"
CREATE = """
create table reminder_answer (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id uuid not null,
    facility_id bigint not null,
    visit_id uuid not null,
    rule text not null,
    key text not null,
    said text not null,
    firm boolean not null,
    answer text not null,
    reason_code text,
    note text not null default '',
    checked_by text not null,
    staff_id bigint not null,
    at timestamptz not null,
    constraint reminder_answer_pkey primary key (tenant_id, id),
    constraint reminder_answer_visit_fkey foreign key (tenant_id, visit_id) references visit (tenant_id, id),
    constraint reminder_answer_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint reminder_answer_answer_check check (answer in ('reasoned', 'kept')),
    constraint reminder_answer_reason_check check ((answer = 'reasoned') = (reason_code is not null)),
    constraint reminder_answer_firm_check check (not firm or answer = 'reasoned'),
    constraint reminder_answer_checked_check check (checked_by in ('local', 'center')),
    constraint reminder_answer_length_check check (char_length(key) between 1 and 200 and char_length(said) <= 500 and char_length(note) <= 200)
)
"""


def upgrade() -> None:
    """Make the table, fence it."""
    op.execute(CREATE)
    op.execute("create index reminder_answer_of_visit on reminder_answer (tenant_id, visit_id, key, at desc)")
    for statement in (*isolate(TABLE, worker=False), *backed_up(TABLE, "facility")):
        op.execute(statement)
    op.execute("grant select, insert on reminder_answer to facility_app")


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table reminder_answer")
