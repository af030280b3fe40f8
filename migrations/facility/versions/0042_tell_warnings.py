"""Let the recovery worker learn where answers to the center's warnings were kept back by an outage (3103)."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

# The worker may learn at which facilities answers wait; everything else it does as the application.
CREATE = """
create function untold_warnings(p_since timestamptz, p_limit int)
returns table (tenant_id bigint, facility_id bigint)
language sql security definer set search_path = public as $$
    select w.tenant_id, w.facility_id from center_warning w
    where w.way is not null and w.told_at is null and w.found_at > p_since
    group by w.tenant_id, w.facility_id order by min(w.found_at) limit p_limit
$$
"""


def upgrade() -> None:
    """Make the function; only the worker may call it."""
    op.execute(CREATE)
    op.execute("revoke all on function untold_warnings(timestamptz, int) from public")
    op.execute("grant execute on function untold_warnings(timestamptz, int) to facility_worker")


def downgrade() -> None:
    """Drop it."""
    op.execute("drop function untold_warnings(timestamptz, int)")
