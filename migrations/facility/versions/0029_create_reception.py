"""Create duties of doctors (排班) and the wall's screens (叫号屏)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

DUTY = f"""
create table duty (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    doctor_id bigint not null,
    department_id bigint not null,
    room_id bigint,
    weekday int not null,
    period text not null,
    most int not null,
    staff_id bigint not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    constraint duty_pkey primary key (tenant_id, id),
    constraint duty_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint duty_doctor_fkey foreign key (tenant_id, doctor_id) references staff (tenant_id, id),
    constraint duty_department_fkey foreign key (tenant_id, department_id) references department (tenant_id, id),
    constraint duty_room_fkey foreign key (tenant_id, room_id) references consulting_room (tenant_id, id),
    constraint duty_weekday_check check (weekday between 1 and 7),
    constraint duty_period_check check (period in ('am', 'pm')),
    constraint duty_most_check check (most between 1 and 200)
)
"""
# A doctor is at one place in a half of a day, and there once.
DUTY_ONCE = (
    "create unique index duty_once on duty (tenant_id, facility_id, doctor_id, weekday, period) where ended_at is null"
)

WALL_SCREEN = f"""
create table wall_screen (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    name text not null,
    made_by bigint not null,
    made_at timestamptz not null,
    revoked_by bigint,
    revoked_at timestamptz,
    constraint wall_screen_pkey primary key (tenant_id, id),
    constraint wall_screen_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint wall_screen_made_by_fkey foreign key (tenant_id, made_by) references staff (tenant_id, id),
    constraint wall_screen_name_check check (char_length(name) between 1 and 30),
    constraint wall_screen_revoked_check check ((revoked_at is null) = (revoked_by is null))
)
"""
WALL_SCREEN_INDEX = "create index wall_screen_of_facility on wall_screen (tenant_id, facility_id, made_at desc)"
TABLES = {"duty": (DUTY, DUTY_ONCE), "wall_screen": (WALL_SCREEN, WALL_SCREEN_INDEX)}
GRANTS = (
    "grant select, insert on duty, wall_screen to facility_app",
    "grant update (ended_at) on duty to facility_app",
    "grant update (revoked_by, revoked_at) on wall_screen to facility_app",
)


def upgrade() -> None:
    """Make both tables and fence them."""
    for table, statements in TABLES.items():
        for statement in (*statements, *isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop both tables."""
    for table in TABLES:
        op.execute(f"drop table {table}")
