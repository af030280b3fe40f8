"""Create the clinic: departments, rooms, practitioners, patients, visits, what a doctor signs (门诊).

Health data lies behind the tenant's fence; names, numbers and addresses are sealed besides. What was signed is only added to.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"
ROLES = "'owner', 'clerk', 'pharmacist', 'security_admin', 'audit_admin'"
CLASSES = "'RX', 'OTC_A', 'OTC_B', 'DEVICE', 'FOOD', 'HERB', 'OTHER'"

DEPARTMENT = f"""
create table department (
    {TENANT},
    id bigint generated always as identity,
    facility_id bigint not null,
    code text not null,
    name text not null,
    caty text not null,
    stopped_at timestamptz,
    constraint department_pkey primary key (tenant_id, id),
    constraint department_code_key unique (tenant_id, facility_id, code),
    constraint department_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint department_code_check check (code ~ '^[0-9A-Za-z-]{{1,30}}$'),
    constraint department_name_check check (char_length(name) between 1 and 50),
    constraint department_caty_check check (char_length(caty) between 1 and 10)
)
"""

CONSULTING_ROOM = f"""
create table consulting_room (
    {TENANT},
    id bigint generated always as identity,
    facility_id bigint not null,
    name text not null,
    stopped_at timestamptz,
    constraint consulting_room_pkey primary key (tenant_id, id),
    constraint consulting_room_name_key unique (tenant_id, facility_id, name),
    constraint consulting_room_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint consulting_room_name_check check (char_length(name) between 1 and 20)
)
"""

# What somebody may do as a practitioner; their national code stands with the person.
PRACTITIONER = f"""
create table practitioner (
    {TENANT},
    staff_id bigint not null,
    facility_id bigint not null,
    department_id bigint not null,
    title text not null,
    prescribes boolean not null,
    herbs boolean not null,
    antimicrobials text not null,
    narcotics boolean not null,
    eligible_from date not null,
    eligible_until date,
    suspended_from date,
    suspended_until date,
    suspended_why text,
    changed_at timestamptz not null default now(),
    changed_by bigint not null,
    constraint practitioner_pkey primary key (tenant_id, staff_id, facility_id),
    constraint practitioner_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint practitioner_department_fkey foreign key (tenant_id, department_id) references department (tenant_id, id),
    constraint practitioner_antimicrobials_check check (antimicrobials in ('none', 'unrestricted', 'restricted', 'special')),
    constraint practitioner_title_check check (char_length(title) between 1 and 30),
    constraint practitioner_eligible_check check (eligible_until is null or eligible_from <= eligible_until),
    constraint practitioner_suspended_check check ((suspended_from is null) = (suspended_why is null))
)
"""

PATIENT = f"""
create table patient (
    {TENANT},
    id uuid not null,
    number int not null,
    sealed bytea not null,
    name_shown text not null,
    name_hash bytea not null,
    initials text not null,
    certno_hash bytea,
    phone_hash bytea,
    psn_hash bytea,
    sex text not null,
    born_on date,
    registered_at timestamptz not null,
    registered_by bigint not null,
    facility_id bigint not null,
    version int not null default 1,
    merged_into uuid,
    merged_at timestamptz,
    merged_by bigint,
    merge_reason text,
    digest bytea not null,
    constraint patient_pkey primary key (tenant_id, id),
    constraint patient_number_key unique (tenant_id, number),
    constraint patient_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint patient_registered_by_fkey foreign key (tenant_id, registered_by) references staff (tenant_id, id),
    constraint patient_merged_into_fkey foreign key (tenant_id, merged_into) references patient (tenant_id, id),
    constraint patient_sex_check check (sex in ('0', '1', '2', '9')),
    constraint patient_merged_check check ((merged_into is null) = (merged_at is null) and (merged_into is null) = (merged_by is null) and merged_into <> id)
)
"""
PATIENT_INDEXES = (
    # One person, one file: a second one with the same citizen id is found, not made.
    "create unique index patient_certno_once on patient (tenant_id, certno_hash) where certno_hash is not null and merged_into is null",
    "create index patient_by_phone on patient (tenant_id, phone_hash) where phone_hash is not null",
    "create index patient_by_name on patient (tenant_id, name_hash)",
    "create index patient_by_person on patient (tenant_id, psn_hash) where psn_hash is not null",
    'create index patient_by_initials on patient (tenant_id, initials collate "C", number desc) where merged_into is null',
    "create index patient_merged on patient (tenant_id, merged_into) where merged_into is not null",
)

ALLERGY = f"""
create table allergy (
    {TENANT},
    id uuid not null,
    patient_id uuid not null,
    substance text not null,
    reaction text not null,
    severity text not null,
    told_by text not null,
    noted_at timestamptz not null,
    noted_by bigint not null,
    withdrawn_at timestamptz,
    withdrawn_by bigint,
    withdrawn_why text,
    constraint allergy_pkey primary key (tenant_id, id),
    constraint allergy_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint allergy_noted_by_fkey foreign key (tenant_id, noted_by) references staff (tenant_id, id),
    constraint allergy_substance_check check (char_length(substance) between 1 and 60),
    constraint allergy_severity_check check (severity in ('mild', 'severe', 'unknown')),
    constraint allergy_told_by_check check (told_by in ('patient', 'record', 'test')),
    constraint allergy_withdrawn_check check ((withdrawn_at is null) = (withdrawn_by is null) and (withdrawn_at is null) = (withdrawn_why is null))
)
"""

VISIT = f"""
create table visit (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    patient_id uuid not null,
    number text not null,
    ticket int not null,
    visit_on date not null,
    department_id bigint not null,
    doctor_id bigint,
    room_id bigint,
    kind text not null,
    booked boolean not null,
    priority int not null default 0,
    state text not null,
    identification_id uuid,
    insutype text,
    med_type text not null default '11',
    dise_code text not null default '',
    dise_name text not null default '',
    mdtrt_id text,
    center_refusal text,
    allergies_asked_at timestamptz,
    version int not null default 0,
    digest bytea not null,
    staff_id bigint not null,
    made_at timestamptz not null,
    arrived_at timestamptz,
    called_at timestamptz,
    calls int not null default 0,
    began_at timestamptz,
    signed_at timestamptz,
    closed_at timestamptz,
    cancelled_at timestamptz,
    cancel_reason text,
    constraint visit_pkey primary key (tenant_id, id),
    constraint visit_number_key unique (tenant_id, facility_id, number),
    constraint visit_ticket_key unique (tenant_id, facility_id, visit_on, department_id, ticket),
    constraint visit_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint visit_department_fkey foreign key (tenant_id, department_id) references department (tenant_id, id),
    constraint visit_doctor_fkey foreign key (tenant_id, doctor_id) references staff (tenant_id, id),
    constraint visit_room_fkey foreign key (tenant_id, room_id) references consulting_room (tenant_id, id),
    constraint visit_identification_fkey foreign key (tenant_id, identification_id) references identification (tenant_id, id),
    constraint visit_kind_check check (kind in ('first', 'again', 'emergency')),
    constraint visit_state_check check (state in ('BOOKED', 'WAITING', 'CALLED', 'PASSED', 'IN_VISIT', 'SIGNED', 'CLOSED', 'CANCELLED')),
    constraint visit_insured_check check (mdtrt_id is null or identification_id is not null)
)
"""
VISIT_INDEXES = (
    "create index visit_queue on visit (tenant_id, facility_id, visit_on, state, priority desc, ticket)",
    "create index visit_of_patient on visit (tenant_id, patient_id, made_at desc, id)",
    "create index visit_of_doctor on visit (tenant_id, doctor_id, visit_on desc)",
)

VISIT_EVENT = f"""
create table visit_event (
    {TENANT},
    id bigint generated always as identity,
    visit_id uuid not null,
    facility_id bigint not null,
    kind text not null,
    note text not null default '',
    room_id bigint,
    staff_id bigint not null,
    at timestamptz not null,
    constraint visit_event_pkey primary key (tenant_id, id),
    constraint visit_event_visit_fkey foreign key (tenant_id, visit_id) references visit (tenant_id, id),
    constraint visit_event_kind_check check (kind in
        ('booked', 'arrived', 'called', 'passed', 'returned', 'began', 'signed', 'reopened', 'closed', 'cancelled', 'moved'))
)
"""
VISIT_EVENT_INDEX = "create index visit_event_of_visit on visit_event (tenant_id, visit_id, id)"

# What the doctor is writing; a browser may crash, the draft lives here. Sealed: it is a record in the making.
VISIT_DRAFT = f"""
create table visit_draft (
    {TENANT},
    visit_id uuid not null,
    version int not null,
    sealed bytea not null,
    staff_id bigint not null,
    changed_at timestamptz not null,
    constraint visit_draft_pkey primary key (tenant_id, visit_id),
    constraint visit_draft_visit_fkey foreign key (tenant_id, visit_id) references visit (tenant_id, id)
)
"""

# One row for each time the doctor signed; the newest version is the record, the others stay.
VISIT_RECORD = f"""
create table visit_record (
    {TENANT},
    visit_id uuid not null,
    version int not null,
    sealed bytea not null,
    reason text not null default '',
    staff_id bigint not null,
    signed_at timestamptz not null,
    constraint visit_record_pkey primary key (tenant_id, visit_id, version),
    constraint visit_record_visit_fkey foreign key (tenant_id, visit_id) references visit (tenant_id, id)
)
"""

VISIT_DIAGNOSIS = f"""
create table visit_diagnosis (
    {TENANT},
    visit_id uuid not null,
    version int not null,
    line_no int not null,
    kind text not null,
    code text not null,
    name text not null,
    constraint visit_diagnosis_pkey primary key (tenant_id, visit_id, version, line_no),
    constraint visit_diagnosis_record_fkey foreign key (tenant_id, visit_id, version) references visit_record (tenant_id, visit_id, version),
    constraint visit_diagnosis_kind_check check (kind in ('WESTERN', 'TCM_DISEASE', 'TCM_SYNDROME'))
)
"""

CLINIC_ORDER = f"""
create table clinic_order (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    visit_id uuid not null,
    patient_id uuid not null,
    version int not null,
    number text not null,
    kind text not null,
    tag text not null,
    doctor_id bigint not null,
    department_id bigint not null,
    doses int,
    usage text not null default '',
    long_term boolean not null default false,
    reason text not null default '',
    state text not null,
    signed_at timestamptz not null,
    valid_until date not null,
    reviewer_id bigint,
    reviewed_at timestamptz,
    review_note text not null default '',
    bill_id uuid,
    changed_at timestamptz not null,
    constraint clinic_order_pkey primary key (tenant_id, id),
    constraint clinic_order_number_key unique (tenant_id, facility_id, number),
    constraint clinic_order_record_fkey foreign key (tenant_id, visit_id, version) references visit_record (tenant_id, visit_id, version),
    constraint clinic_order_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint clinic_order_doctor_fkey foreign key (tenant_id, doctor_id) references staff (tenant_id, id),
    constraint clinic_order_kind_check check (kind in ('WESTERN', 'HERB', 'INFUSION', 'TREATMENT', 'TEST', 'FEE')),
    constraint clinic_order_tag_check check (tag in ('ordinary', 'emergency', 'paediatric', 'psychotropic_2', 'narcotic')),
    constraint clinic_order_state_check check (state in
        ('SIGNED', 'PASSED', 'RETURNED', 'REFUSED', 'CHARGED', 'DISPENSING', 'DONE', 'VOID')),
    constraint clinic_order_doses_check check ((kind = 'HERB') = (doses is not null) and doses between 1 and 99),
    constraint clinic_order_other_eyes check (reviewer_id is null or reviewer_id <> doctor_id)
)
"""
ORDER_INDEXES = (
    "create index clinic_order_queue on clinic_order (tenant_id, facility_id, state, signed_at desc, id)",
    "create index clinic_order_of_visit on clinic_order (tenant_id, visit_id)",
    "create index clinic_order_of_patient on clinic_order (tenant_id, patient_id, signed_at desc)",
    "create index clinic_order_of_bill on clinic_order (tenant_id, bill_id) where bill_id is not null",
)

# Quantities in base units of the product, for all doses together; price of one base unit or of a pack when `packs` is set.
CLINIC_ORDER_LINE = f"""
create table clinic_order_line (
    {TENANT},
    order_id uuid not null,
    line_no int not null,
    group_no int not null default 0,
    product_id bigint not null,
    quantity bigint not null,
    split boolean not null,
    price numeric(16,6) not null,
    amount_fen bigint not null,
    dose text not null default '',
    dose_unit text not null default '',
    frequency text not null default '',
    route text not null default '',
    days int,
    handling text not null default '',
    skin_test boolean not null default false,
    self_paid boolean not null default false,
    note text not null default '',
    described jsonb not null,
    constraint clinic_order_line_pkey primary key (tenant_id, order_id, line_no),
    constraint clinic_order_line_order_fkey foreign key (tenant_id, order_id) references clinic_order (tenant_id, id),
    constraint clinic_order_line_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint clinic_order_line_asks check (quantity > 0 and amount_fen >= 0 and price >= 0),
    constraint clinic_order_line_dose_check check (dose ~ '^([0-9]{{1,6}}([.][0-9]{{1,4}})?)?$'),
    constraint clinic_order_line_days_check check (days between 1 and 366)
)
"""
LINE_INDEX = "create index clinic_order_line_of_product on clinic_order_line (tenant_id, product_id)"

TABLES = {
    "department": (DEPARTMENT,), "consulting_room": (CONSULTING_ROOM,), "practitioner": (PRACTITIONER,), "patient": (PATIENT, *PATIENT_INDEXES),
    "allergy": (ALLERGY, "create index allergy_of_patient on allergy (tenant_id, patient_id, noted_at desc)"), "visit": (VISIT, *VISIT_INDEXES),
    "visit_event": (VISIT_EVENT, VISIT_EVENT_INDEX), "visit_draft": (VISIT_DRAFT,), "visit_record": (VISIT_RECORD,), "visit_diagnosis": (VISIT_DIAGNOSIS,),
    "clinic_order": (CLINIC_ORDER, *ORDER_INDEXES), "clinic_order_line": (CLINIC_ORDER_LINE, LINE_INDEX),
}  # fmt: skip
GRANTS = (
    (
        "grant select, insert on department, consulting_room, practitioner, patient, allergy, visit, visit_event, visit_draft, visit_record,"
        " visit_diagnosis, clinic_order, clinic_order_line to facility_app"
    ),
    "grant update (name, caty, stopped_at) on department to facility_app",
    "grant update (name, stopped_at) on consulting_room to facility_app",
    (
        "grant update (department_id, title, prescribes, herbs, antimicrobials, narcotics, eligible_from, eligible_until, suspended_from, suspended_until,"
        " suspended_why, changed_at, changed_by) on practitioner to facility_app"
    ),
    (
        "grant update (sealed, name_shown, name_hash, initials, certno_hash, phone_hash, psn_hash, sex, born_on, version, merged_into, merged_at, merged_by,"
        " merge_reason) on patient to facility_app"
    ),
    "grant update (withdrawn_at, withdrawn_by, withdrawn_why) on allergy to facility_app",
    (
        "grant update (doctor_id, room_id, priority, state, identification_id, insutype, med_type, dise_code, dise_name, mdtrt_id, center_refusal,"
        " allergies_asked_at, version, arrived_at, called_at, calls, began_at, signed_at, closed_at, cancelled_at, cancel_reason) on visit to facility_app"
    ),
    "grant update (version, sealed, staff_id, changed_at), delete on visit_draft to facility_app",
    "grant update (state, reviewer_id, reviewed_at, review_note, bill_id, changed_at) on clinic_order to facility_app",
)
SEQUENCES = ("department_id_seq", "consulting_room_id_seq", "visit_event_id_seq")


def upgrade() -> None:
    """Widen roles and classes, make the tables, fence them."""
    _check("staff_role", "staff_role_role_check", f"role in ({ROLES}, 'doctor', 'nurse')")
    _check("product", "product_rx_class_check", f"rx_class in ({CLASSES}, 'SERVICE')")
    for table, statements in TABLES.items():
        for statement in (*statements, *isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
    for statement in GRANTS:
        op.execute(statement)
    for sequence in SEQUENCES:
        op.execute(f"grant select on sequence {sequence} to facility_backup")


def downgrade() -> None:
    """Drop them, the youngest first; people and products that only a clinic has keep the older version from coming back."""
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
    _check("product", "product_rx_class_check", f"rx_class in ({CLASSES})")
    _check("staff_role", "staff_role_role_check", f"role in ({ROLES})")


def _check(table: str, name: str, condition: str) -> None:
    op.execute(f"alter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check ({condition})")
