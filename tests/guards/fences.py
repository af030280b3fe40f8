"""Reads the catalog of a database and says where a fence has a hole: policies, owners, roles, grants, functions.

Each check takes a connection (of the owner or the server's administrator), so that the mutation tests can run them
against a database that was weakened on purpose.
"""

from collections import defaultdict

from tests.guards import known

# Tables of ours; what an extension brought is not ours.
TABLES = """
select c.oid, c.relname as name, c.relkind as kind, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
    pg_get_userbyid(c.relowner) as owner
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by c.relname
"""


def holes(connection, wing):
    """Every hole in the fences of one wing's database, as sentences."""
    checks = (row_security, keys, policies, owners, roles, table_grants, written_once, functions, room_for_others)
    return [f"{wing}: {found}" for check in checks for found in check(connection, wing)]


def tables(connection):
    """Names of our tables, without the migrations' own."""
    return [row[1] for row in connection.execute(TABLES) if row[2] in "rp" and row[1] != known.MIGRATION_TABLE]


def row_security(connection, wing):
    for _, name, kind, enabled, forced, _owner in connection.execute(TABLES):
        if kind not in "rp":
            yield f"{name} is no plain table; a view or foreign table sees past row-level security"
        elif name != known.MIGRATION_TABLE and not (enabled and forced):
            yield f"{name}: row-level security is {'not forced' if enabled else 'off'}"


def keys(connection, wing):
    """Facility: tenant_id leads the primary key. Center: a district is written on every row."""
    rows = connection.execute(
        """
        select c.relname, coalesce(array_agg(a.attname::text order by k.turn) filter (where a.attname is not null), '{}')
        from pg_class c
        left join pg_index i on i.indrelid = c.oid and i.indisprimary
        left join lateral unnest(i.indkey) with ordinality as k(attnum, turn) on true
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') group by 1 order by 1
        """
    )
    fenced = {row[0] for row in connection.execute(NOT_NULL, {"column": FENCE[wing]})}
    for name, key in rows:
        if name in known.OF_NOBODY[wing] or name == known.MIGRATION_TABLE:
            continue
        if not key:
            yield f"{name} has no primary key"
        elif wing == "facility" and key[0] != "tenant_id":
            yield f"{name}: the primary key {key} does not begin with tenant_id"
        if name not in fenced:
            yield f"{name} has no {FENCE[wing]} that must be filled"


FENCE = {"facility": "tenant_id", "center": "district"}
NOT_NULL = """
select c.relname from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = %(column)s and a.attnotnull
"""


def policies(connection, wing):
    """Each table: the owner's policy, the fence's policy, and what known.py names; nothing else, and not otherwise."""
    found = defaultdict(dict)
    for table, name, permissive, to, command, using, check in connection.execute(
        "select tablename, policyname, permissive, roles::text[], cmd, qual, with_check from pg_policies where schemaname = 'public'"
    ):
        found[table][name] = (permissive, ",".join(sorted(to)), command, using, check)
    unused = dict(known.OPEN_POLICIES[wing])
    for table in tables(connection):
        yield from _policies_of(wing, table, found[table], unused)
    for table, name, *_ in unused:
        yield f"{table}: the policy {name} that known.py names is not there"


def _policies_of(wing, table, found, unused):
    fence, words, readers = {
        "facility": ("tenant", known.TENANT_ONLY, {"facility_app", "facility_app,facility_worker"}),
        "center": ("district", known.DISTRICT_ONLY, {"center_app"}),
    }[wing]
    if table not in known.OF_NOBODY[wing] and fence not in found:
        yield f"{table} has no policy {fence}"
    if "backup" not in found:
        yield f"{table}: a backup would leave out its rows; migrations.helpers.backed_up is missing"
    for name, (permissive, to, command, using, check) in found.items():
        if name == "owner":
            right = (to, command, using, check) == (f"{wing}_owner", "ALL", "true", "true")
        elif name == "backup":
            right = (to, command, using, check) == (f"{wing}_backup", "SELECT", "true", None)
        elif name == fence:
            right = to in readers and command == "ALL" and using == words and check == words
        elif wing == "center" and name == "received" and table in known.RECEIVED:
            right = (to, command, using, check) == ("center_app", "SELECT", known.RECEIVED_ONLY, None)
        elif (table, name, to, command) in unused:
            del unused[table, name, to, command]
            right = _open_as_named(name, command, using, check)
        else:
            yield f"{table}: nobody knows the policy {name} to {to} for {command} using {using}"
            continue
        if not right or permissive != "PERMISSIVE":
            yield f"{table}: the policy {name} to {to} for {command} says using {using} with check {check}"


def _open_as_named(name, command, using, check):
    if name == "sign_in":
        return command == "SELECT" and known.DOOR_ASKS in using
    return using == "true" and check == (None if command == "SELECT" else "true")


def owners(connection, wing):
    """Only the owner owns; an owner could switch its own fences off."""
    for kind, name, owner in connection.execute(
        """
        select 'relation', c.relname, pg_get_userbyid(c.relowner) from pg_class c where c.relnamespace = 'public'::regnamespace
            and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
        union all
        select 'function', p.proname, pg_get_userbyid(p.proowner) from pg_proc p where p.pronamespace = 'public'::regnamespace
            and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        """
    ):
        if owner != f"{wing}_owner":
            yield f"the {kind} {name} belongs to {owner}"


def roles(connection, wing):
    """No role of ours passes row-level security, makes roles, or is a member of another."""
    for name, *rights in connection.execute(
        """
        select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles
        where rolname ~ '^(facility|center)_'
        """
    ):
        if any(rights):
            words = ("superuser", "bypassrls", "createrole", "createdb", "replication")
            yield f"{name} is {', '.join(word for word, has in zip(words, rights, strict=True) if has)}"
    for member, of in connection.execute(
        "select pg_get_userbyid(member), pg_get_userbyid(roleid) from pg_auth_members where pg_get_userbyid(member) ~ '^(facility|center)_'"
    ):
        yield f"{member} is a member of {of}"


# Everybody's rights on every table and column: (table, column or null, role, right).
RIGHTS = """
select c.relname, null, case when a.grantee = 0 then 'PUBLIC' else pg_get_userbyid(a.grantee) end, a.privilege_type
from pg_class c, aclexplode(c.relacl) a
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.grantee <> c.relowner
    and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
union all
select c.relname, t.attname, case when a.grantee = 0 then 'PUBLIC' else pg_get_userbyid(a.grantee) end, a.privilege_type
from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) a
where c.relnamespace = 'public'::regnamespace and a.grantee <> c.relowner
"""
EVERYDAY = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def table_grants(connection, wing):
    for table, column, role, right in connection.execute(RIGHTS):
        where = f"{table}.{column}" if column else table
        if role == "PUBLIC" or not role.startswith(f"{wing}_"):
            yield f"{role} may {right} {where}"
        elif role == f"{wing}_backup":
            if right != "SELECT":
                yield f"{role} may {right} {where}"
        elif table == known.MIGRATION_TABLE:
            yield f"{role} may {right} the migrations' own table"
        elif right not in EVERYDAY:
            yield f"{role} may {right} {where}"
        elif right == "DELETE" and (wing, table) not in known.MAY_DELETE:
            yield f"{role} may delete from {table}"
        elif right == "UPDATE" and column is None and (wing, table) not in known.MAY_REWRITE:
            yield f"{role} may rewrite every column of {table}; grant the columns of its state"
        elif right == "UPDATE" and column in known.FIGURES[wing].get(table, "").split():
            yield f"{role} may change {where}, which nothing ever changes"


def written_once(connection, wing):
    """Ledgers grant no change; and every table is either written once or has a state, by name."""
    once, stateful = known.APPEND_ONLY[wing], known.STATEFUL[wing]
    present = set(tables(connection))
    for table in sorted(present - once.keys() - stateful.keys()):
        yield f"{table} stands neither in APPEND_ONLY nor in STATEFUL"
    for table in sorted((once.keys() | stateful.keys()) - present) + sorted(once.keys() & stateful.keys()):
        yield f"{table} is named in vain, or twice"
    for table, column, role, right in connection.execute(RIGHTS):
        if table in once and right not in {"SELECT", "INSERT"} and not (right == "UPDATE" and column in once[table]):
            yield f"{table} is written once, yet {role} may {right} {column or 'it'}"


def functions(connection, wing):
    """Functions that run as the owner are known by name, find only our tables, and are not for everybody."""
    known_here = set(known.DEFINERS[wing])
    for name, definer, settings, everybody in connection.execute(
        """
        select p.proname, p.prosecdef, coalesce(p.proconfig, '{}'),
            p.proacl is null or exists (select 1 from aclexplode(p.proacl) a where a.grantee = 0)
        from pg_proc p where p.pronamespace = 'public'::regnamespace
            and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        """
    ):
        if not definer:
            continue
        if name not in known.DEFINERS[wing]:
            yield f"nobody knows the function {name}, which runs with its owner's rights"
        known_here.discard(name)
        if not any(setting.startswith("search_path=") for setting in settings):
            yield f"the function {name} runs with its owner's rights and has no search_path"
        if everybody:
            yield f"everybody may run {name} with its owner's rights"
    for name in known_here:
        yield f"the function {name} that known.py names is not there"


def room_for_others(connection, wing):
    """Nobody but the owner makes things in the schema or the database, where they could shadow ours."""
    for role, right in connection.execute(
        """
        select case when a.grantee = 0 then 'PUBLIC' else pg_get_userbyid(a.grantee) end, a.privilege_type
        from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'public'
        union all
        select case when a.grantee = 0 then 'PUBLIC' else pg_get_userbyid(a.grantee) end, a.privilege_type
        from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a where d.datname = current_database()
        """
    ):
        if right in {"CREATE", "TEMPORARY"} and role not in {f"{wing}_owner", "pg_database_owner"}:
            yield f"{role} may {right} in the database"
