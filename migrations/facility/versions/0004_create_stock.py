"""Lots, balances, the movement ledger, trace codes and plain receipts (进销存)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import isolate

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ZONES = "'RECEIVING','SALEABLE','SPLIT','QUARANTINE','REJECT','RETURN_OUT','COLD','CONTROLLED'"
KINDS = "'PI','PR','SA','SR','TO','TI','SP','CI','CO','DM','RC','QH','QR','MX','HB','AD'"
CODE_STATES = "'IN_STOCK','RESERVED','SPLIT_OPEN','SOLD','RETURNED_QUARANTINE','RETURNED_SUPPLIER','DESTROYED','FROZEN'"

# The one ledger function: every change of stock in the product goes through it. Rows of one lot and zone are merged, balances
# are locked in the order of lot and zone, and the ledger gets one line per row with the balance after it. `release` gives
# back what was reserved before. A balance that would fall below zero or below what is reserved breaks its constraint and
# nothing is posted.
POST_MOVEMENTS = """
create function post_movements(p_tenant bigint, p_facility bigint, p_document uuid, p_staff bigint, p_at timestamptz, p_rows jsonb)
returns int language plpgsql as $$
declare
    posted int;
begin
    insert into lot_balance (tenant_id, lot_id, zone, facility_id, product_id, expires_on)
    select distinct p_tenant, r.lot_id, r.zone, l.facility_id, l.product_id, l.expires_on
    from jsonb_to_recordset(p_rows) as r(lot_id bigint, zone text, quantity bigint)
    join lot l on l.tenant_id = p_tenant and l.id = r.lot_id
    where r.quantity > 0
    on conflict do nothing;

    with rows_in as (
        select * from jsonb_to_recordset(p_rows) as r(line_no int, lot_id bigint, zone text, kind text, quantity bigint, release bigint)
    ), sums as (
        select lot_id, zone, sum(quantity) as quantity, sum(coalesce(release, 0)) as release from rows_in group by lot_id, zone
    ), locked as (
        select b.lot_id, b.zone from lot_balance b join sums s on s.lot_id = b.lot_id and s.zone = b.zone
        where b.tenant_id = p_tenant and b.facility_id = p_facility
        order by b.lot_id, b.zone for no key update of b
    ), changed as (
        update lot_balance b set on_hand = b.on_hand + s.quantity, reserved = b.reserved - s.release
        from sums s join locked k on k.lot_id = s.lot_id and k.zone = s.zone
        where b.tenant_id = p_tenant and b.lot_id = s.lot_id and b.zone = s.zone
        returning b.lot_id, b.zone, b.product_id, b.on_hand
    )
    insert into stock_movement (tenant_id, facility_id, lot_id, zone, product_id, kind, quantity, balance, document_id, line_no, staff_id, moved_at)
    select p_tenant, p_facility, r.lot_id, r.zone, c.product_id, r.kind, r.quantity,
        c.on_hand - coalesce(sum(r.quantity) over (partition by r.lot_id, r.zone order by r.line_no desc, r.kind desc
            rows between unbounded preceding and 1 preceding), 0),
        p_document, r.line_no, p_staff, p_at
    from rows_in r join changed c on c.lot_id = r.lot_id and c.zone = r.zone
    order by r.line_no, r.lot_id, r.zone;
    get diagnostics posted = row_count;
    if posted <> jsonb_array_length(p_rows) then
        raise exception 'posted % of % movements', posted, jsonb_array_length(p_rows) using errcode = 'check_violation';
    end if;
    return posted;
end $$
"""

TABLES = ("lot", "lot_balance", "stock_movement", "trace_code", "trace_event", "stock_receipt", "stock_receipt_line")

UP = [
    """
    create table lot (
        tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
        id bigint generated always as identity,
        facility_id bigint not null,
        product_id bigint not null,
        lot_number text not null,
        produced_on date,
        expires_on date not null,
        hold text,
        hold_reason text,
        cost_price numeric(16, 6),
        constraint lot_pk primary key (tenant_id, id),
        constraint lot_facility_fk foreign key (tenant_id, facility_id) references facility (tenant_id, id),
        constraint lot_product_fk foreign key (tenant_id, product_id) references product (tenant_id, id),
        constraint lot_once unique (tenant_id, facility_id, product_id, lot_number, expires_on),
        constraint lot_hold_known check (hold in ('frozen', 'recalled')),
        constraint lot_lives_forward check (produced_on is null or produced_on <= expires_on)
    )""",
    "create index lot_of_product on lot (tenant_id, product_id)",
    f"""
    create table lot_balance (
        tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
        lot_id bigint not null,
        zone text not null,
        facility_id bigint not null,
        product_id bigint not null,
        expires_on date not null,
        on_hand bigint not null default 0,
        reserved bigint not null default 0,
        constraint lot_balance_pk primary key (tenant_id, lot_id, zone),
        constraint lot_balance_lot_fk foreign key (tenant_id, lot_id) references lot (tenant_id, id),
        constraint lot_balance_zone_known check (zone in ({ZONES})),
        constraint lot_balance_covers_reserved check (0 <= reserved and reserved <= on_hand)
    )""",
    # First-to-expire picking reads this and nothing else.
    "create index lot_balance_pick on lot_balance (tenant_id, facility_id, product_id, expires_on, lot_id) where on_hand > 0",
    f"""
    create table stock_movement (
        tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
        id bigint generated always as identity,
        facility_id bigint not null,
        lot_id bigint not null,
        zone text not null,
        product_id bigint not null,
        kind text not null,
        quantity bigint not null,
        balance bigint not null,
        document_id uuid not null,
        line_no int not null,
        staff_id bigint,
        moved_at timestamptz not null default now(),
        constraint stock_movement_pk primary key (tenant_id, id),
        constraint stock_movement_lot_fk foreign key (tenant_id, lot_id) references lot (tenant_id, id),
        constraint stock_movement_kind_known check (kind in ({KINDS})),
        constraint stock_movement_moves check (quantity <> 0),
        constraint stock_movement_never_below check (balance >= 0)
    )""",
    "create index stock_movement_of_lot on stock_movement (tenant_id, lot_id, id)",
    "create index stock_movement_of_product on stock_movement (tenant_id, facility_id, product_id, id desc)",
    "create index stock_movement_of_document on stock_movement (tenant_id, document_id)",
    f"""
    create table trace_code (
        tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
        code text not null,
        facility_id bigint not null,
        product_id bigint not null,
        lot_id bigint not null,
        state text not null,
        remaining bigint not null,
        reserved bigint not null default 0,
        document_id uuid,
        constraint trace_code_pk primary key (tenant_id, code),
        constraint trace_code_lot_fk foreign key (tenant_id, lot_id) references lot (tenant_id, id),
        constraint trace_code_state_known check (state in ({CODE_STATES})),
        constraint trace_code_covers_reserved check (0 <= reserved and reserved <= remaining)
    )""",
    "create index trace_code_of_lot on trace_code (tenant_id, lot_id, state)",
    """
    create table trace_event (
        tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
        id bigint generated always as identity,
        code text not null,
        kind text not null,
        quantity bigint not null,
        document_id uuid not null,
        line_no int not null,
        facility_id bigint not null,
        staff_id bigint,
        at timestamptz not null default now(),
        constraint trace_event_pk primary key (tenant_id, id),
        constraint trace_event_code_fk foreign key (tenant_id, code) references trace_code (tenant_id, code)
    )""",
    "create index trace_event_of_code on trace_event (tenant_id, code, id)",
    """
    create table stock_receipt (
        tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
        id uuid not null,
        facility_id bigint not null,
        number text not null,
        digest bytea not null,
        supplier text not null default '',
        note text not null default '',
        staff_id bigint not null,
        received_at timestamptz not null default now(),
        received_on date not null,
        constraint stock_receipt_pk primary key (tenant_id, id),
        constraint stock_receipt_number_once unique (tenant_id, facility_id, number),
        constraint stock_receipt_facility_fk foreign key (tenant_id, facility_id) references facility (tenant_id, id)
    )""",
    "create index stock_receipt_recent on stock_receipt (tenant_id, facility_id, received_at desc, id)",
    """
    create table stock_receipt_line (
        tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
        receipt_id uuid not null,
        line_no int not null,
        lot_id bigint not null,
        zone text not null,
        quantity bigint not null,
        cost_price numeric(16, 6),
        code_count int not null default 0,
        constraint stock_receipt_line_pk primary key (tenant_id, receipt_id, line_no),
        constraint stock_receipt_line_receipt_fk foreign key (tenant_id, receipt_id) references stock_receipt (tenant_id, id),
        constraint stock_receipt_line_lot_fk foreign key (tenant_id, lot_id) references lot (tenant_id, id),
        constraint stock_receipt_line_brings check (quantity > 0)
    )""",
    POST_MOVEMENTS,
    "grant select, insert, update on lot, lot_balance, trace_code to facility_app",
    "grant select, insert on stock_movement, trace_event, stock_receipt, stock_receipt_line to facility_app",
]


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)
    for table in TABLES:
        for statement in isolate(table, worker=False):
            op.execute(statement)


def downgrade() -> None:
    op.execute("drop function post_movements(bigint, bigint, uuid, bigint, timestamptz, jsonb)")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
