"""Create recalls: what is called back and why, which lots, which facility, and whom we rang up (召回).

A recall belongs to the organization: it freezes its lots at every facility. `recall_target` keeps naming them while it runs, so
that a lot which arrives later is frozen as it comes in.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

RECALL = f"""
create table recall (
    {TENANT},
    id uuid not null,
    origin text not null,
    number text not null,
    level int not null,
    issuer text not null,
    product jsonb not null,
    lots text[] not null,
    codes text[] not null,
    reason text not null,
    instructions text not null,
    issued_at timestamptz not null,
    deadline_at timestamptz not null,
    arrived_at timestamptz not null,
    facility_id bigint,
    staff_id bigint,
    digest bytea,
    state text not null default 'open',
    closed_at timestamptz,
    closed_by bigint,
    summary text,
    constraint recall_pkey primary key (tenant_id, id),
    constraint recall_organization_fkey foreign key (tenant_id) references organization (tenant_id),
    constraint recall_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint recall_closed_by_fkey foreign key (tenant_id, closed_by) references staff (tenant_id, id),
    constraint recall_origin_check check (origin in ('own', 'center') and (origin = 'center') = (staff_id is null)),
    constraint recall_level_check check (level between 1 and 3),
    constraint recall_state_check check (state in ('open', 'closed') and (state = 'closed') = (closed_at is not null)),
    constraint recall_other_eyes check (closed_by is null or staff_id is null or closed_by <> staff_id),
    constraint recall_deadline_check check (deadline_at >= issued_at)
)
"""

# Which product and lot a running recall means; an empty lot number means all lots of the product.
TARGET = f"""
create table recall_target (
    {TENANT},
    recall_id uuid not null,
    product_id bigint not null,
    lot_number text not null,
    ended_at timestamptz,
    constraint recall_target_pkey primary key (tenant_id, recall_id, product_id, lot_number),
    constraint recall_target_recall_fkey foreign key (tenant_id, recall_id) references recall (tenant_id, id),
    constraint recall_target_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id) on delete cascade
)
"""

# A recall at one facility: what was frozen there when it came, who has seen it, what was reported.
PLACE = f"""
create table recall_place (
    {TENANT},
    recall_id uuid not null,
    facility_id bigint not null,
    arrived_at timestamptz not null,
    held_lots int not null,
    held_quantity bigint not null,
    acknowledged_at timestamptz,
    acknowledged_by bigint,
    reported_at timestamptz,
    reported_by bigint,
    report jsonb,
    constraint recall_place_pkey primary key (tenant_id, recall_id, facility_id),
    constraint recall_place_recall_fkey foreign key (tenant_id, recall_id) references recall (tenant_id, id),
    constraint recall_place_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint recall_place_acknowledged_by_fkey foreign key (tenant_id, acknowledged_by) references staff (tenant_id, id),
    constraint recall_place_reported_by_fkey foreign key (tenant_id, reported_by) references staff (tenant_id, id),
    constraint recall_place_acknowledged_check check ((acknowledged_at is null) = (acknowledged_by is null)),
    constraint recall_place_reported_check check ((reported_at is null) = (reported_by is null) and (reported_at is null) = (report is null))
)
"""

# Each try to reach a buyer, and what came of it. The newest row of a sale says where it stands.
CALL = f"""
create table recall_call (
    {TENANT},
    id bigint generated always as identity,
    recall_id uuid not null,
    facility_id bigint not null,
    sale_id uuid not null,
    outcome text not null,
    note text not null default '',
    staff_id bigint not null,
    called_at timestamptz not null,
    constraint recall_call_pkey primary key (tenant_id, id),
    constraint recall_call_recall_fkey foreign key (tenant_id, recall_id) references recall (tenant_id, id),
    constraint recall_call_sale_fkey foreign key (tenant_id, sale_id) references sale (tenant_id, id),
    constraint recall_call_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint recall_call_outcome_check check (outcome in ('reached', 'unreached', 'coming', 'used', 'unknown')),
    constraint recall_call_note_check check (char_length(note) <= 200)
)
"""

# One look-up for each new lot; nothing for stock that is already there.
HOLD_ARRIVING = """
create function hold_recalled_lot() returns trigger language plpgsql as $$
begin
    if new.hold is null and exists (
        select from recall_target t where t.tenant_id = new.tenant_id and t.product_id = new.product_id
            and t.lot_number in ('', new.lot_number) and t.ended_at is null
    ) then
        new.hold := 'recalled';
        new.hold_reason := '召回中的批号到货';
    end if;
    return new;
end $$
"""

TABLES = ("recall", "recall_target", "recall_place", "recall_call")
STATEMENTS = (
    RECALL,
    "create index recall_recent on recall (tenant_id, issued_at desc, id desc)",
    TARGET,
    "create index recall_target_running on recall_target (tenant_id, product_id, lot_number) where ended_at is null",
    PLACE,
    "create index recall_place_waiting on recall_place (tenant_id, facility_id) where acknowledged_at is null",
    CALL,
    "create index recall_call_of_sale on recall_call (tenant_id, recall_id, sale_id, id desc)",
    "create index lot_of_number on lot (tenant_id, lot_number)",
    "create index lot_held on lot (tenant_id, facility_id, id) where hold is not null",
    "create index sale_pick_of_lot on sale_pick (tenant_id, lot_id)",
    HOLD_ARRIVING,
    "create trigger lot_recalled before insert on lot for each row execute function hold_recalled_lot()",
    "grant select, insert on recall, recall_target, recall_place, recall_call to facility_app",
    "grant update (state, closed_at, closed_by, summary) on recall to facility_app",
    "grant update (ended_at) on recall_target to facility_app",
    "grant update (acknowledged_at, acknowledged_by, reported_at, reported_by, report) on recall_place to facility_app",
    "grant select on sequence recall_call_id_seq to facility_backup",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in TABLES:
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)


def downgrade() -> None:
    op.execute("drop trigger lot_recalled on lot")
    op.execute("drop function hold_recalled_lot()")
    for index in ("lot_of_number", "lot_held", "sale_pick_of_lot"):
        op.execute(f"drop index {index}")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
