"""Create transfers between facilities of one organization (调拨): what was sent, what arrived, what is still claimed.

Goods on their way lie in the sender's TRANSIT zone until they arrive, come back or are given up. For each line
quantity = received + found + back + lost + what is still open; the database keeps the sum from passing the quantity.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

TRANSFER = f"""
create table transfer (
    {TENANT},
    id uuid not null,
    from_facility_id bigint not null,
    to_facility_id bigint not null,
    number text not null,
    state text not null default 'sent',
    digest bytea not null,
    note text not null default '',
    line_count int not null,
    staff_id bigint not null,
    sent_at timestamptz not null,
    sent_on date not null,
    received_by bigint,
    received_at timestamptz,
    received_digest bytea,
    received_note text not null default '',
    constraint transfer_pkey primary key (tenant_id, id),
    constraint transfer_number_once unique (tenant_id, from_facility_id, number),
    constraint transfer_from_facility_fkey foreign key (tenant_id, from_facility_id) references facility (tenant_id, id),
    constraint transfer_to_facility_fkey foreign key (tenant_id, to_facility_id) references facility (tenant_id, id),
    constraint transfer_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint transfer_received_by_fkey foreign key (tenant_id, received_by) references staff (tenant_id, id),
    constraint transfer_goes_elsewhere check (from_facility_id <> to_facility_id),
    constraint transfer_state_check check (state in ('sent', 'received', 'claimed', 'closed')),
    constraint transfer_received_check check ((state = 'sent') = (received_at is null))
)
"""
LINE = f"""
create table transfer_line (
    {TENANT},
    transfer_id uuid not null,
    line_no int not null,
    product_id bigint not null,
    from_lot_id bigint not null,
    from_zone text not null,
    quantity bigint not null,
    in_codes bigint not null default 0,
    received bigint not null default 0,
    to_lot_id bigint,
    to_zone text,
    claim_reason text not null default '',
    found bigint not null default 0,
    back bigint not null default 0,
    lost bigint not null default 0,
    constraint transfer_line_pkey primary key (tenant_id, transfer_id, line_no),
    constraint transfer_line_transfer_fkey foreign key (tenant_id, transfer_id) references transfer (tenant_id, id),
    constraint transfer_line_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint transfer_line_from_lot_fkey foreign key (tenant_id, from_lot_id) references lot (tenant_id, id),
    constraint transfer_line_to_lot_fkey foreign key (tenant_id, to_lot_id) references lot (tenant_id, id),
    constraint transfer_line_sends check (quantity > 0 and in_codes between 0 and quantity),
    constraint transfer_line_conserves check (
        received >= 0 and found >= 0 and back >= 0 and lost >= 0 and received + found + back + lost <= quantity),
    constraint transfer_line_reason_check check (claim_reason in ('', 'missing', 'broken', 'wrong', 'refused'))
)
"""
CODE = f"""
create table transfer_code (
    {TENANT},
    transfer_id uuid not null,
    code text not null,
    line_no int not null,
    quantity bigint not null,
    state text not null default 'sent',
    constraint transfer_code_pkey primary key (tenant_id, transfer_id, code),
    constraint transfer_code_line_fkey foreign key (tenant_id, transfer_id, line_no)
        references transfer_line (tenant_id, transfer_id, line_no),
    constraint transfer_code_code_fkey foreign key (tenant_id, code) references trace_code (tenant_id, code),
    constraint transfer_code_state_check check (state in ('sent', 'received', 'found', 'back', 'lost'))
)
"""
CLAIM = f"""
create table transfer_claim (
    {TENANT},
    id uuid not null,
    transfer_id uuid not null,
    line_no int not null,
    facility_id bigint not null,
    outcome text not null,
    quantity bigint not null,
    zone text not null default '',
    note text not null,
    digest bytea not null,
    staff_id bigint not null,
    second_id bigint,
    settled_at timestamptz not null,
    constraint transfer_claim_pkey primary key (tenant_id, id),
    constraint transfer_claim_line_fkey foreign key (tenant_id, transfer_id, line_no)
        references transfer_line (tenant_id, transfer_id, line_no),
    constraint transfer_claim_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint transfer_claim_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint transfer_claim_second_fkey foreign key (tenant_id, second_id) references staff (tenant_id, id),
    constraint transfer_claim_outcome_check check (outcome in ('found', 'back', 'lost')),
    constraint transfer_claim_quantity_check check (quantity > 0),
    constraint transfer_claim_note_check check (char_length(note) between 1 and 200),
    constraint transfer_claim_other_eyes check (outcome <> 'lost' or (second_id is not null and second_id <> staff_id))
)
"""
DRAFT = f"""
create table transfer_draft (
    {TENANT},
    id uuid not null,
    kind text not null,
    facility_id bigint not null,
    staff_id bigint not null,
    state text not null default 'open',
    content jsonb not null,
    changed_at timestamptz not null,
    constraint transfer_draft_pkey primary key (tenant_id, id, kind),
    constraint transfer_draft_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint transfer_draft_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint transfer_draft_kind_check check (kind in ('send', 'receive', 'move')),
    constraint transfer_draft_state_check check (state in ('open', 'done', 'dropped')),
    constraint transfer_draft_size_check check (pg_column_size(content) < 1000000)
)
"""

TABLES = ("transfer", "transfer_line", "transfer_code", "transfer_claim", "transfer_draft")
UP = (
    TRANSFER,
    "create index transfer_from on transfer (tenant_id, from_facility_id, sent_at desc, id desc)",
    "create index transfer_to on transfer (tenant_id, to_facility_id, sent_at desc, id desc)",
    "create index transfer_on_its_way on transfer (tenant_id, to_facility_id, sent_at desc, id desc) where state = 'sent'",
    "create index transfer_claimed_from on transfer (tenant_id, from_facility_id, sent_at desc, id desc) where state = 'claimed'",
    "create index transfer_claimed_to on transfer (tenant_id, to_facility_id, sent_at desc, id desc) where state = 'claimed'",
    LINE,
    "create index transfer_line_of_from_lot on transfer_line (tenant_id, from_lot_id)",
    "create index transfer_line_of_to_lot on transfer_line (tenant_id, to_lot_id)",
    "create index transfer_line_of_product on transfer_line (tenant_id, product_id)",
    CODE,
    "create index transfer_code_of_code on transfer_code (tenant_id, code)",
    CLAIM,
    "create index transfer_claim_of_transfer on transfer_claim (tenant_id, transfer_id, line_no)",
    DRAFT,
    "create index transfer_draft_open on transfer_draft (tenant_id, facility_id, kind, changed_at desc, id desc) where state = 'open'",
    "grant select, insert on transfer, transfer_line, transfer_code, transfer_claim, transfer_draft to facility_app",
    "grant update (state, received_by, received_at, received_digest, received_note) on transfer to facility_app",
    "grant update (received, to_lot_id, to_zone, claim_reason, found, back, lost) on transfer_line to facility_app",
    "grant update (state) on transfer_code to facility_app",
    "grant update (state, content, staff_id, changed_at) on transfer_draft to facility_app",
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
