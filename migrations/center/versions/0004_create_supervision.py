"""Create what the center makes of the facts: movements and their lines, trace events, alerts.

A row is a projection of one fact and carries its place in the stream, so that every figure on a screen leads to its proof.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import force, isolate_center, open_to

revision = "0004"
down_revision = "0003"

MOVEMENT = """
create table movement (
    stream text not null,
    epoch bigint not null,
    number bigint not null,
    district text not null,
    kind text not null,
    document uuid not null,
    receipt text not null,
    at timestamptz not null,
    operator text not null,
    terminal text,
    paid text,
    total_fen bigint,
    setl_id text,
    reversed_setl_id text,
    fund_fen bigint,
    account_fen bigint,
    mutual_fen bigint,
    cash_fen bigint,
    original_document uuid,
    original_receipt text,
    reason text,
    orphaned boolean not null default false,
    constraint movement_pkey primary key (stream, epoch, number),
    constraint movement_fact_fkey foreign key (stream, epoch, number) references inbox_fact (stream, epoch, number),
    constraint movement_kind_check check (kind in ('received', 'sold', 'refunded')),
    constraint movement_paid_check check (paid in ('insured', 'self'))
)
"""

# Quantity counts base units and is positive: the kind says which way the goods went. `line` is the place in the fact:
# a line of the document (`line_no`) that was taken from two lots has two places.
MOVEMENT_LINE = """
create table movement_line (
    stream text not null,
    epoch bigint not null,
    number bigint not null,
    line integer not null,
    line_no integer not null,
    district text not null,
    kind text not null,
    at timestamptz not null,
    document uuid not null,
    product text not null,
    national text,
    barcode text,
    name text not null,
    spec text,
    maker text,
    approval text,
    lot text not null,
    produced_on date,
    expires_on date,
    quantity bigint not null,
    pack_size bigint,
    split boolean not null default false,
    price numeric(16, 6),
    amount_fen bigint,
    scanned_at timestamptz,
    original_line integer,
    goods text,
    zone text,
    code_count integer not null,
    orphaned boolean not null default false,
    constraint movement_line_pkey primary key (stream, epoch, number, line),
    constraint movement_line_movement_fkey foreign key (stream, epoch, number) references movement (stream, epoch, number),
    constraint movement_line_quantity_check check (quantity > 0),
    constraint movement_line_goods_check check (goods in ('kept', 'quarantine', 'shelf'))
)
"""

# One row a code ever heard of: whoever judges a code locks it, so that two sales arriving at once see each other.
TRACE_CODE = """
create table trace_code (
    code text not null,
    first_heard_at timestamptz not null default clock_timestamp(),
    constraint trace_code_pkey primary key (code)
)
"""

TRACE_EVENT = """
create table trace_event (
    stream text not null,
    epoch bigint not null,
    number bigint not null,
    line integer not null,
    code text not null,
    district text not null,
    kind text not null,
    at timestamptz not null,
    document uuid not null,
    original_document uuid,
    units bigint not null,
    pack_size bigint not null,
    split boolean not null,
    is_back boolean not null,
    orphaned boolean not null default false,
    constraint trace_event_pkey primary key (stream, epoch, number, line, code),
    constraint trace_event_code_fkey foreign key (code) references trace_code (code),
    constraint trace_event_line_fkey foreign key (stream, epoch, number, line)
        references movement_line (stream, epoch, number, line)
)
"""

# An alert tells of two facts; each district concerned has its own row, with what it may know of the other side.
ALERT = """
create table alert (
    id bigint generated always as identity,
    district text not null,
    kind text not null,
    code text,
    stream text not null,
    epoch bigint not null,
    number bigint not null,
    line integer not null default 0,
    at timestamptz not null,
    facts jsonb not null,
    raised_at timestamptz not null default clock_timestamp(),
    cleared_at timestamptz,
    cleared_reason text,
    constraint alert_pkey primary key (id),
    constraint alert_once unique nulls not distinct (kind, code, stream, epoch, number, line, district),
    constraint alert_cleared_check check ((cleared_at is null) = (cleared_reason is null))
)
"""

INDEXES = (
    "create index movement_document_idx on movement (document)",
    "create index movement_original_idx on movement (original_document) where original_document is not null",
    "create index movement_receipt_idx on movement (receipt)",
    "create index movement_at_idx on movement (at desc, stream, number)",
    "create index movement_line_lot_idx on movement_line (lot, at, stream, number)",
    "create index movement_line_product_idx on movement_line (stream, product, at, number, line)",
    "create index movement_line_name_idx on movement_line using gin (name gin_trgm_ops)",
    "create index trace_event_code_idx on trace_event (code, at)",
    "create index alert_open_idx on alert (district, id desc) where cleared_at is null",
    "create index alert_fact_idx on alert (stream, epoch, number, line)",
    "create index alert_code_idx on alert (code) where code is not null",
)

OF_DISTRICT = ("movement", "movement_line", "trace_event", "alert")

GRANTS = (
    "grant select, insert on movement, movement_line, trace_event, trace_code, alert to center_inbox",
    "grant update (orphaned) on movement, movement_line, trace_event to center_inbox",
    "grant update (first_heard_at) on trace_code to center_inbox",
    "grant update (cleared_at, cleared_reason) on alert to center_inbox",
    "grant select on movement, movement_line, trace_event, alert to center_app",
)


def upgrade() -> None:
    for statement in (MOVEMENT, MOVEMENT_LINE, TRACE_CODE, TRACE_EVENT, ALERT, *INDEXES):
        op.execute(statement)
    for table in OF_DISTRICT:
        for statement in (*isolate_center(table), *open_to(table, "center_inbox")):
            op.execute(statement)
    for statement in (*force("trace_code", "center_owner"), *open_to("trace_code", "center_inbox"), *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    for table in ("alert", "trace_event", "trace_code", "movement_line", "movement"):
        op.execute(f"drop table {table}")
