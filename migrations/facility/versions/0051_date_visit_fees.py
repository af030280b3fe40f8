"""Let the fee of a visit (诊查费) hold from a day on: rows that are only added to, for a department or a doctor, for emergencies of their own."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

TABLE = "visit_fee"
# Without a service nothing is charged from that day on; without somebody who set it, it held before fees had days.
CREATE = """
create table visit_fee (
    tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint,
    id bigint generated always as identity,
    facility_id bigint not null,
    department_id bigint,
    staff_id bigint,
    emergency boolean not null,
    service_id bigint,
    effective_from date not null,
    set_by bigint,
    set_at timestamptz not null,
    constraint visit_fee_pkey primary key (tenant_id, id),
    constraint visit_fee_facility_fkey foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint visit_fee_department_fkey foreign key (tenant_id, department_id) references department (tenant_id, id),
    constraint visit_fee_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint visit_fee_service_fkey foreign key (tenant_id, service_id) references product (tenant_id, id),
    constraint visit_fee_set_by_fkey foreign key (tenant_id, set_by) references staff (tenant_id, id),
    constraint visit_fee_of_one check ((department_id is null) <> (staff_id is null))
)
"""
STATEMENTS = (
    "create index visit_fee_of_department on visit_fee (tenant_id, facility_id, department_id, emergency, effective_from desc, id desc)",
    "create index visit_fee_of_doctor on visit_fee (tenant_id, facility_id, staff_id, emergency, effective_from desc, id desc)",
    "create index visit_fee_latest on visit_fee (tenant_id, facility_id, id desc)",
    "grant select, insert on visit_fee to facility_app",
    "grant select on sequence visit_fee_id_seq to facility_backup",
)
# What was charged so far held as long as there have been visits.
SINCE = """
coalesce((select min(v.visit_on) from visit v where v.tenant_id = x.tenant_id and v.facility_id = x.facility_id), (now() at time zone 'Asia/Shanghai')::date)
"""
CARRIED = """
insert into visit_fee (tenant_id, facility_id, {column}, emergency, service_id, effective_from, set_at)
select x.tenant_id, x.facility_id, x.{id}, false, x.visit_service_id, {since}, now() from {table} x where x.visit_service_id is not null
"""
GIVEN_BACK = """
update {table} x set visit_service_id = f.service_id from (
    select distinct on (tenant_id, facility_id, {column}) tenant_id, facility_id, {column}, service_id from visit_fee
    where {column} is not null and not emergency and effective_from <= (now() at time zone 'Asia/Shanghai')::date
    order by tenant_id, facility_id, {column}, effective_from desc, id desc) f
where f.tenant_id = x.tenant_id and f.facility_id = x.facility_id and f.{column} = x.{id}
"""
KEEPERS = {"department": ("department_id", "id"), "practitioner": ("staff_id", "staff_id")}


def upgrade() -> None:
    op.execute(CREATE)
    for statement in (*isolate(TABLE, worker=False), *backed_up(TABLE, "facility"), *STATEMENTS):
        op.execute(statement)
    for table, (column, key) in KEEPERS.items():
        op.execute(CARRIED.format(table=table, column=column, id=key, since=SINCE))
        op.execute(f"alter table {table} drop column visit_service_id")


def downgrade() -> None:
    for table, (column, key) in KEEPERS.items():
        op.execute(f"alter table {table} add column visit_service_id bigint")
        op.execute(
            f"alter table {table} add constraint {table}_fee_fkey foreign key (tenant_id, visit_service_id) references product (tenant_id, id)"
        )
        op.execute(f"grant update (visit_service_id) on {table} to facility_app")
        op.execute(GIVEN_BACK.format(table=table, column=column, id=key))
    op.execute(f"drop table {TABLE}")
