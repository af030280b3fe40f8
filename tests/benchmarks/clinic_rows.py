"""A year of a district at the center: 100,000 persons, each with visits, settlements and drugs of the last twelve months.

One real visit, settled through the door, is the pattern; the others are the same rows under other keys and days.
"""

from __future__ import annotations

import json

PERSONS, VISITS, DRUGS = 100_000, 4, 200
WAITING = 2_000  # Persons who are registered today, whose drafts are looked at.

# What differs in each copy: n counts persons, k their visits. All other columns are the pattern's.
WHO, WHICH, DAYS = "'Y' || lpad(n::text, 9, '0')", "'V' || n || '-' || k", "(90 * k - 60 - n % 60)::int"
EACH = f"cross join generate_series(1, {PERSONS}) n"
EACH_VISIT = f"{EACH} cross join generate_series(1, {VISITS}) k"
COPIES = (
    ("person", "psn_no = '{person}'", EACH, {"psn_no": WHO, "certno_lookup": "sha256(n::text::bytea)", "card_lookup": "sha256(('c' || n)::bytea)"}),
    ("visit", "mdtrt_id = '{visit}'", EACH_VISIT, {"mdtrt_id": WHICH, "number": WHICH, "psn_no": WHO, "registered_at": f"now() - make_interval(days => {DAYS})"}),
    ("settlement", "mdtrt_id = '{visit}'", EACH_VISIT,
     {"setl_id": WHICH, "mdtrt_id": WHICH, "msgid": WHICH, "psn_no": WHO, "settled_at": f"now() - make_interval(days => {DAYS})"}),
    ("visit_line", "mdtrt_id = '{visit}'", EACH_VISIT,
     {"id": None, "mdtrt_id": WHICH, "setl_id": WHICH, "psn_no": WHO, "code": f"(array[{{drugs}}])[1 + (n * 7 + (k - 1) * 11 + x.id % 3) % {DRUGS}]",
      "occurred_at": f"now() - make_interval(days => {DAYS})", "supply_until": f"current_date - {DAYS} + 30"}),
    ("visit", "mdtrt_id = '{visit}'", f"cross join generate_series(1, {WAITING}) n",
     {"mdtrt_id": "'T' || n", "number": "'T' || n", "settlements": "0", "psn_no": WHO, "registered_at": "now()"}),
)  # fmt: skip


def fill(connection, person: str, visit: str, drugs: list[str]) -> dict[str, int]:
    """Copy the pattern; returns how many rows lie there now."""
    known = {"person": person, "visit": visit, "drugs": ", ".join(f"'{drug}'" for drug in drugs)}
    for table, which, times, other in COPIES:
        asked = "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum"
        columns = [row[0] for row in connection.execute(asked, (table,)) if other.get(row[0], "") is not None]
        values = ", ".join(other.get(column) or f"x.{column}" for column in columns)
        statement = f"insert into {table} ({', '.join(columns)}) select {values} from {table} x {times} where x.{which}"
        connection.execute(statement.format(**known))
    connection.execute("vacuum analyze")
    return {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for name in ("person", "visit_line")}


def renewed(rows: dict[str, list[dict]], fresh: dict[str, str]) -> dict[str, str]:
    """The rows of some tables as JSON, with old keys replaced by fresh ones wherever they stand."""
    made = {}
    for name, found in rows.items():
        text = json.dumps(found)
        for old, new in fresh.items():
            text = text.replace(old, new)
        made[name] = text
    return made
