"""Create the center's officers and the center's audit trail.

An account has one role and one district (a prefix of the six-digit code). Whoever stands at the door has no district
yet: a policy on `app.login` (district + '/' + name or number) shows exactly the rows of that sign-in.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import force, isolate_center, open_to

revision = "0001"
down_revision = None

# One role an account: nobody can hold two of the three administrations.
OFFICER = """
create table officer (
    id bigint generated always as identity,
    district text not null,
    number text not null,
    name text not null,
    role text not null,
    password_hash text not null,
    password_changed_at timestamptz not null default now(),
    must_change boolean not null default true,
    demo boolean not null default false,
    totp_sealed bytea,
    totp_step bigint not null default 0,
    session_version integer not null default 1,
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    constraint officer_pkey primary key (id),
    constraint officer_number_key unique (number),
    constraint officer_district_check check (district ~ '^[0-9]{2}([0-9]{2}){0,2}$'),
    constraint officer_number_check check (number ~ '^[0-9A-Za-z-]{1,12}$'),
    constraint officer_name_check check (char_length(name) between 1 and 40 and strpos(name, '/') = 0),
    constraint officer_role_check check (role in ('officer', 'auditor', 'administrator', 'security_admin', 'audit_admin'))
)
"""

SESSION_END = """
create table session_end (
    session_id uuid not null,
    district text not null,
    officer_id bigint not null,
    ended_at timestamptz not null default now(),
    constraint session_end_pkey primary key (session_id),
    constraint session_end_officer_fkey foreign key (officer_id) references officer (id)
)
"""

AUDIT_TRAIL = """
create table audit_trail (
    id bigint generated always as identity,
    district text not null default nullif(current_setting('app.district', true), ''),
    at timestamptz not null default clock_timestamp(),
    officer_id bigint,
    name text not null,
    act text not null,
    object text not null,
    result text not null,
    address text not null,
    terminal text not null,
    facts jsonb not null,
    constraint audit_trail_pkey primary key (id),
    constraint audit_trail_result_check check (result in ('done', 'refused'))
)
"""

SIGN_IN_GUARD = """
create table sign_in_guard (
    key bytea not null,
    failed_count integer not null,
    failed_at timestamptz not null,
    constraint sign_in_guard_pkey primary key (key)
)
"""

INDEXES = (
    "create index officer_name_idx on officer (district, name)",
    "create index audit_trail_officer_idx on audit_trail (officer_id, id)",
    "create index audit_trail_act_idx on audit_trail (act, id)",
    "create index sign_in_guard_failed_idx on sign_in_guard (failed_at)",
)

LOGIN = "(select nullif(current_setting('app.login', true), ''))"
DOOR = f"""
create policy sign_in on officer for select to center_app using (
    district = split_part({LOGIN}, '/', 1)
    and (number = substr({LOGIN}, strpos({LOGIN}, '/') + 1) or name = substr({LOGIN}, strpos({LOGIN}, '/') + 1))
)
"""

GRANTS = (
    "grant select, insert on officer to center_app",
    (
        "grant update (number, name, role, district, password_hash, password_changed_at, must_change, totp_sealed, totp_step,"
        " session_version, disabled_at) on officer to center_app"
    ),
    "grant select, insert on session_end to center_app",
    "grant select, insert on audit_trail to center_app",
    "grant select, insert, update, delete on sign_in_guard to center_app",
    "grant insert on audit_trail to center_interface, center_inbox",
)


def upgrade() -> None:
    for statement in (OFFICER, SESSION_END, AUDIT_TRAIL, SIGN_IN_GUARD, *INDEXES):
        op.execute(statement)
    for table in ("officer", "session_end", "audit_trail"):
        for statement in isolate_center(table):
            op.execute(statement)
    for statement in (
        DOOR,
        *open_to("audit_trail", "center_interface"),
        *open_to("audit_trail", "center_inbox"),
        *force("sign_in_guard", "center_owner"),
        *open_to("sign_in_guard", "center_app"),
        *GRANTS,
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("sign_in_guard", "audit_trail", "session_end", "officer"):
        op.execute(f"drop table {table}")
