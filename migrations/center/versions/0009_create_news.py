"""Create the news: what the center tells each facility, one numbered, hash-chained stream per institution (下行消息).

`publish_news` writes one body for many institutions at once. The hashed name is `news/<institution code>`, so that a fact
can never stand in the place of news; `central_sync.chain` gives the same bytes and a test compares them.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center, open_to

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# `pulled_number` is what the facility itself said it has, with the hash that proves it; `asked_at` is kept coarse.
NEWS_HEAD = """
create table news_head (
    stream text not null,
    district text not null,
    epoch bigint not null default 1,
    number bigint not null default 0,
    hash bytea not null,
    state text not null default 'running',
    pulled_number bigint not null default 0,
    pulled_at timestamptz,
    asked_at timestamptz,
    opened_at timestamptz not null default now(),
    constraint news_head_pkey primary key (stream),
    constraint news_head_number_check check (epoch >= 1 and number >= 0 and pulled_number between 0 and number),
    constraint news_head_hash_check check (octet_length(hash) = 32),
    constraint news_head_state_check check (state in ('running', 'rewound', 'altered'))
) with (fillfactor = 50)
"""

NEWS = """
create table news (
    stream text not null,
    epoch bigint not null,
    number bigint not null,
    district text not null,
    kind text not null,
    version integer not null,
    body bytea not null,
    hash bytea not null,
    published_at timestamptz not null default clock_timestamp(),
    constraint news_pkey primary key (stream, epoch, number),
    constraint news_head_fkey foreign key (stream) references news_head (stream),
    constraint news_kind_check check (kind <> '' and octet_length(kind) <= 100),
    constraint news_body_check check (octet_length(body) <= 4194304),
    constraint news_hash_check check (octet_length(hash) = 32)
)
"""

# One body to many institutions: heads are locked in the order of their codes, each gets its next number and its own hash.
# Returns the institutions reached; a code that is none, or that the one publishing may not see, is not among them.
PUBLISH = """
create function publish_news(p_streams text[], p_kind text, p_version integer, p_body bytea)
returns table (stream text, number bigint) language plpgsql as $$
#variable_conflict use_column
begin
    insert into news_head (stream, district, hash)
    select i.code, i.district, sha256(convert_to('sunmed:stream:news/' || i.code, 'UTF8'))
    from institution i where i.code = any (p_streams) order by i.code
    on conflict do nothing;

    return query
    with locked as (
        select h.stream, h.district, h.epoch, h.number + 1 as number, h.hash from news_head h
        where h.stream = any (p_streams) order by h.stream for no key update
    ), written as (
        insert into news (stream, epoch, number, district, kind, version, body, hash)
        select l.stream, l.epoch, l.number, l.district, p_kind, p_version, p_body,
            fact_hash(l.hash, 'news/' || l.stream, l.epoch, l.number, p_kind, p_version, p_body)
        from locked l
        returning news.stream, news.number, news.hash
    )
    update news_head h set number = w.number, hash = w.hash
    from written w where h.stream = w.stream
    returning h.stream, h.number;
end $$
"""

# Officers publish; the bridge answers questions and notes what was pulled. Nobody edits what was published.
GRANTS = (
    "grant select, insert on news_head, news to center_app",
    "grant update (number, hash) on news_head to center_app",
    "grant select on news_head, news to center_inbox",
    "grant update (state, pulled_number, pulled_at, asked_at) on news_head to center_inbox",
)


def upgrade() -> None:
    op.execute(NEWS_HEAD)
    op.execute(NEWS)
    for table in ("news_head", "news"):
        for statement in (*isolate_center(table), *open_to(table, "center_inbox"), *backed_up(table, "center")):
            op.execute(statement)
    op.execute(PUBLISH)
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function publish_news(text[], text, integer, bytea)")
    op.execute("drop table news")
    op.execute("drop table news_head")
