"""Guards of the fences are themselves tested: a copy of the database is weakened in many ways, and each time they say so.

Two guards stand: `fences.holes` reads the catalogs, and `leaks` tries, as one tenant, to see and to write another's rows
in every table. Both run in the transaction that weakened, which is then thrown away.
"""

import psycopg
import pytest

from launcher.databases import connect, prepare
from tests.guards import fences, known
from tests.guards.filled import fill

COPY = "facility_weakened"

# What may be done to a fence, and which of the two guards must see it.
WEAKENED = {
    "not forced": ("alter table sale no force row level security", "catalog"),
    "switched off": ("alter table sale disable row level security", "both"),
    "a policy that lets all pass": ("alter policy tenant on prescription using (true)", "both"),
    "a policy beside the fence": ("create policy helpful on identification to facility_app using (true)", "both"),
    "a policy for everybody": ("create policy helpful on sale_line using (true)", "both"),
    "writes unchecked": ("alter policy tenant on stock_movement with check (true)", "both"),
    "no tenant sees all": (
        "alter policy tenant on basket using (tenant_id = coalesce(nullif(current_setting('app.tenant_id', true), '')::bigint, tenant_id))", "catalog",
    ),
    "the door stands open": ("alter policy sign_in on staff using (true)", "both"),
    "a view around the fence": ("create view takings as select * from sale; grant select on takings to facility_app", "catalog"),
    "a function around the fence": (
        "create function peek() returns bigint language sql security definer as 'select count(*) from sale'", "catalog",
    ),
    "a ledger that may be edited": ("grant update on stock_movement to facility_app", "catalog"),
    "a ledger that may be emptied": ("grant truncate on trace_event to facility_app", "catalog"),
    "one column of a ledger": ("grant update (amount_fen) on tender to facility_app", "catalog"),
    "figures of a sale": ("grant update (total_fen) on sale to facility_app", "catalog"),
    "everybody may read": ("grant select on organization to public", "catalog"),
    "a role above all fences": ("alter role facility_app bypassrls", "both"),
    "an application that owns": ("alter table sale owner to facility_app", "catalog"),
    "a table nobody fenced": ("create table note (tenant_id bigint, text text); grant select on note to facility_app", "catalog"),
    "a key that forgets the tenant": ("alter table tender drop constraint tender_pk; alter table tender add constraint tender_pk primary key (id)", "catalog"),
}  # fmt: skip


@pytest.fixture(scope="module")
def copy(cluster, role_passwords, center_app):
    """A second facility database with two pharmacies in it; returns (administrator's address, ours, theirs)."""
    from app.facility.factory import create_app

    urls = prepare(cluster.admin_url, "facility", role_passwords, COPY)
    app = create_app(urls, secret="tests", testing=True, center=center_app)
    ours, theirs = fill(app, center_app, "一号药店"), fill(app, center_app, "三号药店")
    with app.app_context():
        app.extensions["sqlalchemy"].close()
    return cluster.admin_url.replace("/postgres?", f"/{COPY}?"), ours.pharmacy.tenant_id, theirs.pharmacy.tenant_id


@pytest.fixture
def administrator(copy):
    with connect(copy[0]) as connection:
        connection.execute("set lock_timeout = '5s'")
        yield connection
        connection.rollback()


def leaks(connection, us, them):
    """As tenant `us`: what can be seen of others, and which tables take a row of tenant `them`. For the rest of the transaction."""
    rights = {
        (table, right)
        for table, column, role, right in connection.execute(fences.RIGHTS)
        if role == "facility_app" and column is None
    }
    tables = [name for name in fences.tables(connection) if name not in known.OF_NOBODY["facility"]]
    connection.execute("set local role facility_app")
    connection.execute("select set_config('app.tenant_id', %s, true)", (str(us),))
    found = []
    for table in tables:
        if (table, "SELECT") in rights:
            [(own, others)] = connection.execute(
                f"select count(*) filter (where tenant_id = %s), count(*) filter (where tenant_id <> %s) from {table}",
                (us, us),
            )
            found += [f"{table}: {others} rows of others are seen"] if others else []
            found += [f"{table}: nothing of our own is there to be compared"] if not own else []
            if (table, "INSERT") in rights and own and not _is_refused(connection, table, us, them):
                found.append(f"{table} takes a row of another tenant")
    return found


# What is computed from the rest of a row cannot be written by anybody.
WRITABLE = "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''"


def _is_refused(connection, table, us, them) -> bool:
    """Write a copy of a row of ours as a row of theirs. Only row-level security counts as a refusal, not a key in the way."""
    row = connection.execute(f"select to_jsonb(t) from {table} t where tenant_id = %s limit 1", (us,)).fetchone()[0]
    columns = ", ".join(name for (name,) in connection.execute(WRITABLE, (table,)))
    try:
        with connection.transaction():
            connection.execute(
                f"insert into {table} ({columns}) overriding system value select {columns} from jsonb_populate_record(null::{table}, %s)",
                (psycopg.types.json.Jsonb({**row, "tenant_id": them}),),
            )
    except psycopg.errors.InsufficientPrivilege as refused:
        return "row-level security" in str(refused)
    except psycopg.Error:
        return False
    return False


def test_the_sound_copy_has_no_hole_and_leaks_nothing(administrator, copy):
    assert fences.holes(administrator, "facility") == []
    assert leaks(administrator, *copy[1:]) == []


@pytest.mark.parametrize("how", WEAKENED)
def test_a_weakened_fence_is_seen(administrator, copy, how):
    statement, by = WEAKENED[how]
    administrator.execute(statement)

    assert fences.holes(administrator, "facility") != []
    if by == "both":
        assert leaks(administrator, *copy[1:]) != []


def test_the_login_setting_shows_one_person_and_no_more(administrator, copy):
    code = administrator.execute("select code from organization where tenant_id = %s", (copy[2],)).fetchone()[0]
    administrator.execute("set local role facility_app")
    administrator.execute("select set_config('app.login', %s, true)", (f"{code}/002",))

    assert administrator.execute("select count(*) from organization").fetchone() == (1,)
    assert administrator.execute("select number, tenant_id from staff").fetchall() == [("002", copy[2])]
    assert administrator.execute("select count(*) from staff_role").fetchone() == (0,)
    assert administrator.execute("select count(*) from sale").fetchone() == (0,)
