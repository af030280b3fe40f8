"""Create the chronic register, follow-ups and contracts with a family doctor (慢病管理、随访、家医签约).

Plans and packages are versions with the day from which they hold; a follow-up is only added to; its words are sealed.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

# A version without days says that nobody is expected by this plan any more.
PLAN = f"""
create table care_plan (
    {TENANT},
    id bigint generated always as identity,
    code text not null,
    name text not null,
    codes text[] not null,
    entitlement text not null default '',
    days int,
    due text[] not null,
    begins_on date not null,
    staff_id bigint not null,
    set_at timestamptz not null,
    constraint care_plan_pkey primary key (tenant_id, id),
    constraint care_plan_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint care_plan_code_check check (code ~ '^[a-z0-9_]{{2,20}}$'),
    constraint care_plan_name_check check (char_length(name) between 1 and 30),
    constraint care_plan_codes_check check (cardinality(codes) between 1 and 20),
    constraint care_plan_days_check check (days between 7 and 366)
)
"""
PLAN_INDEX = "create index care_plan_of_code on care_plan (tenant_id, code, begins_on desc, id desc)"

# `next_on` is what was last said; a visit since then moves it when it is read.
ENROLMENT = f"""
create table care_enrolment (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    patient_id uuid not null,
    plan_code text not null,
    begun_on date not null,
    next_on date not null,
    digest bytea not null,
    staff_id bigint not null,
    made_at timestamptz not null,
    ended_on date,
    ended_why text,
    ended_by bigint,
    constraint care_enrolment_pkey primary key (tenant_id, id),
    constraint care_enrolment_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint care_enrolment_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint care_enrolment_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint care_enrolment_ended_check check ((ended_on is null) = (ended_why is null) and (ended_on is null) = (ended_by is null))
)
"""
ENROLMENT_INDEXES = (
    "create unique index care_enrolment_once on care_enrolment (tenant_id, facility_id, patient_id, plan_code) where ended_on is null",
    "create index care_enrolment_next on care_enrolment (tenant_id, facility_id, next_on) where ended_on is null",
    "create index care_enrolment_made on care_enrolment (tenant_id, facility_id, made_at desc, id desc)",
    "create index care_enrolment_of_patient on care_enrolment (tenant_id, patient_id)",
)

NOTE = f"""
create table care_note (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    patient_id uuid not null,
    kind text not null,
    outcome text not null,
    systolic int,
    diastolic int,
    glucose_tenths int,
    next_on date,
    sealed bytea,
    digest bytea not null,
    staff_id bigint not null,
    at timestamptz not null,
    constraint care_note_pkey primary key (tenant_id, id),
    constraint care_note_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint care_note_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint care_note_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint care_note_kind_check check (kind in ('call', 'home', 'desk')),
    constraint care_note_outcome_check check (outcome in ('reached', 'coming', 'missed', 'declined', 'moved', 'died')),
    constraint care_note_pressure_check check (systolic between 40 and 300 and diastolic between 20 and 200 and diastolic < systolic
        or systolic is null and diastolic is null),
    constraint care_note_glucose_check check (glucose_tenths between 5 and 600)
)
"""
NOTE_INDEX = "create index care_note_of_patient on care_note (tenant_id, patient_id, at desc, id desc)"

PACKAGE = f"""
create table care_package (
    {TENANT},
    id bigint generated always as identity,
    code text not null,
    name text not null,
    fee_fen bigint not null,
    fund_fen bigint not null,
    public_fen bigint not null,
    self_fen bigint not null,
    items jsonb not null,
    offered boolean not null,
    begins_on date not null,
    staff_id bigint not null,
    set_at timestamptz not null,
    constraint care_package_pkey primary key (tenant_id, id),
    constraint care_package_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint care_package_code_check check (code ~ '^[a-z0-9_]{{2,20}}$'),
    constraint care_package_name_check check (char_length(name) between 1 and 30),
    constraint care_package_fee_check check (fund_fen >= 0 and public_fen >= 0 and self_fen >= 0 and fee_fen = fund_fen + public_fen + self_fen)
)
"""
PACKAGE_INDEX = "create index care_package_of_code on care_package (tenant_id, code, begins_on desc, id desc)"

CONTRACT = f"""
create table care_contract (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    patient_id uuid not null,
    package_id bigint not null,
    doctor_id bigint not null,
    nurse_id bigint,
    from_on date not null,
    until_on date not null,
    digest bytea not null,
    staff_id bigint not null,
    made_at timestamptz not null,
    ended_on date,
    ended_why text,
    ended_by bigint,
    constraint care_contract_pkey primary key (tenant_id, id),
    constraint care_contract_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint care_contract_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint care_contract_package_fkey foreign key (tenant_id, package_id) references care_package (tenant_id, id),
    constraint care_contract_doctor_fkey foreign key (tenant_id, doctor_id) references staff (tenant_id, id),
    constraint care_contract_nurse_fkey foreign key (tenant_id, nurse_id) references staff (tenant_id, id),
    constraint care_contract_days_check check (until_on > from_on),
    constraint care_contract_ended_check check ((ended_on is null) = (ended_why is null) and (ended_on is null) = (ended_by is null))
)
"""
CONTRACT_INDEXES = (
    "create index care_contract_until on care_contract (tenant_id, facility_id, until_on, id)",
    "create index care_contract_of_patient on care_contract (tenant_id, patient_id, from_on desc)",
)

# One service done, with the paper that shows it: a visit, a follow-up or a sheet of treatments.
SERVICE = f"""
create table care_service (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    contract_id uuid not null,
    item text not null,
    done_on date not null,
    visit_id uuid,
    note_id uuid,
    order_id uuid,
    staff_id bigint not null,
    at timestamptz not null,
    withdrawn_at timestamptz,
    withdrawn_by bigint,
    withdrawn_why text,
    constraint care_service_pkey primary key (tenant_id, id),
    constraint care_service_contract_fkey foreign key (tenant_id, contract_id) references care_contract (tenant_id, id),
    constraint care_service_visit_fkey foreign key (tenant_id, visit_id) references visit (tenant_id, id),
    constraint care_service_note_fkey foreign key (tenant_id, note_id) references care_note (tenant_id, id),
    constraint care_service_order_fkey foreign key (tenant_id, order_id) references clinic_order (tenant_id, id),
    constraint care_service_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint care_service_paper_check check (num_nonnulls(visit_id, note_id, order_id) = 1),
    constraint care_service_withdrawn_check check ((withdrawn_at is null) = (withdrawn_by is null) and (withdrawn_at is null) = (withdrawn_why is null))
)
"""
# One paper shows one item once.
SERVICE_ONCE = """
create unique index care_service_once on care_service (tenant_id, contract_id, item, visit_id, note_id, order_id) nulls not distinct where withdrawn_at is null
"""
LONG_TERM = "create index clinic_order_long_term on clinic_order (tenant_id, facility_id, signed_at) where long_term"

TABLES = {
    "care_plan": (PLAN, PLAN_INDEX), "care_enrolment": (ENROLMENT, *ENROLMENT_INDEXES), "care_note": (NOTE, NOTE_INDEX),
    "care_package": (PACKAGE, PACKAGE_INDEX), "care_contract": (CONTRACT, *CONTRACT_INDEXES), "care_service": (SERVICE, SERVICE_ONCE),
}  # fmt: skip
GRANTS = (
    "grant select, insert on care_plan, care_enrolment, care_note, care_package, care_contract, care_service to facility_app",
    "grant update (next_on, ended_on, ended_why, ended_by) on care_enrolment to facility_app",
    "grant update (ended_on, ended_why, ended_by) on care_contract to facility_app",
    "grant update (withdrawn_at, withdrawn_by, withdrawn_why) on care_service to facility_app",
    "grant select on sequence care_plan_id_seq, care_package_id_seq to facility_backup",
)


def upgrade() -> None:
    """Make the tables and fence them; find long prescriptions by when they were signed."""
    for table, statements in TABLES.items():
        for statement in (*statements, *isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
    for statement in (*GRANTS, LONG_TERM):
        op.execute(statement)


def downgrade() -> None:
    """Drop them, the youngest first."""
    op.execute("drop index clinic_order_long_term")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
