"""Create recalls at the center: who asked for one, who approved it, whom it went to, and what each institution answered (召回)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center, open_to

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

RECALL = """
create table recall (
    id uuid not null,
    turn bigint generated always as identity,
    district text not null,
    level int not null,
    product jsonb not null,
    lots text[] not null,
    codes text[] not null,
    reason text not null,
    instructions text not null,
    issuer text not null,
    state text not null default 'asked',
    asked_by bigint not null,
    asked_name text not null,
    asked_at timestamptz not null,
    decided_by bigint,
    decided_name text,
    decided_at timestamptz,
    deadline_at timestamptz,
    closed_by bigint,
    closed_name text,
    closed_at timestamptz,
    summary text,
    constraint recall_pkey primary key (id),
    constraint recall_level_check check (level between 1 and 3),
    constraint recall_state_check check (state in ('asked', 'issued', 'refused', 'closed')),
    constraint recall_other_eyes check (decided_by is null or decided_by <> asked_by),
    constraint recall_decided_check check ((state = 'asked') = (decided_at is null) and (deadline_at is not null) = (state in ('issued', 'closed')))
)
"""

# Whom a recall went to, and as which number of their news: pulled as soon as the institution says that it has that number.
SENT = """
create table recall_sent (
    recall_id uuid not null,
    stream text not null,
    district text not null,
    number bigint not null,
    constraint recall_sent_pkey primary key (recall_id, stream),
    constraint recall_sent_recall_fkey foreign key (recall_id) references recall (id),
    constraint recall_sent_stream_fkey foreign key (stream) references news_head (stream)
)
"""

# What an institution's facts say of a recall: frozen (also when that is nothing), freed, reported.
ANSWER = """
create table recall_answer (
    stream text not null,
    epoch bigint not null,
    number bigint not null,
    district text not null,
    recall_id uuid not null,
    kind text not null,
    at timestamptz not null,
    operator text not null,
    lots int not null default 0,
    quantity bigint not null default 0,
    packs int not null default 0,
    report jsonb,
    orphaned boolean not null default false,
    constraint recall_answer_pkey primary key (stream, epoch, number),
    constraint recall_answer_fact_fkey foreign key (stream, epoch, number) references inbox_fact (stream, epoch, number),
    constraint recall_answer_kind_check check (kind in ('held', 'released', 'reported'))
)
"""

# Hours within which a recall of each class is dealt with; data, so that a later regulation is a later row.
HOURS = """
insert into parameter (scope, name, value, valid_from)
values ('*', 'recall_hours_1', '24', '2007-12-10'), ('*', 'recall_hours_2', '48', '2007-12-10'), ('*', 'recall_hours_3', '72', '2007-12-10')
"""

STATEMENTS = (
    RECALL,
    "create index recall_recent on recall (asked_at desc, id desc)",
    SENT,
    ANSWER,
    "create index recall_answer_of_recall on recall_answer (recall_id, stream, number desc)",
    HOURS,
    "grant select, insert on recall, recall_sent to center_app",
    "grant update (state, decided_by, decided_name, decided_at, deadline_at, closed_by, closed_name, closed_at, summary) on recall to center_app",
    "grant select on recall_answer to center_app",
    "grant select, insert on recall_answer to center_inbox",
    "grant update (orphaned) on recall_answer to center_inbox",
    "grant select on sequence recall_turn_seq to center_backup",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("recall", "recall_sent", "recall_answer"):
        for statement in (*isolate_center(table), *backed_up(table, "center")):
            op.execute(statement)
    for statement in open_to("recall_answer", "center_inbox"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("delete from parameter where name in ('recall_hours_1', 'recall_hours_2', 'recall_hours_3')")
    for table in ("recall_answer", "recall_sent", "recall"):
        op.execute(f"drop table {table}")
