"""Let stock be counted (盘点): a count, its lines, who counted what where, and the codes they held in their hands.

Entries are only added: a recount of the same place names the entry it replaces. A line stands in one unfinished count at a
time. `mark` is the number of the newest movement of a lot and zone: what the book said is said up to that movement, so
that no clock decides what happened before and what after.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"
ZONES = "'RECEIVING','SALEABLE','SPLIT','QUARANTINE','REJECT','RETURN_OUT','COLD','CONTROLLED'"

COUNT = f"""
create table stock_count (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    number text not null,
    digest bytea not null,
    scope text not null,
    shelf text not null default '',
    products bigint[] not null default '{{}}',
    blind boolean not null,
    note text not null default '',
    staff_id bigint not null,
    opened_at timestamptz not null,
    opened_on date not null,
    state text not null default 'open',
    version int not null default 1,
    line_count int not null,
    counted_count int not null default 0,
    closed_by bigint,
    closed_at timestamptz,
    decided_by bigint,
    decided_at timestamptz,
    gain_fen bigint not null default 0,
    loss_fen bigint not null default 0,
    constraint stock_count_pkey primary key (tenant_id, id),
    constraint stock_count_number_once unique (tenant_id, facility_id, number),
    constraint stock_count_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint stock_count_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint stock_count_closed_by_fkey foreign key (tenant_id, closed_by) references staff (tenant_id, id),
    constraint stock_count_decided_by_fkey foreign key (tenant_id, decided_by) references staff (tenant_id, id),
    constraint stock_count_scope_check check (scope in ('full', 'shelf', 'product', 'controlled')),
    constraint stock_count_state_check check (state in ('open', 'closed', 'approved', 'withdrawn')),
    constraint stock_count_other_eyes check (state <> 'approved' or (decided_by <> staff_id and decided_by <> closed_by)),
    constraint stock_count_worth_check check (gain_fen >= 0 and loss_fen >= 0)
)
"""
# The count's own key is checked at the end: its number comes last, because it locks the facility's head.
LINE = f"""
create table count_line (
    {TENANT},
    count_id uuid not null,
    line_no int not null,
    facility_id bigint not null,
    product_id bigint not null,
    lot_id bigint not null,
    zone text not null,
    shelf text not null default '',
    book bigint not null,
    mark bigint not null,
    found boolean not null default false,
    staff_id bigint,
    finished boolean not null default false,
    counted bigint,
    difference bigint,
    unsure bigint,
    first_mark bigint,
    worth_fen bigint,
    reason text not null default '',
    reason_note text not null default '',
    constraint count_line_pkey primary key (tenant_id, count_id, line_no),
    constraint count_line_lot_once unique (tenant_id, count_id, lot_id, zone),
    constraint count_line_count_fkey foreign key (tenant_id, count_id) references stock_count (tenant_id, id) deferrable initially deferred,
    constraint count_line_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint count_line_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint count_line_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint count_line_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint count_line_zone_check check (zone in ({ZONES})),
    constraint count_line_note_check check (char_length(reason) <= 20 and char_length(reason_note) <= 100)
)
"""
ENTRY = f"""
create table count_entry (
    {TENANT},
    id uuid not null,
    count_id uuid not null,
    line_no int not null,
    place text not null,
    quantity bigint not null,
    code_count int not null default 0,
    source text not null,
    staff_id bigint not null,
    counted_at timestamptz not null,
    book bigint not null,
    reserved bigint not null,
    mark_from bigint not null,
    mark_to bigint not null,
    replaces uuid,
    digest bytea not null,
    constraint count_entry_pkey primary key (tenant_id, id),
    constraint count_entry_line_fkey foreign key (tenant_id, count_id, line_no) references count_line (tenant_id, count_id, line_no),
    constraint count_entry_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint count_entry_replaces_fkey foreign key (tenant_id, replaces) references count_entry (tenant_id, id),
    constraint count_entry_replaced_once unique (tenant_id, replaces),
    constraint count_entry_source_check check (source in ('page', 'sheet', 'rest')),
    constraint count_entry_place_check check (char_length(place) <= 20),
    constraint count_entry_quantity_check check (quantity >= 0 and mark_from <= mark_to)
)
"""
CODE = f"""
create table count_code (
    {TENANT},
    entry_id uuid not null,
    code text not null,
    count_id uuid not null,
    constraint count_code_pkey primary key (tenant_id, entry_id, code),
    constraint count_code_entry_fkey foreign key (tenant_id, entry_id) references count_entry (tenant_id, id)
)
"""
TABLES = ("stock_count", "count_line", "count_entry", "count_code")
JUDGED = "finished, counted, difference, unsure, first_mark, worth_fen, reason, reason_note"
DECIDED = "state, version, line_count, counted_count, closed_by, closed_at, decided_by, decided_at, gain_fen, loss_fen"
UP = (
    COUNT,
    "create index stock_count_recent on stock_count (tenant_id, facility_id, opened_at desc, id desc)",
    "create index stock_count_of_scope on stock_count (tenant_id, facility_id, scope, decided_at desc) where state = 'approved'",
    LINE,
    "create unique index count_line_counted_once on count_line (tenant_id, lot_id, zone) where not finished",
    "create index count_line_differs on count_line (tenant_id, count_id, line_no) where difference <> 0 or unsure > 0",
    ENTRY,
    "create unique index count_entry_first_of_place on count_entry (tenant_id, count_id, line_no, place) where replaces is null",
    "create index count_entry_of_person on count_entry (tenant_id, count_id, staff_id, counted_at desc)",
    CODE,
    "create index count_code_of_count on count_code (tenant_id, count_id, code)",
    "grant select, insert on stock_count, count_line, count_entry, count_code to facility_app",
    f"grant update ({DECIDED}) on stock_count to facility_app",
    f"grant update ({JUDGED}) on count_line to facility_app",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)
    for table in TABLES:
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
