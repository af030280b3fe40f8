"""Create notices at the center: what an officer told every institution of the district, and as which number of their news (通知)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOTICE = """
create table notice (
    id uuid not null,
    turn bigint generated always as identity,
    district text not null,
    level text not null,
    title text not null,
    text text not null,
    issuer text not null,
    published_by bigint not null,
    published_name text not null,
    published_at timestamptz not null,
    constraint notice_pkey primary key (id),
    constraint notice_level_check check (level in ('info', 'warn')),
    constraint notice_title_check check (char_length(title) between 1 and 60),
    constraint notice_text_check check (char_length(text) between 1 and 2000)
)
"""

# Pulled as soon as the institution says that it has that number of its news.
SENT = """
create table notice_sent (
    notice_id uuid not null,
    stream text not null,
    district text not null,
    number bigint not null,
    constraint notice_sent_pkey primary key (notice_id, stream),
    constraint notice_sent_notice_fkey foreign key (notice_id) references notice (id),
    constraint notice_sent_stream_fkey foreign key (stream) references news_head (stream)
)
"""

STATEMENTS = (
    NOTICE,
    "create index notice_recent on notice (published_at desc, id desc)",
    SENT,
    "grant select, insert on notice, notice_sent to center_app",
    "grant select on sequence notice_turn_seq to center_backup",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("notice", "notice_sent"):
        for statement in (*isolate_center(table), *backed_up(table, "center")):
            op.execute(statement)


def downgrade() -> None:
    op.execute("drop table notice_sent")
    op.execute("drop table notice")
