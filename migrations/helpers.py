"""What every migration needs: row-level security is born with its table.

The statements name roles by wing: `<wing>_owner` owns the tables and passes through every policy (else a backfill under
FORCE would silently change nothing), `<wing>_app` serves screens and acts, `<wing>_worker` finishes what a crash left open.
"""

from __future__ import annotations

TENANT = "(select nullif(current_setting('app.tenant_id', true), '')::bigint)"
DISTRICT = "(select nullif(current_setting('app.district', true), ''))"


def isolate(table: str, *, worker: bool = True) -> list[str]:
    """Fence a table of the facility wing by tenant, for the application and (unless told otherwise) the worker."""
    roles = "facility_app, facility_worker" if worker else "facility_app"
    return [
        *_force(table, "facility_owner"),
        f"create policy tenant on {table} to {roles} using (tenant_id = {TENANT}) with check (tenant_id = {TENANT})",
    ]


def isolate_center(table: str) -> list[str]:
    """Fence a table of the center wing by the officer's district."""
    return [
        *_force(table, "center_owner"),
        (
            f"create policy district on {table} to center_app using (district like {DISTRICT} || '%') "
            f"with check (district like {DISTRICT} || '%')"
        ),
    ]


def force(table: str, owner: str) -> list[str]:
    """Turn row-level security on and force it; only the owner's policy is made."""
    return _force(table, owner)


def open_to(table: str, role: str) -> list[str]:
    """Let one role see all rows of a table. Each use is named in the guard test."""
    return [f"create policy {role}_all on {table} to {role} using (true) with check (true)"]


def backed_up(table: str, wing: str) -> list[str]:
    """Let a backup read a new table; every migration that makes one after the backup's own says this."""
    return [
        f"grant select on {table} to {wing}_backup",
        f"create policy backup on {table} for select to {wing}_backup using (true)",
    ]


def _force(table: str, owner: str) -> list[str]:
    return [
        f"alter table {table} enable row level security",
        f"alter table {table} force row level security",
        f"create policy owner on {table} to {owner} using (true) with check (true)",
    ]
