"""Let goods be kept: herb drawers, display checks (养护), places with their temperature and humidity (温湿度).

Checks, readings and what was done about a reading outside its limits are only added. A reading keeps the limits it was
judged by, so that a later change of the limits changes no past day.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

DRAWER = f"""
create table herb_drawer (
    {TENANT},
    facility_id bigint not null,
    name text not null,
    product_id bigint,
    lot_id bigint,
    cleaned_on date,
    staff_id bigint not null,
    changed_at timestamptz not null,
    constraint herb_drawer_pkey primary key (tenant_id, facility_id, name),
    constraint herb_drawer_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint herb_drawer_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint herb_drawer_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint herb_drawer_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint herb_drawer_name_check check (char_length(name) between 1 and 20)
)
"""
CHECK = f"""
create table keeping_check (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    lot_id bigint not null,
    zone text not null,
    quantity bigint not null,
    focus text not null,
    result text not null,
    finding text not null default '',
    staff_id bigint not null,
    checked_at timestamptz not null,
    checked_on date not null,
    constraint keeping_check_pkey primary key (tenant_id, id),
    constraint keeping_check_lot_fkey foreign key (tenant_id, lot_id) references lot (tenant_id, id),
    constraint keeping_check_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint keeping_check_result_check check (result in ('ok', 'doubtful')),
    constraint keeping_check_says_why check (result = 'ok' or finding <> ''),
    constraint keeping_check_finding_check check (char_length(finding) <= 200)
)
"""
PLACE = f"""
create table climate_place (
    {TENANT},
    id bigint generated always as identity,
    facility_id bigint not null,
    name text not null,
    kind text not null,
    low_tenths int,
    high_tenths int not null,
    humid_low int,
    humid_high int,
    state text not null default 'open',
    staff_id bigint not null,
    changed_at timestamptz not null,
    constraint climate_place_pkey primary key (tenant_id, id),
    constraint climate_place_name_once unique (tenant_id, facility_id, name),
    constraint climate_place_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint climate_place_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint climate_place_kind_check check (kind in ('normal', 'cool', 'cold')),
    constraint climate_place_state_check check (state in ('open', 'closed')),
    constraint climate_place_name_check check (char_length(name) between 1 and 40),
    constraint climate_place_limits_check check (
        (low_tenths is null or low_tenths < high_tenths) and (humid_low is null or humid_high is null or humid_low < humid_high))
)
"""
READING = f"""
create table climate_reading (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    place_id bigint not null,
    temperature_tenths int not null,
    humidity int,
    low_tenths int,
    high_tenths int not null,
    humid_low int,
    humid_high int,
    outside boolean not null,
    half text not null,
    staff_id bigint not null,
    read_at timestamptz not null,
    read_on date not null,
    constraint climate_reading_pkey primary key (tenant_id, id),
    constraint climate_reading_place_fkey foreign key (tenant_id, place_id) references climate_place (tenant_id, id),
    constraint climate_reading_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint climate_reading_half_check check (half in ('am', 'pm')),
    constraint climate_reading_temperature_check check (temperature_tenths between -500 and 700),
    constraint climate_reading_humidity_check check (humidity between 0 and 100)
)
"""
ACTION = f"""
create table climate_action (
    {TENANT},
    reading_id uuid not null,
    action text not null,
    staff_id bigint not null,
    signed_by bigint not null,
    signed_at timestamptz not null,
    constraint climate_action_pkey primary key (tenant_id, reading_id),
    constraint climate_action_reading_fkey foreign key (tenant_id, reading_id) references climate_reading (tenant_id, id),
    constraint climate_action_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint climate_action_signed_fkey foreign key (tenant_id, signed_by) references staff (tenant_id, id),
    constraint climate_action_action_check check (char_length(action) between 1 and 200)
)
"""

TABLES = ("herb_drawer", "keeping_check", "climate_place", "climate_reading", "climate_action")
UP = (
    DRAWER,
    CHECK,
    "create index keeping_check_of_lot on keeping_check (tenant_id, lot_id, zone, checked_at desc)",
    "create index keeping_check_recent on keeping_check (tenant_id, facility_id, checked_at desc, id desc)",
    PLACE,
    READING,
    "create index climate_reading_of_place on climate_reading (tenant_id, place_id, read_on, read_at)",
    "create index climate_reading_outside on climate_reading (tenant_id, facility_id, read_at desc) where outside",
    ACTION,
    "grant select, insert on herb_drawer, keeping_check, climate_place, climate_reading, climate_action to facility_app",
    "grant update (product_id, lot_id, cleaned_on, staff_id, changed_at) on herb_drawer to facility_app",
    "grant update (low_tenths, high_tenths, humid_low, humid_high, state, staff_id, changed_at) on climate_place to facility_app",
    "grant select on sequence climate_place_id_seq to facility_backup",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)
    for table in TABLES:
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
