"""Create the inbox: where each stream stands, its epochs, and every fact received."""

from __future__ import annotations

from alembic import op

from migrations.helpers import isolate_center, open_to

revision = "0003"
down_revision = "0002"

INBOX_STREAM = """
create table inbox_stream (
    stream text not null,
    district text not null,
    epoch bigint not null default 1,
    number bigint not null default 0,
    hash bytea not null,
    applied_number bigint not null default 0,
    set_aside_number bigint,
    set_aside_reason text,
    set_aside_at timestamptz,
    opened_at timestamptz not null default now(),
    received_at timestamptz,
    verified_number bigint not null default 0,
    verified_at timestamptz,
    constraint inbox_stream_pkey primary key (stream),
    constraint inbox_stream_number_check check (epoch >= 1 and number >= 0 and applied_number between 0 and number),
    constraint inbox_stream_hash_check check (octet_length(hash) = 32),
    constraint inbox_stream_set_aside_check check (
        (set_aside_number is null) = (set_aside_at is null) and (set_aside_number is null) = (set_aside_reason is null)
    )
) with (fillfactor = 50)
"""

INBOX_EPOCH = """
create table inbox_epoch (
    stream text not null,
    epoch bigint not null,
    district text not null,
    from_number bigint not null,
    from_hash bytea not null,
    left_number bigint,
    left_hash bytea,
    opened_at timestamptz not null default now(),
    constraint inbox_epoch_pkey primary key (stream, epoch),
    constraint inbox_epoch_stream_fkey foreign key (stream) references inbox_stream (stream)
)
"""

INBOX_FACT = """
create table inbox_fact (
    stream text not null,
    epoch bigint not null,
    number bigint not null,
    district text not null,
    kind text not null,
    version integer not null,
    body bytea not null,
    hash bytea not null,
    received_at timestamptz not null default clock_timestamp(),
    orphaned_at timestamptz,
    constraint inbox_fact_pkey primary key (stream, epoch, number),
    constraint inbox_fact_stream_fkey foreign key (stream) references inbox_stream (stream),
    constraint inbox_fact_hash_check check (octet_length(hash) = 32)
)
"""

# Among the valid facts of a stream each number stands once; screens and comparisons find the fact before by it.
VALID_FACT = "create unique index inbox_fact_valid on inbox_fact (stream, number) where orphaned_at is null"

# The same as in the facility's database and in `central_sync.chain`: screens recompute what they show.
FACT_HASH = """
create function fact_hash(p_previous bytea, p_stream text, p_epoch bigint, p_number bigint, p_kind text, p_version integer, p_body bytea)
returns bytea language sql immutable parallel safe as $$
    select sha256(
        coalesce(p_previous, sha256(convert_to('sunmed:stream:' || p_stream, 'UTF8')))
        || int4send(octet_length(p_stream)) || convert_to(p_stream, 'UTF8')
        || int8send(p_epoch) || int8send(p_number)
        || int4send(octet_length(p_kind)) || convert_to(p_kind, 'UTF8')
        || int4send(p_version)
        || int4send(octet_length(p_body)) || p_body
    )
$$
"""

# Facts are only added; marking those that a restore lost is the one thing that may be written on them.
GRANTS = (
    "grant select, insert, update on inbox_stream to center_inbox",
    "grant select, insert on inbox_epoch to center_inbox",
    "grant update (left_number, left_hash) on inbox_epoch to center_inbox",
    "grant select, insert on inbox_fact to center_inbox",
    "grant update (orphaned_at) on inbox_fact to center_inbox",
    "grant select on inbox_stream, inbox_epoch, inbox_fact to center_app",
)


def upgrade() -> None:
    for statement in (INBOX_STREAM, INBOX_EPOCH, INBOX_FACT, VALID_FACT, FACT_HASH):
        op.execute(statement)
    for table in ("inbox_stream", "inbox_epoch", "inbox_fact"):
        for statement in (*isolate_center(table), *open_to(table, "center_inbox")):
            op.execute(statement)
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function fact_hash(bytea, text, bigint, bigint, text, integer, bytea)")
    for table in ("inbox_fact", "inbox_epoch", "inbox_stream"):
        op.execute(f"drop table {table}")
