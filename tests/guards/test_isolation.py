"""The real catalogs of both databases: whose data it is, what may be written, what columns may be."""

import ast

import psycopg
import pytest

from launcher.databases import connect
from tests.guards import columns, fences, known


@pytest.fixture(params=known.WINGS)
def wing(request):
    return request.param


@pytest.fixture
def owner(wing, database_urls):
    with connect(database_urls[wing]["owner"]) as connection:
        yield connection


def test_no_fence_has_a_hole(owner, wing):
    assert fences.holes(owner, wing) == []


def test_columns_and_keys_keep_the_house_rules(owner, wing):
    assert columns.faults(owner, wing) == []


def test_every_constraint_was_named_by_us():
    found = []
    for file in sorted((columns.ROOT / "migrations").glob("*/versions/*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            found += [f"{file.name}: {sentence}" for sentence in columns.nameless(text)]

    assert found == []


def test_a_constraint_without_a_name_is_found():
    table = "create table t (a int primary key, b int references u (id), constraint c check (a > 0), unique (a), foreign key (b) references u (id))"

    assert [sentence.split()[0] for sentence in columns.nameless(table)] == [
        "primary",
        "references",
        "unique",
        "foreign",
    ]


@pytest.mark.parametrize(("column", "kind"), [
    ("weight", "double precision"), ("cash_amount", "numeric(12,2)"), ("total_fen", "integer"), ("phone", "text"), ("seen", "timestamp with time zone"),
    ("drawn_at", "text"), ("price", "numeric(10,2)"),
])  # fmt: skip
def test_a_column_that_breaks_a_rule_is_found(column, kind):
    row = [("shelf", column, kind)]

    assert [*columns.types(row), *columns.money(row), *columns.moments(row), *columns.personal(row)]


def test_whoever_has_no_tenant_sees_and_writes_nothing(database_urls):
    with connect(database_urls["facility"]["app"]) as connection:
        readable = {
            row[0]
            for row in connection.execute(fences.RIGHTS)
            if row[2] == "facility_app" and row[3] == "SELECT" and row[1] is None
        }
        for table in sorted(readable - known.OF_NOBODY["facility"].keys()):
            assert connection.execute(f"select count(*) from {table}").fetchone() == (0,), table
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("insert into organization (code, name) values ('NOBODY1', 'x')")


def test_whoever_has_no_district_sees_nothing(database_urls):
    with connect(database_urls["center"]["app"]) as connection:
        readable = {
            row[0]
            for row in connection.execute(fences.RIGHTS)
            if row[2] == "center_app" and row[3] == "SELECT" and row[1] is None
        }
        for table in sorted(readable - known.OF_NOBODY["center"].keys()):
            assert connection.execute(f"select count(*) from {table}").fetchone() == (0,), table
