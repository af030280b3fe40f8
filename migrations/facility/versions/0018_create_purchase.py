"""Create purchase orders, deliveries with their acceptance, the larger codes on cases, and files on their way in.

A draft lives as a document beside its head; what is placed or accepted is written once, line by line, and stays.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"
ZONES = "'RECEIVING','SALEABLE','SPLIT','QUARANTINE','REJECT','COLD','CONTROLLED'"

# A draft's lines stand in `content` and may change; placing writes them into purchase_order_line for good.
ORDER = f"""
create table purchase_order (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    supplier_id bigint not null,
    number text not null,
    state text not null default 'draft',
    content jsonb not null,
    note text not null default '',
    version int not null default 1,
    staff_id bigint not null,
    made_at timestamptz not null,
    placed_at timestamptz,
    placed_by bigint,
    closed_at timestamptz,
    closed_by bigint,
    close_reason text not null default '',
    constraint purchase_order_pkey primary key (tenant_id, id),
    constraint purchase_order_number_once unique (tenant_id, facility_id, number),
    constraint purchase_order_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint purchase_order_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id),
    constraint purchase_order_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint purchase_order_state_check check (state in ('draft', 'placed', 'partly', 'received', 'cancelled')),
    constraint purchase_order_placed_check check ((placed_at is null) = (placed_by is null) and (state not in ('placed', 'partly', 'received') or placed_at is not null)),
    constraint purchase_order_text_check check (char_length(note) <= 200 and char_length(close_reason) <= 200)
)
"""
ORDER_LINE = f"""
create table purchase_order_line (
    {TENANT},
    order_id uuid not null,
    line_no int not null,
    product_id bigint not null,
    packs int not null,
    price numeric(16, 6),
    received_packs int not null default 0,
    constraint purchase_order_line_pkey primary key (tenant_id, order_id, line_no),
    constraint purchase_order_line_order_fkey foreign key (tenant_id, order_id) references purchase_order (tenant_id, id),
    constraint purchase_order_line_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint purchase_order_line_product_once unique (tenant_id, order_id, product_id),
    constraint purchase_order_line_packs_check check (packs between 1 and 10000000 and received_packs >= 0),
    constraint purchase_order_line_price_check check (price >= 0)
)
"""
# What the van brought: typed while it is unpacked (content), then accepted as it stands.
DELIVERY = f"""
create table delivery (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    supplier_id bigint not null,
    order_id uuid,
    state text not null default 'draft',
    content jsonb not null,
    version int not null default 1,
    staff_id bigint not null,
    made_at timestamptz not null,
    changed_at timestamptz not null,
    note_number text not null default '',
    accepted_at timestamptz,
    inspector_id bigint,
    second_id bigint,
    record jsonb,
    constraint delivery_pkey primary key (tenant_id, id),
    constraint delivery_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint delivery_supplier_fkey foreign key (tenant_id, supplier_id) references supplier (tenant_id, id),
    constraint delivery_order_fkey foreign key (tenant_id, order_id) references purchase_order (tenant_id, id),
    constraint delivery_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint delivery_inspector_fkey foreign key (tenant_id, inspector_id) references staff (tenant_id, id),
    constraint delivery_second_fkey foreign key (tenant_id, second_id) references staff (tenant_id, id),
    constraint delivery_state_check check (state in ('draft', 'accepted', 'abandoned') and (state = 'accepted') = (accepted_at is not null)),
    constraint delivery_other_eyes check (second_id <> inspector_id)
)
"""
DELIVERY_LINE = f"""
create table delivery_line (
    {TENANT},
    delivery_id uuid not null,
    line_no int not null,
    product_id bigint not null,
    lot_number text not null,
    produced_on date,
    expires_on date not null,
    arrived int not null,
    accepted int not null,
    rejected int not null,
    reason text not null default '',
    kept boolean not null default false,
    zone text not null,
    cost_price numeric(16, 6),
    approval_number text not null default '',
    maker text not null default '',
    origin text not null default '',
    code_count int not null default 0,
    constraint delivery_line_pkey primary key (tenant_id, delivery_id, line_no),
    constraint delivery_line_delivery_fkey foreign key (tenant_id, delivery_id) references delivery (tenant_id, id),
    constraint delivery_line_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint delivery_line_counts_check check (accepted >= 0 and rejected >= 0 and arrived = accepted + rejected and arrived > 0),
    constraint delivery_line_reason_check check (rejected = 0 or reason <> ''),
    constraint delivery_line_zone_check check (zone in ({ZONES}))
)
"""
# Which code is packed in which: small in middle in large. A pack lies in one parent.
CODE_PACK = f"""
create table code_pack (
    {TENANT},
    child text not null,
    parent text not null,
    level int not null,
    product_id bigint,
    source text not null,
    learnt_at timestamptz not null default now(),
    constraint code_pack_pkey primary key (tenant_id, child),
    constraint code_pack_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint code_pack_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id) on delete cascade,
    constraint code_pack_level_check check (level in (2, 3)),
    constraint code_pack_other_check check (child <> parent)
)
"""
CODE_PREFIX = f"""
create table code_prefix (
    {TENANT},
    prefix text not null,
    product_id bigint not null,
    level int not null,
    learnt_at timestamptz not null default now(),
    constraint code_prefix_pkey primary key (tenant_id, prefix),
    constraint code_prefix_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id) on delete cascade,
    constraint code_prefix_level_check check (level between 1 and 3)
)
"""
IMPORT = f"""
create table stock_import (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    kind text not null,
    delivery_id uuid,
    file_name text not null,
    digest bytea not null,
    encoding text not null default '',
    header jsonb not null,
    signature text not null,
    mapping jsonb not null,
    state text not null default 'columns',
    row_count int not null,
    checked_count int not null default 0,
    posted_count int not null default 0,
    staff_id bigint not null,
    created_at timestamptz not null,
    finished_at timestamptz,
    constraint stock_import_pkey primary key (tenant_id, id),
    constraint stock_import_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint stock_import_delivery_fkey foreign key (tenant_id, delivery_id) references delivery (tenant_id, id),
    constraint stock_import_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint stock_import_kind_check check (kind in ('opening', 'delivery') and (kind = 'delivery') = (delivery_id is not null)),
    constraint stock_import_state_check check (state in ('columns', 'checking', 'preview', 'posting', 'done'))
)
"""
IMPORT_ROW = f"""
create table stock_import_row (
    {TENANT},
    import_id uuid not null,
    number int not null,
    raw jsonb not null,
    said jsonb,
    verdict text not null default 'waiting',
    problem text not null default '',
    product_id bigint,
    receipt_id uuid,
    constraint stock_import_row_pkey primary key (tenant_id, import_id, number),
    constraint stock_import_row_import_fkey foreign key (tenant_id, import_id) references stock_import (tenant_id, id),
    constraint stock_import_row_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint stock_import_row_verdict_check check (verdict in ('waiting', 'ready', 'unmatched', 'error', 'skipped', 'posted'))
)
"""

RECEIPT = (
    "alter table stock_receipt add column kind text not null default 'purchase'",
    "alter table stock_receipt add column supplier_id bigint",
    "alter table stock_receipt add column delivery_id uuid",
    "alter table stock_receipt add column note_number text not null default ''",
    "alter table stock_receipt add column invoice text not null default ''",
    "alter table stock_receipt add column second_id bigint",
    "alter table stock_receipt add constraint stock_receipt_kind_known check (kind in ('purchase', 'opening'))",
    "alter table stock_receipt add constraint stock_receipt_supplier_fk foreign key (tenant_id, supplier_id) references supplier (tenant_id, id)",
    "alter table stock_receipt add constraint stock_receipt_delivery_fk foreign key (tenant_id, delivery_id) references delivery (tenant_id, id)",
    "alter table stock_receipt add constraint stock_receipt_second_fk foreign key (tenant_id, second_id) references staff (tenant_id, id)",
    "create unique index stock_receipt_delivery_once on stock_receipt (tenant_id, delivery_id) where delivery_id is not null",
)
INDEXES = (
    "create index purchase_order_recent on purchase_order (tenant_id, facility_id, made_at desc, id)",
    "create index purchase_order_open on purchase_order (tenant_id, facility_id) where state in ('placed', 'partly')",
    "create index delivery_recent on delivery (tenant_id, facility_id, made_at desc, id)",
    "create index delivery_of_order on delivery (tenant_id, order_id) where order_id is not null",
    "create index delivery_line_of_product on delivery_line (tenant_id, product_id)",
    "create index code_pack_of_parent on code_pack (tenant_id, parent, child)",
    "create index stock_import_recent on stock_import (tenant_id, facility_id, created_at desc, id)",
    "create index stock_import_row_verdict on stock_import_row (tenant_id, import_id, verdict, number)",
)
# Each table, and the columns that an act writes after the row was made.
TABLES = {
    "purchase_order": "supplier_id, state, content, note, version, placed_at, placed_by, closed_at, closed_by, close_reason",
    "purchase_order_line": "received_packs",
    "delivery": "state, content, version, changed_at, note_number, accepted_at, inspector_id, second_id, record",
    "delivery_line": "",
    "code_pack": "",
    "code_prefix": "",
    "stock_import": "mapping, state, checked_count, posted_count, finished_at",
    "stock_import_row": "said, verdict, problem, product_id, receipt_id",
}


def upgrade() -> None:
    for statement in (
        ORDER,
        ORDER_LINE,
        DELIVERY,
        DELIVERY_LINE,
        CODE_PACK,
        CODE_PREFIX,
        IMPORT,
        IMPORT_ROW,
        *RECEIPT,
        *INDEXES,
    ):
        op.execute(statement)
    for table, columns in TABLES.items():
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
        op.execute(f"grant select, insert on {table} to facility_app")
        if columns:
            op.execute(f"grant update ({columns}) on {table} to facility_app")


def downgrade() -> None:
    for column in ("second_id", "invoice", "note_number", "delivery_id", "supplier_id", "kind"):
        op.execute(f"alter table stock_receipt drop column {column}")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
