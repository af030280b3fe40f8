"""Create referrals (转诊): what this house sent to another institution, and what is known of it since.

Reason, summary and the answer lie sealed; the state is the center's, as it was last heard.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

# `id` is the document the center knows it by.
REFERRAL = """
create table referral (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id uuid not null,
    facility_id bigint not null,
    visit_id uuid not null,
    version int not null,
    patient_id uuid not null,
    doctor_id bigint not null,
    target_code text not null,
    target_name text not null,
    urgent boolean not null,
    valid_until date not null,
    digest bytea not null,
    sealed bytea not null,
    state text not null,
    number text,
    refusal text not null default '',
    answer_sealed bytea,
    asked_at timestamptz not null,
    changed_at timestamptz not null,
    constraint referral_pkey primary key (tenant_id, id),
    constraint referral_visit_fkey foreign key (tenant_id, visit_id, version) references visit_record (tenant_id, visit_id, version),
    constraint referral_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint referral_doctor_fkey foreign key (tenant_id, doctor_id) references staff (tenant_id, id),
    constraint referral_state_check check (state in ('asked', 'refused', 'sent', 'accepted', 'declined', 'closed', 'withdrawn')),
    constraint referral_number_check check ((state in ('asked', 'refused')) = (number is null))
)
"""
STATEMENTS = (
    REFERRAL,
    "create unique index referral_by_number on referral (tenant_id, facility_id, number)",
    "create index referral_of_facility on referral (tenant_id, facility_id, asked_at desc, id)",
    "create index referral_of_visit on referral (tenant_id, visit_id)",
    "grant select, insert on referral to facility_app",
    "grant update (target_name, state, number, refusal, answer_sealed, changed_at) on referral to facility_app",
)


def upgrade() -> None:
    for statement in (*STATEMENTS, *isolate("referral", worker=False), *backed_up("referral", "facility")):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table referral")
