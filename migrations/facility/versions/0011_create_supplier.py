"""Create suppliers, the papers of everybody (licences), first approval, and what is owed.

A supplier and a product are approved by a second person before anything is bought; papers are replaced, never edited; what
is owed is a ledger per supplier, whose running balance is checked against its entries.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TENANT_COLUMN = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

# Phones, names and bank accounts of private people are sealed; the columns …_shown hold what is masked.
SUPPLIER = f"""
create table supplier (
    {TENANT_COLUMN},
    id bigint generated always as identity,
    entry_id uuid not null,
    digest bytea not null,
    code text not null,
    name text not null,
    credit_code text not null,
    scope_codes text[] not null default '{{}}',
    scope text not null default '',
    address text not null default '',
    contact_sealed bytea,
    contact_shown text not null default '',
    bank_sealed bytea,
    bank_shown text not null default '',
    note text not null default '',
    pinyin text not null,
    search text not null,
    state text not null default 'pending',
    state_reason text not null default '',
    review_due_on date,
    version integer not null default 1,
    staff_id bigint not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    constraint supplier_pkey primary key (tenant_id, id),
    constraint supplier_entry_key unique (tenant_id, entry_id),
    constraint supplier_code_key unique (tenant_id, code),
    constraint supplier_credit_code_key unique (tenant_id, credit_code),
    constraint supplier_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint supplier_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint supplier_code_check check (code ~ '^[0-9A-Za-z_-]{{1,20}}$'),
    constraint supplier_name_check check (length(name) between 1 and 100),
    constraint supplier_credit_code_check check (credit_code ~ '^[0-9A-HJ-NPQRTUWXY]{{18}}$'),
    constraint supplier_text_check check (length(scope) <= 500 and length(address) <= 200 and length(note) <= 500 and length(state_reason) <= 200),
    constraint supplier_state_check check (state in ('pending', 'approved', 'suspended')),
    constraint supplier_review_check check (state <> 'approved' or review_due_on is not null)
)
"""

# One table of papers; who they belong to is one of four columns. A paper is replaced: ended_at, and a new row.
LICENCE = f"""
create table licence (
    {TENANT_COLUMN},
    id uuid not null,
    digest bytea not null,
    owner_kind text not null,
    supplier_id bigint,
    product_id bigint,
    facility_id bigint,
    person_id bigint,
    kind text not null,
    number text not null,
    scope text not null default '',
    scope_codes text[] not null default '{{}}',
    valid_from date not null,
    valid_until date,
    note text not null default '',
    staff_id bigint not null,
    entered_at timestamptz not null,
    ended_at timestamptz,
    ended_by bigint,
    ended_why text,
    constraint licence_pkey primary key (tenant_id, id),
    constraint licence_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint licence_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id),
    constraint licence_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint licence_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint licence_person_fkey foreign key (tenant_id, person_id) references staff (tenant_id, id),
    constraint licence_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint licence_ended_by_fkey foreign key (tenant_id, ended_by) references staff (tenant_id, id),
    constraint licence_owner_check check (num_nonnulls(supplier_id, product_id, facility_id, person_id) = 1 and case owner_kind
        when 'supplier' then supplier_id when 'product' then product_id when 'facility' then facility_id when 'staff' then person_id end is not null),
    constraint licence_kind_check check (kind ~ '^[A-Z][A-Z_]{{1,39}}$'),
    constraint licence_text_check check (length(number) between 1 and 60 and length(scope) <= 500 and length(note) <= 200),
    constraint licence_days_check check (valid_until is null or valid_until >= valid_from),
    constraint licence_ended_check check (num_nonnulls(ended_at, ended_by, ended_why) in (0, 3) and length(ended_why) between 1 and 200)
)
"""
LICENCE_INDEXES = (
    "create index licence_due_idx on licence (tenant_id, valid_until, id) where ended_at is null and valid_until is not null",
    "create index licence_supplier_idx on licence (tenant_id, supplier_id, kind) where supplier_id is not null",
    "create index licence_product_idx on licence (tenant_id, product_id, kind) where product_id is not null",
    "create index licence_facility_idx on licence (tenant_id, facility_id, kind) where facility_id is not null",
    "create index licence_person_idx on licence (tenant_id, person_id, kind) where person_id is not null",
)

# One act of asking: one supplier, or up to thousands of products.
REQUEST = f"""
create table approval_request (
    {TENANT_COLUMN},
    id uuid not null,
    digest bytea not null,
    facility_id bigint not null,
    subject text not null,
    kind text not null,
    note text not null default '',
    staff_id bigint not null,
    asked_at timestamptz not null,
    constraint approval_request_pkey primary key (tenant_id, id),
    constraint approval_request_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint approval_request_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint approval_request_subject_check check (subject in ('supplier', 'product')),
    constraint approval_request_kind_check check (kind in ('first', 'recheck')),
    constraint approval_request_note_check check (length(note) <= 200)
)
"""
# What is asked for one supplier or one product, and what another person decided.
APPROVAL = f"""
create table approval (
    {TENANT_COLUMN},
    id bigint generated always as identity,
    request_id uuid not null,
    supplier_id bigint,
    product_id bigint,
    staff_id bigint not null,
    state text not null default 'pending',
    decided_by bigint,
    decided_at timestamptz,
    reason text,
    constraint approval_pkey primary key (tenant_id, id),
    constraint approval_request_fkey foreign key (tenant_id, request_id) references approval_request (tenant_id, id),
    constraint approval_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id),
    constraint approval_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint approval_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint approval_decided_by_fkey foreign key (tenant_id, decided_by) references staff (tenant_id, id),
    constraint approval_subject_check check (num_nonnulls(supplier_id, product_id) = 1),
    constraint approval_state_check check (state in ('pending', 'approved', 'refused') and (state = 'pending') = (decided_by is null)
        and (decided_by is null) = (decided_at is null)),
    constraint approval_second_person_check check (decided_by <> staff_id),
    constraint approval_reason_check check (length(reason) <= 200 and (state <> 'refused' or reason <> ''))
)
"""
APPROVAL_INDEXES = (
    "create unique index approval_supplier_pending_key on approval (tenant_id, supplier_id) where state = 'pending' and supplier_id is not null",
    "create unique index approval_product_pending_key on approval (tenant_id, product_id) where state = 'pending' and product_id is not null",
    "create index approval_waiting_idx on approval (tenant_id, request_id, id) where state = 'pending'",
    "create index approval_request_idx on approval (tenant_id, request_id, id)",
    "create index approval_supplier_idx on approval (tenant_id, supplier_id, id) where supplier_id is not null",
    "create index approval_product_idx on approval (tenant_id, product_id, id) where product_id is not null",
    "create index approval_request_recent_idx on approval_request (tenant_id, asked_at desc, id desc)",
)
PRODUCT_APPROVAL = f"""
create table product_approval (
    {TENANT_COLUMN},
    product_id bigint not null,
    state text not null,
    approval_id bigint not null,
    decided_at timestamptz not null,
    review_due_on date,
    constraint product_approval_pkey primary key (tenant_id, product_id),
    constraint product_approval_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint product_approval_approval_fkey foreign key (tenant_id, approval_id) references approval (tenant_id, id),
    constraint product_approval_state_check check (state in ('approved', 'refused') and (state <> 'approved' or review_due_on is not null))
)
"""

# What we owe one supplier now. Always the sum of its entries.
ACCOUNT = f"""
create table supplier_account (
    {TENANT_COLUMN},
    supplier_id bigint not null,
    balance_fen bigint not null,
    entry_count bigint not null,
    changed_at timestamptz not null,
    constraint supplier_account_pkey primary key (tenant_id, supplier_id),
    constraint supplier_account_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id)
)
"""
# A line of a supplier's account: positive is owed, negative is paid or given back.
ENTRY = f"""
create table supplier_entry (
    {TENANT_COLUMN},
    id bigint generated always as identity,
    supplier_id bigint not null,
    facility_id bigint not null,
    kind text not null,
    amount_fen bigint not null,
    balance_fen bigint not null,
    document_id uuid not null,
    number text not null default '',
    reason text not null default '',
    staff_id bigint not null,
    approver_id bigint,
    at timestamptz not null,
    booked_on date not null,
    constraint supplier_entry_pkey primary key (tenant_id, id),
    constraint supplier_entry_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id),
    constraint supplier_entry_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint supplier_entry_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint supplier_entry_approver_fkey foreign key (tenant_id, approver_id) references staff (tenant_id, id),
    constraint supplier_entry_kind_check check (case kind when 'receipt' then amount_fen >= 0 when 'return' then amount_fen <= 0
        when 'payment' then amount_fen < 0 when 'difference' then amount_fen <> 0 when 'adjustment' then amount_fen <> 0 else false end),
    constraint supplier_entry_reason_check check (length(number) <= 60 and length(reason) <= 200
        and (kind not in ('difference', 'adjustment') or reason <> '')),
    constraint supplier_entry_approver_check check (approver_id <> staff_id and (kind <> 'adjustment' or approver_id is not null))
)
"""
ENTRY_INDEXES = (
    "create index supplier_entry_supplier_idx on supplier_entry (tenant_id, supplier_id, id desc)",
    "create unique index supplier_entry_document_key on supplier_entry (tenant_id, document_id, kind) where kind <> 'difference'",
)

INVOICE = f"""
create table purchase_invoice (
    {TENANT_COLUMN},
    id uuid not null,
    digest bytea not null,
    supplier_id bigint not null,
    facility_id bigint not null,
    number text not null,
    issued_on date not null,
    amount_fen bigint not null,
    tax_fen bigint not null,
    red boolean not null,
    note text not null default '',
    check_provider text not null,
    check_result text not null,
    staff_id bigint not null,
    entered_at timestamptz not null,
    state text not null default 'noted',
    difference_fen bigint,
    matched_by bigint,
    matched_at timestamptz,
    payment_id uuid,
    voided_by bigint,
    voided_at timestamptz,
    void_reason text,
    constraint purchase_invoice_pkey primary key (tenant_id, id),
    constraint purchase_invoice_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id),
    constraint purchase_invoice_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint purchase_invoice_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint purchase_invoice_matched_by_fkey foreign key (tenant_id, matched_by) references staff (tenant_id, id),
    constraint purchase_invoice_voided_by_fkey foreign key (tenant_id, voided_by) references staff (tenant_id, id),
    constraint purchase_invoice_number_check check (number ~ '^[0-9A-Za-z-]{{4,30}}$' and length(note) <= 200),
    constraint purchase_invoice_amount_check check (amount_fen <> 0 and red = (amount_fen < 0) and abs(tax_fen) <= abs(amount_fen)
        and (tax_fen = 0 or (tax_fen < 0) = red)),
    constraint purchase_invoice_state_check check (case state when 'noted' then matched_at is null and payment_id is null when 'matched' then matched_at is not null
        and difference_fen is not null and payment_id is null when 'paid' then matched_at is not null and payment_id is not null
        when 'void' then voided_at is not null and voided_by is not null and void_reason <> '' else false end)
)
"""
# Which receipts and returns an invoice stands for. A match is ended with its invoice, never edited.
INVOICE_RECEIPT = f"""
create table purchase_invoice_receipt (
    {TENANT_COLUMN},
    invoice_id uuid not null,
    entry_id bigint not null,
    matched_at timestamptz not null,
    ended_at timestamptz,
    constraint purchase_invoice_receipt_pkey primary key (tenant_id, invoice_id, entry_id),
    constraint purchase_invoice_receipt_invoice_fkey foreign key (tenant_id, invoice_id) references purchase_invoice (tenant_id, id),
    constraint purchase_invoice_receipt_entry_fkey foreign key (tenant_id, entry_id) references supplier_entry (tenant_id, id)
)
"""
PAYMENT = f"""
create table supplier_payment (
    {TENANT_COLUMN},
    id uuid not null,
    digest bytea not null,
    supplier_id bigint not null,
    facility_id bigint not null,
    amount_fen bigint not null,
    made_on date not null,
    method text not null,
    reference text not null default '',
    note text not null default '',
    staff_id bigint not null,
    entered_at timestamptz not null,
    constraint supplier_payment_pkey primary key (tenant_id, id),
    constraint supplier_payment_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id),
    constraint supplier_payment_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint supplier_payment_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint supplier_payment_amount_check check (amount_fen > 0),
    constraint supplier_payment_method_check check (method in ('bank', 'cash', 'bill', 'other')),
    constraint supplier_payment_text_check check (length(reference) <= 60 and length(note) <= 200)
)
"""
MONEY_INDEXES = (
    "create unique index purchase_invoice_number_key on purchase_invoice (tenant_id, supplier_id, number) where state <> 'void'",
    "create index purchase_invoice_supplier_idx on purchase_invoice (tenant_id, supplier_id, entered_at desc, id desc)",
    "create index purchase_invoice_open_idx on purchase_invoice (tenant_id, entered_at desc, id desc) where state in ('noted', 'matched')",
    "create unique index purchase_invoice_receipt_entry_key on purchase_invoice_receipt (tenant_id, entry_id) where ended_at is null",
    """alter table purchase_invoice add constraint purchase_invoice_payment_fkey
        foreign key (tenant_id, payment_id) references supplier_payment (tenant_id, id)""",
)

# Each table, and the columns that an act writes after the row was made.
TABLES = {
    "supplier": "name, credit_code, scope_codes, scope, address, contact_sealed, contact_shown, bank_sealed, bank_shown, note, pinyin, search, state, state_reason, review_due_on, version, changed_at",
    "licence": "ended_at, ended_by, ended_why",
    "approval_request": "",
    "approval": "state, decided_by, decided_at, reason",
    "product_approval": "state, approval_id, decided_at, review_due_on",
    "supplier_account": "balance_fen, entry_count, changed_at",
    "supplier_entry": "",
    "purchase_invoice": "state, difference_fen, matched_by, matched_at, payment_id, voided_by, voided_at, void_reason",
    "purchase_invoice_receipt": "ended_at",
    "supplier_payment": "",
}
MAKE = (SUPPLIER, LICENCE, REQUEST, APPROVAL, PRODUCT_APPROVAL, ACCOUNT, ENTRY, INVOICE, INVOICE_RECEIPT, PAYMENT)
INDEXES = (
    "create index supplier_pinyin_idx on supplier (tenant_id, pinyin, id)",
    *LICENCE_INDEXES,
    *APPROVAL_INDEXES,
    *ENTRY_INDEXES,
    *MONEY_INDEXES,
)


def upgrade() -> None:
    for statement in (*MAKE, *INDEXES):
        op.execute(statement)
    for table, columns in TABLES.items():
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
        op.execute(f"grant select, insert on {table} to facility_app")
        if columns:
            op.execute(f"grant update ({columns}) on {table} to facility_app")
    for sequence in ("supplier_id_seq", "approval_id_seq", "supplier_entry_id_seq"):
        op.execute(f"grant select on sequence {sequence} to facility_backup")


def downgrade() -> None:
    op.execute("alter table purchase_invoice drop constraint purchase_invoice_payment_fkey")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
