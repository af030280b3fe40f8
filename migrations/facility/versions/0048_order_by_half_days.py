"""Let a visit say in which half of the day it stands, morning or afternoon (上午、下午), and the queue keep to it.

Whoever booked the afternoon has an early ticket, and stood before the morning's walk-ins. Who goes first is now made of two things a visit
says: its urgency (急诊, 优先) and its half of the day; within both the ticket decides.
"""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

QUEUE = "create index visit_queue on visit (tenant_id, facility_id, visit_on, state, priority desc, ticket)"
UP = (
    "drop index visit_queue",
    "alter table visit rename column priority to urgency",
    "alter table visit add column period text",
    # A booking stands in the half in which its doctor was on duty; anybody else in the half in which they came.
    """
    update visit v set period = case
        when v.booked then coalesce((select min(y.period) from duty y where y.tenant_id = v.tenant_id and y.facility_id = v.facility_id
            and y.doctor_id = v.doctor_id and y.weekday = extract(isodow from v.visit_on)), 'am')
        when extract(hour from coalesce(v.arrived_at, v.made_at) at time zone 'Asia/Shanghai') < 12 then 'am' else 'pm' end
    """,
    "alter table visit alter column period set not null, add constraint visit_period_check check (period in ('am', 'pm'))",
    "alter table visit add column priority int not null generated always as (urgency * 2 + case when period = 'am' then 1 else 0 end) stored",
    QUEUE,
    "create index visit_booked on visit (tenant_id, facility_id, doctor_id, visit_on) where booked",
    "grant update (period) on visit to facility_app",
)
DOWN = (
    "drop index visit_booked",
    "drop index visit_queue",
    "alter table visit drop column priority, drop column period",
    "alter table visit rename column urgency to priority",
    QUEUE,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
