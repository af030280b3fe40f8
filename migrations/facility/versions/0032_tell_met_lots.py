"""Tell the center of lots that a recall froze because it met their product later (召回碰到后建的品种).

`match_recalls` freezes them in whatever changed the product. The fact leaves in the same transaction, when it ends: the heads
of the streams are its last locks, in the order of the facilities; one fact for each recall and facility.
"""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# Fired once for each lot, of which the first tells all. What a lot brought along as it came in is told by whoever took it in.
TELL = """
create function tell_met_lots() returns trigger language plpgsql as $$
declare
    met record;
begin
    if current_setting('app.met_lots_told', true) = now()::text then
        return null;
    end if;
    perform set_config('app.met_lots_told', now()::text, true);
    for met in
        select c.facility_id, r.id, r.number, r.reason, r.origin, (array_agg(jsonb_build_object(
            'product', jsonb_build_object('code', p.code, 'national', coalesce(p.national_code, ''), 'barcode', coalesce(p.barcode, ''),
                'name', p.generic_name, 'spec', p.spec, 'maker', p.maker, 'approval', p.approval_number, 'rx', p.rx_class),
            'lot', l.lot_number, 'expires_on', l.expires_on, 'pack_size', p.pack_size, 'quantity', z.quantity, 'zones', z.zones) order by l.id))[1:500] as lots
        from lot_change c join recall r on r.tenant_id = c.tenant_id and r.id = c.document_id
        join lot l on l.tenant_id = c.tenant_id and l.id = c.lot_id
        join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
        cross join lateral (
            select coalesce(sum(b.on_hand), 0)::bigint as quantity,
                coalesce(jsonb_agg(jsonb_build_object('zone', b.zone, 'quantity', b.on_hand) order by b.zone), '[]'::jsonb) as zones
            from lot_balance b where b.tenant_id = l.tenant_id and b.lot_id = l.id and b.on_hand > 0
        ) z
        where c.tenant_id = new.tenant_id and c.id >= new.id and c.changed_at = now() and c.what = 'hold' and c.after = 'recalled'
            and c.staff_id is null and c.reason <> '召回中的批号到货'
        group by c.facility_id, r.id, r.number, r.reason, r.origin order by c.facility_id, r.id
    loop
        perform append_facts(new.tenant_id, met.facility_id, jsonb_build_array(jsonb_build_object('kind', 'lot.held', 'version', 1, 'body', jsonb_build_object(
            'document', met.id, 'number', met.number, 'at', now(), 'operator', '中心下达', 'act', 'held', 'hold', 'recalled',
            'reason', left(met.reason, 400), 'recall', met.id, 'origin', met.origin, 'lots', to_jsonb(met.lots), 'packs', '[]'::jsonb)::text)));
    end loop;
    return null;
end $$
"""
# Only what `match_recalls` wrote is written from within a trigger and with a recall's own reason.
WHEN_MET = """
create constraint trigger lot_met_told after insert on lot_change deferrable initially deferred for each row
when (pg_trigger_depth() > 0 and new.what = 'hold' and new.after = 'recalled' and new.reason <> '召回中的批号到货')
execute function tell_met_lots()
"""


def upgrade() -> None:
    op.execute(TELL)
    op.execute(WHEN_MET)


def downgrade() -> None:
    op.execute("drop trigger lot_met_told on lot_change")
    op.execute("drop function tell_met_lots()")
