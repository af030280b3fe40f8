"""Create the outpatient visit at the center: its registration, diagnoses and charged lines, and who may prescribe (门诊).

A visit's lines lie here before they are settled, and stay as what was prescribed: how much, how often, for how many days.
`write_visit_settlement` settles one batch of them together with the settlement itself.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center, open_to

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A row per doctor and institution (医保医师). Who is not in it is not judged by it.
PRACTITIONER = """
create table practitioner (
    code text not null,
    institution_code text not null,
    district text not null,
    name text not null,
    eligible_from date not null,
    eligible_until date,
    suspended_until date,
    suspended_why text not null default '',
    constraint practitioner_pkey primary key (code, institution_code),
    constraint practitioner_institution_fkey foreign key (institution_code) references institution (code),
    constraint practitioner_days_check check (eligible_until is null or eligible_from <= eligible_until)
)
"""

# `settlements` counts the settlements that stand; the row is locked by whoever adds or takes one, so 2202 cannot slip between.
VISIT = """
create table visit (
    mdtrt_id text not null,
    institution_code text not null,
    district text not null,
    psn_no text not null,
    insutype text not null,
    number text not null,
    department text not null,
    department_name text not null,
    caty text not null,
    doctor text not null default '',
    doctor_name text not null default '',
    begun_at timestamptz not null,
    registered_at timestamptz not null,
    operator text not null,
    med_type text not null default '',
    disease text not null default '',
    disease_name text not null default '',
    condition_sealed bytea,
    seen_at timestamptz,
    settlements int not null default 0,
    state text not null default 'registered',
    cancelled_at timestamptz,
    constraint visit_pkey primary key (mdtrt_id),
    constraint visit_number_key unique (institution_code, number),
    constraint visit_institution_fkey foreign key (institution_code) references institution (code),
    constraint visit_person_fkey foreign key (psn_no) references person (psn_no),
    constraint visit_state_check check (state in ('registered', 'cancelled')),
    constraint visit_settlements_check check (settlements >= 0 and (state = 'registered' or settlements = 0)),
    constraint visit_cancelled_check check ((state = 'cancelled') = (cancelled_at is not null))
) with (fillfactor = 70)
"""

DIAGNOSIS = """
create table visit_diagnosis (
    mdtrt_id text not null,
    kind text not null,
    code text not null,
    district text not null,
    position int not null,
    name text not null,
    department text not null,
    doctor text not null,
    doctor_name text not null,
    diagnosed_at timestamptz not null,
    valid boolean not null,
    constraint visit_diagnosis_pkey primary key (mdtrt_id, kind, code),
    constraint visit_diagnosis_visit_fkey foreign key (mdtrt_id) references visit (mdtrt_id),
    constraint visit_diagnosis_position_check check (position between 0 and 99)
)
"""

LINE = """
create table visit_line (
    id bigint generated always as identity,
    mdtrt_id text not null,
    institution_code text not null,
    district text not null,
    psn_no text not null,
    batch text not null,
    number text not null,
    code text not null,
    own_code text not null,
    name text not null,
    price numeric(16,6) not null,
    quantity numeric(16,4) not null,
    amount_fen bigint not null,
    rxno text not null default '',
    dose text not null default '',
    frequency text not null default '',
    route text not null default '',
    days int,
    occurred_at timestamptz not null,
    supply_until date,
    department text not null,
    department_name text not null,
    doctor text not null,
    doctor_name text not null,
    performing_department text not null default '',
    performer text not null default '',
    digest bytea not null,
    state text not null default 'uploaded',
    setl_id text,
    uploaded_at timestamptz not null,
    cancelled_at timestamptz,
    constraint visit_line_pkey primary key (id),
    constraint visit_line_visit_fkey foreign key (mdtrt_id) references visit (mdtrt_id),
    constraint visit_line_settlement_fkey foreign key (setl_id) references settlement (setl_id),
    constraint visit_line_state_check check (state in ('uploaded', 'cancelled', 'settled')),
    constraint visit_line_settled_check check ((state = 'settled') = (setl_id is not null)),
    constraint visit_line_cancelled_check check ((state = 'cancelled') = (cancelled_at is not null)),
    constraint visit_line_figures_check check (quantity > 0 and price >= 0 and amount_fen >= 0),
    constraint visit_line_days_check check (days between 0 and 100)
) with (fillfactor = 70)
"""

INDEXES = (
    "create index visit_person_idx on visit (psn_no, registered_at)",
    "create index visit_institution_idx on visit (institution_code, registered_at)",
    "create unique index visit_line_number_key on visit_line (mdtrt_id, number) where state <> 'cancelled'",
    "create index visit_line_batch_idx on visit_line (mdtrt_id, batch)",
    "create index visit_line_settlement_idx on visit_line (setl_id) where setl_id is not null",
    "create index visit_line_supply_idx on visit_line (psn_no, supply_until) where state = 'settled' and supply_until is not null",
)

# Whoever settles first takes the lines; a visit cancelled or a line changed since it was read sends the act around again.
WRITE = """
create function write_visit_settlement(
    p_settlement jsonb, p_answer bytea, p_entries jsonb, p_claims jsonb, p_lines jsonb, p_token bytea, p_visit_lines bigint[]
)
returns void language plpgsql as $$
declare
    v_mdtrt text := p_settlement ->> 'mdtrt_id';
    v_many int;
begin
    update visit set settlements = settlements + 1 where mdtrt_id = v_mdtrt and state = 'registered';
    if not found then
        raise exception 'the visit was cancelled meanwhile' using errcode = 'serialization_failure';
    end if;
    perform write_settlement(p_settlement, p_answer, p_entries, p_claims, p_lines, p_token);
    update visit_line set state = 'settled', setl_id = p_settlement ->> 'setl_id'
    where id = any (p_visit_lines) and mdtrt_id = v_mdtrt and state = 'uploaded';
    get diagnostics v_many = row_count;
    if v_many <> cardinality(p_visit_lines) then
        raise exception 'lines of the visit changed meanwhile' using errcode = 'serialization_failure';
    end if;
end $$
"""

GRANTS = (
    "grant select, insert on visit, visit_diagnosis, visit_line to center_interface",
    (
        "grant update (med_type, disease, disease_name, condition_sealed, seen_at, settlements, state, cancelled_at) on visit"
        " to center_interface"
    ),
    "grant update (position, name, department, doctor, doctor_name, diagnosed_at, valid) on visit_diagnosis to center_interface",
    "grant update (state, setl_id, cancelled_at) on visit_line to center_interface",
    "grant select on practitioner to center_interface",
    "grant select, insert on practitioner to center_app",
    "grant update (eligible_until, suspended_until, suspended_why) on practitioner to center_app",
    "grant select on visit, visit_diagnosis, visit_line to center_app",
    "grant select on sequence visit_line_id_seq to center_backup",
)
TABLES = ("practitioner", "visit", "visit_diagnosis", "visit_line")


def upgrade() -> None:
    for statement in (PRACTITIONER, VISIT, DIAGNOSIS, LINE, *INDEXES, WRITE):
        op.execute(statement)
    for table in TABLES:
        for statement in (
            *isolate_center(table),
            *open_to(table, "center_interface"),
            *backed_up(table, "center"),
        ):
            op.execute(statement)
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function write_visit_settlement(jsonb, bytea, jsonb, jsonb, jsonb, bytea, bigint[])")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
