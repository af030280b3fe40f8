"""Create referrals (转诊): a clinic or hospital sends a patient on to another, which takes them, declines, and answers.

Who it is, why, and the answer lie sealed; the state is kept here, and who changed it when.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center, open_to

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

REFERRAL = """
create table referral (
    id bigint generated always as identity,
    number text not null generated always as ('Z' || lpad(id::text, 10, '0')) stored,
    institution_code text not null,
    target_code text not null,
    district text not null,
    document uuid not null,
    digest bytea not null,
    patient_sealed bytea not null,
    patient_shown text not null,
    urgent boolean not null,
    department text not null,
    doctor text not null,
    doctor_name text not null,
    sent_at timestamptz not null,
    valid_until date not null,
    state text not null default 'SENT',
    answer_sealed bytea,
    changed_at timestamptz not null,
    constraint referral_pkey primary key (id),
    constraint referral_number_key unique (number),
    constraint referral_document_key unique (institution_code, document),
    constraint referral_institution_fkey foreign key (institution_code) references institution (code),
    constraint referral_target_fkey foreign key (target_code) references institution (code),
    constraint referral_elsewhere_check check (target_code <> institution_code),
    constraint referral_state_check check (state in ('SENT', 'ACCEPTED', 'DECLINED', 'CLOSED', 'WITHDRAWN')),
    constraint referral_answer_check check (state in ('SENT', 'ACCEPTED') or answer_sealed is not null)
)
"""
EVENT = """
create table referral_event (
    id bigint generated always as identity,
    referral_id bigint not null,
    district text not null,
    kind text not null,
    institution_code text not null,
    operator text not null,
    at timestamptz not null,
    constraint referral_event_pkey primary key (id),
    constraint referral_event_head_fkey foreign key (referral_id) references referral (id),
    constraint referral_event_kind_check check (kind in ('SENT', 'ACCEPTED', 'DECLINED', 'CLOSED', 'WITHDRAWN'))
)
"""
TABLES = ("referral", "referral_event")
STATEMENTS = (
    REFERRAL,
    "create index referral_institution_idx on referral (institution_code, id desc)",
    "create index referral_target_idx on referral (target_code, id desc)",
    EVENT,
    "create index referral_event_head_idx on referral_event (referral_id, id)",
    "insert into parameter (scope, name, value, valid_from) values ('*', 'referral_valid_days', '30', '2020-01-01')",
    "grant select, insert on referral, referral_event to center_interface",
    "grant update (state, answer_sealed, changed_at) on referral to center_interface",
    "grant select on sequence referral_id_seq, referral_event_id_seq to center_backup",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in TABLES:
        for statement in (*isolate_center(table), *open_to(table, "center_interface"), *backed_up(table, "center")):
            op.execute(statement)


def downgrade() -> None:
    op.execute("delete from parameter where name = 'referral_valid_days'")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
