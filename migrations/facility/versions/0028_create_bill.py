"""Create the bill of a visit: its lines, the stock it holds for the patient, and how it is given back (收费单、退费).

A bill takes signed sheets, so that two cashiers never charge one sheet twice; it is settled once.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

BILL = f"""
create table bill (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    visit_id uuid not null,
    patient_id uuid not null,
    number text not null,
    state text not null,
    paid text not null,
    version int not null default 1,
    total_fen bigint not null,
    opened_digest bytea not null,
    staff_id bigint not null,
    opened_at timestamptz not null,
    identification_id uuid,
    uploaded_at timestamptz,
    taken_back_at timestamptz,
    preview jsonb,
    consented_by bigint,
    consented_at timestamptz,
    digest bytea,
    station text,
    terminal text,
    shift_id uuid,
    cashier_id bigint,
    tendered jsonb,
    asked_at timestamptz,
    settled_at timestamptz,
    setl_id text,
    money jsonb,
    cash_fen bigint,
    refusal text,
    stream_number bigint,
    constraint bill_pkey primary key (tenant_id, id),
    constraint bill_number_key unique (tenant_id, facility_id, number),
    constraint bill_visit_fkey foreign key (tenant_id, visit_id) references visit (tenant_id, id),
    constraint bill_patient_fkey foreign key (tenant_id, patient_id) references patient (tenant_id, id),
    constraint bill_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint bill_cashier_fkey foreign key (tenant_id, cashier_id) references staff (tenant_id, id),
    constraint bill_shift_fkey foreign key (tenant_id, shift_id) references shift (tenant_id, id),
    constraint bill_identification_fkey foreign key (tenant_id, identification_id) references identification (tenant_id, id),
    constraint bill_state_check check (state in ('open', 'asked', 'settled', 'cancelled', 'refunded')),
    constraint bill_paid_check check (paid in ('insured', 'self')),
    constraint bill_total_check check (total_fen >= 0),
    constraint bill_insured_check check (paid = 'self' or identification_id is not null),
    constraint bill_asked_check check (state in ('open', 'cancelled') or (shift_id is not null and digest is not null and asked_at is not null)),
    constraint bill_consent_check check ((consented_by is null) = (consented_at is null))
)
"""
BILL_INDEXES = (
    "create index bill_of_visit on bill (tenant_id, visit_id)",
    "create index bill_recent on bill (tenant_id, facility_id, opened_at desc, id)",
    "create index bill_waiting on bill (tenant_id, station) where state = 'asked'",
    "create index bill_of_shift on bill (tenant_id, shift_id) where shift_id is not null",
)

# Price and amount are the signed sheet's: what the doctor signed is what is charged.
BILL_LINE = f"""
create table bill_line (
    {TENANT},
    bill_id uuid not null,
    line_no int not null,
    order_id uuid not null,
    order_line_no int not null,
    product_id bigint not null,
    quantity bigint not null,
    split boolean not null,
    price numeric(16,6) not null,
    amount_fen bigint not null,
    self_paid boolean not null,
    described jsonb not null,
    constraint bill_line_pkey primary key (tenant_id, bill_id, line_no),
    constraint bill_line_bill_fkey foreign key (tenant_id, bill_id) references bill (tenant_id, id),
    constraint bill_line_order_fkey foreign key (tenant_id, order_id, order_line_no) references clinic_order_line (tenant_id, order_id, line_no),
    constraint bill_line_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint bill_line_asks check (quantity > 0 and amount_fen >= 0 and price >= 0)
)
"""
BILL_LINE_INDEX = "create index bill_line_of_order on bill_line (tenant_id, order_id, order_line_no)"

# What is held on the shelf for a bill, each time it was asked for (`version`); what counts is what belongs to the bill's version.
BILL_PICK = f"""
create table bill_pick (
    {TENANT},
    bill_id uuid not null,
    version int not null,
    line_no int not null,
    lot_id bigint not null,
    zone text not null,
    quantity bigint not null,
    constraint bill_pick_pkey primary key (tenant_id, bill_id, version, line_no, lot_id, zone),
    constraint bill_pick_line_fkey foreign key (tenant_id, bill_id, line_no) references bill_line (tenant_id, bill_id, line_no),
    constraint bill_pick_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint bill_pick_takes check (quantity > 0)
)
"""
BILL_PICK_INDEX = "create index bill_pick_of_lot on bill_pick (tenant_id, lot_id)"

BILL_REFUND = f"""
create table bill_refund (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    bill_id uuid not null,
    number text not null,
    state text not null,
    reason text not null,
    digest bytea not null,
    station text not null,
    terminal text not null,
    shift_id uuid not null,
    staff_id bigint not null,
    refund_fen bigint not null,
    cash_fen bigint not null default 0,
    reversed_setl_id text,
    new_setl_id text,
    asked_at timestamptz not null,
    refunded_at timestamptz,
    refusal text,
    stream_number bigint,
    constraint bill_refund_pkey primary key (tenant_id, id),
    constraint bill_refund_number_key unique (tenant_id, facility_id, number),
    constraint bill_refund_bill_fkey foreign key (tenant_id, bill_id) references bill (tenant_id, id),
    constraint bill_refund_shift_fkey foreign key (tenant_id, shift_id) references shift (tenant_id, id),
    constraint bill_refund_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint bill_refund_state_check check (state in ('asked', 'refunded', 'refused')),
    constraint bill_refund_reason_check check (reason in ('not_dispensed', 'billing_error', 'prescription_changed'))
)
"""
BILL_REFUND_INDEXES = (
    "create unique index bill_refund_once on bill_refund (tenant_id, bill_id) where state in ('asked', 'refunded')",
    "create index bill_refund_waiting on bill_refund (tenant_id, station) where state = 'asked'",
    "create index bill_refund_of_shift on bill_refund (tenant_id, shift_id)",
)

TABLES = {
    "bill": (BILL, *BILL_INDEXES), "bill_line": (BILL_LINE, BILL_LINE_INDEX), "bill_pick": (BILL_PICK, BILL_PICK_INDEX),
    "bill_refund": (BILL_REFUND, *BILL_REFUND_INDEXES),
}  # fmt: skip
GRANTS = (
    "grant select, insert on bill, bill_line, bill_pick, bill_refund to facility_app",
    (
        "grant update (state, paid, version, identification_id, uploaded_at, taken_back_at, preview, consented_by, consented_at, digest, station, terminal,"
        " shift_id, cashier_id, tendered, asked_at, settled_at, setl_id, money, cash_fen, refusal, stream_number) on bill to facility_app"
    ),
    "grant update (state, cash_fen, new_setl_id, refunded_at, refusal, stream_number) on bill_refund to facility_app",
)
# A sheet belongs to the bill that takes it.
LINK = "alter table clinic_order add constraint clinic_order_bill_fkey foreign key (tenant_id, bill_id) references bill (tenant_id, id)"


def upgrade() -> None:
    for table, statements in TABLES.items():
        for statement in (*statements, *isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
    for statement in (*GRANTS, LINK):
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table clinic_order drop constraint clinic_order_bill_fkey")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
