"""Create the stream: heads, epochs, outbox, the relay's heartbeat, and the functions that open and append.

`fact_hash` and `append_facts` must give the same bytes as `central_sync.chain`; a test compares them.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import force, isolate, open_to

revision = "0002"
down_revision = "0001"

# One row a facility, the hottest row of the wing: half-empty pages keep its updates in place.
STREAM_HEAD = """
create table stream_head (
    tenant_id bigint not null,
    facility_id bigint not null,
    stream text not null,
    epoch bigint not null default 1,
    number bigint not null default 0,
    hash bytea not null,
    sent_number bigint not null default 0,
    sent_at timestamptz,
    relay_state text not null default 'running',
    relay_note text not null default '',
    relay_at timestamptz,
    sealed_number bigint not null default 0,
    sealed_hash bytea,
    sealed_signature bytea,
    sealed_at timestamptz,
    receipt_day date,
    receipt_number integer not null default 0,
    message_number integer not null default 0,
    constraint stream_head_pkey primary key (tenant_id, facility_id),
    constraint stream_head_stream_key unique (stream),
    constraint stream_head_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint stream_head_stream_check check (stream <> '' and octet_length(stream) <= 60),
    constraint stream_head_number_check check (epoch >= 1 and number >= 0 and sent_number between 0 and number),
    constraint stream_head_hash_check check (octet_length(hash) = 32),
    constraint stream_head_relay_state_check check (relay_state in ('running', 'rewound', 'refused'))
) with (fillfactor = 50)
"""

STREAM_EPOCH = """
create table stream_epoch (
    tenant_id bigint not null,
    facility_id bigint not null,
    epoch bigint not null,
    from_number bigint not null,
    from_hash bytea not null,
    left_number bigint,
    left_hash bytea,
    opened_at timestamptz not null default now(),
    constraint stream_epoch_pkey primary key (tenant_id, facility_id, epoch),
    constraint stream_epoch_head_fkey foreign key (tenant_id, facility_id) references stream_head (tenant_id, facility_id)
)
"""

OUTBOX = """
create table outbox (
    tenant_id bigint not null,
    facility_id bigint not null,
    epoch bigint not null,
    number bigint not null,
    stream text not null,
    kind text not null,
    version integer not null,
    body bytea not null,
    hash bytea not null,
    written_at timestamptz not null default clock_timestamp(),
    constraint outbox_pkey primary key (tenant_id, facility_id, epoch, number),
    constraint outbox_head_fkey foreign key (tenant_id, facility_id) references stream_head (tenant_id, facility_id),
    constraint outbox_kind_check check (kind <> '' and octet_length(kind) <= 100),
    constraint outbox_body_check check (octet_length(body) <= 4194304),
    constraint outbox_hash_check check (octet_length(hash) = 32)
)
"""

RELAY_HEARTBEAT = """
create table relay_heartbeat (
    shard integer not null,
    shards integer not null,
    process integer not null,
    started_at timestamptz not null,
    beat_at timestamptz not null,
    waiting bigint not null,
    stopped integer not null,
    note text not null,
    constraint relay_heartbeat_pkey primary key (shard)
)
"""

FACT_HASH = """
create function fact_hash(p_previous bytea, p_stream text, p_epoch bigint, p_number bigint, p_kind text, p_version integer, p_body bytea)
returns bytea language sql immutable parallel safe as $$
    select sha256(
        p_previous
        || int4send(octet_length(p_stream)) || convert_to(p_stream, 'UTF8')
        || int8send(p_epoch) || int8send(p_number)
        || int4send(octet_length(p_kind)) || convert_to(p_kind, 'UTF8')
        || int4send(p_version)
        || int4send(octet_length(p_body)) || p_body
    )
$$
"""

# Opens a facility's stream at number 0. A facility has one stream, a stream one facility.
OPEN_STREAM = """
create function open_stream(p_tenant bigint, p_facility bigint, p_stream text) returns void language plpgsql as $$
declare
    beginning bytea := sha256(convert_to('sunmed:stream:' || p_stream, 'UTF8'));
begin
    insert into stream_head (tenant_id, facility_id, stream, hash) values (p_tenant, p_facility, p_stream, beginning);
    insert into stream_epoch (tenant_id, facility_id, epoch, from_number, from_hash) values (p_tenant, p_facility, 1, 0, beginning);
end $$
"""

# Appends all facts of one transaction. The head is the last lock of the act, so numbers are the order of commit.
APPEND_FACTS = """
create function append_facts(p_tenant bigint, p_facility bigint, p_facts jsonb)
returns table (number bigint, hash bytea) language plpgsql as $$
declare
    head record;
    fact record;
    bytes bytea;
begin
    select h.stream, h.epoch, h.number, h.hash into head
    from stream_head h where h.tenant_id = p_tenant and h.facility_id = p_facility
    for no key update;
    if not found then
        raise exception 'facility % has no stream', p_facility using errcode = 'no_data_found';
    end if;
    for fact in
        select f.kind, f.version, f.body
        from rows from (jsonb_to_recordset(p_facts) as (kind text, version integer, body text)) with ordinality
            as f (kind, version, body, turn)
        order by f.turn
    loop
        bytes := convert_to(fact.body, 'UTF8');
        head.number := head.number + 1;
        head.hash := fact_hash(head.hash, head.stream, head.epoch, head.number, fact.kind, fact.version, bytes);
        insert into outbox (tenant_id, facility_id, epoch, number, stream, kind, version, body, hash)
        values (p_tenant, p_facility, head.epoch, head.number, head.stream, fact.kind, fact.version, bytes, head.hash);
        number := head.number;
        hash := head.hash;
        return next;
    end loop;
    update stream_head h set number = head.number, hash = head.hash
    where h.tenant_id = p_tenant and h.facility_id = p_facility;
end $$
"""

# The relay may write where it stands, nothing else; the application may never say that something was sent.
GRANTS = (
    "grant select, insert on stream_head to facility_app",
    "grant select on stream_head to facility_worker",
    "grant update (number, hash, receipt_day, receipt_number, message_number) on stream_head to facility_app, facility_worker",
    "grant select, insert on stream_epoch to facility_app",
    "grant select, insert on outbox to facility_app, facility_worker",
    "grant select on stream_head, stream_epoch, outbox to facility_relay",
    "grant update (sent_number, sent_at, relay_state, relay_note, relay_at) on stream_head to facility_relay",
    "grant select, insert, update on relay_heartbeat to facility_relay",
    "grant select on relay_heartbeat to facility_app, facility_worker",
)


def upgrade() -> None:
    for statement in (STREAM_HEAD, STREAM_EPOCH, OUTBOX, RELAY_HEARTBEAT, FACT_HASH, OPEN_STREAM, APPEND_FACTS):
        op.execute(statement)
    for table in ("stream_head", "stream_epoch", "outbox"):
        for statement in (*isolate(table), *open_to(table, "facility_relay")):
            op.execute(statement)
    for statement in (*force("relay_heartbeat", "facility_owner"), *open_to("relay_heartbeat", "facility_relay")):
        op.execute(statement)
    # A heartbeat belongs to no tenant; whoever asks for health may read it.
    for role in ("facility_app", "facility_worker"):
        op.execute(f"create policy {role}_reads on relay_heartbeat for select to {role} using (true)")
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function append_facts(bigint, bigint, jsonb)")
    op.execute("drop function open_stream(bigint, bigint, text)")
    op.execute("drop function fact_hash(bytea, text, bigint, bigint, text, integer, bytea)")
    for table in ("relay_heartbeat", "outbox", "stream_epoch", "stream_head"):
        op.execute(f"drop table {table}")
