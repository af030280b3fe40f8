"""Create the looks at a person's history: who looked at which institution's records, and that it was told them (跨机构调阅)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center, open_to

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# One row a look and an institution whose records were in the answer. `news_number` is set on the look that was told them: the
# first of a visit.
LOOK = """
create table history_look (
    id bigint generated always as identity,
    mdtrt_id text not null,
    institution_code text not null,
    district text not null,
    operator text not null,
    operator_name text not null,
    psn_no text not null,
    seen_institution text not null,
    visits int not null,
    drugs int not null,
    news_number bigint,
    looked_at timestamptz not null,
    constraint history_look_pkey primary key (id),
    constraint history_look_visit_fkey foreign key (mdtrt_id) references visit (mdtrt_id),
    constraint history_look_seen_fkey foreign key (seen_institution) references institution (code),
    constraint history_look_elsewhere_check check (seen_institution <> institution_code),
    constraint history_look_something_check check (visits + drugs > 0)
)
"""

STATEMENTS = (
    LOOK,
    "create index history_look_visit_idx on history_look (mdtrt_id, seen_institution)",
    "create index history_look_person_idx on history_look (psn_no, id)",
    "create index history_look_seen_idx on history_look (seen_institution, id)",
    "grant select, insert on history_look to center_interface",
    "grant select on history_look to center_app",
    "grant select on sequence history_look_id_seq to center_backup",
    # The interface tells what it alone sees happen; it edits nothing that was told.
    "grant select, insert on news_head, news to center_interface",
    "grant update (number, hash) on news_head to center_interface",
)
TOLD = ("news_head", "news")


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for statement in (
        *isolate_center("history_look"),
        *open_to("history_look", "center_interface"),
        *backed_up("history_look", "center"),
        *(statement for table in TOLD for statement in open_to(table, "center_interface")),
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in TOLD:
        op.execute(f"drop policy center_interface_all on {table}")
    op.execute("revoke update (number, hash) on news_head from center_interface")
    op.execute("revoke select, insert on news_head, news from center_interface")
    op.execute("drop table history_look")
