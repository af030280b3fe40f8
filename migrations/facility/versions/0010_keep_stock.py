"""Let stock be kept: a place for every code, goods in transit, the stock room's papers, what changed on a lot, shelves.

A code lies in one zone as its goods do. Papers (库存单据) cover the acts that change the state of goods inside the house or
take them out of it for good; each names who asked and who confirmed. What changes on a lot after it was posted is a row
with before, after and reason.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"
OLD_ZONES = "'RECEIVING','SALEABLE','SPLIT','QUARANTINE','REJECT','RETURN_OUT','COLD','CONTROLLED'"
ZONES = f"{OLD_ZONES},'TRANSIT'"
OLD_KINDS = "'PI','PR','SA','SR','TO','TI','SP','CI','CO','DM','RC','QH','QR','MX','HB','AD'"
KINDS = f"{OLD_KINDS},'CR'"
OLD_STATES = "'IN_STOCK','RESERVED','SPLIT_OPEN','SOLD','RETURNED_QUARANTINE','RETURNED_SUPPLIER','DESTROYED','FROZEN'"
STATES = f"{OLD_STATES},'IN_TRANSIT','LOST'"

# Where each code lies by what was known before: opened packs in the split zone, returned ones in quarantine, the others
# where their lot has goods.
PLACE_CODES = """
update trace_code t set zone = case
    when t.state = 'SPLIT_OPEN' then 'SPLIT' when t.state = 'RETURNED_QUARANTINE' then 'QUARANTINE'
    else coalesce((select b.zone from lot_balance b where b.tenant_id = t.tenant_id and b.lot_id = t.lot_id and b.zone <> 'SPLIT'
        order by b.zone in ('SALEABLE', 'COLD', 'CONTROLLED') desc, b.on_hand desc limit 1), 'SALEABLE') end
"""
# What lies in a zone that is not for sale is not for sale either.
HOLD_CODES = (
    "update trace_code set state = 'FROZEN' where state = 'IN_STOCK' and zone not in ('SALEABLE', 'COLD', 'CONTROLLED')"
)

DOCUMENT = f"""
create table stock_document (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    act text not null,
    number text not null,
    state text not null,
    digest bytea not null,
    reason text not null,
    note text not null default '',
    record jsonb not null default '{{}}',
    staff_id bigint not null,
    asked_at timestamptz not null,
    asked_on date not null,
    decided_by bigint,
    decided_at timestamptz,
    decision_note text not null default '',
    constraint stock_document_pkey primary key (tenant_id, id),
    constraint stock_document_number_once unique (tenant_id, facility_id, number),
    constraint stock_document_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint stock_document_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint stock_document_decided_by_fkey foreign key (tenant_id, decided_by) references staff (tenant_id, id),
    constraint stock_document_state_check check (state in ('asked', 'posted', 'refused', 'withdrawn')),
    constraint stock_document_reason_check check (char_length(reason) between 1 and 200),
    constraint stock_document_other_eyes check (decided_by is null or decided_by <> staff_id or state = 'withdrawn')
)
"""
DOCUMENT_LINE = f"""
create table stock_document_line (
    {TENANT},
    document_id uuid not null,
    line_no int not null,
    lot_id bigint not null,
    from_zone text not null default '',
    to_zone text not null default '',
    quantity bigint not null,
    constraint stock_document_line_pkey primary key (tenant_id, document_id, line_no),
    constraint stock_document_line_document_fkey foreign key (tenant_id, document_id) references stock_document (tenant_id, id),
    constraint stock_document_line_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint stock_document_line_moves check (quantity > 0 and (from_zone <> '' or to_zone <> ''))
)
"""
DOCUMENT_CODE = f"""
create table stock_document_code (
    {TENANT},
    document_id uuid not null,
    code text not null,
    line_no int not null,
    constraint stock_document_code_pkey primary key (tenant_id, document_id, code),
    constraint stock_document_code_line_fkey foreign key (tenant_id, document_id, line_no)
        references stock_document_line (tenant_id, document_id, line_no),
    constraint stock_document_code_code_fkey foreign key (tenant_id, code) references trace_code (tenant_id, code)
)
"""
LOT_CHANGE = f"""
create table lot_change (
    {TENANT},
    id bigint generated always as identity,
    facility_id bigint not null,
    lot_id bigint not null,
    what text not null,
    before text not null,
    after text not null,
    reason text not null,
    document_id uuid,
    staff_id bigint,
    second_id bigint,
    changed_at timestamptz not null,
    constraint lot_change_pkey primary key (tenant_id, id),
    constraint lot_change_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint lot_change_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint lot_change_second_fkey foreign key (tenant_id, second_id) references staff (tenant_id, id),
    constraint lot_change_what_check check (what in ('hold', 'cost_price', 'lot_number', 'produced_on', 'expires_on', 'quantity')),
    constraint lot_change_reason_check check (char_length(reason) between 1 and 200)
)
"""
SHELF = f"""
create table product_shelf (
    {TENANT},
    facility_id bigint not null,
    product_id bigint not null,
    shelf text not null default '',
    least bigint,
    most bigint,
    staff_id bigint not null,
    changed_at timestamptz not null,
    constraint product_shelf_pkey primary key (tenant_id, facility_id, product_id),
    constraint product_shelf_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint product_shelf_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id) on delete cascade,
    constraint product_shelf_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint product_shelf_shelf_check check (char_length(shelf) <= 20),
    constraint product_shelf_range_check check (least >= 0 and most >= 0 and (most is null or least is null or least <= most))
)
"""

TABLES = ("stock_document", "stock_document_line", "stock_document_code", "lot_change", "product_shelf")
UP = (
    "alter table trace_code add column zone text not null default 'SALEABLE'",
    "alter table trace_code drop constraint trace_code_state_known",
    f"alter table trace_code add constraint trace_code_state_known check (state in ({STATES}))",
    f"alter table trace_code add constraint trace_code_zone_known check (zone in ({ZONES}))",
    PLACE_CODES,
    HOLD_CODES,
    "alter table lot_balance drop constraint lot_balance_zone_known",
    f"alter table lot_balance add constraint lot_balance_zone_known check (zone in ({ZONES}))",
    "alter table stock_movement drop constraint stock_movement_kind_known",
    f"alter table stock_movement add constraint stock_movement_kind_known check (kind in ({KINDS}))",
    "grant update (zone, facility_id, lot_id) on trace_code to facility_app",
    DOCUMENT,
    "create index stock_document_recent on stock_document (tenant_id, facility_id, asked_at desc, id)",
    "create index stock_document_waiting on stock_document (tenant_id, facility_id, asked_at) where state = 'asked'",
    DOCUMENT_LINE,
    "create index stock_document_line_of_lot on stock_document_line (tenant_id, lot_id)",
    DOCUMENT_CODE,
    "create index stock_document_code_of_code on stock_document_code (tenant_id, code)",
    LOT_CHANGE,
    "create index lot_change_of_lot on lot_change (tenant_id, lot_id, id)",
    "create index lot_change_recent on lot_change (tenant_id, facility_id, id desc)",
    SHELF,
    "grant select, insert on stock_document, stock_document_line, stock_document_code, lot_change, product_shelf to facility_app",
    "grant update (state, decided_by, decided_at, decision_note) on stock_document to facility_app",
    "grant update (shelf, least, most, staff_id, changed_at) on product_shelf to facility_app",
    "grant select on sequence lot_change_id_seq to facility_backup",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)
    for table in TABLES:
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)


def downgrade() -> None:
    """Only a database in which nothing of this happened can go back: the older rules would not allow its rows."""
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
    op.execute("revoke update (facility_id, lot_id) on trace_code from facility_app")
    op.execute("alter table trace_code drop column zone")
    for table, name, column, known in (
        ("trace_code", "trace_code_state_known", "state", OLD_STATES),
        ("lot_balance", "lot_balance_zone_known", "zone", OLD_ZONES),
        ("stock_movement", "stock_movement_kind_known", "kind", OLD_KINDS),
    ):
        op.execute(f"alter table {table} drop constraint {name}")
        op.execute(f"alter table {table} add constraint {name} check ({column} in ({known}))")
