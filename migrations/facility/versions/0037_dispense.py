"""Keep what was handed over, tested, given and taken back of a charged sheet (发药、皮试、治疗执行、退药). Only added to."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"


def _head(table: str) -> str:
    return f"""
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    order_id uuid not null,
    staff_id bigint not null,
    at timestamptz not null,
    digest bytea not null,
    constraint {table}_order_fkey foreign key (tenant_id, order_id) references clinic_order (tenant_id, id),
    constraint {table}_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id)"""


# Who put it together is not who checked it (四查十对).
DISPENSING = f"""
create table dispensing ({_head("dispensing")},
    bill_id uuid not null,
    number text not null,
    checker_id bigint not null,
    rest boolean not null,
    constraint dispensing_pkey primary key (tenant_id, id),
    constraint dispensing_number_key unique (tenant_id, facility_id, number),
    constraint dispensing_bill_fkey foreign key (tenant_id, bill_id) references bill (tenant_id, id),
    constraint dispensing_checker_fkey foreign key (tenant_id, checker_id) references staff (tenant_id, id),
    constraint dispensing_other_eyes check (staff_id <> checker_id)
)
"""
DISPENSING_LINE = f"""
create table dispensing_line (
    {TENANT},
    dispensing_id uuid not null,
    line_no int not null,
    bill_id uuid not null,
    bill_line_no int not null,
    lot_id bigint not null,
    zone text not null,
    quantity bigint not null,
    codes text[] not null,
    constraint dispensing_line_pkey primary key (tenant_id, dispensing_id, line_no),
    constraint dispensing_line_dispensing_fkey foreign key (tenant_id, dispensing_id) references dispensing (tenant_id, id),
    constraint dispensing_line_bill_fkey foreign key (tenant_id, bill_id, bill_line_no) references bill_line (tenant_id, bill_id, line_no),
    constraint dispensing_line_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint dispensing_line_gives check (quantity > 0)
)
"""
DISPENSING_PAUSE = f"""
create table dispensing_pause ({_head("dispensing_pause")},
    begins boolean not null,
    reason text not null,
    constraint dispensing_pause_pkey primary key (tenant_id, id),
    constraint dispensing_pause_reason_check check (begins = (reason <> '') and char_length(reason) <= 200)
)
"""
SKIN_TEST = f"""
create table skin_test ({_head("skin_test")},
    order_line_no int not null,
    result text not null,
    note text not null default '',
    second_id bigint not null,
    constraint skin_test_pkey primary key (tenant_id, id),
    constraint skin_test_line_fkey foreign key (tenant_id, order_id, order_line_no) references clinic_order_line (tenant_id, order_id, line_no),
    constraint skin_test_second_fkey foreign key (tenant_id, second_id) references staff (tenant_id, id),
    constraint skin_test_other_eyes check (staff_id <> second_id),
    constraint skin_test_result_check check (result in ('negative', 'positive')),
    constraint skin_test_note_check check (char_length(note) <= 200)
)
"""
EXECUTION = f"""
create table execution ({_head("execution")},
    order_line_no int not null,
    times int not null,
    note text not null default '',
    constraint execution_pkey primary key (tenant_id, id, order_line_no),
    constraint execution_line_fkey foreign key (tenant_id, order_id, order_line_no) references clinic_order_line (tenant_id, order_id, line_no),
    constraint execution_times_check check (times between 1 and 999),
    constraint execution_note_check check (char_length(note) <= 200)
)
"""
DISPENSING_RETURN = f"""
create table dispensing_return ({_head("dispensing_return")},
    bill_id uuid not null,
    number text not null,
    reason text not null,
    note text not null,
    second_id bigint not null,
    constraint dispensing_return_pkey primary key (tenant_id, id),
    constraint dispensing_return_number_key unique (tenant_id, facility_id, number),
    constraint dispensing_return_second_fkey foreign key (tenant_id, second_id) references staff (tenant_id, id),
    constraint dispensing_return_other_eyes check (staff_id <> second_id),
    constraint dispensing_return_reason_check check (reason in ('quality', 'dispensing_error', 'prescribing_error', 'recall')),
    constraint dispensing_return_note_check check (char_length(note) between 1 and 200)
)
"""
DISPENSING_RETURN_LINE = f"""
create table dispensing_return_line (
    {TENANT},
    return_id uuid not null,
    line_no int not null,
    dispensing_id uuid not null,
    dispensing_line_no int not null,
    quantity bigint not null,
    codes text[] not null,
    constraint dispensing_return_line_pkey primary key (tenant_id, return_id, line_no),
    constraint dispensing_return_line_return_fkey foreign key (tenant_id, return_id) references dispensing_return (tenant_id, id),
    constraint dispensing_return_line_given_fkey foreign key (tenant_id, dispensing_id, dispensing_line_no)
        references dispensing_line (tenant_id, dispensing_id, line_no),
    constraint dispensing_return_line_takes check (quantity > 0)
)
"""
TABLES = {
    "dispensing": (
        DISPENSING, "create index dispensing_of_order on dispensing (tenant_id, order_id, at)",
        "create index dispensing_recent on dispensing (tenant_id, facility_id, at desc, id desc)",
    ),
    "dispensing_line": (DISPENSING_LINE, "create index dispensing_line_of_lot on dispensing_line (tenant_id, lot_id)"),
    "dispensing_pause": (DISPENSING_PAUSE, "create index dispensing_pause_of_order on dispensing_pause (tenant_id, order_id, at desc)"),
    "skin_test": (SKIN_TEST, "create index skin_test_of_order on skin_test (tenant_id, order_id, order_line_no, at desc)"),
    "execution": (
        EXECUTION, "create index execution_of_order on execution (tenant_id, order_id, at)",
        "create index execution_recent on execution (tenant_id, facility_id, at desc)",
    ),
    "dispensing_return": (DISPENSING_RETURN, "create index dispensing_return_of_order on dispensing_return (tenant_id, order_id, at)"),
    "dispensing_return_line": (
        DISPENSING_RETURN_LINE,
        "create index dispensing_return_line_of_given on dispensing_return_line (tenant_id, dispensing_id, dispensing_line_no)",
    ),
}  # fmt: skip


# What waits to be handed over or carried out; the rest of the sheets is history.
WAITS = """
create index clinic_order_to_give on clinic_order (tenant_id, facility_id, kind, id) where state in ('CHARGED', 'DISPENSING') and kind <> 'FEE'
"""


def upgrade() -> None:
    """Make the tables, fence them."""
    for table, statements in TABLES.items():
        for statement in (*statements, *isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
    op.execute(f"grant select, insert on {', '.join(TABLES)} to facility_app")
    op.execute(WAITS)
    op.execute("grant update (quantity) on bill_pick to facility_app")  # What was picked closed and is open now.


def downgrade() -> None:
    """Drop them, the youngest first."""
    op.execute("drop index clinic_order_to_give")
    op.execute("revoke update (quantity) on bill_pick from facility_app")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
