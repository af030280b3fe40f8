"""Create the catalog: products, their prices, imports of catalog files and the remembered columns."""

from __future__ import annotations

from alembic import op

from migrations.helpers import isolate

revision = "0003"
down_revision = "0002"

TENANT_COLUMN = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

# insurance_class, selfpay_share and ceiling_price serve labels and estimates only; what is paid comes from the center.
PRODUCT = f"""
create table product (
    {TENANT_COLUMN},
    id bigint generated always as identity,
    code text not null,
    generic_name text not null,
    trade_name text not null default '',
    spec text not null default '',
    dosage_form text not null default '',
    maker text not null default '',
    approval_number text not null default '',
    national_code text,
    barcode text,
    pack_unit text not null,
    base_unit text not null,
    pack_size bigint not null,
    split_allowed boolean not null default false,
    rx_class text not null,
    storage text not null default 'NORMAL',
    special_class text,
    high_alert boolean not null default false,
    insurance_class text,
    selfpay_share numeric(7,6),
    ceiling_price numeric(16,6),
    trace_required boolean not null,
    volume_purchase boolean not null default false,
    expiry_warning_days integer not null default 180,
    initials text not null,
    pinyin text not null,
    search text not null,
    state text not null default 'active',
    digest text not null,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    constraint product_pkey primary key (tenant_id, id),
    constraint product_code_key unique (tenant_id, code),
    constraint product_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint product_code_check check (code <> '' and length(code) <= 60),
    constraint product_name_check check (generic_name <> '' and length(generic_name) <= 200 and length(trade_name) <= 200),
    constraint product_text_check check (length(spec) <= 200 and length(dosage_form) <= 100 and length(maker) <= 300
        and length(approval_number) <= 100),
    constraint product_national_code_check check (national_code <> '' and length(national_code) <= 60),
    constraint product_barcode_check check (barcode ~ '^[0-9A-Z-]{{6,30}}$'),
    constraint product_pack_check check (pack_size between 1 and 1000000 and length(pack_unit) between 1 and 20
        and length(base_unit) between 1 and 20),
    constraint product_rx_class_check check (rx_class in ('RX', 'OTC_A', 'OTC_B', 'DEVICE', 'FOOD', 'HERB', 'OTHER')),
    constraint product_storage_check check (storage in ('NORMAL', 'COOL', 'COLD', 'FROZEN')),
    constraint product_special_class_check check (special_class in
        ('NARCOTIC', 'PSYCHOTROPIC_1', 'PSYCHOTROPIC_2', 'TOXIC', 'EPHEDRINE', 'SPECIAL_COMPOUND')),
    constraint product_insurance_class_check check (insurance_class in ('A', 'B', 'C')),
    constraint product_selfpay_share_check check (selfpay_share between 0 and 1),
    constraint product_ceiling_price_check check (ceiling_price > 0),
    constraint product_expiry_warning_check check (expiry_warning_days between 0 and 3650),
    constraint product_state_check check (state in ('active', 'stopped'))
)
"""

# A scan names one product: among those on sale no two share a barcode.
BARCODE_KEY = "create unique index product_barcode_key on product (tenant_id, barcode) where state = 'active' and barcode is not null"
NATIONAL_CODE_INDEX = (
    "create index product_national_code_idx on product (tenant_id, national_code) where national_code is not null"
)
# The order of every list: by pinyin.
PINYIN_INDEX = "create index product_pinyin_idx on product (tenant_id, pinyin, id)"

# Append only. The price in force is the latest whose moment has come.
PRODUCT_PRICE = f"""
create table product_price (
    {TENANT_COLUMN},
    id bigint generated always as identity,
    product_id bigint not null,
    pack_price numeric(16,6) not null,
    split_price numeric(16,6),
    from_at timestamptz not null,
    staff_id bigint not null,
    reason text not null,
    made_at timestamptz not null default now(),
    constraint product_price_pkey primary key (tenant_id, id),
    constraint product_price_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id) on delete cascade,
    constraint product_price_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint product_price_amount_check check (pack_price >= 0 and (split_price is null or split_price >= 0)),
    constraint product_price_reason_check check (length(reason) between 1 and 200)
)
"""
PRICE_INDEX = "create index product_price_now_idx on product_price (tenant_id, product_id, from_at desc, id desc)"

IMPORT_BATCH = f"""
create table import_batch (
    {TENANT_COLUMN},
    id uuid not null,
    file_name text not null,
    digest bytea not null,
    size_bytes bigint not null,
    kind text not null,
    encoding text not null default '',
    sheet text not null default '',
    header jsonb not null,
    header_row integer not null,
    signature text not null,
    mapping jsonb not null,
    options jsonb not null,
    counts jsonb not null,
    row_count integer not null,
    checked_count integer not null default 0,
    state text not null,
    staff_id bigint not null,
    created_at timestamptz not null default now(),
    taken_at timestamptz,
    taken_by bigint,
    undone_at timestamptz,
    undone_by bigint,
    constraint import_batch_pkey primary key (tenant_id, id),
    constraint import_batch_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint import_batch_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint import_batch_taken_by_fkey foreign key (tenant_id, taken_by) references staff (tenant_id, id),
    constraint import_batch_undone_by_fkey foreign key (tenant_id, undone_by) references staff (tenant_id, id),
    constraint import_batch_state_check check (state in ('uploaded', 'checking', 'previewed', 'taken', 'undone')),
    constraint import_batch_count_check check (checked_count between 0 and row_count)
)
"""
BATCH_INDEX = "create index import_batch_recent_idx on import_batch (tenant_id, created_at desc, id desc)"

# One row of the file, or (without raw cells) one product that the file no longer names.
IMPORT_ROW = f"""
create table import_row (
    {TENANT_COLUMN},
    batch_id uuid not null,
    number integer not null,
    raw jsonb,
    parsed jsonb,
    problems jsonb not null default '[]',
    changes jsonb not null default '{{}}',
    verdict text,
    decision text,
    code text,
    product_id bigint,
    before jsonb,
    constraint import_row_pkey primary key (tenant_id, batch_id, number),
    constraint import_row_batch_fkey foreign key (tenant_id, batch_id) references import_batch (tenant_id, id) on delete cascade,
    constraint import_row_verdict_check check (verdict in ('new', 'changed', 'same', 'gone', 'error')),
    constraint import_row_decision_check check (decision in ('take', 'skip'))
)
"""

COLUMN_MAPPING = f"""
create table column_mapping (
    {TENANT_COLUMN},
    signature text not null,
    mapping jsonb not null,
    staff_id bigint not null,
    saved_at timestamptz not null default now(),
    constraint column_mapping_pkey primary key (tenant_id, signature),
    constraint column_mapping_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint column_mapping_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id)
)
"""

# Delete on product is for undoing an import of what nobody has used; every other room's foreign key forbids it.
GRANTS = (
    "grant select, insert, update, delete on product to facility_app",
    "grant select, insert on product_price to facility_app",
    "grant select, insert, update on import_batch to facility_app",
    "grant select, insert, update, delete on import_row to facility_app",
    "grant select, insert, update on column_mapping to facility_app",
    "grant select on product, product_price to facility_worker",
)
TABLES = ("product", "product_price", "import_batch", "import_row", "column_mapping")


def upgrade() -> None:
    for statement in (PRODUCT, BARCODE_KEY, NATIONAL_CODE_INDEX, PINYIN_INDEX, PRODUCT_PRICE, PRICE_INDEX):
        op.execute(statement)
    for statement in (IMPORT_BATCH, BATCH_INDEX, IMPORT_ROW, COLUMN_MAPPING):
        op.execute(statement)
    for table in TABLES:
        for statement in isolate(table, worker=table in {"product", "product_price"}):
            op.execute(statement)
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
