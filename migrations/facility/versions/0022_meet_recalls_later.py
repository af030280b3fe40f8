"""Let a recall of the center that came first meet its product later: one that is added, imported, or given its codes afterwards.

`match_recalls` names each new or changed product that a running recall of the center means as its target, by the same rule as
when the news came. Lots that are here already are frozen at once and the recall stands above the pages again; lots that come
in later are frozen as they are made, and `lot_recalled_told` writes down why.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MATCH = """
create function match_recalls() returns trigger language plpgsql as $$
begin
    if not exists (select from recall where state = 'open' and origin = 'center') then
        return null;
    end if;
    with met as (
        insert into recall_target (tenant_id, recall_id, product_id, lot_number)
        select r.tenant_id, r.id, p.id, n.lot_number
        from recall r
        cross join lateral (
            select nullif(r.product ->> 'national', '') as national, nullif(r.product ->> 'approval', '') as approval,
                r.product ->> 'name' as name, nullif(r.product ->> 'maker', '') as maker, nullif(r.product ->> 'spec', '') as spec
        ) w
        join fresh p on p.tenant_id = r.tenant_id and (
            p.national_code = w.national
            or (w.national is null and w.approval is not null and p.approval_number = w.approval)
            or (w.national is null and w.approval is null and p.generic_name = w.name and p.maker = w.maker))
            and (w.spec is null or p.spec = w.spec)
        cross join unnest(case when cardinality(r.lots) = 0 then array[''] else r.lots end) as n (lot_number)
        where r.state = 'open' and r.origin = 'center' and cardinality(r.codes) = 0
        on conflict do nothing
        returning tenant_id, recall_id, product_id, lot_number
    ), found as (
        select l.tenant_id, l.id, l.facility_id, l.hold, m.recall_id, r.number || ' ' || r.reason as why
        from lot l join (
            select tenant_id, product_id, lot_number, min(recall_id::text)::uuid as recall_id from met group by tenant_id, product_id, lot_number
        ) m on m.tenant_id = l.tenant_id and m.product_id = l.product_id and m.lot_number in ('', l.lot_number)
        join recall r on r.tenant_id = m.tenant_id and r.id = m.recall_id
        where l.hold is distinct from 'recalled' order by l.id for no key update of l
    ), held as (
        update lot l set hold = 'recalled', hold_reason = left(f.why, 200) from found f where l.tenant_id = f.tenant_id and l.id = f.id returning l.id
    ), changed as (
        insert into lot_change (tenant_id, facility_id, lot_id, what, before, after, reason, document_id, changed_at)
        select distinct on (f.id) f.tenant_id, f.facility_id, f.id, 'hold', coalesce(f.hold, ''), 'recalled', left(f.why, 200), f.recall_id, now()
        from found f join held h on h.id = f.id order by f.id, f.recall_id
    )
    update recall_place a set acknowledged_at = null, acknowledged_by = null
    from found f where a.tenant_id = f.tenant_id and a.recall_id = f.recall_id and a.facility_id = f.facility_id;
    return null;
end $$
"""
TOLD = """
create function tell_recalled_lot() returns trigger language plpgsql as $$
begin
    insert into lot_change (tenant_id, facility_id, lot_id, what, before, after, reason, document_id, changed_at)
    select new.tenant_id, new.facility_id, new.id, 'hold', '', 'recalled', new.hold_reason, (
        select t.recall_id from recall_target t join recall r on r.tenant_id = t.tenant_id and r.id = t.recall_id
        where t.tenant_id = new.tenant_id and t.product_id = new.product_id and t.lot_number in ('', new.lot_number) and t.ended_at is null
        order by r.issued_at, r.id limit 1), now();
    return null;
end $$
"""
UP = (
    "create index recall_running on recall (tenant_id) where state = 'open'",
    MATCH,
    "create trigger product_added after insert on product referencing new table as fresh for each statement execute function match_recalls()",
    "create trigger product_changed after update on product referencing new table as fresh for each statement execute function match_recalls()",
    TOLD,
    """
    create trigger lot_recalled_told after insert on lot for each row
    when (new.hold = 'recalled' and new.hold_reason = '召回中的批号到货') execute function tell_recalled_lot()
    """,
)
DOWN = (
    "drop trigger lot_recalled_told on lot",
    "drop function tell_recalled_lot()",
    "drop trigger product_changed on product",
    "drop trigger product_added on product",
    "drop function match_recalls()",
    "drop index recall_running",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
