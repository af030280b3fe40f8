"""Reads the catalog of a database and says which columns and constraints break a house rule."""

import re
from pathlib import Path

from tests.guards import known

ROOT = Path(__file__).resolve().parents[2]
MONEY = re.compile(
    r"(^|_)(amount|amt|total|cash|fund|fee|balance|cost|paid|pay|selfpay|money|yuan|salary|deposit|change)(_|$)"
)
PERSONAL = re.compile(r"(^|_)(cert|certno|cert_no|card|phone|mobile|tel|address|idcard|patient|agent|ecert|token)(_|$)")
BINARY = {"bytea"}

COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    and c.relname <> %(migrations)s
order by 1, a.attnum
"""


def faults(connection, wing):
    """Every broken rule of one wing's columns and constraints, as sentences."""
    found = list(connection.execute(COLUMNS, {"migrations": known.MIGRATION_TABLE}))
    checks = (
        types(found),
        money(found),
        moments(found),
        personal(found),
        crossing(connection),
        loose_places(connection),
    )
    return [f"{wing}: {sentence}" for check in checks for sentence in check]


def types(columns):
    for table, name, kind in columns:
        if kind in {"real", "double precision", "money"} or kind.startswith(
            ("timestamp without", "time ", "character")
        ):
            yield f"{table}.{name} is {kind}"
        if kind.startswith("numeric"):
            priced = name in known.PRICES and kind == "numeric(16,6)"
            if not priced and f"{table}.{name}" not in known.DECIMALS:
                yield f"{table}.{name} is {kind}; prices have six places, quantities and money are whole"


def money(columns):
    for table, name, kind in columns:
        if name.endswith("_fen"):
            if kind != "bigint":
                yield f"{table}.{name} is {kind}, money is bigint"
        elif (
            f"{table}.{name}" in known.NOT_MONEY
            or name in known.PRICES
            or kind in {"text", "jsonb", "boolean", "uuid", "bytea"}
        ):
            continue
        elif MONEY.search(name):
            yield f"{table}.{name} sounds like money and does not end in _fen"


def moments(columns):
    for table, name, kind in columns:
        if kind == "timestamp with time zone" and not (name.endswith("_at") or name == "at"):
            yield f"{table}.{name} is a moment and does not end in _at"
        if name.endswith(("_at", "_on")) and kind not in {"timestamp with time zone", "date"}:
            yield f"{table}.{name} is {kind}"


def personal(columns):
    for table, name, kind in columns:
        sounds = PERSONAL.search(name) and kind not in {"bigint", "boolean", "timestamp with time zone", "date", "uuid"}
        if sounds and kind not in BINARY and f"{table}.{name}" not in known.NOT_PERSONAL:
            yield f"{table}.{name} sounds personal and is {kind}, not sealed"


def crossing(connection):
    """A foreign key between two tables of a tenant carries the tenant."""
    for name, table, other, pairs in connection.execute(
        """
        select k.conname, c.relname, o.relname, array_agg(a.attname::text || '=' || b.attname::text)
        from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class o on o.oid = k.confrelid
        cross join lateral unnest(k.conkey, k.confkey) as p(mine, theirs)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = p.mine
        join pg_attribute b on b.attrelid = o.oid and b.attnum = p.theirs
        where k.contype = 'f' and c.relnamespace = 'public'::regnamespace
            and exists (select 1 from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id')
            and exists (select 1 from pg_attribute t where t.attrelid = o.oid and t.attname = 'tenant_id')
        group by 1, 2, 3
        """
    ):
        if "tenant_id=tenant_id" not in pairs:
            yield f"{table}: the foreign key {name} to {other} leaves the tenant out: {pairs}"


def loose_places(connection):
    """Constraints and foreign keys are valid and checked."""
    for table, name in connection.execute(
        """
        select c.relname, k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid
        where c.relnamespace = 'public'::regnamespace and not k.convalidated
        """
    ):
        yield f"{table}: the constraint {name} was never validated"


# In a table's text these begin a constraint; ours are written `constraint <name> …` before them.
_BEGINS = re.compile(
    r"\b(primary\s+key|foreign\s+key|unique(?:\s+nulls\s+not\s+distinct)?\s*\(|exclude\s+using|check\s*\(|references\s+\w+)",
    re.IGNORECASE,
)
_TABLE = re.compile(r"\b(create|alter)\s+table\b", re.IGNORECASE)
_NAMED = re.compile(r"\bconstraint\s+\w+\s*$", re.IGNORECASE)


def nameless(text):
    """Constraints of one migration's statement to which nobody gave a name."""
    if not _TABLE.search(text):
        return
    for found in _BEGINS.finditer(text):
        before = text[: found.start()]
        if found[1].lower().startswith("references") and re.search(
            r"foreign\s+key\s*\([^)]*\)\s*$", before, re.IGNORECASE
        ):
            continue
        if not _NAMED.search(before):
            yield " ".join(text[found.start() : found.start() + 60].split())
