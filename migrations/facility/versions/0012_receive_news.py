"""Receive the news: what the center told each facility, and where the facility stands with it (下行消息).

The hashed name is `news/<institution code>`. An item that could not be applied stands here with its reason and stops
nothing behind it.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate, open_to

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

NEWS_HEAD = f"""
create table news_head (
    {TENANT},
    facility_id bigint not null,
    stream text not null,
    epoch bigint not null default 1,
    number bigint not null default 0,
    hash bytea not null,
    state text not null default 'running',
    note text not null default '',
    pulled_at timestamptz,
    constraint news_head_pkey primary key (tenant_id, facility_id),
    constraint news_head_stream_key unique (stream),
    constraint news_head_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint news_head_number_check check (epoch >= 1 and number >= 0),
    constraint news_head_hash_check check (octet_length(hash) = 32),
    constraint news_head_state_check check (state in ('running', 'rewound', 'altered', 'refused'))
) with (fillfactor = 50)
"""

NEWS = f"""
create table news (
    {TENANT},
    facility_id bigint not null,
    epoch bigint not null,
    number bigint not null,
    stream text not null,
    kind text not null,
    version integer not null,
    body bytea not null,
    hash bytea not null,
    set_aside text,
    received_at timestamptz not null default clock_timestamp(),
    constraint news_pkey primary key (tenant_id, facility_id, epoch, number),
    constraint news_head_fkey foreign key (tenant_id, facility_id) references news_head (tenant_id, facility_id),
    constraint news_kind_check check (kind <> '' and octet_length(kind) <= 100),
    constraint news_body_check check (octet_length(body) <= 4194304),
    constraint news_hash_check check (octet_length(hash) = 32),
    constraint news_set_aside_check check (char_length(set_aside) between 1 and 500)
)
"""

# The puller looks at all streams as the relay and notes when they were asked; what a stream brings is taken as the
# application of that one tenant.
STATEMENTS = (
    NEWS_HEAD,
    NEWS,
    "create index news_recent on news (tenant_id, facility_id, received_at desc, number desc)",
    "create index news_set_aside on news (tenant_id, facility_id, number) where set_aside is not null",
    *isolate("news_head", worker=False),
    *isolate("news", worker=False),
    *open_to("news_head", "facility_relay"),
    *backed_up("news_head", "facility"),
    *backed_up("news", "facility"),
    "grant select, insert on news_head, news to facility_app",
    "grant update (number, hash) on news_head to facility_app",
    "grant select, insert on news_head to facility_relay",
    "grant update (state, note, pulled_at) on news_head to facility_relay",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table news")
    op.execute("drop table news_head")
