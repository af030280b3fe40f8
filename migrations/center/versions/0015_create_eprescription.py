"""Create out-flow prescriptions (处方外流): signed and reviewed at a clinic, fetched by their code at a pharmacy of anybody's.

The state is kept here: REVIEWED, LOCKED by one pharmacy, DISPENSED in part, CLOSED, VOID. That one is expired or its lock has
lapsed is seen when it is read. Who the patient is and what ails them lies sealed; the code itself too, found by its keyed hash.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center, open_to

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# `lock_no` counts the locks: giving one back again late does not open a newer one. `frees_at` is a while after the lock's last
# day, so that a sale of its last minute is told before anybody else may lock.
PRESCRIPTION = """
create table eprescription (
    id bigint generated always as identity,
    number text not null generated always as ('W' || lpad(id::text, 10, '0')) stored,
    code_lookup bytea not null,
    code_sealed bytea not null,
    institution_code text not null,
    district text not null,
    document uuid not null,
    digest bytea not null,
    rxno text not null,
    patient_sealed bytea not null,
    patient_shown text not null,
    department text not null,
    doctor text not null,
    doctor_name text not null,
    reviewer text not null,
    reviewer_name text not null,
    signed_at timestamptz not null,
    reviewed_at timestamptz not null,
    issued_at timestamptz not null,
    issued_on date not null,
    valid_until date not null,
    state text not null default 'REVIEWED',
    lock_institution text,
    lock_no int not null default 0,
    locked_until date,
    frees_at timestamptz,
    dispensed_at timestamptz,
    dispensed_by text,
    overrun boolean not null default false,
    changed_at timestamptz not null,
    constraint eprescription_pkey primary key (id),
    constraint eprescription_number_key unique (number),
    constraint eprescription_code_key unique (code_lookup),
    constraint eprescription_document_key unique (institution_code, document),
    constraint eprescription_institution_fkey foreign key (institution_code) references institution (code),
    constraint eprescription_lock_fkey foreign key (lock_institution) references institution (code),
    constraint eprescription_state_check check (state in ('REVIEWED', 'LOCKED', 'DISPENSED', 'CLOSED', 'VOID')),
    constraint eprescription_locked_check check ((lock_institution is null) = (frees_at is null) and (lock_institution is null) = (locked_until is null)),
    constraint eprescription_lock_state_check check ((state = 'LOCKED') = (lock_institution is not null)),
    constraint eprescription_two_check check (doctor <> reviewer),
    constraint eprescription_days_check check (issued_on <= valid_until)
) with (fillfactor = 80)
"""

# Quantities in base units (a tablet). More may be handed over than was written only by a sale that came too late: it is kept and shown.
LINE = """
create table eprescription_line (
    prescription_id bigint not null,
    line_no int not null,
    district text not null,
    code text not null,
    name text not null,
    spec text not null,
    form text not null,
    quantity bigint not null,
    pack_size bigint not null,
    pack_unit text not null,
    base_unit text not null,
    dose text not null,
    frequency text not null,
    route text not null,
    days int,
    note text not null,
    dispensed bigint not null default 0,
    constraint eprescription_line_pkey primary key (prescription_id, line_no),
    constraint eprescription_line_head_fkey foreign key (prescription_id) references eprescription (id),
    constraint eprescription_line_asks check (quantity > 0 and pack_size > 0 and dispensed >= 0)
)
"""

# Who did what when. `lines` says what was handed over; stream, epoch and fact which sale told of it.
EVENT = """
create table eprescription_event (
    id bigint generated always as identity,
    prescription_id bigint not null,
    district text not null,
    kind text not null,
    institution_code text not null,
    operator text not null,
    at timestamptz not null,
    note text not null default '',
    lines jsonb,
    epoch bigint,
    fact bigint,
    constraint eprescription_event_pkey primary key (id),
    constraint eprescription_event_head_fkey foreign key (prescription_id) references eprescription (id),
    constraint eprescription_event_kind_check check (kind in ('ISSUED', 'REVIEWED', 'LOCKED', 'FREED', 'DISPENSED', 'CLOSED', 'VOID'))
)
"""

# Codes that nobody has: who asks for too many in an hour is not answered for a while.
MISS = """
create table eprescription_miss (
    id bigint generated always as identity,
    institution_code text not null,
    district text not null,
    operator text not null,
    at timestamptz not null,
    constraint eprescription_miss_pkey primary key (id)
)
"""

# Prescription rules: valid the day of issue, at most three days; a pharmacy holds one today and tomorrow.
LIMITS = """
insert into parameter (scope, name, value, valid_from) values
    ('*', 'outflow_valid_days', '3', '2007-05-01'),
    ('*', 'outflow_lock_days', '1', '2020-01-01'),
    ('*', 'outflow_wrong_codes', '20', '2020-01-01')
"""

TABLES = ("eprescription", "eprescription_line", "eprescription_event", "eprescription_miss")
STATE = "state, lock_institution, lock_no, locked_until, frees_at, dispensed_at, dispensed_by, overrun, changed_at"
STATEMENTS = (
    PRESCRIPTION,
    "create index eprescription_district_idx on eprescription (district, id)",
    "create index eprescription_institution_idx on eprescription (institution_code, id)",
    LINE,
    EVENT,
    "create index eprescription_event_head_idx on eprescription_event (prescription_id, id)",
    MISS,
    "create index eprescription_miss_institution_idx on eprescription_miss (institution_code, at)",
    LIMITS,
    "grant select, insert on eprescription, eprescription_line, eprescription_event, eprescription_miss to center_interface",
    f"grant update ({STATE}) on eprescription to center_interface, center_inbox",
    "grant update (dispensed) on eprescription_line to center_inbox",
    "grant select on eprescription, eprescription_line to center_inbox",
    "grant insert on eprescription_event to center_inbox",
    "grant select on eprescription, eprescription_line, eprescription_event, eprescription_miss to center_app",
    "grant select on sequence eprescription_id_seq, eprescription_event_id_seq, eprescription_miss_id_seq to center_backup",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in TABLES:
        for statement in (*isolate_center(table), *open_to(table, "center_interface"), *backed_up(table, "center")):
            op.execute(statement)
    for table in TABLES[:3]:
        for statement in open_to(table, "center_inbox"):
            op.execute(statement)


def downgrade() -> None:
    op.execute("delete from parameter where name like 'outflow\\_%'")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
