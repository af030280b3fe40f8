"""Every migration goes up, down and up again, on a database of its own, and ends as it began."""

import pytest
from alembic import command

from launcher import databases

OBJECTS = """
select 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable from information_schema.columns where table_schema = 'public'
union all select 'policy ' || tablename || '.' || policyname || ' ' || cmd || ' ' || coalesce(qual, '') || ' ' || coalesce(with_check, '') from pg_policies
union all select 'constraint ' || conrelid::regclass || '.' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
union all select 'grant ' || table_name || ' ' || grantee || ' ' || privilege_type from information_schema.role_table_grants where table_schema = 'public'
union all select 'column grant ' || table_name || '.' || column_name || ' ' || grantee || ' ' || privilege_type
    from information_schema.role_column_grants where table_schema = 'public'
order by 1
"""


def objects(url):
    with databases.connect(url) as connection:
        return [row[0] for row in connection.execute(OBJECTS)]


@pytest.mark.parametrize("wing", ["facility", "center"])
def test_migrations_go_up_down_and_up_again(cluster, role_passwords, database_urls, wing):
    url = databases.prepare(cluster.admin_url, wing, role_passwords, f"{wing}_and_back")["owner"]
    after = objects(url)
    configuration = databases.configuration(wing, url)

    for _ in range(len([*databases.ROOT.glob(f"migrations/{wing}/versions/0*.py")])):
        command.downgrade(configuration, "-1")
    left = [found for found in objects(url) if " migration" not in found and "migration." not in found]
    command.upgrade(configuration, "head")

    assert len(after) > 100
    assert left == []
    assert objects(url) == after
