"""Give lines of a bill back (按行退费): what goes back of each line, and what of the bill stands at the center then."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

# `freed`: so much of the quantity was never handed over, the rest of it had come back.
LINE = f"""
create table bill_refund_line (
    {TENANT},
    refund_id uuid not null,
    bill_id uuid not null,
    line_no int not null,
    quantity bigint not null,
    freed bigint not null,
    amount_fen bigint not null,
    constraint bill_refund_line_pkey primary key (tenant_id, refund_id, line_no),
    constraint bill_refund_line_refund_fkey foreign key (tenant_id, refund_id) references bill_refund (tenant_id, id),
    constraint bill_refund_line_of_fkey foreign key (tenant_id, bill_id, line_no) references bill_line (tenant_id, bill_id, line_no),
    constraint bill_refund_line_gives check (quantity > 0 and freed between 0 and quantity and amount_fen >= 0)
)
"""
LINE_INDEX = "create index bill_refund_line_of_line on bill_refund_line (tenant_id, bill_id, line_no)"

# Between the cancel and the new settlement of what stays a refund is `reversed`. `picks`: what it takes off the shelf's reserve.
REFUND = """
alter table bill_refund
    add column whole boolean not null default true,
    add column approver_id bigint,
    add column picks jsonb not null default '[]',
    add column preview jsonb,
    add column rest_batch text,
    add column rest_fen bigint not null default 0,
    add column money jsonb,
    drop constraint bill_refund_state_check,
    drop constraint bill_refund_reason_check,
    add constraint bill_refund_approver_fkey foreign key (tenant_id, approver_id) references staff (tenant_id, id),
    add constraint bill_refund_state_check check (state in ('asked', 'reversed', 'refunded', 'refused')),
    add constraint bill_refund_reason_check check (reason in
        ('not_dispensed', 'billing_error', 'prescription_changed', 'quality', 'recall', 'dispensing_error')),
    add constraint bill_refund_other_eyes check (approver_id is null or approver_id <> staff_id),
    add constraint bill_refund_rest_check check (rest_fen >= 0 and (rest_batch is null or (preview is not null and not whole)))
"""
INDEXES = (
    "drop index bill_refund_once",
    "drop index bill_refund_waiting",
    "create unique index bill_refund_once on bill_refund (tenant_id, bill_id) where state in ('asked', 'reversed')",
    "create index bill_refund_waiting on bill_refund (tenant_id, station) where state in ('asked', 'reversed')",
    "create index bill_refund_of_bill on bill_refund (tenant_id, bill_id, asked_at)",
)
# What stands after parts went back: settled by this id and split, or by the patient alone (money without an id). The first
# settlement stays on the bill as it was printed. `left_batches` lie at the center and are to be taken back there.
BILL = """
alter table bill
    add column rest_setl_id text,
    add column rest_money jsonb,
    add column batch text,
    add column left_batches text[] not null default '{}',
    add column stream_hash bytea
"""
GRANTS = (
    "grant select, insert on bill_refund_line to facility_app",
    "grant update (rest_setl_id, rest_money, batch, left_batches, stream_hash) on bill to facility_app",
    "grant update (money) on bill_refund to facility_app",
)


def upgrade() -> None:
    for statement in (REFUND, *INDEXES, BILL, LINE, LINE_INDEX):
        op.execute(statement)
    for statement in (*isolate("bill_refund_line", worker=False), *backed_up("bill_refund_line", "facility"), *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table bill_refund_line")
    op.execute(
        "alter table bill drop column rest_setl_id, drop column rest_money, drop column batch, drop column left_batches, drop column stream_hash"
    )
    for index in ("bill_refund_once", "bill_refund_waiting", "bill_refund_of_bill"):
        op.execute(f"drop index {index}")
    op.execute(
        "alter table bill_refund drop column whole, drop column approver_id, drop column picks, drop column preview, drop column rest_batch,"
        " drop column rest_fen, drop column money, drop constraint bill_refund_state_check, drop constraint bill_refund_reason_check"
    )
    op.execute(
        "alter table bill_refund add constraint bill_refund_state_check check (state in ('asked', 'refunded', 'refused')),"
        " add constraint bill_refund_reason_check check (reason in ('not_dispensed', 'billing_error', 'prescription_changed'))"
    )
    op.execute(
        "create unique index bill_refund_once on bill_refund (tenant_id, bill_id) where state in ('asked', 'refunded')"
    )
    op.execute("create index bill_refund_waiting on bill_refund (tenant_id, station) where state = 'asked'")
