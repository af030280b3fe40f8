"""Create price changes with their lines, and what was printed on which label.

A price change (调价单) is a paper: who, why, from when, and of each product the price before and after; the prices
themselves are rows of product_price, as ever. A label remembers the price that stood on it, so that what is due for
reprint is known.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

CHANGE = f"""
create table price_change (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    number text not null,
    digest bytea not null,
    reason text not null,
    from_at timestamptz not null,
    staff_id bigint not null,
    approver_id bigint,
    made_at timestamptz not null,
    made_on date not null,
    constraint price_change_pkey primary key (tenant_id, id),
    constraint price_change_number_once unique (tenant_id, facility_id, number),
    constraint price_change_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint price_change_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint price_change_approver_fkey foreign key (tenant_id, approver_id) references staff (tenant_id, id),
    constraint price_change_other_eyes check (approver_id <> staff_id),
    constraint price_change_forward check (from_at >= made_at),
    constraint price_change_reason_check check (char_length(reason) between 1 and 200)
)
"""
LINE = f"""
create table price_change_line (
    {TENANT},
    change_id uuid not null,
    line_no int not null,
    product_id bigint not null,
    price_id bigint not null,
    before_pack_price numeric(16,6),
    before_split_price numeric(16,6),
    pack_price numeric(16,6) not null,
    split_price numeric(16,6),
    constraint price_change_line_pkey primary key (tenant_id, change_id, line_no),
    constraint price_change_line_change_fkey foreign key (tenant_id, change_id) references price_change (tenant_id, id),
    constraint price_change_line_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint price_change_line_price_fkey foreign key (tenant_id, price_id) references product_price (tenant_id, id)
)
"""
LABEL = f"""
create table label_print (
    {TENANT},
    print_id uuid not null,
    line_no int not null,
    facility_id bigint not null,
    kind text not null,
    size text not null,
    product_id bigint not null,
    lot_id bigint,
    price_id bigint,
    quantity bigint,
    directions text not null default '',
    copies int not null,
    digest bytea not null,
    staff_id bigint not null,
    printed_at timestamptz not null,
    constraint label_print_pkey primary key (tenant_id, print_id, line_no),
    constraint label_print_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint label_print_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint label_print_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint label_print_price_fkey foreign key (tenant_id, price_id) references product_price (tenant_id, id),
    constraint label_print_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint label_print_kind_check check (kind in ('shelf', 'split', 'near')),
    constraint label_print_size_check check (size in ('60x40', '40x30')),
    constraint label_print_copies_check check (copies between 1 and 99),
    constraint label_print_directions_check check (char_length(directions) <= 100),
    constraint label_print_quantity_check check (quantity > 0)
)
"""

UP = (
    CHANGE,
    "create index price_change_recent on price_change (tenant_id, facility_id, made_at desc, id)",
    LINE,
    "create index price_change_line_of_product on price_change_line (tenant_id, product_id)",
    LABEL,
    "create index label_print_of_product on label_print (tenant_id, facility_id, product_id, printed_at desc) where kind = 'shelf'",
    "grant select, insert on price_change, price_change_line, label_print to facility_app",
)
TABLES = ("price_change", "price_change_line", "label_print")


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)
    for table in TABLES:
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
