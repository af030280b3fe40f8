"""Create the list of diagnoses, the same for every organization, and how often each doctor signed one.

`diagnosis_term` belongs to nobody: the owner loads it, the application only reads it. Its policy lets the application
see every row; a policy that is plainly true leaves no barrier, so that the searching conditions may use the index.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, force, isolate

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Codes compare byte by byte, so that `like 'J06%'` walks the key; so does what is compared for thousands of rows. `grams` holds what a search looks for in the index:
# pairs of neighbours of the name and its initials, and how its pinyin begins.
TERM = """
create table diagnosis_term (
    code text collate "C" not null,
    kind text not null,
    name text not null,
    initials text collate "C" not null,
    pinyin text collate "C" not null,
    search text collate "C" not null,
    grams text[] not null,
    version text not null,
    valid_from date not null,
    valid_until date,
    constraint diagnosis_term_pk primary key (code),
    constraint diagnosis_term_kind check (kind in ('WESTERN', 'TCM_DISEASE', 'TCM_SYNDROME')),
    constraint diagnosis_term_written check (code <> '' and name <> '' and version <> '')
)
"""
USE = """
create table diagnosis_use (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    staff_id bigint not null,
    code text collate "C" not null,
    times integer not null default 1,
    last_at timestamptz not null default now(),
    constraint diagnosis_use_pk primary key (tenant_id, staff_id, code),
    constraint diagnosis_use_staff foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint diagnosis_use_term foreign key (code) references diagnosis_term (code),
    constraint diagnosis_use_times check (times > 0)
)
"""
UP = (
    TERM,
    "create index diagnosis_term_grams on diagnosis_term using gin (grams) where valid_until is null",
    *force("diagnosis_term", "facility_owner"),
    "create policy facility_app_reads on diagnosis_term for select to facility_app using (true)",
    "grant select on diagnosis_term to facility_app",
    *backed_up("diagnosis_term", "facility"),
    USE,
    *isolate("diagnosis_use", worker=False),
    "grant select, insert on diagnosis_use to facility_app",
    "grant update (times, last_at) on diagnosis_use to facility_app",
    *backed_up("diagnosis_use", "facility"),
)
DOWN = ("drop table diagnosis_use", "drop table diagnosis_term")


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
