"""Create warnings at the center: what a doctor was reminded of while writing, and what was done with it (事前提醒)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate_center, open_to

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The same draft checked again finds the same warning: its id is made of what it says. The patient's fact lies sealed.
WARNING = """
create table warning (
    jr_id text not null,
    institution_code text not null,
    district text not null,
    psn_no text not null,
    mdtrt_id text not null,
    rule_id text not null,
    rule_name text not null,
    rx_id text not null,
    code text not null,
    severity text not null,
    amount_fen bigint not null,
    content_sealed bytea not null,
    operator text not null,
    warned_at timestamptz not null,
    constraint warning_pkey primary key (jr_id),
    constraint warning_institution_fkey foreign key (institution_code) references institution (code),
    constraint warning_severity_check check (severity in ('1', '2', '3'))
)
"""

ANSWER = """
create table warning_answer (
    id bigint generated always as identity,
    jr_id text not null,
    district text not null,
    way text not null,
    reason text not null,
    operator text not null,
    answered_at timestamptz not null,
    constraint warning_answer_pkey primary key (id),
    constraint warning_answer_warning_fkey foreign key (jr_id) references warning (jr_id),
    constraint warning_answer_way_check check (way = '2' or (way = '1' and reason <> ''))
)
"""

# DOMAIN 4.2: so many days a prescription may last, by kind of visit; and so much left of an earlier one is no repetition.
LIMITS = """
insert into parameter (scope, name, value, valid_from) values
    ('*', 'supply_days_ordinary', '7', '2007-05-01'),
    ('*', 'supply_days_emergency', '3', '2007-05-01'),
    ('*', 'supply_days_chronic', '84', '2021-08-10'),
    ('*', 'supply_days_left', '7', '2020-01-01')
"""

STATEMENTS = (
    WARNING,
    "create index warning_institution_idx on warning (institution_code, warned_at)",
    "create index warning_visit_idx on warning (mdtrt_id)",
    ANSWER,
    "create index warning_answer_warning_idx on warning_answer (jr_id, id)",
    LIMITS,
    "grant select, insert on warning, warning_answer to center_interface",
    "grant select on warning, warning_answer to center_app",
    "grant select on sequence warning_answer_id_seq to center_backup",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("warning", "warning_answer"):
        for statement in (
            *isolate_center(table),
            *open_to(table, "center_interface"),
            *backed_up(table, "center"),
        ):
            op.execute(statement)


def downgrade() -> None:
    op.execute("delete from parameter where name like 'supply\\_days\\_%'")
    op.execute("drop table warning_answer")
    op.execute("drop table warning")
