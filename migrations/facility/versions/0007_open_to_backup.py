"""Let the backup role read every row of the facility wing's database, and nothing else.

pg_dump runs as facility_backup, which passes no fence by itself: each table gets a policy to read. Later migrations that
make a table call `migrations.helpers.backed_up`; a guard test finds the one that forgot.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OURS = """
    select c.relname::text from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
        and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    order by 1
"""


def upgrade() -> None:
    op.execute("grant select on all tables in schema public to facility_backup")
    op.execute("grant select on all sequences in schema public to facility_backup")
    op.execute("alter default privileges in schema public grant select on sequences to facility_backup")
    for (table,) in op.get_bind().exec_driver_sql(OURS).all():
        op.execute(f"create policy backup on {table} for select to facility_backup using (true)")


def downgrade() -> None:
    for (table,) in op.get_bind().exec_driver_sql(OURS).all():
        op.execute(f"drop policy backup on {table}")
    op.execute("alter default privileges in schema public revoke select on sequences from facility_backup")
    op.execute("revoke select on all sequences in schema public from facility_backup")
    op.execute("revoke select on all tables in schema public from facility_backup")
